"""Where the workflow's own role starts jobs: what its text takes from the settings of the run.

No permission binds a customization's tag to its service role then. So neither a function nor an
upload says whose job it is: the role, the tags and the folders of the request stand in the
definition, taken from the settings that "Load settings" read.
"""

import json
from typing import Any, Final

from bedrock_tuning import s3_layout
from bedrock_tuning.config.customization import CustomizationSettings
from bedrock_tuning.config.settings import Settings
from bedrock_tuning.config.tags import CUSTOMIZATION_TAG, ENVIRONMENT_TAG, RUN_TAG
from bedrock_tuning.contracts.contract import SETTINGS_VALUE

_RUN: Final = "$.admission.run"
# Lists cannot be joined there, texts can: the run's tag follows those of the settings.
_TAGS: Final = (
    f"States.StringToJson(States.Format('{{}}{{}}\"\\}}]', {SETTINGS_VALUE}.request.tags, {_RUN}))"
)
# What a definition needs beside the placeholders that every one has.
PLACEHOLDERS: Final = {
    "TrainingBucket": "{training:name}",
    "ValidationBucket": "{validation:name}",
}


def in_settings(settings: Settings, customization: CustomizationSettings) -> dict[str, Any]:
    """What the parameter says besides: the tags of its jobs up to the run, where they write."""
    if not by_workflow(settings):
        return {}
    tags = {
        **customization.tags,
        ENVIRONMENT_TAG: settings.name,
        CUSTOMIZATION_TAG: customization.name,
        RUN_TAG: "",
    }
    listed = [{"Key": key, "Value": value} for key, value in tags.items()]
    fields = {
        "tags": json.dumps(listed).removesuffix('"}]'),
        "output": s3_layout.jobs_prefix(customization.output_folder),
    }
    return {"request": fields}


def request() -> dict[str, Any]:
    """The parts of the request, in place of those that a function built."""
    return {
        "RoleArn.$": f"{SETTINGS_VALUE}.service_role",
        "TrainingDataConfig": _manifest("training"),
        "OutputDataConfig": _format("s3://${OutputBucket}/{}", f"{SETTINGS_VALUE}.request.output"),
        "JobTags.$": _TAGS,
        "CustomModelTags.$": _TAGS,
    }


def validation() -> dict[str, Any]:
    """The part of a request with a validation dataset."""
    return {"ValidationDataConfig": {"Validators": [_manifest("validation")]}}


def _manifest(kind: s3_layout.Kind) -> dict[str, str]:
    key = s3_layout.checked_manifest_key("{}", "{}", kind)
    uri = s3_layout.uri(f"${{{kind.title()}Bucket}}", key)
    return _format(uri, f"{SETTINGS_VALUE}.name", _RUN)


def _format(uri: str, *values: str) -> dict[str, str]:
    return {"S3Uri.$": f"States.Format('{uri}', {', '.join(values)})"}


def by_workflow(settings: Settings) -> bool:
    """Whether the workflow's own role starts jobs."""
    return settings.jobs_started_by == "workflow"
