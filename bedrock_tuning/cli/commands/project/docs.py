"""`tuning docs`: writes the generated pages, or lists the stale ones."""

from pathlib import Path

import click

from bedrock_tuning.cli.options import SETTINGS_FILE
from bedrock_tuning.cli.terminal.command import command
from bedrock_tuning.cli.terminal.errors import EXIT_NO
from bedrock_tuning.cli.terminal.output import emit, emit_json, json_option, say
from bedrock_tuning.errors import UserError


@command(
    order=7,
    examples=("tuning docs --check",),
)
@click.option("--check", is_flag=True, help="Write nothing; exit with code 1 if a page is stale.")
@click.option(
    "--root",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=Path(),
    help="Project folder; by default the current one.",
)
@json_option
@click.pass_context
def docs(ctx: click.Context, /, *, check: bool, root: Path, as_json: bool) -> None:
    """Write the pages under docs/ that are generated from code and catalogue."""
    from bedrock_tuning.cli.pages import PAGES, PROJECT

    if not (PROJECT / SETTINGS_FILE).is_file():
        raise UserError(
            "the pages are made from a checkout, and this is an installed package",
            where=str(PROJECT),
            fix="install the checkout with pip install --editable, and run this there",
        )
    stale: list[str] = []
    for path, make in PAGES:
        file, text = root / path, make()
        current = file.read_text("utf-8") if file.is_file() else None
        if current == text:
            continue
        stale.append(path)
        if check:
            say(_difference(path, current, text))
            continue
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")
        if not as_json:
            emit(f"wrote {path}")
    if as_json:
        emit_json({"pages": len(PAGES), "stale" if check else "written": stale})
    if check and stale:
        say(f"{len(stale)} of {len(PAGES)} generated pages are stale: run `make docs`")
        ctx.exit(EXIT_NO)
    if not stale:
        say(f"all {len(PAGES)} generated pages are up to date")


def _difference(path: str, current: str | None, text: str) -> str:
    """The page's name, how many lines differ, and the first of them."""
    from difflib import unified_diff

    if current is None:
        return f"{path} does not exist"
    changes = [
        line
        for line in unified_diff(current.splitlines(), text.splitlines(), lineterm="", n=0)
        if not line.startswith(("---", "+++", "@@"))
    ]
    added = sum(line.startswith("+") for line in changes)
    excerpt = "\n".join(f"  {line[:100]}" for line in changes[:6])
    return f"{path} is stale: {added} lines to add, {len(changes) - added} to remove\n{excerpt}"
