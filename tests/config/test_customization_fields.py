"""The reference of customization files: no key is without a meaning, none is invented."""

from pathlib import Path

import pytest

from bedrock_tuning.config.customization import load, load_all
from bedrock_tuning.config.customization_reference import MEANINGS, fields
from bedrock_tuning.config.settings import Settings
from bedrock_tuning.config.settings_fields import SETTINGS
from bedrock_tuning.config.toml_section import HOMES
from bedrock_tuning.errors import CustomizationError

BASE = {"description": '"x"', "base_model": '"titan-multimodal-embeddings-g1"'}
FIELDS = {each.key: each for each in fields()}


def test_every_key_that_is_read_has_a_meaning_and_no_other() -> None:
    assert list(FIELDS) == list(MEANINGS)


def test_every_key_is_sent_home_to_its_own_table() -> None:
    tables = {key: key.rpartition(".") for key in FIELDS if "RULE" not in key}
    assert {name: table for table, _, name in tables.values()} == dict(HOMES)


def test_the_required_keys_are_those_that_an_empty_file_misses() -> None:
    with pytest.raises(CustomizationError) as caught:
        load("", file="customizations/pets.toml")
    missing = [problem.split(": ")[1] for problem in caught.value.problems]
    required = [key for key, each in FIELDS.items() if each.default is None and "." not in key]
    assert missing == required


@pytest.mark.parametrize("key", [key for key in FIELDS if key not in BASE and "RULE" not in key])
def test_a_listed_key_is_known_to_the_reader(key: str) -> None:
    *table, name = key.split(".")
    lines = [f"{each} = {value}" for each, value in BASE.items()]
    text = "\n".join([*lines, *(f"[{each}]" for each in table), f"{name} = []"])
    with pytest.raises(CustomizationError) as caught:
        load(text, file="customizations/pets.toml")
    assert [each for each in caught.value.problems if f" {key}: " in each]
    assert "unknown key" not in str(caught.value)


def test_recording_reads_no_file_and_changes_no_customization() -> None:
    before = load_all(Path(__file__).parents[2] / "customizations")
    assert fields() == fields()
    assert load_all(Path(__file__).parents[2] / "customizations") == before


def test_every_setting_of_an_environment_has_a_meaning_and_a_default_that_is_allowed() -> None:
    names = [name for name in Settings.__dataclass_fields__ if name != "name"]
    assert names == list(SETTINGS)
    for key, setting in SETTINGS.items():
        default = Settings.__dataclass_fields__[key].default
        assert setting.meaning.endswith(".")
        assert key == "region" or not setting.kind.wrong(default), key
