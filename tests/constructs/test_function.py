"""What the functions need before they can be synthesized."""

import shlex
from pathlib import Path

from bedrock_tuning.config.settings import Settings
from bedrock_tuning.constructs.function import layer_command

ROOT = Path(__file__).resolve().parents[2]


def test_without_make_the_same_command_builds_the_layer() -> None:
    """The Makefile is the other place that knows it."""
    words = shlex.split(layer_command(Settings(name="dev", region="us-east-1")))
    made = (ROOT / "Makefile").read_text()
    (wheels,) = (line for line in made.splitlines() if line.startswith("WHEELS := "))
    (aws,) = (
        line for line in made.splitlines() if line.startswith("build/layers/lambda/python: FOR")
    )
    wanted = [*shlex.split(wheels.partition(":= ")[2]), *shlex.split(aws.partition(":= ")[2])]
    target = ["--target", "build/layers/lambda/python"]
    assert sorted(words) == sorted([*(word for word in wanted if word != "--quiet"), *target])
