"""Tags, of an environment and of a customization: which Bedrock and IAM take."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from bedrock_tuning.config.fields import JsonSchema
from bedrock_tuning.config.messages import shown

# The tags that this project adds itself: on stacks, jobs, models and endpoints.
OWN_TAG_PREFIX: Final = "bedrock-tuning:"
ENVIRONMENT_TAG: Final = f"{OWN_TAG_PREFIX}environment"
CUSTOMIZATION_TAG: Final = f"{OWN_TAG_PREFIX}customization"
RUN_TAG: Final = f"{OWN_TAG_PREFIX}run"
EXPIRES_TAG: Final = f"{OWN_TAG_PREFIX}expires"
# Bedrock's patterns (botocore: TagKey, TagValue); its \\s is ASCII: a no-break space is refused.
KEY_LENGTH_MAX: Final = 128
VALUE_LENGTH_MAX: Final = 256
TAG_KEY: Final = re.compile(rf"[a-zA-Z0-9\s._:/=+@-]{{1,{KEY_LENGTH_MAX}}}", re.ASCII)
TAG_VALUE: Final = re.compile(rf"[a-zA-Z0-9\s._:/=+@-]{{0,{VALUE_LENGTH_MAX}}}", re.ASCII)
_CHARACTERS: Final = "letters, digits, spaces and . _ : / = + @ - (source BC)"


def problems(tags: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What is wrong with tags one by one: the key, and a sentence to follow it."""
    lower: set[str] = set()
    for key, value in tags.items():
        if not TAG_KEY.fullmatch(key):
            yield key, f"use 1 to {KEY_LENGTH_MAX} {_CHARACTERS}"
        elif key.lower().startswith(("aws:", OWN_TAG_PREFIX)):
            yield key, f"starts with a reserved prefix (aws:, {OWN_TAG_PREFIX}): rename it"
        elif key.lower() in lower:
            yield key, "differs from another tag only in case, which IAM refuses: rename it"
        if not isinstance(value, str):
            yield key, f"must be text in quotes, not {shown(value)}"
        elif not TAG_VALUE.fullmatch(value):
            allowed = f"use at most {VALUE_LENGTH_MAX} {_CHARACTERS}"
            yield key, f"{shown(value)} is not allowed: {allowed}"
        lower.add(key.lower())


def schema(most: int) -> JsonSchema:
    """Their JSON Schema; whether two differ only in case is left to `problems`."""
    return {
        "type": "object",
        "maxProperties": most,
        "propertyNames": {
            "pattern": f"^{TAG_KEY.pattern}$",
            "not": {"pattern": f"^([aA][wW][sS]:|{OWN_TAG_PREFIX})"},
        },
        "additionalProperties": {"type": "string", "pattern": f"^{TAG_VALUE.pattern}$"},
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class TagTable:
    """A table of tags. most: how many."""

    most: int
    type: str = "tags"

    @property
    def limit(self) -> str:
        """How many, and of what."""
        return f"at most {self.most}, in the characters that Bedrock allows"

    @property
    def fix(self) -> str:
        """What to write."""
        return 'write, for example, {"cost-center": "1234"}'

    @property
    def schema(self) -> JsonSchema:
        """An object of texts."""
        return schema(self.most)

    def problem(self, value: Any) -> str:
        """The first tag that is wrong."""
        if not isinstance(value, Mapping):
            return f"must be an object, not {shown(value)}: {self.fix}"
        for key, problem in problems(value):
            return f"{shown(key)}: {problem}"
        if len(value) > self.most:
            return f"{len(value)} tags, the maximum is {self.most}: use fewer"
        return ""
