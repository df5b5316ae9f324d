"""[job]: the fields of what somebody else has chosen of the jobs."""

import re
from dataclasses import dataclass
from typing import Final

from bedrock_tuning.config.fields import TextField, described
from bedrock_tuning.config.names import FOLDER_NAME, STEM_MAX

# As the API's patterns have them, in linear time.
JOB_STEM: Final = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9+.-]*")
MODEL_STEM: Final = re.compile(r"[a-zA-Z0-9](?:[_-]?[a-zA-Z0-9])*")
SERVICE_ROLE: Final = re.compile(
    r"arn:aws[a-z-]*:iam::[0-9]{12}:role/(?:[A-Za-z0-9_.,+=@-]{1,128}/){0,16}"
    r"[A-Za-z0-9_.,+=@-]{1,64}"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class JobChoices:
    """[job]: what somebody else has chosen of its jobs; "" is what this project chooses."""

    job_name: str = described(
        TextField(
            most=STEM_MAX,
            pattern=JOB_STEM,
            what="letters, digits, plus signs, dots and hyphens, a letter or digit first",
            example="ron-and-smila",
            optional=True,
        ),
        "The beginning of its jobs' names; a hyphen and the run follow: "
        "`ron-and-smila-20261121-093000-3f9a1c`. Amazon Bedrock refuses a name that any job of "
        "the account and Region has had, so no two runs can have the same one. Default: the "
        "environment's name, a hyphen and `NAME`.",
        default="",
    )
    model_name: str = described(
        TextField(
            most=STEM_MAX,
            pattern=MODEL_STEM,
            what="letters and digits, with single hyphens or underscores between them",
            example="ron-and-smila",
            optional=True,
        ),
        "The beginning of its custom models' names; a hyphen and the run follow, as for jobs. "
        "Default: the same as `job_name`'s default.",
        default="",
    )
    output_folder: str = described(
        TextField(
            most=100,
            pattern=FOLDER_NAME,
            what="a folder without a slash at its ends, of letters, digits, dots, underscores "
            "and hyphens",
            example="marketing/ron-and-smila",
            optional=True,
        ),
        "The folder below `jobs/` in the output bucket to which its jobs write metrics. No two "
        "customizations can share one. Default: `NAME`.",
        default="",
    )
    service_role: str = described(
        TextField(
            most=2048,
            pattern=SERVICE_ROLE,
            what="the ARN of a role",
            example="arn:aws:iam::111122223333:role/ml/BedrockCustomization",
            optional=True,
        ),
        "An existing role of the same account that Amazon Bedrock assumes for its jobs. No two "
        "customizations can share one. "
        "[Your own roles](own-resources.md#an-existing-service-role) says what it must allow. "
        "Default: the stack creates a role.",
        default="",
    )
