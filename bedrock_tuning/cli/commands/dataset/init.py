"""`tuning init`: a first customization file, proposed from the data that there is."""

import os
from collections.abc import Mapping
from pathlib import Path
from shlex import quote
from typing import IO, TYPE_CHECKING, Any

import click

from bedrock_tuning.cli.options import SETTINGS_FILE, find_model, model_option
from bedrock_tuning.cli.terminal.command import command
from bedrock_tuning.cli.terminal.errors import EXIT_NO, Declined, Interrupted
from bedrock_tuning.cli.terminal.output import (
    emit,
    emit_json,
    emit_table,
    json_option,
    on_terminal,
    say,
)
from bedrock_tuning.defaults import CUSTOMIZATIONS
from bedrock_tuning.errors import UserError

if TYPE_CHECKING:
    from bedrock_tuning.catalogue import BaseModel
    from bedrock_tuning.run.proposal import Data, Proposal


@command(
    order=0,
    examples=(
        "tuning init pets-search --data pictures/",
        "tuning init support-chat --data chats.jsonl --model nova-lite --set epochCount=3",
        "tuning init pets-search --data pictures/ --dry-run --json",
    ),
)
@click.argument("name", required=False, help="Name of the customization, and of its file.")
@click.option(
    "--data",
    metavar="PATH",
    type=click.Path(exists=True, path_type=Path),
    help="What the model should learn from: anything that `tuning prepare` reads.",
)
@model_option("Base model, if several accept such data; `tuning models` lists them.")
@click.option(
    "--set",
    "given",
    metavar="KEY=VALUE",
    multiple=True,
    help="A value of the file, as in epochCount=5 or lease_hours=4. Repeat for more.",
)
@click.option(
    "--output",
    "-o",
    "folder",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    default=CUSTOMIZATIONS,
    show_default=True,
    help="Folder for the file.",
)
@click.option("--dry-run", is_flag=True, help="Show the file and write nothing.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
@click.pass_context
def init(
    ctx: click.Context,
    /,
    *,
    name: str | None,
    data: Path | None,
    model: str | None,
    given: tuple[str, ...],
    folder: Path,
    dry_run: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Write a customization file: model, type, hyperparameters, serving and budget.

    Inspects the data, proposes each value with its reason, and shows what a run would cost. On a
    terminal it asks for what is missing. The file is text with comments: change it as you like.
    Nothing is overwritten, and AWS is not contacted.

    Exit code 1: no model that accepts new jobs can be tuned with this data, or you said no.
    """
    asks = on_terminal() and not yes and not as_json
    settings = _parse_settings(given)
    data = data or (_ask_for_data() if asks and name is None and model is None else None)
    name = _check(name or _ask_for_name(data, asks=asks))
    file = folder / f"{name}.toml"
    _require_new(file)
    try:
        survey = _survey(data)
    except KeyboardInterrupt:
        raise Interrupted(
            "nothing was written", fix="run the same command to start again"
        ) from None
    if survey is not None and not as_json:
        emit(f"read: {data}: {survey.described}")
    base, reason = _model(model, survey, asks=asks) or (None, "")
    if base is None:
        ctx.exit(EXIT_NO)
    from bedrock_tuning.run.proposal import propose

    proposal = propose(name, base, data=survey, why_model=reason, given=settings)
    if as_json:
        if not dry_run:
            _write(file, proposal.text)
        emit_json(_document(proposal, file, data, dry_run=dry_run))
        return
    _show(proposal)
    if dry_run:
        emit(f"\n{proposal.text}")
        return
    if asks and not _confirm(file):
        raise Declined("nothing was written")
    _write(file, proposal.text)
    emit(f"wrote {file}")
    for line in _next(name, data, survey, folder):
        say(f"next: {line}")


def _parse_settings(pairs: tuple[str, ...]) -> dict[str, str]:
    settings = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not (key and equals and value):
            raise UserError(f"--set {pair}: not of the form KEY=VALUE", fix="--set epochCount=5")
        settings[key.strip()] = value.strip()
    return settings


def _ask(question: str, **options: Any) -> str:
    try:
        return str(click.prompt(question, err=True, **options)).strip()
    except click.Abort:
        raise Interrupted("nothing was written") from None


def _ask_for_data() -> Path | None:
    while True:
        answer = _ask("Where is the data? (Return: none yet)", default="", show_default=False)
        if not answer:
            return None
        path = Path(answer).expanduser()
        if path.exists():
            return path
        say(f"{path} is not there")


def _ask_for_name(data: Path | None, *, asks: bool) -> str:
    """The name, from the data's folder where nobody says it."""
    import re

    default = "" if data is None else re.sub(r"[^a-z0-9]+", "-", data.resolve().stem.lower())
    default = default.strip("-")[:30].strip("-")
    if asks:
        return _ask("What should the customization be called?", default=default or None)
    if not default:
        raise UserError("the customization needs a name", fix="tuning init NAME --data PATH")
    return default


def _check(name: str) -> str:
    from bedrock_tuning.config.names import customization_problem

    problem = customization_problem(name)
    if problem:
        raise UserError(problem, fix="choose another name")
    return name


def _require_new(file: Path) -> None:
    if file.exists():
        raise UserError(
            "this customization exists, and its file is not overwritten",
            where=str(file),
            fix="choose another name, or edit the file",
        )


def _survey(data: Path | None) -> "Data | None":
    if data is None:
        return None
    from bedrock_tuning.preparing.survey import glance

    return glance(data)


def _model(key: str | None, data: "Data | None", *, asks: bool) -> "tuple[BaseModel, str] | None":
    """The model and why it is that one; None, with the reasons said, where there is none."""
    from bedrock_tuning.catalogue import catalogue
    from bedrock_tuning.run.proposal import fitting, unfit

    if key is not None:
        # A closed model is allowed: accounts with extended access may still start its jobs.
        model = find_model(key)
        reason = unfit(model, data)
        if reason and not model.lifecycle.closed_because():
            raise UserError(
                f"{model.name} cannot be tuned so: {reason}", fix="tuning models --open"
            )
        return model, "Your choice"
    fitting_models = fitting(data)
    noun = "new jobs" if data is None else f"{data.noun} and new jobs"
    if len(fitting_models) == 1:
        return next(iter(fitting_models.values())), f"The only model that takes {noun}"
    if fitting_models and asks:
        for candidate in fitting_models.values():
            say(f"  {candidate.key}: {candidate.name}")
        choice = click.Choice(list(fitting_models))
        return fitting_models[_ask("Which model?", type=choice, show_choices=False)], "Your choice"
    if fitting_models:
        raise UserError(
            f"several models take {noun}: {', '.join(fitting_models)}",
            fix="choose one with --model KEY",
        )
    say(f"no model takes {noun}:")
    for candidate in catalogue().values():
        say(f"  {candidate.key}: {unfit(candidate, data)}")
    return None


def _confirm(file: Path) -> bool:
    try:
        return click.confirm(f"Write {file}?", default=True, err=True)
    except click.Abort:
        raise Interrupted("nothing was written") from None


def _show(proposal: "Proposal") -> None:
    from bedrock_tuning.run.cost import approval_in_words

    emit()
    emit_table(
        ("KEY", "VALUE", "WHY"),
        ((value.key, _short(value.value), value.why) for value in proposal.values),
        texts=("VALUE", "WHY"),
    )
    emit()
    emit(str(proposal.price))
    for line in proposal.price.rates:
        emit(f"  {line}")
    emit(f"approval: {approval_in_words(proposal.customization, proposal.price)}")
    for sentence in proposal.said:
        say(f"warning: {sentence}")


def _short(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        with file.open("x", encoding="utf-8") as stream:
            _fill(stream, text)
    except FileExistsError:
        _require_new(file)


def _fill(stream: IO[str], text: str) -> None:
    """A file that is not whole would be in the way of the next call."""
    try:
        stream.write(text)
        stream.flush()
    except BaseException:
        Path(stream.name).unlink()
        raise


def _next(name: str, data: Path | None, survey: "Data | None", folder: Path) -> list[str]:
    """Commands to type next; without the project's files, what to ask for."""
    from bedrock_tuning.cli.options import ENVIRONMENT_VARIABLE, usual_environment
    from bedrock_tuning.client.deployment import deploy_command

    folder_option = "" if folder == CUSTOMIZATIONS else f" --customizations {quote(str(folder))}"
    lines = [f"tuning price {name}{folder_option}"]
    if survey is not None and not survey.prepared:
        fix = " --fix" if survey.form == "image-caption" else ""
        lines.append(f"tuning prepare {quote(str(data))} -c {name}{folder_option}{fix} --dry-run")
    if SETTINGS_FILE.is_file():
        environment = os.environ.get(ENVIRONMENT_VARIABLE) or usual_environment()
        lines.append(deploy_command(environment, name))
    else:
        lines.append("whoever deploys the project needs this file in its customizations/")
    return lines


def _document(
    proposal: "Proposal", file: Path, data: Path | None, *, dry_run: bool
) -> Mapping[str, Any]:
    return {
        "name": proposal.customization.name,
        "data": data,
        "values": proposal.values,
        "price": {"total_usd": proposal.price.total_usd, "unknown": proposal.price.unknown},
        "warnings": proposal.said,
        "file": file,
        "written": not dry_run,
        "text": proposal.text,
    }
