"""A property that no check reads is refused, and reading it without deciding is found, too."""

from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType

import pytest

from bedrock_tuning.review import CHECKS, checks, promises
from bedrock_tuning.review.check import Check, Evidence, Violation, check
from bedrock_tuning.review.checks import nothing_unread
from tests.review.broken import Copy, Synthesized
from tests.review.changes import changes

OTHERS = [check for check in CHECKS if check.id != "A107"]


@check("X999", "It asks for a property and decides nothing.")
def idle(evidence: Evidence) -> list[Violation]:
    for bucket in evidence.assembly.of_type("AWS::S3::Bucket"):
        bucket.properties.get("ObjectLockEnabled")
    return []


def _locked(dev: Synthesized) -> Copy:
    copy = dev.copy()
    copy.properties("data/Training")["ObjectLockEnabled"] = True
    return copy


def test_a_new_property_is_refused_with_its_name_and_where_to_check_it(dev: Synthesized) -> None:
    (violation,) = _locked(dev).violations()
    assert violation.check == "A107"
    assert violation.where == "tuning-dev-data/Training"
    assert "AWS::S3::Bucket.ObjectLockEnabled" in violation.what
    assert "bedrock_tuning/review/checks" in violation.fix


def test_one_that_a_check_reads_is_not_refused_but_changing_it_shows_that_nothing_is_decided(
    dev: Synthesized,
) -> None:
    copy = _locked(dev)
    unread = nothing_unread([*OTHERS, idle])
    assert not list(unread.run(dev.evidence(copy.templates)))
    source = Synthesized.of(dev, copy.templates)
    for change in changes(source):
        if "ObjectLockEnabled" in change.path:
            changed = source.evidence(change.apply(source))
            if not any(list(check.run(changed)) for check in (*OTHERS, idle)):
                return
    pytest.fail("test_every_change.py must find what is read and not judged")


@pytest.mark.parametrize("omitted", [("S605",), ("W518",), ("S608",)], ids="+".join)
def test_without_its_checks_what_only_they_read_is_refused(
    omitted: tuple[str, ...], dev: Synthesized
) -> None:
    rest: list[Check] = [check for check in OTHERS if check.id not in omitted]
    assert len(OTHERS) - len(rest) == len(omitted)
    found = list(nothing_unread(rest).run(dev.evidence()))
    assert found
    assert {violation.check for violation in found} == {"A107"}


@pytest.mark.parametrize("folder", [checks, promises], ids=["checks", "promises"])
def test_no_module_has_a_check_or_a_promise_that_is_never_made(folder: ModuleType) -> None:
    made = {check.id for check in CHECKS}
    for module in iter_modules(folder.__path__, f"{folder.__name__}."):
        names = vars(import_module(module.name))
        defined = [each for each in names.values() if isinstance(each, Check)]
        defined += names.get("PROMISES", ())
        assert {each.id for each in defined} <= made, module.name
