"""The published schemas accept what the readers accept and refuse what they refuse."""

import copy
import json
import tomllib
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bedrock_tuning.catalogue import catalogue
from bedrock_tuning.config import customization_checks, job_checks
from bedrock_tuning.config.customization import load_all
from bedrock_tuning.config.customization_fields import SECTIONS, TABLES
from bedrock_tuning.config.hyperparameters import hyperparameter_kind
from bedrock_tuning.config.json_schema import customization_schema, settings_schema
from bedrock_tuning.config.reader import Problems, Section
from bedrock_tuning.config.settings_fields import SETTINGS

ROOT = Path(__file__).parents[2]
CUSTOMIZATION = jsonschema.Draft202012Validator(customization_schema())
CDK_JSON = jsonschema.Draft202012Validator(settings_schema())
SHIPPED = [path.read_text("utf-8") for path in sorted((ROOT / "customizations").glob("*.toml"))]

SCALARS = st.one_of(
    st.integers(-2, 4_000),
    st.sampled_from([True, False, 0.5, 1e-5, 10**12, 256, 576, 1024, 5000]),
    st.sampled_from(
        ["", "  ", "a dog", "auto", "AUTO", "x" * 201, "a\nb", "us-east-1", "OneMonth"]
    ),
    st.sampled_from(["nova-micro", "titan-image-generator-v2", "on-demand", "none", "never"]),
    st.sampled_from(
        ["10.42.0.0/16", "10.0.0.0/8", "home", "a@b.example", "team-", "host", "strict"]
    ),
    st.sampled_from([[], ["use1-az1"], ["use1-az1", "use1-az1"], ["sg-01234567"], ["Team"], [1]]),
)


@pytest.mark.slow
def test_both_are_schemas() -> None:
    jsonschema.Draft202012Validator.check_schema(CUSTOMIZATION.schema)
    jsonschema.Draft202012Validator.check_schema(CDK_JSON.schema)


@pytest.mark.parametrize("text", SHIPPED)
def test_a_shipped_customization_names_its_schema_and_follows_it(text: str) -> None:
    schema = text.split("\n")[0].removeprefix("#:schema ")
    assert (ROOT / "customizations" / schema).resolve() == ROOT / "docs/customization.schema.json"
    CUSTOMIZATION.validate(tomllib.loads(text))


def test_the_shipped_settings_follow_their_schema() -> None:
    CDK_JSON.validate(json.loads((ROOT / "cdk.json").read_text("utf-8")))


@given(st.sampled_from([*SETTINGS, "colour"]), SCALARS)
def test_settings_are_accepted_by_both_or_by_none(key: str, value: Any) -> None:
    """The known exceptions are rules between settings (config.settings_consistency)."""
    dev = {"region": "us-east-1", key: value}
    problems = Problems(file="cdk.json")
    Section(table=dev, path=(), problems=problems).read(SETTINGS)
    file = {"context": {"tuning": {"environment": "dev", "environments": {"dev": dev}}}}
    assert CDK_JSON.is_valid(file) == (not problems.found), problems.found


