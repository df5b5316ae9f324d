"""What is assumed about AWS: each can be found out, and answers are kept, shown and followed."""

from pathlib import Path

import pytest

from bedrock_tuning.catalogue import catalogue
from bedrock_tuning.cli.pages.unknowns import unknowns_page
from bedrock_tuning.client.doctor.every_check import DOCTOR_CHECKS
from bedrock_tuning.client.doctor.unknowns import (
    account_hash,
    latest,
    read_verified,
    unknowns,
    write_verified,
)
from local.bedrock import known

FLAGSHIP = catalogue()["titan-multimodal-embeddings-g1"]


@pytest.mark.parametrize("id", unknowns())
def test_each_unknown_has_a_check_or_a_test_with_its_price(id: str) -> None:
    unknown = unknowns()[id]
    checks = {check.id for check in DOCTOR_CHECKS}
    assert bool(unknown.check) != bool(unknown.test)
    assert not unknown.check or unknown.check in checks
    assert not unknown.test or any(
        word in unknown.test for word in ("USD", "price of", "One request")
    )


def test_an_answer_takes_the_place_of_the_same_accounts_older_one(tmp_path: Path) -> None:
    file = tmp_path / "verified.toml"
    for account, answer in (("1" * 12, "0"), ("2" * 12, '"1"\n'), ("1" * 12, "2")):
        write_verified(file, {"model-units": answer}, account=account, region="us-east-1")

    found = [(each.account, each.answer) for each in read_verified(file)]
    assert found == [(account_hash("2" * 12), '"1"\n'), (account_hash("1" * 12), "2")]
    assert latest(read_verified(file), "model-units") == "2"
    assert "1" * 12 not in file.read_text()


def test_answers_are_on_the_page(tmp_path: Path) -> None:
    assert unknowns_page(tmp_path).count("not asked yet") == len(unknowns())
    learned = {"folder-listing": "as we assume"}
    write_verified(tmp_path / "verified.toml", learned, account="1" * 12, region="us-west-2")
    page = unknowns_page(tmp_path)
    assert page.count("not asked yet") == len(unknowns()) - 1
    assert f"as we assume ({read_verified(tmp_path / 'verified.toml')[0].date}, us-west-2" in page


def test_the_local_aws_behaves_as_aws_has_answered(tmp_path: Path) -> None:
    file, nothing = tmp_path / "verified.toml", tmp_path / "nothing.toml"
    contract = FLAGSHIP.datasets["FINE_TUNING"]
    assert known.model_units(nothing) == 0
    assert known.validation(FLAGSHIP, contract, nothing) == "required"

    answers = {"model-units": "1", "validation-sets": "refused"}
    write_verified(file, answers, account="1" * 12, region="us-east-1")
    assert known.model_units(file) == 1
    assert known.validation(FLAGSHIP, contract, file) == "forbidden"
    other = catalogue()["nova-lite"]
    assert known.validation(other, other.datasets["FINE_TUNING"], file) == "optional"
