"""Every key of a customization file with its type and limits, as its reader asks for them."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

from bedrock_tuning.config.customization import read_file
from bedrock_tuning.config.toml_section import HOMES, Problems, Section, listed

# What is chosen by the user instead of by us: any tag, any rule, any hyperparameter of the model.
_NAMED: Final[Mapping[str, Any]] = {"rules": {"RULE": {}}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One key. default: None where it is required, "" where it follows from others."""

    key: str
    type: str
    limit: str
    default: str | None


class _Recorder(Section):
    """A section that holds nothing and remembers what it was asked for."""

    def __init__(self, *, table: Mapping[str, Any], path: str, found: list[Field]) -> None:
        super().__init__(table=table, path=path, problems=Problems(file=""))
        self._found = found

    def holds_table(self, key: str) -> bool:  # noqa: ARG002  (whatever it is: ask for its keys)
        return True

    def table(self, key: str) -> Section:
        inside = self._take(key)
        table = inside if isinstance(inside, dict) else {}
        return _Recorder(table=table, path=self.at(key), found=self._found)

    def text(self, key: str, *, default: str | None, most: int) -> str:
        self._add(key, "text", f"one line of 1 to {most} characters", default)
        return default or ""

    def choice(self, key: str, *, choices: Collection[str], default: str | None) -> str:
        self._add(key, "text", listed(choices), default)
        return default or ""

    def flag(self, key: str, *, default: bool) -> bool:
        self._add(key, "true or false", "", str(default).lower())
        return default

    def integer(self, key: str, *, default: int | None, least: int, most: int) -> int | None:
        self._add(key, "whole number", f"{least} to {most}", "" if default is None else default)
        return default

    def amount(self, key: str) -> float | None:
        self._add(key, "number", "more than 0", "")
        return None

    def close(self, *, homes: Mapping[str, str] = HOMES) -> None:
        """There is nothing that nobody asked for."""

    def _add(self, key: str, kind: str, limit: str, default: str | int | None) -> None:
        text = default if default is None else str(default)
        self._found.append(Field(key=self.at(key), type=kind, limit=limit, default=text))


def fields() -> tuple[Field, ...]:
    """All keys in the order in which they are read; MEANINGS has a sentence on each."""
    found: list[Field] = []
    read_file(
        _Recorder(table=_NAMED, path="", found=found), name="", models={}, rules={"RULE": "error"}
    )
    return tuple(found)


MEANINGS: Final[Mapping[str, str]] = {
    "description": "What it is for, for people.",
    "base_model": "A key of the [catalogue](models.md): what is tuned.",
    "customization_type": "How. Which of them a model offers is in the [catalogue](models.md).",
    "allow_closed_model": "Deploys although the model takes no new jobs, for accounts with "
    "extended access.",
    "dataset.validation": "Whether there must be a validation set. Default: what the catalogue "
    "says of the model; another value is a warning.",
    "serving.mode": "How the custom model is served. Without `[serving]`: not at all. "
    '`"provisioned"` is billed by the hour until it is deleted.',
    "serving.model_units": "Of Provisioned Throughput.",
    "serving.commitment": "Cheaper, and cannot be deleted before its term ends. Default: none.",
    "serving.lease_hours": "After so many hours the throughput is deleted. Needed without a "
    "commitment, not possible with one.",
    "serving.on_delete": "What happens to the throughput when the stack is deleted. Default: "
    '`"delete"`, with a commitment `"retain"`.',
    "serving.smoke_text": "What the smoke test sends to the model before it is published.",
    "serving.embedding_length": "Of the smoke test's vector, for models that return one. Default: "
    "the model's.",
    "budget.max_run_usd": "What one run may cost, in US dollars.",
    "budget.approval": "When a person has to agree before a job starts. Default with "
    '`max_run_usd`: `"over-budget"`, which includes that the price is unknown.',
    "rules.RULE.severity": "A [rule](rules.md) that this customization treats more mildly, by its "
    "name. An error cannot be silenced.",
    "rules.RULE.reason": "Why; every report shows it.",
}
