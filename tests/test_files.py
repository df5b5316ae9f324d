"""Files of somebody else: plain ones are opened, nothing outside of a folder is."""

import os
from pathlib import Path

import pytest

from bedrock_tuning.errors import UserError
from bedrock_tuning.files import Bounds, NotPlainError, open_plain, read_plain, require_plain


def test_a_plain_file_is_read_from_its_beginning(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"0123")
    assert read_plain(tmp_path / "a") == b"0123"


def test_a_pipe_is_refused_at_once(tmp_path: Path) -> None:
    """To open a pipe is to wait for somebody who writes into it."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(NotPlainError):
        open_plain(pipe)
    with pytest.raises(UserError, match="must be a plain file"):
        require_plain(pipe)


@pytest.mark.parametrize("path", ["/dev/zero", "."])
def test_devices_and_folders_are_not_files(path: str) -> None:
    with pytest.raises(NotPlainError):
        open_plain(Path(path))


def test_bounds_follow_links_inside_and_none_outside(tmp_path: Path) -> None:
    folder, other = tmp_path / "folder", tmp_path / "folder-2"
    for each in (folder / "real", other):
        each.mkdir(parents=True)
        (each / "a").write_bytes(b"")
    (folder / "in").symlink_to("real")
    (folder / "file-in").symlink_to("in/a")
    (folder / "out").symlink_to(other)
    (folder / "file-out").symlink_to(other / "a")
    (folder / "round").symlink_to(other)
    (other / "back").symlink_to(folder / "real")
    bounds = Bounds(folder)
    inside = [
        folder / "real/a",
        folder / "in/a",
        folder / "file-in",
        folder / "round/back/a",
        folder,
    ]
    outside = [
        folder / "out/a",
        folder / "file-out",
        folder / "..",
        folder / "real/../../folder-2/a",
    ]
    assert [bounds.hold(path) for path in inside] == [True] * len(inside)
    assert [bounds.hold(path) for path in outside] == [False] * len(outside)


def test_what_is_not_there_stays_in_its_folder(tmp_path: Path) -> None:
    assert Bounds(tmp_path).hold(tmp_path / "deep" / "none")
