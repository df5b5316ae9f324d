"""What `tuning init` proposes: each file can be loaded, and follows the published advice."""

import pytest

from bedrock_tuning.catalogue import BaseModel, catalogue
from bedrock_tuning.config.customization import load
from bedrock_tuning.errors import CustomizationError, UserError
from bedrock_tuning.rules import BY_ID
from bedrock_tuning.run.proposal import Data, fitting, propose, unfit
from tests.support.examples import dataset_of

OURS = [each for each in catalogue().values() if each.started_types]
DRAWS = catalogue()["titan-image-generator-v2"]


def data(records: int, *, form: str = "image-caption", example: str = "Ron the dog") -> Data:
    return Data(
        form=form,  # type: ignore[arg-type]
        records=records,
        characters=records * 400,
        example=example,
        described="",
    )


def proposed(model: BaseModel, records: int, **given: str) -> dict[str, object]:
    found = propose("pets", model, data=data(records), why_model="x", given=given)
    return {each.key: each.value for each in found.values}


@pytest.mark.parametrize("model", OURS, ids=lambda each: each.key)
def test_every_model_gets_a_file_that_says_what_was_proposed(model: BaseModel) -> None:
    found = propose("pets", model, data=None, why_model="x", given={})
    read = load(found.text, file="customizations/pets.toml")
    assert read == found.customization
    assert read.base_model is model
    for each in found.values:
        assert f"# {each.why}.\n{each.key} = " in found.text


@pytest.mark.parametrize(
    ("images", "steps"),
    [(8, 1_000), (32, 4_000), (64, 8_000), (1_000, 10_000), (10_000, 12_000), (60, 7_500)],
)
def test_steps_follow_the_published_table(images: int, steps: int) -> None:
    values = proposed(DRAWS, images)
    assert values["stepCount"] == steps
    assert (values["batchSize"], values["learningRate"]) == (8, 1e-5)


@pytest.mark.parametrize(("records", "steps"), [(9, 1), (1_600, 10), (100_000, 20)])
def test_the_rule_of_thumb_is_proposed_and_no_rule_hints_against_it(
    records: int, steps: int
) -> None:
    found = propose(
        "chat", catalogue()["nova-lite"], data=data(records, form="chat"), why_model="x", given={}
    )
    chosen = found.customization.hyperparameters
    assert chosen["learningRateWarmupSteps"] == str(steps)
    seen = {"training": {"records": records}, "hyperparameters": dict(chosen)}
    rule = BY_ID["H108"]
    assert list(rule.check(dataset_of("nova-lite", seen), None)) == []


def test_a_known_price_is_the_budget_and_an_unknown_one_waits_for_a_person() -> None:
    found = propose("pets", DRAWS, data=data(60), why_model="x", given={})
    # 7,500 steps of 8 images, 8 hours of throughput, a month of storage.
    assert found.price.total_usd == pytest.approx(7_500 * 8 * 0.005 + 8 * 21 + 1.95)
    assert found.customization.budget.max_run_usd == 470.0
    search = catalogue()["titan-multimodal-embeddings-g1"]
    unknown = propose("pets", search, data=data(2_000), why_model="x", given={})
    assert not unknown.price.known
    assert unknown.customization.budget.max_run_usd == 50.0


def test_a_batch_is_not_larger_than_the_data() -> None:
    search = catalogue()["titan-multimodal-embeddings-g1"]
    assert proposed(search, 100)["batchSize"] == 256, "the model's minimum"
    assert proposed(search, 1_000)["batchSize"] == 576


def test_too_little_data_is_said_before_anything_is_paid() -> None:
    search = catalogue()["titan-multimodal-embeddings-g1"]
    found = propose("pets", search, data=data(100), why_model="x", given={})
    assert any("too few" in each and "1,000" in each for each in found.said)


def test_wanted_values_are_taken_checked_and_unknown_keys_refused() -> None:
    values = proposed(DRAWS, 60, stepCount="5000", lease_hours="4", smoke_text="Ron on a beach")
    assert (values["stepCount"], values["lease_hours"]) == (5000, 4)
    assert values["smoke_text"] == "Ron on a beach"
    with pytest.raises(CustomizationError, match="stepCount"):
        proposed(DRAWS, 60, stepCount="5")
    with pytest.raises(UserError, match="did you mean stepCount"):
        proposed(DRAWS, 60, stepcount="5000")


@pytest.mark.parametrize(
    "example", ['a "dog"', "\x1b]0;x\x07 dog", "naïve 🐕", "a\\b", "x" * 9_000]
)
def test_an_example_from_the_data_makes_no_broken_file(example: str) -> None:
    found = propose("pets", DRAWS, data=data(60, example=example), why_model="x", given={})
    assert "\x1b" not in found.text


def test_only_open_models_fit_and_the_others_say_why() -> None:
    assert list(fitting(data(60))) == ["titan-multimodal-embeddings-g1"]
    assert all(each.datasets for each in fitting(data(60, form="chat")).values())
    assert "image" in fitting(data(60, form="chat-with-images"))["nova-lite"].input
    assert "nova-micro" not in fitting(data(60, form="chat-with-images"))
    assert "API only" in unfit(catalogue()["qwen3-32b"], None)
    assert "not on images with captions" in unfit(catalogue()["nova-lite"], data(60))
