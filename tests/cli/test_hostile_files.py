"""Datasets and texts of somebody who means harm: nothing waits, nothing runs, nothing leaks."""

import json
import os
from pathlib import Path
from typing import Final

import pytest
from PIL import Image

from tests.cli.conftest import Run
from tests.cli.datasets import MODEL, dataset, picture

ATTACKS: Final = {
    "title": "\x1b]0;owned\x07",
    "clipboard": "\x1b]52;c;aGVsbG8=\x07",
    "screen": "\x1b[2J\x1b[8m",
    "one byte": "\x9b2J",
    "reversed": "\u202egnp.exe",
}
COMMANDS: Final = ("\x1b", "\x07", "\x9b", "\u202e")


def commands_in(text: str) -> set[str]:
    return {char for char in COMMANDS if char in text}


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
@pytest.mark.parametrize("as_json", [(), ("--json",)])
def test_no_command_for_the_terminal_comes_back(
    run: Run, tmp_path: Path, attack: str, as_json: tuple[str, ...]
) -> None:
    """From an error message, a caption, a file's name, and what was typed."""
    folder = tmp_path / "pictures"
    for number in range(3):
        picture(folder / f"{number}{attack}.png", number=number)
        (folder / f"{number}{attack}.txt").write_text(f"a dog {attack}")
    (folder / f"broken{attack}.png").write_bytes(b"no image")
    manifest = dataset(tmp_path / "manifest")
    line = {"image-ref": f"s3://train/pets/{attack}.png", "caption": attack, attack: attack}
    manifest.write_text(json.dumps(line) + "\n")
    for command in (
        ("explain", f"perms missing {attack}", *as_json),
        ("prepare", folder, "-o", tmp_path / "out", "--to", "s3://train/pets", *as_json),
        ("validate", manifest, "--model", MODEL, *as_json),
        ("validate", manifest, "--model", attack, *as_json),
        ("models", attack, *as_json),
        (attack, *as_json),
        ("explain", f"--{attack}", *as_json),
    ):
        result = run(*command)
        assert not commands_in(result.output), command
        assert not isinstance(result.exception, AttributeError | TypeError | ValueError)


def test_a_pipe_in_place_of_a_file_is_refused_and_nobody_waits(run: Run, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "manifest.jsonl")
    (tmp_path / "texts").mkdir()
    os.mkfifo(tmp_path / "texts" / "talks.jsonl")
    for command in (
        ("validate", tmp_path / "manifest.jsonl", "--model", MODEL),
        ("prepare", tmp_path / "manifest.jsonl", "-o", tmp_path / "a", "--to-format", "converse"),
        ("prepare", tmp_path / "texts", "-o", tmp_path / "b", "--to-format", "converse"),
    ):
        result = run(*command)
        assert result.exit_code == 2, result.output
    assert "must be a plain file" in run("validate", tmp_path / "manifest.jsonl").output


def test_an_image_that_is_a_pipe_or_a_link_out_is_a_finding(run: Run, tmp_path: Path) -> None:
    manifest = dataset(tmp_path / "data")
    images = manifest.parent / "images"
    (images / "0.png").unlink()
    os.mkfifo(images / "0.png")
    elsewhere = picture(tmp_path / "private.png", number=99)
    (images / "1.png").unlink()
    (images / "1.png").symlink_to(elsewhere)
    mapped = f"s3://train/pets={manifest.parent}"
    command = ("validate", manifest, "--model", MODEL, "--map", mapped, "--json")
    found = json.loads(run(*command).stdout)
    lines = {each["line"]: each["name"] for each in found["findings"] if each["line"] is not None}
    assert lines == {1: "image-missing", 2: "image-not-readable"}


def test_no_program_of_the_system_decodes_an_image(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pillow alone would hand PostScript to Ghostscript, whatever the file's name ends with."""
    ran = tmp_path / "ran"
    (tmp_path / "bin").mkdir()
    for name in ("gs", "gswin64c"):
        program = tmp_path / "bin" / name
        program.write_text(f"#!/bin/sh\ntouch {ran}\n")
        program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    folder = tmp_path / "pictures"
    for number in range(3):
        picture(folder / f"{number}.png", number=number)
        (folder / f"{number}.txt").write_text(f"a dog, number {number}")
    Image.new("RGB", (512, 512)).save(folder / "page.eps")
    (folder / "page.eps").rename(folder / "page.png")
    (folder / "page.txt").write_text("a page")
    out = tmp_path / "out"
    result = run(
        "prepare", folder, "-o", out, "--to", "s3://train/pets", "--model", MODEL,
        "--fix", "--dropped-max", "1", "--json",
    )  # fmt: skip
    assert "page.png" in result.stdout
    assert run("validate", folder, "--model", MODEL, "--decode-images").exit_code in (1, 2)
    assert not ran.exists()
