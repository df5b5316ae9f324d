"""A project may add to the stacks what review.toml names, and never what breaks a generic rule."""

import tomllib
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from bedrock_tuning.errors import ConfigurationError
from bedrock_tuning.review import Judgement, judge, permitted
from bedrock_tuning.review.additions import additions
from bedrock_tuning.review.additions.addition import Addition
from bedrock_tuning.review.assembly import template
from bedrock_tuning.review.assembly.template import Assembly
from bedrock_tuning.review.permitted import Permitted
from tests.review.additions.edits import BY_SETTINGS, HARMFUL, HARMLESS, Edit
from tests.review.broken import Copy, Synthesized
from tests.review.mutants import roles

TODAY = date(2026, 11, 26)
Change = Callable[[Copy], object]


def assembly_of(dev: Synthesized, *changes: Change) -> Assembly:
    copy = dev.copy()
    for change in changes:
        change(copy)
    whole = template.resolve(copy.templates, regions=dev.regions)
    whole.protected, whole.assets = dict(dev.protected), dev.assets
    return whole


def entries(texts: Sequence[str], folder: Path) -> Permitted:
    """What a file with these entries permits."""
    (folder / "review.toml").write_text("\n\n".join(texts), "utf-8")
    return permitted.read(folder, today=TODAY)


def pasted(found: Judgement) -> list[str]:
    return [each.permit for each in found.violations if each.permit]


@pytest.fixture(scope="module")
def whole(dev: Synthesized) -> Assembly:
    """With every harmless addition at once."""
    return assembly_of(dev, *(edit.change for edit in HARMLESS))


@pytest.fixture(scope="module")
def refused(whole: Assembly, dev: Synthesized) -> Judgement:
    """Without a file."""
    return judge(whole, dev.contracts, today=TODAY)


@pytest.fixture(scope="module")
def known(whole: Assembly, dev: Synthesized) -> list[Addition]:
    return list(additions(whole, dev.contracts))


@pytest.mark.parametrize("edit", HARMLESS, ids=str)
def test_a_harmless_addition_is_known_with_the_entry_that_permits_it(
    edit: Edit, known: list[Addition]
) -> None:
    (found,) = [each for each in known if (each.kind, each.place) == (edit.kind, edit.at)]
    assert found.against == ()
    (written,) = tomllib.loads(found.entry(TODAY))[edit.kind]
    assert written["at"] == edit.at


def test_a_refusal_says_which_entry_would_permit_it(refused: Judgement) -> None:
    said = "\n".join(pasted(refused))
    silent = [each.name for each in HARMLESS if f'at = "{each.at}"' not in said]
    assert silent == []


def test_what_the_refusals_propose_permits_everything_and_is_told(
    whole: Assembly, known: list[Addition], dev: Synthesized, tmp_path: Path
) -> None:
    permits = entries([each.entry(TODAY) for each in known], tmp_path)
    found = judge(whole, dev.contracts, permits, today=TODAY)
    assert [str(each) for each in found.violations] == []
    assert {(each.kind, each.place) for each in found.permitted} == {
        (edit.kind, edit.at) for edit in HARMLESS
    }


@pytest.fixture(scope="module")
def harmful(dev: Synthesized) -> list[Addition]:
    """By name, each for itself: two change one property."""
    return [
        addition
        for edit in HARMFUL
        for addition in additions(assembly_of(dev, edit.change), dev.contracts)
    ]


@pytest.mark.parametrize("edit", HARMFUL, ids=str)
def test_a_flaw_that_looks_like_an_addition_can_never_be_permitted(
    edit: Edit, harmful: list[Addition]
) -> None:
    found = [e for e in harmful if (e.kind, e.place) == (edit.kind, edit.at)]
    assert [e for e in found if any(edit.why in each for each in e.against)]


def test_an_entry_for_a_flaw_permits_nothing_and_says_why(dev: Synthesized, tmp_path: Path) -> None:
    for edit in (each for each in HARMFUL if each.name in ("less memory", "uploads are refused")):
        flawed = assembly_of(dev, edit.change)
        texts = [each.entry(TODAY) for each in additions(flawed, dev.contracts)]
        found = judge(flawed, dev.contracts, entries(texts, tmp_path), today=TODAY)
        assert found.permitted == ()
        (said,) = [each for each in found.violations if each.check == "A117"]
        assert said.what.startswith("nobody can permit this: ")
        assert edit.why in said.what
        assert len(found.violations) > 1
        assert pasted(found) == []


