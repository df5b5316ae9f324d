"""A patch says loudly when the emulator is not what it was written for."""

import pytest
from ministack.core import router

from local.emulator.patches import PATCHES, authorization
from local.emulator.patching import PatchError, expect, expect_source, replace_once


def upstream() -> int:
    return 1


def test_a_changed_function_is_noticed() -> None:
    expect_source(upstream, "return 1")
    with pytest.raises(PatchError, match=r"upstream to contain 'return 2'"):
        expect_source(upstream, "return 2")


def test_a_text_is_replaced_only_where_it_is_once() -> None:
    assert replace_once("a b", "b", "c") == "a c"
    for text in ("a", "b b"):
        with pytest.raises(PatchError):
            replace_once(text, "b", "c")


def test_a_broken_expectation_says_what_was_expected() -> None:
    with pytest.raises(PatchError, match="expected a handler for s3"):
        expect(False, "a handler for s3")


@pytest.mark.parametrize("patch", PATCHES, ids=lambda patch: patch.__name__)
def test_every_patch_says_which_gap_it_closes(patch: object) -> None:
    assert str(patch.__doc__).startswith("Gap: ")


def test_the_name_of_a_service_is_known_before_any_model_is_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(router, "_KNOWN_AWS_SERVICE_NAMES", frozenset({"from-a-model"}))
    # Put back after the test.
    monkeypatch.setattr(router, "_is_aws_service_name", router._is_aws_service_name)
    authorization.services_are_known_by_their_names()
    known = ("pricing", "servicequotas", "from-a-model", "nobodys")
    assert [router._is_aws_service_name(name) for name in known] == [True, True, True, False]