def read_alone(file: dict[str, Any]) -> list[str]:
    """What the reader says of each key alone, by the tables that the schema is made from."""
    problems = Problems(file="")
    root = Section(table=file, path=(), problems=problems)
    head = root.read(TABLES[""], tables=SECTIONS)
    model = catalogue()[head["base_model"]] if head.get("base_model") in catalogue() else None
    type_ = head.get("customization_type", "FINE_TUNING")
    if model is None or type_ not in model.started_types:
        return ["base_model"]
    missing = [key for key, owner in job_checks.JOB_KEYS.items() if owner == type_]
    if any(not head.get(key) for key in missing if key in job_checks.NEEDED_KEYS):
        return ["a grader or a teacher"]
    if any(owner != type_ for key, owner in job_checks.JOB_KEYS.items() if key in file):
        return ["a key of another type of job"]
    customization_checks.check_open(
        root, model=model, allowed=head.get("allow_closed_model", False)
    )
    for table in ("dataset", "serving", "budget"):
        section = root.table(table)
        if root.holds_table(table):
            section.read(TABLES[table])
    mode = file.get("serving", {}).get("mode") if root.holds_table("serving") else None
    if mode == "on-demand" and not model.serving.on_demand:
        return ["serving.mode"]
    if mode == "provisioned" and not model.serving.provisioned_throughput:
        return ["serving.mode"]
    parameters = root.table("hyperparameters")
    path, known = model.hyperparameters_of(type_)
    for name, value in parameters.items():
        if name not in known or hyperparameter_kind(model, known[name], table=path).problem(value):
            parameters.problem(name, "wrong")
    for name, parameter in known.items():
        if parameter.required and parameter.default is None and name not in parameters:
            parameters.problem(name, "missing")
    customization_checks.read_overrides(root.table("rules"))
    customization_checks.read_tags(root.table("tags"))
    return problems.found


FILES = [tomllib.loads(text) for text in SHIPPED]
PATHS = [
    ("colour",), ("serving",), ("tags",), ("hyperparameters",), ("tags", "a&b"), ("tags", "AWS:x"),
    ("tags", "team"), ("rules", "duplicate-key"), ("rules", "zzz"), ("serving", "colour"),
    *(("hyperparameters", name) for name in ("stepCount", "batchSize", "epochCount")),
    *(tuple(f"{table}.{key}".removeprefix(".").split(".")) for table in ("", "dataset", "serving",
      "budget") for key in TABLES[table]),
]  # fmt: skip
OVERRIDES = st.fixed_dictionaries(
    {"severity": st.sampled_from(["warning", "silent", "error"]), "reason": SCALARS}
)


@given(st.sampled_from(FILES), st.sampled_from(PATHS), st.one_of(SCALARS, OVERRIDES), st.booleans())
def test_customizations_are_accepted_by_both_or_by_none(
    shipped: dict[str, Any], path: tuple[str, ...], value: Any, remove: bool
) -> None:
    file = copy.deepcopy(shipped)
    *tables, key = path
    table = file
    for each in tables:
        table = table.setdefault(each, {})
    if remove:
        table.pop(key, None)
    else:
        table[key] = value
    problems = read_alone(file)
    assert CUSTOMIZATION.is_valid(file) == (not problems), (problems, file)


def test_what_the_schema_leaves_to_synthesis_is_refused_there(tmp_path: Path) -> None:
    """The known exceptions: rules between keys, which a schema of single keys does not have."""
    file = tomllib.loads(SHIPPED[0])
    file["serving"].pop("lease_hours")
    CUSTOMIZATION.validate(file)
    text = SHIPPED[0].replace("lease_hours = 8\n", "")
    (tmp_path / "pets.toml").write_text(text, "utf-8")
    with pytest.raises(Exception, match="lease_hours: is missing: without a commitment"):
        load_all(tmp_path)


@pytest.mark.parametrize(
    ("overlay", "accepted"),
    [
        ({"serving": {"model_units": 2}}, True),
        ({"unset": ["serving.lease_hours"]}, True),
        ({"tags": {"tier": "gold"}, "base_model": "nova-micro"}, True),
        ({"serving": {"model_units": 0}}, False),
        ({"serving": {"colour": 2}}, False),
        ({"unset": "serving"}, False),
        ({"only": ["prod"]}, False),
        ({"retired": "2026-12-01"}, False),
        ({"renamed_from": "pets"}, False),
        ({"environments": {}}, False),
    ],
)
def test_an_environment_has_the_same_keys_and_needs_none_of_them(
    overlay: dict[str, Any], accepted: bool
) -> None:
    file = {**tomllib.loads(SHIPPED[0]), "environments": {"prod": overlay}}
    assert CUSTOMIZATION.is_valid(file) is accepted
