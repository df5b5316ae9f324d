"""The report: verdict, counts, exceptions, and every form in which it is written."""

import base64
import json
import re
from collections import Counter
from hashlib import sha256
from html.parser import HTMLParser
from math import isclose
from typing import Any
from xml.etree import ElementTree

import jsonschema
import msgspec
import pytest

from bedrock_tuning.checking.conclude import conclude
from bedrock_tuning.checking.images import check_images
from bedrock_tuning.checking.result import CheckResult, merge
from bedrock_tuning.config.customization_fields import RuleOverride
from bedrock_tuning.dataset.dataset import ModelRequirements
from bedrock_tuning.dataset.scope import ImageRef
from bedrock_tuning.dataset.statistics import bucket
from bedrock_tuning.report.charts import Box, Limit, aspects, histogram, sizes
from bedrock_tuning.report.formats import report_schema, to_junit, to_sarif
from bedrock_tuning.report.html import Pictures, ShownPicture, to_html
from bedrock_tuning.report.report import Report
from bedrock_tuning.rules import BY_ID, RULES
from bedrock_tuning.rules.finding import Finding, Heard
from tests.support.examples import check, contract_of, scope_of
from tests.support.pictures import Folder, png

HOSTILE = '<script>alert("1")</script>\x00\u202e&amp;\'"'


def terms(text: str = "titan-multimodal-embeddings-g1", **changes: Any) -> ModelRequirements:
    model, contract = contract_of(text)
    return ModelRequirements(base_model=model, dataset=contract, **changes)


def line(caption: str, ref: str = "s3://bucket/folder/1.png", **more: object) -> bytes:
    return json.dumps({"image-ref": ref, "caption": caption, **more}).encode()


def bad_report(**changes: Any) -> Report:
    """A report with findings of rows, images and the dataset, some of hostile text."""
    rows = [line("a dog"), line("x" * 3_000), line("a cat", **{HOSTILE: 1}), b"", line(HOSTILE)]
    _, text = check(b"\n".join(rows))
    images = check_images(
        [
            ImageRef(1, "folder/1.png"),
            ImageRef(2, f"folder/{HOSTILE}.png"),
            ImageRef(3, "folder/3"),
        ],
        Folder({"folder/1.png": png(100, 300), f"folder/{HOSTILE}.png": png(200, 300)}),
        scope_of(),
    )
    return conclude(merge([text, images]), terms(**changes))


def drawn(uri: str) -> Pictures:
    """The same picture as that of a record and of an image with findings."""
    shown = ShownPicture("folder/2.png", "a dog in a sheet", uri)
    return Pictures(sheet=[shown], findings={"folder/1.png": uri})


def good_partial() -> CheckResult:
    _, training = check((line("a dog") + b"\n") * 1_000)
    _, validation = check((line("a cat") + b"\n") * 8, scope=scope_of(kind="validation"))
    return merge([training, validation])


def good_report() -> Report:
    """A valid dataset, of which only its monotonous captions are remarked."""
    return conclude(good_partial(), terms())


def test_a_good_dataset_is_valid() -> None:
    report = good_report()
    assert report.valid
    assert (report.errors, report.records) == (0, 1_008)


def test_one_error_makes_a_dataset_invalid_and_a_warning_does_not() -> None:
    report = bad_report()
    assert not report.valid
    assert report.errors == sum(
        n for name, n in report.counts.items() if severity_of(name) == "error"
    )
    good = good_report()
    assert good.valid
    assert good.counts == {"one-caption-for-all": 2}


def severity_of(name: str) -> str:
    return next(rule.severity.value for rule in RULES if rule.name == name)


def test_the_json_has_the_published_shape() -> None:
    body = json.loads(bad_report().to_json())
    assert body["schema"] == 1
    assert body["valid"] is False
    assert body["counts"]["caption-too-long"] == 1
    found = next(each for each in body["findings"] if each["rule"] == "R201")
    assert found == {
        "rule": "R201",
        "name": "caption-too-long",
        "severity": "error",
        "kind": "training",
        "line": 2,
        "field": "caption",
        "value": "3,000 characters",
        "limit": "0 to 2,560 characters",
        "message": "the caption has 3,000 characters",
        "fix": "Shorten the caption.",
        "key": "",
    }
    assert "hashes" not in json.dumps(body)


@pytest.mark.parametrize("report", [bad_report(), good_report()], ids=["bad", "good"])
def test_the_json_follows_its_schema(report: Report) -> None:
    schema = report_schema()
    jsonschema.Draft202012Validator(schema).validate(json.loads(report.to_json()))
    assert msgspec.json.decode(report.to_json(), type=Report).counts == report.counts


