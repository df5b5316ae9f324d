"""The settings that name what exists already, used instead of what the app would create."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from bedrock_tuning.config.fields import TextField, described
from bedrock_tuning.config.settings_limits import ACCOUNT_ID, BUCKET_NAME, BUCKETS, KEY_ARN

# By the names that contracts have for what they bring along.
EXISTING_SETTINGS: Final = {
    **{kind: f"{kind}_bucket" for kind in BUCKETS},
    "data-key": "data_key",
    "operations-key": "operations_key",
    "topic": "topic",
}


@dataclass(frozen=True, kw_only=True)
class ExistingSettings:
    """Buckets, keys and a topic of somebody else; "" for those that the app creates."""

    training_bucket: str = described(
        BUCKET_NAME,
        "Your bucket for training datasets, used instead of one that the app creates. Its policy, "
        "versions, key and events are yours: `tuning preflight` checks them.",
        default="",
    )
    validation_bucket: str = described(
        BUCKET_NAME, "Your bucket for validation datasets, like `training_bucket`.", default=""
    )
    output_bucket: str = described(
        BUCKET_NAME,
        "Your bucket for models' output and reports, like `training_bucket`.",
        default="",
    )
    data_key: str = described(
        KEY_ARN,
        "Your key for the buckets, used instead of one that the app creates. Required with your "
        "own buckets, which must be encrypted with it.",
        default="",
    )
    data_account: str = described(
        ACCOUNT_ID,
        "The account that owns your three buckets and their key, if it is another account. "
        "[own-resources.md](own-resources.md) shows the policies that they need there.",
        default="",
    )
    operations_key: str = described(
        KEY_ARN,
        "Your key for runs, messages and logs, used instead of one that the app creates.",
        default="",
    )
    topic: str = described(
        TextField(
            pattern=re.compile(
                r"arn:aws(-[a-z]+)*:sns:[a-z0-9-]+:[0-9]{12}:[\w-]{1,256}", re.ASCII
            ),
            what="the ARN of an SNS topic",
            example="arn:aws:sns:us-east-1:111122223333:ml-platform",
            most=400,
            optional=True,
        ),
        "Your topic for messages and alarms, used instead of one that the app creates. It is "
        "encrypted with `operations_key`, which is required with it.",
        default="",
    )

    @property
    def existing(self) -> Mapping[str, str]:
        """The ARNs of what exists already, by the names that contracts have for it."""
        values = {name: getattr(self, setting) for name, setting in EXISTING_SETTINGS.items()}
        return {
            name: f"arn:aws:s3:::{value}" if name in BUCKETS else value
            for name, value in values.items()
            if value
        }

    @property
    def own_buckets(self) -> Mapping[str, str]:
        """The buckets that exist already, by what they are for."""
        values = {kind: getattr(self, f"{kind}_bucket") for kind in BUCKETS}
        return {kind: name for kind, name in values.items() if name}
