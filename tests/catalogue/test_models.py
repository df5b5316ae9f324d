"""The catalogue: what it promises about every model, and what it refuses."""

import re
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bedrock_tuning.catalogue import (
    Catalogue,
    Range,
    account_facts,
    catalogue,
    key_of,
    sources,
)
from bedrock_tuning.config.hyperparameters import resolve
from bedrock_tuning.config.reader import Problems, Section
from bedrock_tuning.errors import CatalogueError

# The model id forms of botocore's BaseModelIdentifier.
MODEL_ID = re.compile(
    r"[a-z0-9-]{1,63}[.][a-z0-9-]{1,63}([.]?[a-z0-9-]{1,63})([:][a-z0-9-]{1,63}){0,2}"
)

A_MODEL = """
name = "Tiny Embeddings"
provider = "Amazon"
task = "image-to-embedding"
input = ["text", "image"]
output = ["embedding"]
customization_types = { value = ["FINE_TUNING"], source = ["CARD"] }
job_api = { value = "CreateModelCustomizationJob", source = ["BC"] }
[sources]
CARD = { title = "Tiny's model card", ref = "" }
[ids]
customization = { value = ["amazon.tiny-v1:0"], source = ["CARD"] }
invoke = { value = ["amazon.tiny-v1"], source = ["CARD"] }
[regions]
customization = { value = ["us-east-1"], source = ["CARD"] }
[lifecycle]
status = { value = "ACTIVE", source = ["CARD"] }
open_for_new_jobs = { value = true, source = ["CARD"] }
[serving]
provisioned_throughput = { value = true, source = ["CARD"] }
on_demand = { value = false, source = ["CARD"] }
[datasets.FINE_TUNING]
format = { value = "image-caption", source = ["CARD"] }
validation = { value = "optional", source = ["CARD"] }
[datasets.FINE_TUNING.caption]
chars_min = { value = 0, source = ["CARD"] }
chars_max = { value = 100, source = ["CARD"] }
[datasets.FINE_TUNING.image]
formats = { value = ["png"], source = ["CARD"] }
bytes_max = { value = 9, source = ["CARD"], warn_above = 7 }
[hyperparameters.epochCount]
type = "integer"
min = { value = 1, source = ["CARD"] }
max = { value = 9, source = ["CARD"] }
default = { value = "Auto", source = ["CARD"] }
auto = { value = "Auto", source = ["CARD"] }
[prices]
storage_per_month = { value = 1.5, source = ["CARD"], date = 2026-01-31 }
"""


def _write(folder: Path, text: str) -> Catalogue:
    (folder / "tiny-embeddings.toml").write_text(text, encoding="utf-8")
    return Catalogue(folder)


def test_adding_a_model_is_adding_one_file(tmp_path: Path) -> None:
    models = _write(tmp_path, A_MODEL)

    added = models["tiny-embeddings"]
    parameters = Section(table={}, path=("hyperparameters",), problems=Problems(file="mine.toml"))

    assert added.name == "Tiny Embeddings"
    assert resolve(section=parameters, model=added, type_="FINE_TUNING") == {"epochCount": "Auto"}
    assert added.datasets["FINE_TUNING"].image is not None
    assert added.datasets["FINE_TUNING"].image.bytes_warn == 7
    assert added.source_of("ids.customization").source == ("CARD",)


@pytest.mark.parametrize(
    ("old", "new", "where", "what"),
    [
        ("chars_max =", "chars_mx =", "datasets.FINE_TUNING", "unknown field `chars_mx`"),
        ("chars_max = { value = 100,", 'chars_max = { value = "100",',
         "datasets.FINE_TUNING", "`datasets.FINE_TUNING.caption.chars_max`"),
        ("bytes_max = { value = 9, source = [\"CARD\"], warn_above = 7 }", "bytes_max = 9",
         "datasets.FINE_TUNING.image.bytes_max", "has no source"),
        ("max = { value = 9, source = [\"CARD\"] }", "max = { value = 9 }",
         "hyperparameters.epochCount.max", "missing required field `source`"),
        ("max = { value = 9, source = [\"CARD\"] }", "max = { value = 9, source = [] }",
         "hyperparameters.epochCount.max", "sources is empty"),
        ("max = { value = 9, source = [\"CARD\"] }", "max = { value = 9, source = [\"CRAD\"] }",
         "hyperparameters.epochCount.max", "unknown source CRAD"),
        ("max = { value = 9, source = [\"CARD\"] }",
         "max = { value = 9, source = [\"CARD\"], confidence = \"sure\" }",
         "hyperparameters.epochCount.max", "Invalid enum value 'sure'"),
        ("max = { value = 9,", "max = { value = 0,", "hyperparameters.epochCount", "above max"),
        ('default = { value = "Auto"', 'default = { value = "auto"',
         "hyperparameters.epochCount", "not the auto spelling"),
        (", date = 2026-01-31", "", "prices.storage_per_month", "needs the date"),
        ('["FINE_TUNING"]', '["FINE_TUNING", "DISTILLATION"]',
         "customization_types", "DISTILLATION has no [datasets.DISTILLATION]"),
        ("[datasets.FINE_TUNING.caption]", "[datasets.FINE_TUNING.text]",
         "datasets.FINE_TUNING", "chars_m"),
        ("provider =", "provder =", "tiny-embeddings.toml", "provder"),
        ('task = "image-to-embedding"', 'task = "magic"', "`task`", "Invalid enum value 'magic'"),
        ('["amazon.tiny-v1"]', "[]", "ids.invoke", "is empty"),
        ("invoke =", "invok =", "toml: ids: ", "unknown field `invok`"),
        ('["amazon.tiny-v1"]', "[1]", "toml: ids: ", "`ids.invoke[0]`"),
        ("provider =", 'key = { value = "k", source = ["CARD"] }\nprovider =',
         "tiny-embeddings.toml", "unknown field `key`"),
        ("[ids]", "[facts]\n[ids]", "tiny-embeddings.toml", "unknown field `facts`"),
        ("[ids]", "[ids", "tiny-embeddings.toml", "cannot be read"),
    ],
)  # fmt: skip
def test_a_wrong_file_is_refused_naming_file_and_key(
    tmp_path: Path, old: str, new: str, where: str, what: str
) -> None:
    assert old in A_MODEL
    models = _write(tmp_path, A_MODEL.replace(old, new))

    with pytest.raises(CatalogueError) as caught:
        models["tiny-embeddings"]

    message = str(caught.value)
    assert message.startswith("tiny-embeddings.toml: ")
    assert where in message
    assert what in message


