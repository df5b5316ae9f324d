"""The client as data scientists install it: one wheel and an empty folder, on the deployed app."""

import json
import os
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.world import NAME, World
from tests.support.wheel import UV, build

pytestmark = pytest.mark.e2e
Tuning = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def tuning(world: World, tmp_path_factory: pytest.TempPathFactory) -> Tuning:
    """Runs the installed `tuning` in an empty folder, with the local AWS's credentials."""
    folder = tmp_path_factory.mktemp("installed")
    wheel = build(folder)
    environment, empty = folder / "environment", folder / "empty"
    empty.mkdir()
    subprocess.run([UV, "venv", "--quiet", "--python", sys.executable, environment], check=True)
    python = environment / "bin" / "python"
    subprocess.run(
        [UV, "pip", "install", "--quiet", "--offline", "--no-deps", "--python", python, wheel],
        check=True,
    )
    # The dependencies that are here, without what .pth files there would add: this checkout.
    (packages,) = environment.glob("lib/python*/site-packages")
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib"), "utf-8")
    variables = world.aws.environment(os.environ) | {"XDG_CONFIG_HOME": str(folder / "config")}
    variables.pop("TUNING_ENVIRONMENT", None)
    chosen = folder / "config" / "bedrock-tuning" / "config.toml"
    chosen.parent.mkdir(parents=True)
    chosen.write_text('environment = "local"\n', "utf-8")

    def run(*arguments: object) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [str(environment / "bin" / "tuning"), *map(str, arguments)],
            cwd=empty, env=variables, capture_output=True, text=True, check=False,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip

    return run


def test_an_empty_folder_is_enough_to_see_what_there_is(tuning: Tuning) -> None:
    listed = json.loads(tuning("environments", "--json").stdout)
    assert [each["name"] for each in listed] == ["local"]
    assert NAME in listed[0]["customizations"]
    shown = tuning("list")
    assert shown.returncode == 0, shown.stderr
    assert NAME in shown.stdout


def test_a_wrong_environment_is_never_an_empty_answer(tuning: Tuning) -> None:
    for words in (["list"], ["runs"], ["cost"], ["price", NAME], ["invoke", NAME, "a dog"]):
        refused = tuning(*words, "-e", "locall")
        assert refused.returncode == 2, words
        assert "the environment locall is not deployed in us-east-1" in refused.stderr
        assert "did you mean local?" in refused.stderr
        assert "use -e local" in refused.stderr


def test_an_empty_folder_is_enough_to_prepare_check_and_price_a_dataset(
    tuning: Tuning, world: World, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    # Eight pictures are fewer than a model takes: that is found here as there.
    prepared = tuning("prepare", _captioned(world, tmp_path), "-c", NAME, "-o", out, "--split", "1")
    assert prepared.returncode == 1, prepared.stderr
    assert "REJECTED for titan-multimodal-embeddings-g1" in prepared.stdout
    checked = tuning("validate", out / "training" / "manifest.jsonl", "-c", NAME, "--json")
    assert checked.returncode == 1, checked.stderr
    assert not json.loads(checked.stdout)["valid"]
    priced = json.loads(tuning("price", NAME, "--json").stdout)
    assert priced["unknown"]


def _captioned(world: World, folder: Path) -> Path:
    """Pictures with a text beside each."""
    pictures = folder / "pictures"
    pictures.mkdir()
    for number, picture in enumerate(sorted((world.folder / "validation").rglob("*.png"))[:8]):
        (pictures / f"{number}.png").write_bytes(picture.read_bytes())
        (pictures / f"{number}.txt").write_text(f"a picture of the number {number}", "utf-8")
    return pictures
