"""What the end of a run says, also when the run did not fail."""

import pytest

from local.demo.follow import EndedExecution


@pytest.mark.parametrize(
    ("cause", "state", "why"),
    [
        ("no permission", {}, "no permission"),
        (
            "",
            {"outcome": {"message": "its serving stack is missing"}},
            "its serving stack is missing",
        ),
        ("", {}, ""),
    ],
)
def test_why_is_the_cause_or_else_the_message(
    cause: str, state: dict[str, dict[str, str]], why: str
) -> None:
    assert EndedExecution(arn="arn", status="SUCCEEDED", state=state, cause=cause).why == why