def test_a_model_is_read_only_when_it_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / "broken.toml").write_text("not TOML", encoding="utf-8")
    models = _write(tmp_path, A_MODEL)

    assert list(models) == ["broken", "tiny-embeddings"]
    assert models["tiny-embeddings"].key == "tiny-embeddings"
    with pytest.raises(CatalogueError, match=r"broken\.toml: cannot be read"):
        models["broken"]


@pytest.mark.parametrize("key", catalogue())
def test_every_model_is_whole(key: str) -> None:
    model = catalogue()[key]

    assert all(MODEL_ID.fullmatch(each) for each in (*model.ids.customization, *model.ids.invoke))
    assert model.regions.customization
    assert set(model.customization_types) <= set(model.datasets)
    for name, parameter in model.hyperparameters.items():
        assert parameter.source, name
        if isinstance(parameter.default, int | float):
            assert parameter.min is not None
            assert parameter.max is not None
            assert parameter.min <= parameter.default <= parameter.max, name
    for fact in model.facts.values():
        for tag in fact.source:
            assert model.sources[tag].title


def test_a_model_that_takes_jobs_can_be_tuned_and_served() -> None:
    for model in catalogue().values():
        if model.lifecycle.open_for_new_jobs and model.job_api == "CreateModelCustomizationJob":
            assert model.lifecycle.status == "ACTIVE", model.key
            assert model.customization_types, model.key
            assert model.serving.provisioned_throughput or model.serving.on_demand, model.key


def test_multimodal_embeddings_has_the_limits_of_its_model_page() -> None:
    model = catalogue()["titan-multimodal-embeddings-g1"]
    contract = model.datasets["FINE_TUNING"]
    caption, image = contract.caption, contract.image
    assert caption is not None
    assert image is not None

    assert model.customization_id == "amazon.titan-embed-image-v1:0"
    assert model.invoke_id == "amazon.titan-embed-image-v1"
    assert contract.validation == "required"
    assert contract.training_records == Range(min=1000, max=500_000)
    assert contract.validation_records == Range(min=8, max=50_000)
    assert contract.total_records_quota == 50_000
    assert (caption.chars_min, caption.chars_max) == (0, 2560)
    assert (caption.tokens_max, caption.chars_per_token) == (128, 4.7)
    assert set(image.formats) == {"png", "jpeg"}
    assert (image.bytes_max, image.side_min, image.side_max) == (25_000_000, 256, 4096)
    assert image.pixels_max == 2048 * 2048 * 3
    assert (image.aspect_min, image.aspect_max) == (0.25, 4)
    assert model.inference.embedding_lengths == (256, 384, 1024)
    assert model.hyperparameters["epochCount"].default == "Auto"
    assert model.hyperparameters["batchSize"].max == 9216


def test_titan_image_has_the_limits_of_the_user_guide_and_the_blog() -> None:
    for key in ("titan-image-generator-v1", "titan-image-generator-v2"):
        model = catalogue()[key]
        contract = model.datasets["FINE_TUNING"]
        image = contract.image
        assert image is not None
        assert contract.caption is not None

        assert contract.validation == "forbidden"
        assert contract.training_records == Range(min=5, max=10_000)
        assert (contract.caption.chars_min, contract.caption.chars_max) == (3, 1024)
        assert (image.bytes_max, image.side_min) == (50_000_000, 512)
        assert model.hyperparameters["stepCount"].required
        assert model.hyperparameters["batchSize"].multiple_of == 8


