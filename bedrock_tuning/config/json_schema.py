"""The published JSON Schemas of customization files and of cdk.json, made from the tables.

An editor completes and checks a file with them. Left to `cdk synth`: what two keys say together,
what a Region or another file decides, and whether two tags differ only in case.
"""

from collections.abc import Mapping
from dataclasses import MISSING
from typing import Any

from bedrock_tuning.catalogue import BaseModel, catalogue
from bedrock_tuning.config import tags
from bedrock_tuning.config.customization_checks import rule_severities
from bedrock_tuning.config.customization_fields import (
    PLACEMENT,
    TABLES,
    tags_max,
)
from bedrock_tuning.config.fields import Field, JsonSchema
from bedrock_tuning.config.hyperparameters import hyperparameter_kind
from bedrock_tuning.config.job_checks import JOB_KEYS, NEEDED_KEYS
from bedrock_tuning.config.names import ENVIRONMENT_LENGTH_MAX, ENVIRONMENT_LENGTH_MIN, NAME
from bedrock_tuning.config.overlay import UNSET_KEY
from bedrock_tuning.config.settings_fields import SETTINGS


def customization_schema() -> JsonSchema:
    """Of a file in customizations/; hyperparameters depend on the base model."""
    models = catalogue()
    root = _table(TABLES[""])
    properties = root["properties"]
    properties["base_model"] |= {"enum": [key for key in models if models[key].started_types]}
    started = {type_ for model in models.values() for type_ in model.started_types}
    properties["customization_type"] |= {"enum": sorted(started)}
    names = sorted({name for model in models.values() for name in _parameters(model)})
    properties["hyperparameters"] = {"type": "object", "propertyNames": {"enum": names}}
    for name in ("dataset", "job", "serving", "budget"):
        properties[name] = _table(TABLES[name])
    properties["rules"] = _rules()
    properties["tags"] = tags.schema(tags_max())
    properties["environments"] = _overlays(properties)
    root["allOf"] = _by_model({key: model for key, model in models.items() if model.started_types})
    return {"title": "Customization of Bedrock Tuning", **root}


def settings_schema() -> JsonSchema:
    """Of cdk.json; everything but the settings in it is CDK's."""
    environments = {
        "type": "object",
        "description": "The settings by environment.",
        "minProperties": 1,
        "propertyNames": {
            "pattern": f"^{NAME.pattern}$",
            "minLength": ENVIRONMENT_LENGTH_MIN,
            "maxLength": ENVIRONMENT_LENGTH_MAX,
        },
        "additionalProperties": _table(SETTINGS),
    }
    environment = {
        "type": "string",
        "description": "The environment to use without --context environment=NAME.",
    }
    tuning = {
        "type": "object",
        "properties": {"environment": environment, "environments": environments},
        "required": ["environments"],
        "additionalProperties": False,
    }
    context = {"type": "object", "properties": {"tuning": tuning}, "required": ["tuning"]}
    return {
        "title": "cdk.json of Bedrock Tuning",
        "type": "object",
        "properties": {"context": context, "tuning": False},
        "required": ["context"],
    }


def _table(fields: Mapping[str, Field]) -> JsonSchema:
    return {
        "type": "object",
        "properties": {key: _property(field) for key, field in fields.items()},
        "required": [key for key, field in fields.items() if field.required],
        "additionalProperties": False,
    }


def _overlays(properties: Mapping[str, JsonSchema]) -> JsonSchema:
    """What an environment may have a value of its own for: each key, and none is required."""
    schemas = {key: _optional(schema) for key, schema in properties.items() if key not in PLACEMENT}
    schemas[UNSET_KEY] = {
        "type": "array",
        "items": {"type": "string"},
        "description": "The keys above that this environment removes, as table.key.",
    }
    overlay = {"type": "object", "properties": schemas, "additionalProperties": False}
    return {
        "type": "object",
        "description": "By environment, what is different there.",
        "additionalProperties": overlay,
    }


def _optional(schema: JsonSchema) -> JsonSchema:
    return {key: value for key, value in schema.items() if key not in ("required", "default")}


def _property(field: Field) -> JsonSchema:
    schema = {**field.kind.schema, "description": field.meaning}
    if field.default not in (MISSING, None, "", ()) and not field.required:
        schema["default"] = field.default
    return schema


def _rules() -> JsonSchema:
    """Each rule by name: an error cannot be silenced."""
    properties: dict[str, Any] = {}
    for name, severity in rule_severities().items():
        override = _table(TABLES["rules.NAME"])
        if severity == "error":
            override["properties"]["severity"] |= {"enum": ["warning"]}
        properties[name] = override
    return {"type": "object", "properties": properties, "additionalProperties": False}


def _parameters(model: BaseModel) -> list[str]:
    """The names of a model's hyperparameters in any of its types of jobs."""
    return [name for type_ in model.started_types for name in model.hyperparameters_of(type_)[1]]


def _by_model(models: Mapping[str, BaseModel]) -> list[JsonSchema]:
    """What each base model adds; models with the same additions share one condition."""
    groups: list[tuple[JsonSchema, list[str]]] = []
    for key, model in models.items():
        schema = _of_model(model)
        group = next((keys for other, keys in groups if other == schema), None)
        if group is None:
            groups.append((schema, [key]))
        else:
            group.append(key)
    return [
        {
            "if": {"properties": {"base_model": {"enum": keys}}, "required": ["base_model"]},
            "then": schema,
        }
        for schema, keys in groups
    ]


def _of_model(model: BaseModel) -> JsonSchema:
    """What a base model adds: its hyperparameters, its ways of serving, whether it is closed."""
    by_type = [_of_type(model, type_) for type_ in model.started_types]
    offered = [
        mode
        for mode, is_offered in (
            ("provisioned", model.serving.provisioned_throughput),
            ("on-demand", model.serving.on_demand),
            ("none", True),
        )
        if is_offered
    ]
    schema: JsonSchema = {
        "properties": {
            "customization_type": {"enum": list(model.started_types)},
            "serving": {"properties": {"mode": {"enum": offered}}},
        },
        "required": [],
        "allOf": by_type,
    }
    if "FINE_TUNING" not in model.started_types:
        schema["required"].append("customization_type")
    if model.lifecycle.closed_because():
        schema["properties"]["allow_closed_model"] = {"const": True}
        schema["required"].append("allow_closed_model")
    return schema


def _of_type(model: BaseModel, type_: str) -> JsonSchema:
    """What a type of job adds: its hyperparameters, and the keys that are its own."""
    table, by_name = model.hyperparameters_of(type_)
    parameters = by_name.values()
    hyperparameters: JsonSchema = {
        "properties": {
            item.name: hyperparameter_kind(model, item, table=table).schema for item in parameters
        },
        "additionalProperties": False,
    }
    required = [item.name for item in parameters if item.required and item.default is None]
    if required:
        hyperparameters["required"] = required
    keys = [key for key, owner in JOB_KEYS.items() if owner == type_]
    foreign = {key: False for key, owner in JOB_KEYS.items() if owner != type_}
    return {
        # A file without the key fine-tunes.
        "if": {
            "properties": {"customization_type": {"const": type_}},
            "required": [] if type_ == "FINE_TUNING" else ["customization_type"],
        },
        "then": {
            "properties": {"hyperparameters": hyperparameters, **foreign},
            "required": [
                *(["hyperparameters"] if required else []),
                *(key for key in keys if key in NEEDED_KEYS),
            ],
        },
    }
