"""The layer of the functions: built when it is first needed, from the lock, with or without uv."""

import hashlib
import shutil
import zipfile
from pathlib import Path

import pytest

from bedrock_tuning.constructs import layer
from bedrock_tuning.constructs.asset import shipped_files, source_folder
from bedrock_tuning.errors import SettingsError
from bedrock_tuning.files import tree_hash

WHEEL = "greeting-1.0-py3-none-any.whl"


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    """A lock of one wheel, which lies beside it: no registry is asked."""
    wheel = tmp_path / WHEEL
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("greeting.py", "TEXT = 'hello'\n")
        info = "greeting-1.0.dist-info/"
        archive.writestr(f"{info}METADATA", "Metadata-Version: 2.1\nName: greeting\nVersion: 1.0\n")
        archive.writestr(
            f"{info}WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{info}RECORD", "")
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    lock = tmp_path / "lock.txt"
    lock.write_text(f"greeting @ {wheel.as_uri()} --hash=sha256:{digest}\n")
    return lock


def test_the_first_use_builds_it_and_the_next_one_does_not(
    lock: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = layer.wheels("lambda", lock=lock, folder=tmp_path / "layers")

    assert (place / "python" / "greeting.py").read_text() == "TEXT = 'hello'\n"
    assert "building the layer" in capsys.readouterr().err
    assert layer.wheels("lambda", lock=lock, folder=tmp_path / "layers") == place
    assert capsys.readouterr().err == ""


def test_one_that_was_deleted_is_built_again(lock: Path, tmp_path: Path) -> None:
    place = layer.wheels("host", lock=lock, folder=tmp_path / "layers")
    shutil.rmtree(place)

    assert (layer.wheels("host", lock=lock, folder=tmp_path / "layers") / "python").is_dir()


def test_another_lock_builds_it_anew(lock: Path, tmp_path: Path) -> None:
    place = layer.wheels("host", lock=lock, folder=tmp_path / "layers")
    (place / "python" / "old.py").write_text("")
    lock.write_text(f"# changed\n{lock.read_text()}")

    layer.wheels("host", lock=lock, folder=tmp_path / "layers")

    assert not (place / "python" / "old.py").exists()


def test_pip_alone_makes_the_same_layer(
    lock: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    built = tree_hash(layer.wheels("host", lock=lock, folder=tmp_path / "by-uv"))
    monkeypatch.setattr("shutil.which", lambda name: None)

    found = layer.wheels("host", lock=lock, folder=tmp_path / "by-pip")

    assert tree_hash(found) == built


@pytest.mark.parametrize("kind", ["lambda", "host"])
def test_what_is_not_in_the_lock_is_not_installed(kind: layer.For, lock: Path) -> None:
    for command in layer.commands(kind, lock=lock, target=Path("target")):
        assert "--require-hashes" in command
        assert command[command.index("--only-binary") + 1] == ":all:"


def test_a_wrong_hash_is_refused_and_leaves_nothing(lock: Path, tmp_path: Path) -> None:
    lock.write_text(lock.read_text().replace("sha256:", "sha256:0")[:-2] + "\n")

    with pytest.raises(SettingsError, match="the layer cannot be built: "):
        layer.wheels("host", lock=lock, folder=tmp_path / "layers")

    assert list((tmp_path / "layers").iterdir()) == []


def test_the_layer_holds_the_sdk_of_the_lock_and_fits_into_lambda() -> None:
    place = layer.wheels("lambda")
    (sdk,) = (place / "python").glob("botocore-*.dist-info")
    assert f"{sdk.name.removesuffix('.dist-info').replace('-', '==')} " in layer.LOCK.read_text()
    files = [path for path in place.rglob("*") if path.is_file()]
    code = [source_folder() / name for name in shipped_files()]
    size = sum(path.stat().st_size for path in files + code)
    # AWS allows 250 MiB. The rest is for what a later release of the SDK brings.
    assert size < 125 * 1024 * 1024
