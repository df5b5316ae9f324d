"""How much a setting may be, by the limits of AWS and by ours, and what names of resources are."""

import re
from collections.abc import Mapping
from typing import Final

from bedrock_tuning.config.fields import Number, TextField

SERVICE_ROLE_PROFILES: Final = ("documented", "strict")
# PutRetentionPolicy of CloudWatch Logs takes no other number of days.
LOG_RETENTION_DAYS: Final = (
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922,
    3288, 3653,
)  # fmt: skip
# Step Functions ends an execution after a year; a job after the approval needs its time too.
APPROVAL_DAYS_MAX: Final = 300
# An execution's history holds 25,000 events. A poll of an endpoint takes about ten, and undoing
# what was begun may take as long as it did.
POLLS_MAX: Final = 1_000
# A shard's result is about 60 bytes in the workflow's state.
IMAGES_PER_SHARD_MIN: Final = 500
# Ours: at a slow 60 images per second a function is done within its 15 minutes.
IMAGES_PER_SHARD_MAX: Final = 50_000
POLL_SECONDS_MAX: Final = 3_600
SERVING_TIMEOUT_SECONDS_MAX: Final = 86_400
# IAM's names of roles have 64 characters; the rest is ours: what the role is for, and a hash.
ROLE_NAME_PREFIX_MAX: Final = 32
# A bucket's policy holds 20 KiB, and the app's own roles are in it, too.
DATA_ROLES_MAX: Final = 50
# A path has 512 characters with the parts that are ours.
ROLE_PATH_MAX: Final = 400
DATA_ROLES_CHARACTERS_MAX: Final = 8_000
# IAM's trust policies hold 2,048 characters.
PEOPLE_MAX: Final = 20
BUCKETS: Final = ("training", "validation", "output")

ACCOUNT_ID: Final = TextField(
    pattern=re.compile(r"[0-9]{12}", re.ASCII),
    what="the twelve digits of an AWS account",
    example="111122223333",
    most=12,
    optional=True,
)
BUCKET_NAME: Final = TextField(
    # Without dots, which do not fit S3's certificates.
    pattern=re.compile(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]", re.ASCII),
    what="the name of a bucket, without dots",
    example="ml-training-data",
    most=63,
    optional=True,
)
KEY_ARN: Final = TextField(
    pattern=re.compile(r"arn:aws(-[a-z]+)*:kms:[a-z0-9-]+:[0-9]{12}:key/[\w-]{1,128}", re.ASCII),
    what="the ARN of a KMS key",
    example="arn:aws:kms:us-east-1:111122223333:key/0e3ab5a8-0000-4000-8000-000000000000",
    most=300,
    optional=True,
)
DAYS: Final = Number(
    least=1, most=LOG_RETENTION_DAYS[-1], why_most="ten years, the longest retention of logs"
)
# Ids, not names: us-east-1a is another place in each account, use1-az1 is the same everywhere, so
# a template without an account can name it (EC2 user guide, "Availability Zone IDs"). The Regions
# are those where the catalogue's models can be customized. use1-az3 comes last because several
# services do not offer their newer parts there; functions and endpoints stand in the first ones.
ZONES: Final[Mapping[str, tuple[str, ...]]] = {
    "us-east-1": ("use1-az1", "use1-az2", "use1-az4", "use1-az5", "use1-az6", "use1-az3"),
    "us-west-2": ("usw2-az1", "usw2-az2", "usw2-az3", "usw2-az4"),
}
# VpcConfig of CreateModelCustomizationJob takes no more (botocore's bedrock model).
SUBNETS_MAX: Final = 16
SECURITY_GROUPS_MAX: Final = 5
HTTPS: Final = 443
