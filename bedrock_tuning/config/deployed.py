"""A customization as it is deployed: the JSON in its SSM parameter, which all read at run time."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import Any, Final

from bedrock_tuning.catalogue import catalogue
from bedrock_tuning.config.customization import CustomizationSettings
from bedrock_tuning.config.customization_fields import Budget, DesiredServing, RuleOverride
from bedrock_tuning.config.sections.evaluation import Evaluation
from bedrock_tuning.config.sections.job import JobChoices
from bedrock_tuning.errors import CustomizationError

# A standard parameter holds 4,096 bytes and is free; an advanced one cannot be made standard again.
_PARAMETER_BYTES: Final = 4_096
# The ARNs of both roles, which only the deployment knows.
_ROLES_BYTES: Final = 400
SETTINGS_BYTES_MAX: Final = _PARAMETER_BYTES - _ROLES_BYTES


@dataclass(frozen=True, slots=True, kw_only=True)
class DeployedCustomization:
    """A customization with the role that Bedrock assumes for its jobs."""

    customization: CustomizationSettings
    service_role: str


def to_settings(customization: CustomizationSettings) -> dict[str, Any]:
    """What the parameter says beside the ARNs of the roles."""
    return {
        "name": customization.name,
        "description": customization.description,
        "base_model": customization.base_model.key,
        "customization_type": customization.customization_type,
        "custom_model": customization.custom_model,
        "grader": customization.grader,
        "teacher": customization.teacher,
        "teacher_tokens": customization.teacher_tokens,
        "allow_closed_model": customization.allow_closed_model,
        "hyperparameters": dict(customization.hyperparameters),
        "validation": customization.validation,
        "folders": list(customization.folders),
        "job": asdict(customization.job),
        "rules": {name: asdict(override) for name, override in customization.overrides.items()},
        "serving": asdict(customization.serving),
        "budget": asdict(customization.budget),
        "tags": dict(customization.tags),
        "evaluation": asdict(customization.evaluation),
    }


def from_settings(values: Mapping[str, Any]) -> DeployedCustomization:
    """The other way round; what is deployed was checked before, so nothing is checked again.

    Raises CustomizationError for settings of another version of this project.
    """
    name = str(values.get("name"))
    try:
        return DeployedCustomization(
            customization=CustomizationSettings(
                name=name,
                file=f"customizations/{name}.toml",
                description=values["description"],
                base_model=catalogue()[values["base_model"]],
                customization_type=values["customization_type"],
                custom_model=values["custom_model"],
                grader=values["grader"],
                teacher=values["teacher"],
                teacher_tokens=values["teacher_tokens"],
                allow_closed_model=values["allow_closed_model"],
                hyperparameters=values["hyperparameters"],
                validation=values["validation"],
                folders=tuple(values["folders"]),
                job=JobChoices(**values["job"]),
                overrides={rule: RuleOverride(**item) for rule, item in values["rules"].items()},
                serving=DesiredServing(**values["serving"]),
                budget=Budget(**values["budget"]),
                tags=values["tags"],
                warnings=(),
                evaluation=Evaluation(**values["evaluation"]),
            ),
            service_role=values["service_role"],
        )
    except (AttributeError, KeyError, TypeError) as error:
        raise CustomizationError(
            [
                f"{name}: its settings are of another version of this project "
                f"({type(error).__name__}: {error}): deploy all stacks again, or use its `tuning`"
            ]
        ) from error


def text(values: Mapping[str, Any]) -> str:
    """JSON as SSM takes it: in a parameter, two braces in a row would be a reference."""
    return json.dumps(values, ensure_ascii=False).replace("{{", "{\\u007b")


def template_text(values: Mapping[str, Any]) -> str:
    """The parameter's whole value as the text of Fn::Sub, which fills in the roles' ARNs.

    There is no starter where the workflow itself starts jobs, whose request the values tell it.
    """
    body = text(values).removesuffix("}").replace("${", "${!")
    starter = "" if "request" in values else ', "starter_role": "${StarterRole}"'
    return f'{body}, "service_role": "${{ServiceRole}}"{starter}}}'


def length_problem(
    customization: CustomizationSettings, more: Mapping[str, Any] = MappingProxyType({})
) -> str | None:
    """Why a parameter cannot hold a customization, with what else it says; None if it can."""
    size = len(text({**to_settings(customization), **more}).encode())
    if size <= SETTINGS_BYTES_MAX:
        return None
    return (
        f"{customization.file}: it takes {size:,} bytes, the maximum is {SETTINGS_BYTES_MAX:,} "
        "(it is deployed as a standard SSM parameter): shorten smoke_text, the reasons of rules, "
        "tags, or folders"
    )