def test_where_sources_differ_the_stricter_reading_is_a_warning_band() -> None:
    model = catalogue()["titan-multimodal-embeddings-g1"]
    image = model.datasets["FINE_TUNING"].image
    assert image is not None

    assert (image.bytes_warn, image.pixels_warn) == (5_000_000, 12_528_912)
    others = model.source_of("datasets.FINE_TUNING.image.bytes_max").alternatives
    assert {other.value for other in others} == {5_000_000, 50_000_000}
    assert catalogue()["nova-pro"].hyperparameters["learningRateWarmupSteps"].warn == 20


def test_an_unknown_path_is_answered_with_the_nearest_one() -> None:
    model = catalogue()["titan-multimodal-embeddings-g1"]

    hint = r"did you mean \"datasets\.FINE_TUNING\.image\.bytes_m"
    with pytest.raises(CatalogueError, match=hint):
        model.source_of("datasets.FINE_TUNING.image.byte_max")


def test_no_price_is_zero_and_every_price_has_a_date() -> None:
    for model in catalogue().values():
        for path, fact in model.facts.items():
            if path.startswith("prices."):
                assert fact.value > 0
                assert isinstance(fact.date, date)
    assert catalogue()["titan-multimodal-embeddings-g1"].prices.throughput_per_unit_hour is None


@pytest.mark.parametrize(
    ("images", "steps", "interpolated"),
    [
        (8, 1000, False), (32, 4000, False), (64, 8000, False), (1000, 10_000, False),
        (10_000, 12_000, False), (60, 7500, True), (1, 125, True), (50_000, 12_000, True),
    ],
)  # fmt: skip
def test_the_steps_of_source_document_002_and_ours_between(
    images: int, steps: int, interpolated: bool
) -> None:
    table = catalogue()["titan-image-generator-v2"].step_recommendation
    assert table is not None

    advice = table.steps_for(images=images)

    assert (advice.steps, advice.interpolated) == (steps, interpolated)


@given(st.integers(1, 20_000))
def test_more_images_never_mean_fewer_steps(images: int) -> None:
    table = catalogue()["titan-image-generator-v1"].step_recommendation
    assert table is not None

    assert table.steps_for(images=images).steps <= table.steps_for(images=images + 1).steps


@pytest.mark.parametrize(
    ("key", "batch", "tokens"),
    [
        ("titan-text-express", 1, 4096),
        ("titan-text-express", 2, 2048),
        ("titan-text-express", 64, 2048),
        ("titan-text-lite", 2, 4096),
        ("titan-text-lite", 3, 2048),
        ("llama-3-2-90b", None, 10_000),
        ("titan-multimodal-embeddings-g1", None, None),
    ],
)
def test_a_larger_batch_allows_shorter_records(
    key: str, batch: int | None, tokens: int | None
) -> None:
    text = catalogue()[key].datasets["FINE_TUNING"].text

    assert (text and text.record_tokens_max_for(batch_size=batch)) == tokens


def test_a_closed_model_says_since_when() -> None:
    models = catalogue()

    assert "2026-06-30" in models["titan-image-generator-v2"].lifecycle.closed_because()
    assert "2027-03-30" in models["llama-3-3-70b"].lifecycle.closed_because()
    assert models["nova-micro"].lifecycle.closed_because() == ""


def test_account_quotas_name_their_source() -> None:
    assert account_facts()["quotas.model_units"].value == 0
    for fact in account_facts().values():
        assert set(fact.source) <= set(sources())


_ARN = "arn:aws:bedrock:us-east-1:"


@pytest.mark.parametrize(
    "spelled",
    [
        *("amazon.nova-lite-v1:0", "amazon.nova-lite-v1:0:300k", "amazon.nova-lite-v1:0:24k"),
        *("us.amazon.nova-lite-v1:0", "apac.amazon.nova-lite-v1:0", "amazon.nova-lite-v1"),
        f"{_ARN}:foundation-model/amazon.nova-lite-v1:0:300k",
        f"{_ARN}111122223333:inference-profile/us.amazon.nova-lite-v1:0",
        f"{_ARN}111122223333:custom-model/amazon.nova-lite-v1:0:300k/abcdefghijkl",
    ],
)
def test_an_id_a_profile_and_an_arn_name_the_model_that_they_stand_for(spelled: str) -> None:
    assert key_of(spelled) == "nova-lite"


@pytest.mark.parametrize("spelled", ["", "x", "nova-lite", "amazon.nova-premier-v1:0", "us."])
def test_what_is_no_id_of_the_catalogue_names_no_model(spelled: str) -> None:
    assert key_of(spelled) == ""


@pytest.mark.parametrize("key", catalogue())
def test_every_id_of_a_model_names_it(key: str) -> None:
    ids = catalogue()[key].ids
    every = (*ids.customization, *ids.throughput, *ids.invoke)
    assert {key_of(each) for each in every} <= {key}
