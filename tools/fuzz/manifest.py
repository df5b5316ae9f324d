"""The manifest's check under any bytes, for every dataset format."""

import json
from collections.abc import Sequence
from functools import cache
from html.parser import HTMLParser
from typing import Final
from xml.etree import ElementTree

from bedrock_tuning.catalogue import catalogue
from bedrock_tuning.checking import ManifestCheck
from bedrock_tuning.checking.conclude import conclude
from bedrock_tuning.checking.result import CheckResult, merge
from bedrock_tuning.dataset.dataset import ModelRequirements
from bedrock_tuning.dataset.scope import DatasetScope, ImageRef
from bedrock_tuning.report.formats import to_junit, to_sarif
from bedrock_tuning.report.html import SCRIPT, to_html
from bedrock_tuning.rules.finding import Finding, Heard
from bedrock_tuning.rules.rule import Severity
from tools.fuzz.demand import demand, effort

# One model per format, and those whose limits reach further rules.
MODELS: Final = (
    ("titan-multimodal-embeddings-g1", "FINE_TUNING"),
    ("titan-image-generator-v1", "FINE_TUNING"),
    ("titan-text-express", "FINE_TUNING"),
    ("titan-text-express", "CONTINUED_PRE_TRAINING"),
    ("cohere-command", "FINE_TUNING"),
    ("nova-lite", "FINE_TUNING"),
    ("nova-lite", "DISTILLATION"),
    ("llama-3-2-11b", "FINE_TUNING"),
    ("claude-3-haiku", "FINE_TUNING"),
    ("nova-2-lite", "REINFORCEMENT_FINE_TUNING"),
)
# Small, so that an input of a few hundred bytes is several blocks.
_BLOCKS: Final = (64, 400, 256 << 10)
# A blank line, one byte, makes 36 calls: every rule of lines looks at it.
_CALLS: Final = 4_000
_CALLS_PER_BYTE: Final = 60
# Reports take longer than the check; so many inputs go without.
_REPORTS: Final = 4
_PAGES: Final = 16
_ACTIVE_TAGS: Final = frozenset({"script", "iframe", "object", "embed", "form", "base", "img"})
# The page's own form, which its own script shows.
_FILTER: Final = '<form class="filter" hidden>'
_ADDRESSES: Final = frozenset({"src", "action", "formaction"})


@cache
def subject(number: int) -> DatasetScope:
    """The subject that the first byte of an input chooses."""
    model, type = MODELS[number % len(MODELS)]
    base = catalogue()[model]
    return DatasetScope(
        model=base,
        contract=base.datasets[type],
        kind="training",
        bucket="bucket",
        folders=("folder/",),
    )


def check_manifest(data: bytes) -> None:
    """Demands all promises of one input: byte 0 chooses the model, 1 and 2 how it is cut."""
    if len(data) < 3:
        return
    checked, manifest = subject(data[0]), data[3:]
    (refs, whole, heard), calls = effort(lambda: _check(checked, [manifest]))
    demand(
        calls <= _CALLS + _CALLS_PER_BYTE * len(manifest), "work is bounded", calls, len(manifest)
    )
    demand("X001" not in whole.counts, "no rule fails", whole.findings.get("X001"))
    pieces = _cut(manifest, data[2])
    again = _check(checked, pieces, block_bytes=_BLOCKS[data[1] % len(_BLOCKS)])
    demand(again[:2] == (refs, whole), "cutting changes nothing", whole, again[1])
    slow = _check(checked, [manifest], by_rules_only=True)
    demand(slow[:2] == (refs, whole), "a proof says what a look says", whole, slow[1])
    _demand_findings(whole, heard)
    _demand_lines(manifest, heard)
    _demand_places(refs, checked)
    if data[2] % _REPORTS == 0:
        _demand_reports(whole, checked, with_page=data[2] % _PAGES == 0)


FuzzOutcome = tuple[list[ImageRef], CheckResult, list[Finding]]


def _check(
    checked: DatasetScope,
    pieces: Sequence[bytes],
    *,
    block_bytes: int = _BLOCKS[-1],
    by_rules_only: bool = False,
) -> FuzzOutcome:
    heard: list[Finding] = []
    check = ManifestCheck(checked, Heard(heard.append), block_bytes=block_bytes)
    if by_rules_only:
        check._fast = check._classes = None
    refs: list[ImageRef] = []
    for piece in pieces:
        refs += check.feed(piece)
    last, partial = check.finish()
    return [*refs, *last], partial, heard


def _cut(data: bytes, seed: int) -> list[bytes]:
    step = seed * 7 % 97 + 1
    return [data[start : start + step] for start in range(0, len(data), step)]


def _demand_findings(whole: CheckResult, heard: list[Finding]) -> None:
    demand(len(heard) == sum(whole.counts.values()), "every finding is heard", whole.counts)
    for rule, kept in whole.findings.items():
        demand(len(kept) == min(100, whole.counts[rule]), "findings are bounded", rule)
        for found in kept:
            shown = (found.field, found.value, found.limit, found.message)
            demand(all(len(text) < 4_000 for text in shown), "what is shown is short", found)
            demand(all(text.isprintable() for text in shown), "what is shown is readable", found)
    demand(CheckResult.from_json(whole.to_json()) == whole, "a result survives JSON", whole)


def _demand_lines(manifest: bytes, heard: list[Finding]) -> None:
    """No line that Python's lenient parser refuses passes, unless the whole file is refused."""
    bad = {found.line for found in heard if found.severity == Severity.ERROR}
    if any(found.name == "not-json-lines" for found in heard):
        return
    lines = manifest.split(b"\n")
    if not lines[-1]:
        lines.pop()
    for number, line in enumerate(lines, 1):
        try:
            value = json.loads(line.decode())
            fine = isinstance(value, dict)
        except (ValueError, RecursionError):
            fine = False
        demand(fine or number in bad, "anything but a JSON object is refused", line)


def _demand_places(refs: list[ImageRef], checked: DatasetScope) -> None:
    lines = [ref.line for ref in refs]
    demand(lines == sorted(lines), "references come in the order of lines", lines)
    for ref in refs:
        demand(ref.key.startswith(checked.folders), "no reference leaves the folder", ref)
        demand(".." not in ref.key.split("/"), "no reference climbs", ref)


class _Active(HTMLParser):
    """Finds what a page can do by itself; ours can do nothing but filter its own rows."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Looks at one tag and its attributes."""
        self.seen |= {tag} & _ACTIVE_TAGS
        self.seen |= {name for name, _ in attrs if name.startswith("on") or name in _ADDRESSES}


def _demand_reports(whole: CheckResult, checked: DatasetScope, *, with_page: bool) -> None:
    report = conclude(
        merge([CheckResult.from_json(whole.to_json())]),
        ModelRequirements(base_model=checked.model, dataset=checked.contract),
    )
    demand("rule-crashed" not in report.counts, "no rule of datasets fails", report.counts)
    demand(report.valid == (report.errors == 0), "errors decide", report.errors)
    json.loads(report.to_json())
    json.loads(to_sarif(report, manifests={"training": "manifest.jsonl"}))
    # Our own output, which holds no entities.
    ElementTree.fromstring(to_junit(report))  # noqa: S314
    if with_page:
        page, text = _Active(), to_html(report)
        for own in (f"<script>{SCRIPT}", _FILTER):
            text = text.replace(own, "", 1)
        page.feed(text)
        demand(not page.seen, "no record writes markup into the page", page.seen)
