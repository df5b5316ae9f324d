"""Names of environments and customizations, and what may not be one because of what we derive.

Stacks are called tuning-<environment>-<customization>, jobs and models
<environment>-<customization>-<run>. Both have hyphens of their own, so an environment must not be
the beginning of another one: "team" with a customization "a-pets" and "team-a" with "pets" would be
one stack.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Final

from bedrock_tuning.config.messages import shown

NAME: Final = re.compile(r"[a-z0-9](-?[a-z0-9])*")
WHAT: Final = "lower-case letters, digits and single hyphens between them"
# As in Bedrock's S3 URIs, but for what a policy or a shell would read as something else.
FOLDER_NAME: Final = re.compile(
    r"(?=.{1,100}$)[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)*"
)
ENVIRONMENT_LENGTH_MIN: Final = 2
ENVIRONMENT_LENGTH_MAX: Final = 20
CUSTOMIZATION_LENGTH_MAX: Final = 30
# Bedrock's names of jobs and models have 63 characters; a run has 22, and two hyphens are between.
TOGETHER_MAX: Final = 63 - 22 - 2
# The account of the local AWS, whose models are simulated.
LOCAL_ACCOUNT: Final = "000000000000"
# Of a name that somebody else has chosen: a run and one hyphen follow.
STEM_MAX: Final = 63 - 22 - 1
# Each with what has the name already.
RESERVED: Final[Mapping[str, str]] = {
    part: f"the stack tuning-ENVIRONMENT-{part} is one of the platform's"
    for part in ("data", "network", "people", "pipeline", "serving")
}

# Those who work with an environment; bedrock_tuning.contracts.people says what each does.
PERSONAS: Final = ("reader", "uploader", "approver", "operator", "auditor", "deployer")


def stack_name(environment: str, part: str) -> str:
    """The stack of a customization, or of a part of the platform."""
    return f"tuning-{environment}-{part}"


def used_parameter(environment: str) -> str:
    """The SSM parameter that says what runs use, as deployed; no function may write it."""
    return f"/bedrock-tuning-used-by-runs/{environment}"


def customization_problem(name: str) -> str:
    """Why a customization cannot be called this; "" if it can."""
    if len(name) > CUSTOMIZATION_LENGTH_MAX or not NAME.fullmatch(name):
        return (
            f"the name {shown(name)} is not allowed: use {WHAT}, at most "
            f"{CUSTOMIZATION_LENGTH_MAX} characters"
        )
    if name in RESERVED:
        return f"the name {shown(name)} is taken: {RESERVED[name]}; rename the file"
    return ""


def environment_problem(name: str, others: Collection[str]) -> str:
    """Why an environment cannot be called this beside others; "" if it can."""
    fits = ENVIRONMENT_LENGTH_MIN <= len(name) <= ENVIRONMENT_LENGTH_MAX
    if not fits or not NAME.fullmatch(name):
        return (
            f"the name must have {ENVIRONMENT_LENGTH_MIN} to {ENVIRONMENT_LENGTH_MAX} characters: "
            f"{WHAT}"
        )
    longer = [other for other in others if other.startswith(f"{name}-")]
    if longer:
        return (
            f"{shown(longer[0])} begins with {shown(f'{name}-')}: a stack tuning-{longer[0]}-… "
            "could be either environment's; rename one of them"
        )
    return ""


def together_problems(customization: str, environments: Collection[str]) -> Iterator[str]:
    """Why a customization's name is too long for some environments."""
    for environment in environments:
        length = len(environment) + len(customization)
        if length > TOGETHER_MAX:
            yield (
                f"the name has {len(customization)} characters and the environment {environment} "
                f"{len(environment)}, together at most {TOGETHER_MAX} (Bedrock's names of jobs "
                "have 63): shorten one of them, or leave the environment out with only"
            )


def renaming_problems(former: Mapping[str, str], folder: str) -> Iterator[str]:
    """What is wrong with the former names of an environment's customizations.

    former: by their names now; "" for one that had no other.
    """
    heirs: dict[str, str] = {}
    for name, old in former.items():
        label = f"{folder}/{name}.toml: renamed_from: {shown(old)}"
        if old and old in former:
            yield (
                f"{label} is a customization of its own ({folder}/{old}.toml): remove that file, "
                "or renamed_from"
            )
        if old and old in heirs:
            yield (
                f"{label} is what {folder}/{heirs[old]}.toml was, too: only one of them can take "
                "over its model and endpoint"
            )
        heirs[old] = name
