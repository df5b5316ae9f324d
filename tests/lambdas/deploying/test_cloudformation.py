"""The answer to CloudFormation: whole while it fits, never longer than what is taken."""

import json
from types import SimpleNamespace
from typing import Any

import pytest

from lambdas._deploying import _cloudformation

EVENT = {
    "ResponseURL": "https://cloudformation.example",
    "StackId": "s",
    "RequestId": "r",
    "LogicalResourceId": "l",
}


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    bodies: list[bytes] = []

    def request(_method: str, _url: str, *, body: bytes, **_: Any) -> Any:
        bodies.append(body)
        return SimpleNamespace(status=200)

    pool = SimpleNamespace(request=request)
    monkeypatch.setattr(_cloudformation.urllib3, "PoolManager", lambda: pool)
    return bodies


def _respond(length: int) -> None:
    """Answers with texts of so many characters together, none of them too long by itself."""

    def act(answer: dict[str, Any]) -> None:
        answer["Data"] = dict.fromkeys("abcd", "x" * (length // 4))
        answer["Data"]["a"] += "x" * (length % 4)

    _cloudformation.respond(EVENT, act, unknown="unknown")


@pytest.mark.slow
def test_an_answer_is_cut_only_when_it_is_longer_than_what_is_taken(sent: list[bytes]) -> None:
    _respond(0)
    room = 4_096 - len(sent[0])
    _respond(room)
    _respond(room + 1)

    assert len(sent[1]) == 4_096
    assert len(sent[2]) < 4_096
    assert json.loads(sent[1])["Data"]["a"].startswith("x" * (room // 4))


def test_a_resource_that_was_never_created_has_a_name_all_the_same(sent: list[bytes]) -> None:
    _respond(0)

    assert json.loads(sent[0]) == {
        "Status": "SUCCESS",
        "Reason": "done",
        "PhysicalResourceId": "unknown",
        "StackId": "s",
        "RequestId": "r",
        "LogicalResourceId": "l",
        "Data": {"a": "", "b": "", "c": "", "d": ""},
    }
