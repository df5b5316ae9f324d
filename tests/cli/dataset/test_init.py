"""`tuning init`: from data to a customization file, with flags or by questions."""

import json
from pathlib import Path

import click
import pytest

from bedrock_tuning.cli.commands.dataset import init as module
from bedrock_tuning.config.customization import load
from tests.cli.conftest import Run
from tests.cli.datasets import dataset, picture

CHATS = (
    '{"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Ho"}]}\n'
)


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "empty"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = tmp_path / "My Pets"
    for number in range(3):
        picture(folder / f"{number}.png", number=number)
        (folder / f"{number}.txt").write_text(f"Smila the cat, {number}", "utf-8")
    return folder


def test_a_folder_of_pictures_becomes_a_file_that_can_be_used(run: Run, pictures: Path) -> None:
    result = run("init", "pets", "--data", pictures)
    assert result.exit_code == 0, result.output
    assert "3 images with 3 captions" in result.stdout
    file = Path("customizations/pets.toml")
    found = load(file.read_text("utf-8"), file="pets.toml")
    assert found.base_model.key == "titan-multimodal-embeddings-g1"
    assert found.serving.smoke_text == "Smila the cat, 0"
    assert "3 records are too few" in result.stderr
    assert "training: unknown: no published price" in result.stdout
    # What is told to type next works.
    assert "next: tuning price pets\n" in result.stderr
    assert run("price", "pets").exit_code == 0


def test_an_existing_file_stays_as_it_is(run: Run, pictures: Path) -> None:
    run("init", "pets", "--data", pictures)
    before = Path("customizations/pets.toml").read_bytes()
    result = run("init", "pets", "--data", pictures, "--set", "lease_hours=1")
    assert result.exit_code == 2
    assert "is not overwritten" in result.stderr
    assert Path("customizations/pets.toml").read_bytes() == before


def test_a_dry_run_shows_the_file_and_writes_nothing(run: Run, pictures: Path) -> None:
    result = run("init", "pets", "--data", pictures, "--dry-run")
    assert 'base_model = "titan-multimodal-embeddings-g1"' in result.stdout
    assert not Path("customizations").exists()
    found = json.loads(run("init", "pets", "--data", pictures, "--dry-run", "--json").stdout)
    assert (found["written"], found["name"]) == (False, "pets")
    assert {"table": "serving", "key": "lease_hours", "value": 8}.items() <= next(
        each for each in found["values"] if each["key"] == "lease_hours"
    ).items()


def test_texts_fit_several_models_so_one_has_to_be_chosen(run: Run, tmp_path: Path) -> None:
    chats = tmp_path / "chats.jsonl"
    chats.write_text(CHATS * 9, "utf-8")
    result = run("init", "chat", "--data", chats)
    assert result.exit_code == 2
    assert "several models take texts and new jobs" in result.stderr
    assert "nova-lite" in result.stderr
    chosen = run("init", "chat", "--data", chats, "-m", "nova-lite", "--set", "epochCount=3")
    assert chosen.exit_code == 0, chosen.output
    found = load(Path("customizations/chat.toml").read_text("utf-8"), file="chat.toml")
    assert found.hyperparameters["epochCount"] == "3"
    assert found.serving.mode == "on-demand"


def test_a_prepared_dataset_is_counted_without_its_images(run: Run, tmp_path: Path) -> None:
    dataset(tmp_path / "out" / "training", count=6)
    assert "6 records of a manifest" in run("init", "pets", "--data", tmp_path / "out").stdout


def test_a_model_of_other_data_is_refused_and_a_closed_one_is_said(
    run: Run, pictures: Path
) -> None:
    wrong = run("init", "pets", "--data", pictures, "-m", "nova-lite")
    assert wrong.exit_code == 2
    assert "not on images with captions" in wrong.stderr
    closed = run("init", "pets", "--data", pictures, "-m", "titan-image-generator-v2")
    assert closed.exit_code == 0
    assert "extended access" in Path("customizations/pets.toml").read_text("utf-8")


def test_on_a_terminal_what_is_missing_is_asked(
    run: Run, pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "on_terminal", lambda: True)
    result = run("init", input=f"{pictures}\n\ny\n")
    assert result.exit_code == 0, result.output
    assert "[my-pets]" in result.stderr
    assert Path("customizations/my-pets.toml").is_file()
    declined = run("init", "cats", "--data", pictures, input="n\n")
    assert declined.exit_code == 1
    assert not Path("customizations/cats.toml").exists()


def test_ctrl_c_at_a_question_writes_nothing(
    run: Run, pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*_: object, **__: object) -> None:
        raise click.Abort

    monkeypatch.setattr(module, "on_terminal", lambda: True)
    monkeypatch.setattr(click, "confirm", stopped)
    result = run("init", "pets", "--data", pictures)
    assert result.exit_code == 130
    assert "nothing was written" in result.stderr
    assert not Path("customizations").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["init"], "needs a name"),
        (["init", "My Pets"], "is not allowed"),
        (["init", "data"], "is taken"),
        (["init", "pets", "--set", "lease"], "KEY=VALUE"),
        (["init", "pets", "--data", "."], "no"),
    ],
)
def test_what_cannot_be_is_refused(run: Run, arguments: list[str], said: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert said in result.stderr


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        (
            "a.txt",
            "Once upon a time.",
            "it is a document, not a conversation; and there are no images",
        ),
        (
            "a.jsonl",
            '{"role": "user"}',
            "it is in no known format; it has: role; and there are no images",
        ),
        ("a.jsonl", "version https://git-lfs.github.com/spec/v1", "git lfs pull"),
        ("a.tsv", "a dog\thttps://x.org/1.jpg\n", "the images of column 2 are web addresses"),
        ("a.csv.gz", "x", "the file is compressed"),
    ],
)
def test_data_that_is_neither_texts_nor_images_is_told_as_what_it_is(
    run: Run, name: str, text: str, said: str
) -> None:
    Path(name).write_text(text, "utf-8")
    result = run("init", "pets", "--data", name)
    assert result.exit_code == 2
    assert said in result.stderr


def test_images_around_a_file_of_texts_are_not_what_is_wrong_with_it(run: Run) -> None:
    Path("1.png").write_bytes(b"")
    Path("a.jsonl").write_text('{"prompt": "hi"}\n', "utf-8")
    result = run("init", "pets", "--data", "a.jsonl")
    assert "it ends without an answer; and no captions were recognized" in result.stderr
    assert "give each record an answer" in result.stderr
