"""Problems of configuration files, as tests compare them."""

import re
from collections.abc import Iterable


def without_lines(problems: Iterable[str]) -> tuple[str, ...]:
    """cdk.json:7: key: … → cdk.json: key: …, where a test is not about the line."""
    return tuple(re.sub(r"^([^ :]+):\d+:", r"\1:", problem) for problem in problems)