@pytest.mark.slow
def test_an_error_can_be_lowered_and_a_warning_silenced_with_a_reason() -> None:
    plain = bad_report()
    report = bad_report(
        overrides={
            "caption-too-long": RuleOverride(severity="warning", reason="the exporter cuts them"),
            "one-caption-for-all": RuleOverride(severity="silent", reason="on purpose"),
            "blank-line": RuleOverride(severity="silent", reason="errors cannot be silenced"),
        }
    )
    assert report.errors == plain.errors - 2
    assert report.warnings == plain.warnings + 2
    assert {f.severity for f in report.findings if f.rule in ("R201", "L103")} == {"warning"}
    page = to_html(report)
    assert "the exporter cuts them" in page
    assert [(e.rule, e.findings) for e in report.exemptions] == [
        ("blank-line", 1),
        ("caption-too-long", 1),
        ("one-caption-for-all", 0),
    ]


def test_a_silenced_warning_is_not_shown_but_counted_with_its_reason() -> None:
    silent = {"one-caption-for-all": RuleOverride(severity="silent", reason="on purpose")}
    report = conclude(good_partial(), terms(overrides=silent))
    assert (report.warnings, report.counts, report.findings) == (0, {}, [])
    assert [(e.severity, e.findings, e.reason) for e in report.exemptions] == [
        ("silent", 2, "on purpose")
    ]
    assert "on purpose" in to_html(report)


def test_the_listener_hears_what_the_exceptions_leave() -> None:
    overrides = {
        "windows-line-end": RuleOverride(severity="silent", reason="-"),
        "not-an-object": RuleOverride(severity="warning", reason="-"),
    }
    heard: list[Finding] = []
    from bedrock_tuning.checking.manifest import ManifestCheck

    running = ManifestCheck(scope_of(overrides=overrides), Heard(heard.append))
    running.feed(b"[]\r\n{}\n")
    running.finish()
    assert [(f.name, f.severity) for f in heard] == [
        ("not-an-object", "warning"),
        ("missing-field", "error"),
        ("missing-field", "error"),
    ]


