"""Strictness by a public suite: what RFC 8259 refuses is refused, what it allows is accepted."""

import json
from pathlib import Path
from typing import Any

import pytest

from bedrock_tuning.checking.manifest import ManifestCheck
from bedrock_tuning.dataset.json_lines import parse
from tests.support.examples import scope_of

SUITE: dict[str, Any] = json.loads(
    (Path(__file__).parent / "data" / "json_test_suite.json").read_text()
)
# The rules that say "this is no JSON".
NOT_JSON = {"L101", "L102", "L105", "L106", "L109", "L110"}
# The whole file is one array, right or wrong.
ONE_ARRAY = "L113"


def bytes_of(name: str) -> bytes:
    case = SUITE[name]
    if isinstance(case, str):
        return case.encode("latin-1")
    text: str = case["repeat"] * case["times"] + case["then"]
    return text.encode()


def test_the_suite_is_complete() -> None:
    assert len(SUITE) == 318


@pytest.mark.parametrize("name", [name for name in SUITE if name.startswith("y_")])
def test_what_must_be_accepted_is_accepted(name: str) -> None:
    assert parse(bytes_of(name)).problem == ""


@pytest.mark.parametrize("name", [name for name in SUITE if name.startswith("n_")])
def test_what_must_be_refused_is_refused(name: str) -> None:
    assert parse(bytes_of(name)).problem


@pytest.mark.parametrize("name", [name for name in SUITE if name.startswith("i_")])
def test_what_parsers_may_decide_does_not_crash_and_broken_text_is_refused(name: str) -> None:
    refused = (
        "surrogate",
        "utf-8",
        "UTF",
        "utf16",
        "overlong",
        "latin",
        "unicode",
        "continuation",
        "depth",
    )
    parsed = parse(bytes_of(name))
    if any(word in name for word in refused) or "500_nested" in name:
        assert parsed.problem
    else:
        assert parsed.problem == ""


@pytest.mark.slow
@pytest.mark.parametrize("name", list(SUITE))
def test_a_manifest_of_the_case_gets_the_same_verdict(name: str) -> None:
    data = bytes_of(name)
    if b"\n" in data.rstrip(b"\n") or not data.strip():
        return
    check = ManifestCheck(scope_of())
    check.feed(data)
    _, partial = check.finish()
    if ONE_ARRAY in partial.counts:
        assert data.lstrip().startswith((b"[", b"<"))
        return
    refused = not NOT_JSON.isdisjoint(partial.counts)
    assert refused == bool(parse(data.rstrip(b"\n")).problem)


def test_64_levels_are_read_and_65_are_not() -> None:
    assert not parse(b"[" * 64 + b"]" * 64).problem
    assert parse(b"[" * 65 + b"]" * 65).problem == "nested deeper than 64 levels"
