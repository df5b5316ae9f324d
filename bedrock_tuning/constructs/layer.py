"""The wheels of the functions as a Lambda layer, built from the lock when they are first needed.

`python -m bedrock_tuning.constructs.layer` builds both: for AWS's functions, and for the local
AWS, whose functions run on this machine's interpreter.

boto3 is in it, so that no function meets another SDK than the tests did, but only the services that
the functions ask. It has no bytecode: that would be of this machine's Python. Importing boto3 takes
a cold start 0.4 s of a processor longer.
"""

import hashlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, Literal, get_args

from bedrock_tuning.constructs import asset
from bedrock_tuning.contracts.written.functions import PYTHON
from bedrock_tuning.errors import SettingsError

For = Literal["lambda", "host"]
LOCK: Final = asset.lock()
_FOLDER: Final = asset.layers()
# Amazon Linux 2023 has glibc 2.34. uv takes wheels for older ones as well, pip wants each named.
_GLIBC: Final = 28
_PLATFORMS: Final = tuple(f"manylinux_2_{minor}_aarch64" for minor in range(17, _GLIBC + 1))
# By installer: what is installed is for AWS's functions, whatever this machine is.
_TARGETS: Final[Mapping[str, Sequence[str]]] = {
    "uv": ("--python-version", PYTHON, "--python-platform", f"aarch64-manylinux_2_{_GLIBC}"),
    "pip": (
        *("--python-version", PYTHON, "--implementation", "cp", "--no-compile"),
        *(f"--platform={platform}" for platform in (*_PLATFORMS, "manylinux2014_aarch64")),
    ),
}
# How the functions make clients, all in lambdas/_aws.py.
_CLIENT: Final = re.compile(r"(?:boto3\.|= _)client\(\s*\"([a-z0-9-]+)\"")
# What only says who installed it: the same wheels make the same layer.
_BY_INSTALLERS: Final = ("INSTALLER", "RECORD", "REQUESTED", "direct_url.json", "uv_cache.json")


def wheels(kind: For, *, lock: Path = LOCK, folder: Path = _FOLDER) -> Path:
    """The folder that becomes the layer, with the wheels below python/; built if it is not there.

    Raises SettingsError if it cannot be built.
    """
    place, mark = folder / kind, folder / f"{kind}.lock"
    services = asked_services()
    key = f"{hashlib.sha256(lock.read_bytes()).hexdigest()} {_python(kind)} {' '.join(services)}\n"
    if (place / "python").is_dir() and mark.is_file() and mark.read_text("utf-8") == key:
        return place
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        new = Path(scratch) / "new"
        _install(kind, lock, new / "python")
        _remove_services(new / "python" / "botocore" / "data", services)
        shutil.rmtree(place, ignore_errors=True)
        new.rename(place)
    mark.write_text(key, "utf-8")
    return place


def commands(kind: For, *, lock: Path, target: Path) -> Sequence[Sequence[str]]:
    """How the wheels are installed: by uv if it is here, else by pip; the first that is counts."""
    common = ("install", "--quiet", "--require-hashes", "--only-binary", ":all:")
    places = ("--requirement", str(lock), "--target", str(target))
    extra: Mapping[str, Sequence[str]] = {
        "uv": ("--python", sys.executable),
        "pip": ("--no-compile",),
    }
    options = _TARGETS if kind == "lambda" else extra
    uv = shutil.which("uv")
    return [
        *([(uv, "pip", *common, *places, *options["uv"])] if uv else []),
        (sys.executable, "-m", "pip", *common, *places, *options["pip"]),
    ]


def asked_services() -> Sequence[str]:
    """The services that the functions make clients of, as boto3 names them."""
    modules = (name for name in asset.shipped_files() if name.endswith(".py"))
    texts = ((asset.source_folder() / name).read_text("utf-8") for name in modules)
    return sorted({name for text in texts for name in _CLIENT.findall(text)})


def _remove_services(data: Path, services: Sequence[str]) -> None:
    """Most of the SDK describes four hundred services: it is hashed, zipped and uploaded."""
    for folder in data.glob("*/"):
        if folder.name not in services:
            shutil.rmtree(folder)


def _python(kind: For) -> str:
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    return PYTHON if kind == "lambda" else version


def _install(kind: For, lock: Path, target: Path) -> None:
    sys.stderr.write(f"building the layer of the functions ({kind}) from the lock\n")
    for command in commands(kind, lock=lock, target=target):
        result = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
        if result.returncode == 0:
            break
        if "No module named pip" not in result.stderr:
            raise SettingsError(
                [f"the layer cannot be built: {shlex.join(command)}: {_reason(result.stderr)}"]
            )
    else:
        raise SettingsError(
            ["the layer cannot be built without an installer: `pip install -r requirements-uv.txt`"]
        )
    for name in _BY_INSTALLERS:
        for file in target.glob(f"*.dist-info/{name}"):
            file.unlink()
    (target / ".lock").unlink(missing_ok=True)
    shutil.rmtree(target / "bin", ignore_errors=True)


def _reason(output: str) -> str:
    """What an installer complains of, without its warnings and notices."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    errors = [line for line in lines if line.lower().startswith(("error", "×"))]
    return (errors or lines or ["it gave no reason"])[0]


if __name__ == "__main__":
    for each in get_args(For):
        wheels(each)
