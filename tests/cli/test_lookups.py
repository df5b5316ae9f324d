"""Commands that only look something up."""

import json
from pathlib import Path

import pytest

from bedrock_tuning.catalogue import catalogue
from bedrock_tuning.rules import RULES
from tests.cli.conftest import Run
from tests.cli.support import StubbedAws
from tests.support import price_list


def test_rules_lists_every_rule_with_its_name(run: Run) -> None:
    output = run("rules").stdout
    assert all(f"{rule.id}  {rule.name}" in output for rule in RULES)


def test_rules_as_json_has_one_object_per_rule(run: Run) -> None:
    listed = json.loads(run("rules", "--json").stdout)
    assert [each["id"] for each in listed] == [rule.id for rule in RULES]


def test_a_rule_is_found_by_id_in_any_case_and_by_name(run: Run) -> None:
    by_id, by_name = run("rules", "r201"), run("rules", "caption-too-long")
    assert by_id.exit_code == 0
    assert by_id.stdout == by_name.stdout
    assert "Fix:" in by_id.stdout


def test_an_unknown_rule_is_refused_with_the_closest_one(run: Run) -> None:
    result = run("rules", "caption-too-lang")
    assert result.exit_code == 2
    assert 'did you mean "caption-too-long"' in result.stderr
    assert result.stdout == ""


def test_models_lists_the_open_ones_first(run: Run) -> None:
    lines = run("models").stdout.splitlines()[1:]
    assert len(lines) == len(catalogue())
    open_models = [key for key, each in catalogue().items() if each.lifecycle.open_for_new_jobs]
    first = [line.split()[0] for line in lines[: len(open_models)]]
    assert sorted(first) == sorted(open_models)


def test_models_can_be_limited_to_open_ones(run: Run) -> None:
    listed = json.loads(run("models", "--open", "--json").stdout)
    assert listed
    assert all(each["open"] for each in listed)


def test_a_model_shows_every_known_value_with_its_source(run: Run) -> None:
    model = catalogue()["titan-multimodal-embeddings-g1"]
    output = run("models", model.key).stdout
    for path, fact in model.facts.items():
        assert f"{path.partition('.')[2] or path}: " in output
        assert ", ".join(fact.source) in output


def test_a_model_as_json_has_limits_and_facts(run: Run) -> None:
    found = json.loads(run("models", "nova-lite", "--json").stdout)
    assert found["key"] == "nova-lite"
    assert found["datasets"]
    assert found["facts"]


def test_an_unknown_model_is_refused_with_the_closest_key(run: Run) -> None:
    result = run("models", "nova-light")
    assert result.exit_code == 2
    assert "did you mean nova-lite?" in result.stderr
    assert "did you mean nova-lite?" in run("models", "us.amazon.nova-lite-v1:0").stderr


CUSTOMIZATIONS = Path(__file__).resolve().parents[2] / "customizations"


def test_a_known_failure_is_explained_with_cause_and_fix(run: Run) -> None:
    result = run("explain", "perms", "missing", "(PutObject)")
    assert result.exit_code == 0
    assert "cause:  the service role may not write" in result.stdout
    assert "fix:" in result.stdout


def test_a_failure_can_be_read_from_a_pipe(run: Run) -> None:
    found = json.loads(run("explain", "-", "--json", input="hyperparameter is out of range").stdout)
    assert found["known"] is True


def test_an_unknown_failure_is_said_to_be_unknown(run: Run) -> None:
    result = run("explain", "the moon was full", "--json")
    assert json.loads(result.stdout)["known"] is False
    assert result.exit_code == 1
    assert "the moon was full" in run("explain", "the moon was full").stdout


def test_the_end_of_a_models_life_is_explained_with_its_date(run: Run) -> None:
    words = "This model version has reached the end of its life."

    result = run("explain", words, "--model", "titan-image-generator-v2")

    assert "past its end-of-life date, 2026-06-30" in result.stdout


def test_nothing_to_explain_is_refused(run: Run) -> None:
    assert run("explain").exit_code == 2


def test_a_price_shows_what_is_unknown_instead_of_zero(run: Run) -> None:
    args = ("price", "pets-search", "--customizations", CUSTOMIZATIONS)
    found = json.loads(run(*args, "--json").stdout)
    assert found["known"] is False
    assert found["lines"][0]["usd"] is None
    assert "unknown" in run(*args).stdout


def test_a_price_follows_the_number_of_records(run: Run) -> None:
    args = ("price", "pets-style", "--customizations", CUSTOMIZATIONS)
    assert "total: 285.95 USD" in run(*args).stdout
    assert "(or " in run(*args, "--records", "5").stdout


@pytest.mark.parametrize("name", ["pets-serch", "nope"])
def test_an_unknown_customization_is_refused_with_the_known_ones(run: Run, name: str) -> None:
    result = run("price", name, "--customizations", CUSTOMIZATIONS)
    assert result.exit_code == 2
    assert "pets-search" in result.stderr


def test_wrong_customization_files_are_named_all_at_once(run: Run, tmp_path: Path) -> None:
    (tmp_path / "one.toml").write_text('base_model = "nope"')
    (tmp_path / "two.toml").write_text("= broken")
    result = run("price", "one", "--customizations", tmp_path)
    assert result.exit_code == 2
    assert "one.toml" in result.stderr
    assert "two.toml" in result.stderr


def test_a_refreshed_price_is_of_the_price_list(run: Run, aws: StubbedAws, tmp_path: Path) -> None:
    text = 'description = "x"\nbase_model = "nova-micro"\n'
    (tmp_path / "notes.toml").write_text(text)
    for usage, unit in ((price_list.TRAINING, "1K tokens"), (price_list.STORAGE, "Month")):
        found = {"PriceList": [price_list.product(usage, "0.004", unit=unit)]}
        chosen = {"Type": "TERM_MATCH", "Field": "usagetype", "Value": usage}
        asked = {"ServiceCode": "AmazonBedrock", "Filters": [chosen]}
        aws.answer("pricing", "get_products", found, asked)
    args = ("price", "notes", "--customizations", tmp_path, "--characters", 5_250_000)
    assert "training: 2.18 USD" in run(*args).stdout
    told = run(*args, "--refresh").stdout
    assert "training: 7.00 USD" in told
    assert "source PRICE-API, seen 2026-11-20" in told


def test_a_price_by_the_token_names_the_option_that_it_needs(run: Run, tmp_path: Path) -> None:
    (tmp_path / "notes.toml").write_text('description = "x"\nbase_model = "nova-micro"\n')
    args = ("price", "notes", "--customizations", tmp_path)
    assert "pass --characters N" in run(*args).stderr
    assert "--characters" not in run(*args, "--characters", 10).stderr


def test_a_price_without_approval_does_not_claim_to_be_within_a_budget(
    run: Run, tmp_path: Path
) -> None:
    text = (CUSTOMIZATIONS / "pets-search.toml").read_text(encoding="utf-8")
    asked = 'max_run_usd = 50.0\napproval = "over-budget"'
    free = text.replace(asked, 'approval = "never"')
    (tmp_path / "free.toml").write_text(free, encoding="utf-8")
    output = run("price", "free", "--customizations", tmp_path).stdout
    assert "not needed at any price" in output
    assert "within the budget" not in output


def test_a_type_whose_jobs_are_not_started_is_said_to_be_checked_only(run: Run) -> None:
    told = run("models", "qwen3-32b").stdout
    assert "REINFORCEMENT_FINE_TUNING: datasets are checked, jobs are not started" in told
    assert "are not started" not in run("models", "titan-multimodal-embeddings-g1").stdout
