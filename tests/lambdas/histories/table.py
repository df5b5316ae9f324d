"""The table of docs/reliability.md: what becomes of a run for each fault at each call."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from tests.lambdas.histories.cells import KINDS, Call

PAGE: Final = Path(__file__).parents[3] / "docs/reliability.md"
_BEGIN, _END = "<!-- begin: drawn by make reliability -->\n", "<!-- end -->"
_SERVICES: Final = {
    "bedrock": "Bedrock",
    "bedrock_runtime": "Bedrock runtime",
    "cloudwatch": "CloudWatch",
    "dynamodb": "DynamoDB",
    "events": "EventBridge",
    "lambda": "Lambda",
    "pricing": "Price List",
    "s3": "S3",
    "service_quotas": "Service Quotas",
    "sns": "SNS",
    "ssm": "SSM",
    "stepfunctions": "Step Functions",
}
_OR: Final = "; "
# A row is of a state or a function and a service; a cell holds all that can become of the run.
Row = tuple[str, str]
Cells = Mapping[Row, Mapping[str, frozenset[str]]]


def row_of(call: Call) -> Row:
    """The row that a call belongs to."""
    return call.actor, _SERVICES[call.service]


def drawn(cells: Cells) -> str:
    """As Markdown."""
    lines = [f"| State | Calls | {' | '.join(KINDS)} |", "|---" * (len(KINDS) + 2) + "|"]
    for (actor, service), row in cells.items():
        words = (_OR.join(sorted(row[kind], key=_planned_first)) for kind in KINDS)
        lines.append(f"| {actor} | {service} | {' | '.join(words)} |")
    return "\n".join(lines) + "\n"


def _planned_first(word: str) -> tuple[bool, str]:
    return not word.startswith("as planned"), word


def on_page() -> Cells:
    """What the page says now."""
    return dict(_read(_parts()[1]))


def write(cells: Cells) -> None:
    """Puts the table into the page."""
    before, _, after = _parts()
    PAGE.write_text(f"{before}{_BEGIN}{drawn(cells)}{_END}{after}", "utf-8")


def _parts() -> tuple[str, str, str]:
    before, _, rest = PAGE.read_text("utf-8").partition(_BEGIN)
    table, _, after = rest.partition(_END)
    return before, table, after


def _read(table: str) -> Iterator[tuple[Row, dict[str, frozenset[str]]]]:
    for line in table.splitlines()[2:]:
        actor, service, *words = re.split(r" \| ", line.strip("| "))
        yield (
            (actor, service),
            {k: frozenset(w.split(_OR)) for k, w in zip(KINDS, words, strict=True)},
        )
