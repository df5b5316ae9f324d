"""How long work tells how far it is."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from bedrock_tuning.cli.__main__ import tuning
from bedrock_tuning.cli.terminal.progress import ProgressBar


class Clock:
    """A clock that a test sets."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_quick_work_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with ProgressBar("work", "images", clock=Clock()) as progress:
        progress.update(share=0.5, count=100)
    assert capsys.readouterr() == ("", "")


def test_long_work_says_a_line_now_and_then_on_standard_error(
    capsys: pytest.CaptureFixture[str],
) -> None:
    clock = Clock()
    with ProgressBar("work", "images", clock=clock) as progress:
        for second in range(31):
            clock.now = float(second)
            progress.update(share=second / 60, count=100)
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == [
        "work: 17%, 1,100 images, 110/s, 0:50 left",
        "work: 33%, 2,100 images, 105/s, 0:40 left",
        "work: 50%, 3,100 images, 103/s, 0:30 left",
    ]


def test_the_share_never_goes_back(capsys: pytest.CaptureFixture[str]) -> None:
    clock = Clock()
    with ProgressBar("work", "images", clock=clock) as progress:
        progress.update(share=0.9, count=1)
        clock.now = 20.0
        progress.update(share=0.2, count=1)
    assert "90%" in capsys.readouterr().err


def test_a_manifest_of_texts_counts_its_records(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted: list[tuple[str, int]] = []

    class Seen(ProgressBar):
        def update(self, *, share: float, count: int) -> None:
            counted.append((self._unit, count))

    monkeypatch.setattr("bedrock_tuning.cli.terminal.progress.ProgressBar", Seen)
    manifest = tmp_path / "texts.jsonl"
    manifest.write_text('{"prompt": "Hello", "completion": "Hi"}\n' * 100)
    done = CliRunner().invoke(tuning, ["validate", str(manifest), "--model", "cohere-command"])
    assert done.exit_code in (0, 1), done.output
    assert {unit for unit, _ in counted} == {"records"}
    assert sum(count for _, count in counted) == 100
