"""The fuzzers' promises on their seeds, on mutations of them, and on inputs they once broke on."""

import random
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest

from bedrock_tuning.checking import ManifestCheck
from tools.fuzz import images, manifest, seeds
from tools.fuzz.demand import BrokenPromiseError, demand, effort

ROOT = Path(__file__).resolve().parents[3]
MUTATIONS = 300


@pytest.mark.parametrize("number", range(len(manifest.MODELS)))
def test_every_seed_of_manifests_keeps_all_promises(number: int) -> None:
    for seed in seeds.manifests():
        if seed[0] == number:
            manifest.check_manifest(seed)


def test_every_seed_of_images_keeps_all_promises() -> None:
    for seed in seeds.images():
        images.check_image(seed)


def mutated(found: list[bytes], dice: random.Random) -> bytes:
    """One seed with some bytes changed, doubled, cut out or taken from another seed."""
    data = bytearray(dice.choice(found))
    for _ in range(dice.randint(1, 4)):
        at, length = dice.randrange(len(data) + 1), dice.randint(1, 40)
        match dice.randint(0, 3):
            case 0:
                data[at : at + 1] = dice.randbytes(1)
            case 1:
                data[at:at] = data[at : at + length]
            case 2:
                del data[at : at + length]
            case 3:
                other = dice.choice(found)
                start = dice.randrange(len(other) + 1)
                data[at : at + length] = other[start : start + length]
    return bytes(data[:4_096])


@pytest.mark.parametrize(
    ("check", "found"),
    [
        (manifest.check_manifest, list(seeds.manifests())),
        (images.check_image, list(seeds.images())),
    ],
)
def test_mutations_keep_all_promises(check: Callable[[bytes], None], found: list[bytes]) -> None:
    dice = random.Random(1)  # noqa: S311
    for _ in range(MUTATIONS):
        check(mutated(found, dice))


LINES = {
    "brackets": b"[{" * 500 + b"\n",
    "blank": b"\n" * 300,
    "unknown fields": b'{"a":1,"b":2,"c":3}\n' * 20,
    "wrong types": b'{"image-ref": [], "caption": {}}\n' * 15,
    "right": b'{"image-ref": "s3://bucket/folder/1.png", "caption": "a dog"}\n' * 16,
}


@pytest.mark.parametrize("lines", LINES.values(), ids=LINES)
@pytest.mark.parametrize("number", range(len(manifest.MODELS)))
def test_work_grows_no_faster_than_the_manifest(number: int, lines: bytes) -> None:
    def work(data: bytes) -> int:
        def check() -> None:
            running = ManifestCheck(manifest.subject(number))
            running.feed(data)
            running.finish()

        return effort(check)[1]

    # Findings are sorted now and then, which is a little more than twice.
    small, large = work(lines * 10), work(lines * 20)
    assert large <= 2.3 * small


def test_work_is_counted_in_calls() -> None:
    def calls_itself(times: int) -> int:
        return 0 if not times else calls_itself(times - 1)

    _, few = effort(lambda: calls_itself(10))
    _, many = effort(lambda: calls_itself(20))
    assert many - few == 10


def test_a_promise_that_is_not_kept_says_what_was_seen() -> None:
    with pytest.raises(BrokenPromiseError, match="sides are equal: 1, 2"):
        demand(False, "sides are equal", 1, 2)


@pytest.mark.long
@pytest.mark.skipif(find_spec("atheris") is None, reason="atheris is not installed")
@pytest.mark.parametrize("target", ["manifest", "images"])
def test_the_fuzzer_runs(target: str, tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "tools.fuzz",
        target,
        "--runs",
        "600",
        "--folder",
        str(tmp_path),
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert "Done" in done.stderr
    assert not list(tmp_path.glob("crash-*"))
