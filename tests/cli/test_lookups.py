"""`tuning rules` and `tuning models`."""

import json

from tests.cli.conftest import Run
from tuning.models import catalogue
from tuning.rules import RULES


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
