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


HEAD = """\
#:schema ../docs/customization.schema.json
# The customization pets: what to tune, how to serve it, what it may cost.
# All keys are in docs/settings.md; what sources such as S2 are is in docs/models.md.

# What it is for: describe it.
description = "Learn from {noun}"
# Chosen.
base_model = "{model}"
# The only type for a dataset alone.
customization_type = "FINE_TUNING"
"""
HOURLY = """
[serving]
# Billed by the hour until it is deleted, sources {cited}.
mode = "provisioned"
# The least there is; each is billed by the hour.
model_units = 1
# It is deleted after so many hours; 1 to 720.
lease_hours = 8
# What the model is asked before it is published.
smoke_text = "Ron the dog"
"""
BUDGET = """
[budget]
# {why}.
max_run_usd = {usd}
# A run waits for a person when it costs more, or its price is unknown; or "always".
approval = "over-budget"
"""
FILES = {
    "titan-image-generator-v2": HEAD.format(
        noun="images with captions", model="titan-image-generator-v2"
    )
    + """\
# past its end-of-life date, 2026-06-30: only for accounts with extended access.
allow_closed_model = true

[hyperparameters]
# The table for 60 images, source S2, between two rows.
stepCount = 7500
# As the same table advises, source S2.
batchSize = 8
# As the same table advises, source S2.
learningRate = 1e-05
"""
    + HOURLY.format(cited="S2, UG-img")
    + BUDGET.format(
        why="a run with this data costs 469.95 USD; a more expensive one waits", usd="470.0"
    ),
    "titan-multimodal-embeddings-g1": HEAD.format(
        noun="images with captions", model="titan-multimodal-embeddings-g1"
    )
    + """
[hyperparameters]
# The default, sources S0, S1; Amazon Bedrock chooses it from the data.
epochCount = "Auto"
# The minimum, but the data has only 60 records, sources S0, S1, UG-hp.
batchSize = 256
# The default, sources S0, S1, UG-hp.
learningRate = 5e-05
"""
    + HOURLY.format(cited="S0, S1")
    + BUDGET.format(
        why="Not every price is known, so each run waits for approval whatever stands here",
        usd="50.0",
    ),
    "nova-micro": HEAD.format(noun="texts", model="nova-micro")
    + """
[hyperparameters]
# The default, sources UG-hp, NOVA-UG.
epochCount = 2
# The default, sources UG-hp, NOVA-UG.
learningRate = 1e-05
# The rule of thumb for 60 records, source NOVA-UG.
learningRateWarmupSteps = 1

[serving]
# Billed by the request, nothing by the hour, source UG-deploy.
mode = "on-demand"
# What the model is asked before it is published.
smoke_text = "Ron the dog"
"""
    + BUDGET.format(
        why="a run with this data costs 1.96 USD; a more expensive one waits", usd="2.0"
    ),
}


@pytest.mark.parametrize("key", FILES)
def test_a_proposal_says_every_value_with_why_it_was_chosen(key: str) -> None:
    form = "chat" if key == "nova-micro" else "image-caption"
    given = data(60, form=form, example="Ron  the\tdog")
    found = propose("pets", catalogue()[key], data=given, why_model="Chosen", given={})
    assert found.text == FILES[key]


def test_without_data_the_defaults_are_proposed_and_no_budget_is_known() -> None:
    found = propose("pets", catalogue()["nova-micro"], data=None, why_model="x", given={})
    values = {each.key: each.value for each in found.values}
    assert values["description"] == "Tune Amazon Nova Micro"
    assert (values["learningRateWarmupSteps"], values["max_run_usd"]) == (10, 50.0)
    assert "smoke_text" not in values
    assert found.said == ()


def test_a_smoke_text_is_at_most_a_hundred_letters_that_can_be_seen() -> None:
    for example, text in (("a\u200bdog", "adog"), ("x" * 101, "x" * 100), ("a " * 99, "a " * 50)):
        given = data(60, form="chat", example=example)
        found = propose("pets", catalogue()["nova-micro"], data=given, why_model="x", given={})
        assert found.customization.serving.smoke_text == text


@pytest.mark.parametrize(
    ("records", "said"),
    [(999, "999 records are too few: "), (1_000, ""), (500_000, ""), (500_001, "500,001 records")],
)
def test_as_much_data_as_a_model_takes_is_proposed_without_a_word(records: int, said: str) -> None:
    model = catalogue()["titan-multimodal-embeddings-g1"]
    found = propose("pets", model, data=data(records), why_model="x", given={})
    assert [each[: len(said)] for each in found.said] == ([said] if said else [])


def test_data_and_models_that_do_not_fit_say_what_the_model_is_trained_on() -> None:
    models = catalogue()
    chat = data(60, form="chat")
    pictures = data(60, form="chat-with-images")
    search = "titan-multimodal-embeddings-g1"
    assert unfit(models[search], chat) == "it is trained on image-caption, not on texts"
    assert unfit(models["nova-lite"], pictures) == ""
    assert unfit(models["nova-micro"], pictures).endswith("not on texts with images")
    assert unfit(models["nova-micro"], data(60)).endswith("not on images with captions")
