"""`python -m tools.fuzz TARGET`: mutates inputs for a while; keeps what is new in build/fuzz."""

import sys
import zlib
from collections.abc import Callable, Iterable, Mapping
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from resource import RUSAGE_SELF, getrusage
from typing import Any, Final, NamedTuple

import click

from tools import CHECKOUT

_MEMORY_MB: Final = 1_024
_PNG: Final = b"\x89PNG\r\n\x1a\n"


class Target(NamedTuple):
    """What is fuzzed: module and function in it, seeds, and the longest input."""

    module: str
    function: str
    seeds: str
    longest: int


_TARGETS: Final[Mapping[str, Target]] = {
    "manifest": Target("tools.fuzz.manifest", "check_manifest", "manifests", 4_096),
    "images": Target("tools.fuzz.images", "check_image", "images", 4_096),
}


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("name", metavar="TARGET", type=click.Choice(list(_TARGETS)))
@click.option("--seconds", default=300, show_default=True, help="How long.")
@click.option("--runs", default=-1, help="How many inputs at most; any number by default.")
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=CHECKOUT / "build" / "fuzz",
    help="For what was found; build/fuzz by default.",
)
def main(*, name: str, seconds: int, runs: int, folder: Path) -> None:
    """Search for an input that breaks a promise: TARGET is manifest or images.

    A crash leaves its input as crash-… in the folder; add it to the seeds in tools/fuzz/seeds.py.
    An input that takes longer than 10 s or more than 1 GiB is a crash too.
    """
    try:
        atheris = import_module("atheris")
    except ImportError:
        raise click.ClickException("atheris is not installed: pip install atheris") from None
    target = _TARGETS[name]
    with atheris.instrument_imports(include=["bedrock_tuning", "json.decoder", "json.scanner"]):
        module = import_module(target.module)
    check: Callable[[bytes], None] = getattr(module, target.function)
    corpus = folder / name
    _plant(corpus, getattr(import_module("tools.fuzz.seeds"), target.seeds)())
    arguments = [
        sys.argv[0],
        f"-max_total_time={seconds}",
        f"-runs={runs}",
        f"-max_len={target.longest}",
        # A machine under load is slow; what hangs is still found within a minute.
        "-timeout=60",
        # libFuzzer reads the peak memory, which a process takes over from the one that forked it.
        f"-rss_limit_mb={_MEMORY_MB + getrusage(RUSAGE_SELF).ru_maxrss // 1024}",
        f"-artifact_prefix={folder}/",
        "-print_final_stats=1",
        str(corpus),
    ]
    more: dict[str, Any] = {"custom_mutator": _mutate_image} if name == "images" else {}
    atheris.Setup(arguments, check, **more)
    atheris.Fuzz()


def _plant(corpus: Path, seeds: Iterable[bytes]) -> None:
    corpus.mkdir(parents=True, exist_ok=True)
    for seed in seeds:
        (corpus / sha256(seed).hexdigest()[:40]).write_bytes(seed)


def _mutate_image(data: bytes, longest: int, seed: int) -> bytes:
    """Like any mutation, but mostly with the checksum of a PNG's header made right again."""
    changed: bytes = import_module("atheris").Mutate(data, longest)
    if seed % 4 and changed[1:9] == _PNG and len(changed) >= 34:
        checksum = zlib.crc32(changed[13:30]).to_bytes(4)
        changed = changed[:30] + checksum + changed[34:]
    return changed


if __name__ == "__main__":
    main()