class _Page(HTMLParser):
    """Collects tags, attributes and whether all tags are closed."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [v or "" for n, v in attrs if n in ("href", "src", "xlink:href", "action")]
        assert not [n for n, _ in attrs if n.startswith("on")]
        if tag not in ("meta", "br", "img", "input"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def parsed(html: str) -> _Page:
    page = _Page()
    page.feed(html)
    page.close()
    assert page.open == []
    return page


@pytest.mark.parametrize("report", [bad_report(), good_report()], ids=["bad", "good"])
def test_the_page_is_whole_and_loads_nothing(report: Report) -> None:
    html = to_html(report, pictures=drawn("data:image/png;base64,AAAA"))
    page = parsed(html)
    scripts = re.findall("<script>(.*?)</script>", html, re.DOTALL)
    digests = [base64.b64encode(sha256(each.encode()).digest()).decode() for each in scripts]
    # What the browser runs is what the policy names, and one script is all.
    assert [f"script-src 'sha256-{each}'" in html for each in digests] == [True] * len(scripts)
    assert page.tags.count("script") == len(scripts) == bool(report.findings)
    assert all(link.startswith(("#", "data:image/")) for link in page.links)
    assert "http://" not in html
    assert "https://" not in html
    assert "default-src 'none'" in html


def test_the_page_says_the_verdict_first_and_escapes_everything() -> None:
    html = to_html(bad_report())
    assert html.index("Rejected") < html.index("What to fix") < html.index("<h2>Findings")
    assert html.count("<script") == 1
    assert "&lt;script&gt;" in html
    assert "\u202e" not in html
    assert "Valid" in to_html(good_report())


def test_the_page_names_where_the_report_comes_from() -> None:
    html = to_html(good_report(), about={"Customization": "pets", "Run": "<20261121>"})
    assert "<dt>Customization</dt><dd>pets</dd><dt>Run</dt><dd>&lt;20261121&gt;</dd>" in html
    assert "Customization" not in to_html(good_report())


def test_a_chart_counts_on_its_y_axis_and_marks_the_limit() -> None:
    chart = histogram("Lengths", {4: 730, 6: 2, 100: 1}, limits=[Limit(64, "maximum 64")])
    assert chart is not None
    counts = [text.text for text in chart.texts if text.anchor == "end" and text.x < 44]
    assert counts == ["0", "400", "800"]
    tall, small, single = chart.boxes
    assert (tall.label, small.label) == ("4 to 6: 730", "6 to 8: 2")
    assert single.label == "96 to 128: 1"
    (zero, half, full) = [line for line in chart.lines if line.style != "limit"]
    assert half.y1 == (zero.y1 + full.y1) / 2
    assert isclose(tall.height / (zero.y1 - full.y1), 730 / 800)
    (limit,) = [line for line in chart.lines if line.style == "limit"]
    assert small.x < limit.x1 < single.x


def test_a_map_of_sizes_has_a_cell_per_size_inside_of_what_is_allowed() -> None:
    chart = sizes("Sizes", {(512, 512): 4, (1024, 512): 1}, side_min=256, side_max=2048)
    assert chart is not None
    often, rare, allowed = chart.boxes
    assert (often.label, rare.label) == ("from 512 × 512 px: 4", "from 1,024 × 512 px: 1")
    assert often.x < rare.x
    assert often.y == rare.y
    assert often.opacity > rare.opacity
    assert allowed.x < often.x
    assert rare.x + rare.width < allowed.x + allowed.width


def test_nothing_counted_is_no_chart() -> None:
    assert histogram("Lengths", {}) is aspects("Ratios", {}) is None
    assert sizes("Sizes", {}, side_min=1, side_max=2) is None


def test_thumbnails_are_shown_only_as_data_of_images() -> None:
    report = bad_report()
    inside = to_html(report, pictures=drawn("data:image/png;base64,AAAA"))
    assert inside.count('src="data:image/png;base64,AAAA"') == 2
    assert "a dog in a sheet" in inside
    outside = to_html(report, pictures=drawn("https://example.com/1.png"))
    assert "example.com" not in outside


def test_all_that_is_wrong_with_an_image_is_on_one_card() -> None:
    report = bad_report()
    (wrong,) = [found for found in report.findings if found.key == "folder/1.png"]
    name = BY_ID["I306"].name
    also = msgspec.structs.replace(wrong, rule="I306", name=name, line=7, severity="warning")
    findings, counts = [also, *report.findings], {**report.counts, name: 1}
    report = msgspec.structs.replace(report, findings=findings, counts=counts)
    cards = re.findall(r"<article.*?</article>", to_html(report), re.DOTALL)
    (card,) = [each for each in cards if "folder/1.png" in each]
    assert card.index(wrong.name) < card.index(name)
    assert 'data-severity="error warning"' in card
    assert "training 1, 7" in card
    assert sum(each.count("<li>") for each in cards) == len(report.findings)


def test_a_legal_maximum_lies_inside_of_its_limit() -> None:
    """Statistics and charts together: a side of 4,096 pixels is legal, one of 4,097 is not."""
    counts = Counter((bucket(side), bucket(side)) for side in (256, 4_096, 4_097))
    chart = sizes("Sizes", counts, side_min=256, side_max=4_096)
    assert chart is not None
    *cells, allowed = chart.boxes

    def inside(cell: Box) -> bool:
        return cell.x >= allowed.x and cell.x + cell.width <= allowed.x + allowed.width

    assert [inside(cell) for cell in cells] == [True, True, False]
    bars = histogram("Lengths", {bucket(2_048): 3, bucket(2_049): 1}, limits=[Limit(2_048, "")])
    assert bars is not None
    (line,) = [each.x1 for each in bars.lines if each.style == "limit"]
    legal, beyond = bars.boxes
    assert legal.x + legal.width <= line <= beyond.x
    ratios = aspects("Ratios", {-16: 1, 16: 1}, limits=[Limit(0.25, "0.25"), Limit(4, "4")])
    assert ratios is not None
    first, last = [each.x1 for each in ratios.lines if each.style == "limit"]
    assert all(first <= bar.x and bar.x + bar.width <= last for bar in ratios.boxes)


@pytest.mark.slow
def test_the_page_stays_small_however_many_rows_are_wrong() -> None:
    many = CheckResult(counts={"L103": 500_000}, findings={}, text_stats={})
    _, some = check(b"\n" * 20_000)
    report = conclude(merge([many, some]), terms())
    assert report.counts["blank-line"] == 520_000
    page = to_html(report)
    assert len(page) < 200_000
    assert f"lists up to {report.findings_per_rule:,} findings of each rule" in page
    assert "rejected.jsonl lists every finding" in to_html(good_report())


def test_junit_has_one_test_per_rule_and_a_failure_per_failed_rule() -> None:
    silent = {"one-caption-for-all": RuleOverride(severity="silent", reason="on purpose")}
    report = bad_report(overrides=silent)
    suite = ElementTree.fromstring(to_junit(report))[0]  # noqa: S314 our own output
    assert len(suite) == len(RULES)
    failed = {case.get("name") for case in suite if case.find("failure") is not None}
    assert failed == {f.name for f in report.findings if f.severity == "error"}
    assert suite.get("failures") == str(len(failed))
    skipped = [case.get("name") for case in suite if case.find("skipped") is not None]
    assert skipped == ["one-caption-for-all"]


def test_sarif_points_to_rows_and_describes_every_rule() -> None:
    report = bad_report()
    body = json.loads(to_sarif(report, manifests={"training": "data/manifest.jsonl"}))
    (run,) = body["runs"]
    assert body["version"] == "2.1.0"
    assert len(run["tool"]["driver"]["rules"]) == len(RULES)
    result = next(each for each in run["results"] if each["ruleId"] == "R201")
    assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == "R201"
    assert result["level"] == "error"
    (place,) = result["locations"]
    assert place["physicalLocation"]["artifactLocation"]["uri"] == "data/manifest.jsonl"
    assert place["physicalLocation"]["region"]["startLine"] == 2


def test_a_manifest_checked_twice_is_refused_by_merge() -> None:
    _, partial = check(b"{}")
    with pytest.raises(ValueError, match="training manifest was checked twice"):
        merge([partial, partial])


def test_a_partial_survives_its_json() -> None:
    _, partial = check(b"\n" + line("a dog"), scope=scope_of("nova-lite"))
    assert CheckResult.from_json(partial.to_json()) == partial
