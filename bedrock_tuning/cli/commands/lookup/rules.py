"""`tuning rules`: what is checked, why, and how to fix it."""

from typing import TYPE_CHECKING, Any

import click

from bedrock_tuning.cli.terminal.command import command
from bedrock_tuning.cli.terminal.output import emit, emit_json, emit_table, json_option

if TYPE_CHECKING:
    from bedrock_tuning.rules.rule import Rule


@command(
    order=1,
    examples=(
        "tuning rules",
        "tuning rules caption-too-long",
    ),
)
@click.argument("rule", required=False, help="Id or name, for example R201 or caption-too-long.")
@json_option
def rules(*, rule: str | None, as_json: bool) -> None:
    """List the rules of the checker, or show one with its examples and its fix."""
    from bedrock_tuning.errors import UserError
    from bedrock_tuning.rules import RULES, find_rule

    if rule is None:
        if as_json:
            emit_json([_as_json(entry) for entry in RULES])
            return
        emit_table(
            ("ID", "NAME", "SEVERITY", "WHAT IT FINDS"),
            ((entry.id, entry.name, entry.severity.value, _line(entry.summary)) for entry in RULES),
            texts=("WHAT IT FINDS",),
        )
        return
    try:
        entry = find_rule(rule)
    except KeyError as error:
        raise UserError(str(error.args[0]), fix="`tuning rules` lists them") from None
    if as_json:
        emit_json(_as_json(entry))
    else:
        _show(entry)


def _show(rule: "Rule[Any]") -> None:
    from bedrock_tuning.cli.pages.rules import example

    emit(f"{rule.id} {rule.name} ({rule.severity.value})\n")
    emit(rule.summary)
    if rule.explanation:
        emit(f"\n{rule.explanation}")
    emit(f"\nFix:  {rule.fix}")
    emit(f"Bad:  {example(rule.bad)}")
    emit(f"Good: {example(rule.good)}")
    if rule.severity == "error":
        emit("\nTo lower it to a warning, with a reason that every report shows, write this in the")
        level = "warning"
    else:
        emit("\nTo silence it, with a reason that every report shows, write this in the")
        level = "silent"
    emit(f'customization:\n\n[rules]\n{rule.name} = {{ severity = "{level}", reason = "…" }}')


def _line(text: str) -> str:
    return " ".join(text.split())


def _as_json(rule: "Rule[Any]") -> dict[str, str]:
    return {
        "id": rule.id,
        "name": rule.name,
        "severity": rule.severity.value,
        "summary": _line(rule.summary),
        "explanation": rule.explanation,
        "fix": rule.fix,
        "model": rule.model,
        "bad": _text(rule.bad),
        "good": _text(rule.good),
    }


def _text(value: str | bytes) -> str:
    return value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else value
