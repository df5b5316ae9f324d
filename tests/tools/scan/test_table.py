"""The table of accepted findings: exact, without a row in vain, each with a reason."""

from pathlib import Path

import pytest

from tools.scan import table
from tools.scan.__main__ import finish, report
from tools.scan.cases import CASES, OPTIONS, Case
from tools.scan.table import Acknowledgement, ScanFinding, TableError, general, judge_findings

REASON = "The rule looks at something that is not so here, as the contract says."


def _row(**changes: object) -> Acknowledgement:
    values = {"tool": "t", "rules": ("R1",), "where": ("data/A",), "reason": REASON, **changes}
    return Acknowledgement(**values)  # type: ignore[arg-type]


def _found(rule: str = "R1", where: str = "data/A", options: str = "") -> ScanFinding:
    return ScanFinding(tool="t", rule=rule, where=where, case=Case(options=options))


def test_what_is_accepted_is_clean() -> None:
    judged = judge_findings([_found(), _found()], [_row()], tool="t")
    assert judged.clean
    assert [count for _, count in judged.accepted] == [2]


@pytest.mark.parametrize("found", [_found(rule="R2"), _found(where="data/B"), _found(rule="R1[x]")])
def test_another_rule_or_place_is_not_accepted(found: ScanFinding) -> None:
    judged = judge_findings([_found(), found], [_row()], tool="t")
    assert judged.unacknowledged == (found,)
    assert not judged.clean


def test_another_tools_row_accepts_nothing_and_is_not_called_stale() -> None:
    judged = judge_findings([_found()], [_row(tool="other")], tool="t")
    assert judged.unacknowledged == (_found(),)
    assert judged.stale == ()


def test_a_rule_without_a_finding_at_one_of_its_places_is_stale() -> None:
    row = _row(rules=("R1", "R2"), where=("data/*", "serving/C"))
    found = [_found(), _found(rule="R2"), _found(where="serving/C")]
    (stale,) = judge_findings(found, [row], tool="t").stale
    assert stale.startswith("t: R2 at serving/C: there is no such finding")


def test_a_row_for_an_option_does_not_hold_without_it() -> None:
    row = _row(when="vpc")
    assert judge_findings([_found(options="vpc")], [row], tool="t").clean
    assert judge_findings([_found(options="all")], [row], tool="t").clean
    assert judge_findings([_found()], [row], tool="t").unacknowledged


def test_a_star_stands_for_anything_in_places_and_for_itself_in_rules() -> None:
    row = _row(rules=("IAM5[x/*]",), where=("data/*/Role",))
    assert judge_findings([_found(rule="IAM5[x/*]", where="data/A/Role")], [row], tool="t").clean
    assert not judge_findings(
        [_found(rule="IAM5[x/y]", where="data/A/Role")], [row], tool="t"
    ).clean


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        (f'rules = ["R"]\nwhere = ["x"]\nreason = "{REASON}"', "missing required field `tool`"),
        ('tool = "t"\nrules = ["R"]\nwhere = ["x"]\nreason = "Not needed."', "length >= 40"),
        (f'tool = "t"\nrules = ["R"]\nwhere = ["x"]\nreason = "no{REASON}"', "matching regex"),
        ('tool = "t"\nrules = ["R"]\nwhere = ["x"]\nreason = "' + "X" * 60 + '."', "regex"),
        (f'tool = "t"\nrules = []\nwhere = ["x"]\nreason = "{REASON}"', "length >= 1"),
        (f'tool = "t"\nrules = ["R"]\nwhere = "x"\nreason = "{REASON}"', "Expected `array`"),
        (f'tool = "t"\nrule = "R"\nwhere = ["x"]\nreason = "{REASON}"', "unknown field `rule`"),
    ],
)
def test_a_wrong_row_is_refused_with_its_number(tmp_path: Path, row: str, problem: str) -> None:
    path = tmp_path / "acknowledgements.toml"
    path.write_text(f"[[acknowledged]]\n{row}\n", "utf-8")
    with pytest.raises(TableError, match=rf"{problem}.*\$\[0\]"):
        table.read(path)


def test_the_committed_table_is_well_formed_and_says_everything_once() -> None:
    said = [
        (row.tool, rule, where, row.when)
        for row in table.read()
        for rule in row.rules
        for where in row.where
    ]
    assert said
    assert len(said) == len(set(said))


def test_paths_and_ids_lose_what_differs_between_environments_and_customizations() -> None:
    def of(text: str, environment: str = "prod") -> str:
        return general(text, case=Case(environment=environment), customizations=["pets", "pets-a"])

    assert of("tuning-prod-pets-a/BedrockRole/Resource") == ("{customization}/BedrockRole")
    export = "tuning-prod-data:ExportsOutputFnGetAttTraining1DBE9C16Arn863F5C88"
    assert (
        of(f"X-IAM5[Resource::{export}/pets/*]") == "X-IAM5[Resource::{Training}/{customization}/*]"
    )
    assert of("arn:aws:ssm:eu-west-1:<AWS::AccountId>:parameter/bedrock-tuning/prod/*") == (
        "arn:aws:ssm:{region}:{account}:parameter/bedrock-tuning/{environment}/*"
    )
    # Another environment's name is no part of ours: it stays visible.
    assert of("tuning-dev-data/Training") == "tuning-dev-data/Training"


def test_the_scan_answers_no_while_anything_is_open_and_prints_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert finish({"t": judge_findings([_found()], [_row()], tool="t")}) == 0
    assert capsys.readouterr().out == ""
    assert finish({"t": judge_findings([_found(rule="R2")], [_row()], tool="t")}) == 1
    new, stale = capsys.readouterr().out.splitlines()
    assert new.startswith("t: R2 at data/A (dev)")
    assert stale.startswith("t: R1 at data/A: there is no such finding")


def test_the_report_says_what_is_open_and_why_the_rest_is_accepted() -> None:
    text = report(
        {"t": judge_findings([_found(), _found(rule="R2")], [_row(when="vpc")], tool="t")}
    )
    assert "* ❌ t: R2 at data/A (dev)" in text
    assert f"| `R1` | `data/A` (only with `vpc`) | 0 | {REASON} |" in text


def test_every_environment_and_every_option_is_a_case() -> None:
    assert {case.environment for case in CASES} == {"dev", "prod", "local"}
    assert {case.options for case in CASES} == set(OPTIONS)