@pytest.mark.parametrize(("name", "words", "change"), BY_SETTINGS)
def test_what_no_entry_permits_says_what_to_do(
    name: str, words: str, change: Change, dev: Synthesized
) -> None:
    found = judge(assembly_of(dev, change), dev.contracts, today=TODAY)
    assert name
    assert found.violations
    assert words in found.violations[0].fix
    assert pasted(found) == []


MAIL = """[[subscriber]]
at = "pipeline/Mail"
protocol = "email"
endpoint = "b@ex.io"
reason = "The second line of support"
expires = 2027-05-25
"""


@pytest.mark.parametrize(
    ("text", "problem", "harmless"),
    [
        (MAIL, "nothing in these stacks needs it", False),
        (MAIL.replace("2027-05-25", "2026-11-25"), "it expired on 2026-11-25", True),
        (MAIL.replace("b@ex.io", "c@ex.io"), "it says something else than what is there", True),
    ],
)
def test_an_entry_that_permits_nothing_fails(
    text: str, problem: str, harmless: bool, dev: Synthesized, tmp_path: Path
) -> None:
    changes = [each.change for each in HARMLESS if harmless and each.at == "pipeline/Mail"]
    found = judge(assembly_of(dev, *changes), dev.contracts, entries([text], tmp_path), today=TODAY)
    (said,) = [each for each in found.violations if each.check == "A117"]
    assert said.where == "review.toml: [[subscriber]] 1"
    assert said.what == problem
    # What is there is still refused.
    assert len(found.violations) == 1 + harmless


def test_an_entry_for_another_environment_is_not_missed(dev: Synthesized, tmp_path: Path) -> None:
    permits = entries([f'{MAIL}environments = ["prod"]\n'], tmp_path)
    assert permits.of("dev") == ()
    assert len(permits.of("prod")) == 1
    assert judge(assembly_of(dev), dev.contracts, permits, today=TODAY).violations == []


def test_a_flaw_beside_what_is_permitted_is_found(dev: Synthesized, tmp_path: Path) -> None:
    (mail,) = [each.change for each in HARMLESS if each.at == "pipeline/Mail"]
    whole = assembly_of(dev, mail, roles.deletes_output.change)
    found = judge(whole, dev.contracts, entries([MAIL], tmp_path), today=TODAY)
    assert [each.place for each in found.permitted] == ["pipeline/Mail"]
    assert "P304" in {each.check for each in found.violations}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("x", "review.toml is not TOML"),
        ("[[bucket]]\n", "review.toml: bucket: use [[subscriber]], [[resource]]"),
        ("subscriber = 1\n", "review.toml: subscriber: use [["),
        (MAIL.replace("endpoint", "end"), "[[subscriber]] 1: end: unknown key: use at, protocol"),
        (MAIL.replace("expires = 2027-05-25", ""), "[[subscriber]] 1: expires is missing"),
        (MAIL.replace("2027-05-25", '"soon"'), "expires: write a date, such as 2027-06-30"),
        (MAIL.replace("2027-05-25", "2030-01-01"), "is too far away: look again by 2027-12-31"),
        (MAIL.replace("The second line of support", "ok"), "reason: say why it is needed"),
        (f'{MAIL}environments = "dev"\n', "environments: write a list of names"),
    ],
)
def test_a_file_that_is_wrong_is_refused_with_its_fix(
    text: str, problem: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigurationError) as refused:
        entries([text], tmp_path)
    assert problem in refused.value.problems[0]


def test_without_a_file_nothing_is_permitted(tmp_path: Path) -> None:
    assert permitted.read(tmp_path) == Permitted()


def test_a_template_that_makes_no_sense_is_refused_by_the_checks(dev: Synthesized) -> None:
    def nonsense(copy: Copy) -> None:
        copy.properties("data/DataKey")["KeyPolicy"] = {"Statement": {"Fn::If": [1]}}

    found: Any = judge(assembly_of(dev, nonsense), dev.contracts, today=TODAY)
    assert found.violations


def test_what_the_app_makes_itself_is_no_addition(dev: Synthesized) -> None:
    assert list(additions(assembly_of(dev), dev.contracts)) == []
