"""Which commit a deployment is of: what may be said, and how git says it."""

import subprocess
from pathlib import Path

import pytest

from bedrock_tuning import commit
from bedrock_tuning.errors import ConfigurationError

COMMIT = "c0ffee" + 34 * "0"


@pytest.mark.parametrize("text", [COMMIT, f"{COMMIT}-dirty"])
def test_a_commit_is_recorded_as_it_is_said(text: str) -> None:
    assert commit.said(text) == text
    assert commit.is_recorded(text)


def test_without_a_word_nothing_is_recorded() -> None:
    assert commit.said(None) == "not recorded"
    assert commit.is_recorded("not recorded")


@pytest.mark.parametrize("text", ["", "main", COMMIT[:7], COMMIT.upper(), f"{COMMIT}\n", True])
def test_anything_else_is_refused_with_the_command_that_says_it(text: object) -> None:
    with pytest.raises(ConfigurationError, match="git describe --always --abbrev=40 '--exclude="):
        commit.said(text)
    assert not commit.is_recorded(text)


def test_what_git_answers_to_that_command_is_a_commit(tmp_path: Path) -> None:
    def git(*words: str) -> str:
        who = ("-c", "user.name=Ann", "-c", "user.email=ann@example.com")
        done = subprocess.run(
            ["git", *who, *words], cwd=tmp_path, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    git("init")
    (tmp_path / "file").write_text("one")
    git("add", "file")
    git("commit", "-m", "one")
    git("tag", "-a", "v1", "-m", "v1")
    assert commit.said(git(*commit.GIT)) == git("rev-parse", "HEAD")
    (tmp_path / "file").write_text("two")
    assert commit.said(git(*commit.GIT)) == f"{git('rev-parse', 'HEAD')}-dirty"
