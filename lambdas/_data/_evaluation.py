"""The pictures of the validation set by which a new model is judged.

A module of its own: evaluate.py starts without the checker.
"""

import json

from bedrock_tuning import s3_layout
from bedrock_tuning.config.customization import CustomizationSettings
from bedrock_tuning.config.lambda_environment import DatasetEnvironment
from lambdas import _aws


def records(
    env: DatasetEnvironment, customization: CustomizationSettings, run: str
) -> list[dict[str, str]]:
    """Records of the validation manifest that was checked, evenly spread over it."""
    key = s3_layout.checked_manifest_key(customization.name, run, "validation")
    lines = _aws.read(env.validation_bucket, key).decode("utf-8-sig").splitlines()
    checked = [json.loads(line) for line in lines if line.strip()]
    count = min(customization.evaluation.pictures, len(checked))
    return [checked[place * len(checked) // count] for place in range(count)]
