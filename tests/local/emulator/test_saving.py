"""What the running server saves, and what it leaves alone."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from local.emulator.saving import _save_if_changed


@pytest.fixture
def save(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, Any], None]:
    from ministack.core import persistence

    monkeypatch.setattr(persistence, "PERSIST_STATE", True)
    monkeypatch.setattr(persistence, "STATE_DIR", str(tmp_path))
    return _save_if_changed(persistence, {})


def test_a_state_is_written_again_only_when_it_changes(
    save: Callable[[str, Any], None], tmp_path: Path
) -> None:
    file = tmp_path / "lambda.json"
    for state, is_new in [
        ({"code": b"one", "tags": {"a": "1"}}, True),
        ({"code": b"one", "tags": {"a": "1"}}, False),
        ({"code": b"two", "tags": {"a": "1"}}, True),
        ({"code": b"two", "tags": {"a": "2"}}, True),
    ]:
        file.unlink(missing_ok=True)
        save("lambda", state)
        assert file.exists() == is_new, state


def test_what_cannot_be_written_is_tried_again(
    save: Callable[[str, Any], None], tmp_path: Path
) -> None:
    save("sqs", {"count": object()})
    save("sqs", {"count": 1})
    assert json.loads((tmp_path / "sqs.json").read_text("utf-8"))["payload"] == {"count": 1}
