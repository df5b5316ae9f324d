"""Rules of Choice states in words."""

import re
from collections.abc import Mapping
from typing import Any, Final

# The value of a path that is not in the data.
ABSENT: Final = object()

_COMPARISONS: Final = {
    "Equals": "=",
    "GreaterThan": ">",
    "GreaterThanEquals": "≥",
    "LessThan": "<",
    "LessThanEquals": "≤",
    "Matches": "is like",
}
_KIND: Final = re.compile("^(String|Numeric|Timestamp)")


def condition(rule: Mapping[str, Any], *, whole: bool = False) -> str:
    """A rule in a few words: "shards > 0"; whole: with the whole path, "$.check.shards > 0"."""
    for word, joint in (("And", " and "), ("Or", " or ")):
        if word in rule:
            return joint.join(condition(part, whole=whole) for part in rule[word])
    if "Not" in rule:
        return f"not ({condition(rule['Not'], whole=whole)})"
    if "Condition" in rule:
        return str(rule["Condition"]).strip("{}% ")
    path = str(rule.get("Variable", "?"))
    name = path if whole else path.rpartition(".")[2].replace("_", " ")
    for key, value in rule.items():
        if key == "IsPresent":
            return f"has {name}" if value else f"has no {name}"
        if key == "BooleanEquals":
            return name if value else f"not {name}"
        if key not in ("Variable", "Next", "Comment"):
            comparison = _KIND.sub("", key).removesuffix("Path")
            return f"{name} {_COMPARISONS.get(comparison, key)} {value}"
    return name
