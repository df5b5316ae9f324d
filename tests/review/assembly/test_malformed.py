"""No template, however malformed, ends the review in anything but a refusal."""

import copy
import json
import random
from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest

from bedrock_tuning import review
from bedrock_tuning.errors import UserError
from bedrock_tuning.review.assembly import template
from tests.review.broken import Synthesized

pytestmark = pytest.mark.slow

Path = tuple[Any, ...]
Source = Callable[[], dict[str, Any]]
TRANSFORM: Final = {"Fn::Transform": {"Name": "AWS::Include", "Parameters": {}}}
JUNK: Final = (
    *(None, True, 1, "x", [], {}, [1], [[]], {"a": 1}, TRANSFORM, {"Ref": ["a"]}),
    *({"Fn::GetAtt": {}}, {"Fn::Sub": 7}, {"Fn::Join": ["", {"Ref": "x"}]}, {"Fn::If": ["a", 1]}),
)


@pytest.fixture(scope="module")
def source(dev: Synthesized) -> Source:
    """Reads the templates: each test has its own."""
    text = json.dumps(
        {
            file.name.removesuffix(".template.json"): json.loads(file.read_bytes())
            for file in sorted(dev.folder.glob("*.template.json"))
        }
    )
    return lambda: json.loads(text)


def places(value: Any, here: Path = ()) -> Iterator[Path]:
    """Every place inside of a value."""
    if not isinstance(value, dict | list):
        return
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
        yield (*here, key)
        yield from places(inner, (*here, key))


def refused(dev: Synthesized, templates: dict[str, Any]) -> bool:
    """Whether the review finds something, or says that it cannot read this."""
    regions = dict.fromkeys(templates, "us-east-1")
    found = template.resolve(templates, folder=dev.folder, regions=regions)
    try:
        seen = review.evidence_of(found, dev.contracts).permissions
        return bool(review.described(seen, dev.contracts).violations)
    except UserError:
        return True


@pytest.mark.parametrize("seed", range(8))
def test_a_value_of_any_other_form_ends_in_a_verdict(
    dev: Synthesized, source: Source, seed: int
) -> None:
    chosen = random.Random(seed)  # noqa: S311 - repeatable, not secret
    templates = source()
    stack = chosen.choice(sorted(templates))
    place = chosen.choice(list(places(templates[stack])))
    inner = templates[stack]
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = copy.deepcopy(chosen.choice(JUNK))
    assert refused(dev, templates) in (True, False)


@pytest.mark.parametrize("junk", ["x", ["x"], None, [["x"]], {"a": 1}], ids=str)
@pytest.mark.parametrize("field", ["Choices", "Catch", "Next", "Type"])
def test_a_malformed_workflow_is_refused(dev: Synthesized, field: str, junk: Any) -> None:
    copy = dev.copy()
    copy.definition(lambda definition: definition["States"]["Valid?"].update({field: junk}))
    assert refused(dev, copy.templates)


@pytest.mark.parametrize(
    "place",
    [
        ("Resources",),
        ("Resources", "Training1DBE9C16"),
        ("Resources", "Training1DBE9C16", "DependsOn"),
        ("Resources", "Training1DBE9C16", "Metadata"),
        ("Resources", "Training1DBE9C16", "Properties", "BucketEncryption"),
        ("Resources", "Training1DBE9C16", "Properties", "LifecycleConfiguration", "Rules"),
        ("Outputs", "ValidationBucket"),
        ("Outputs", "ValidationBucket", "Value"),
    ],
    ids=lambda place: place[-1],
)
def test_a_transform_anywhere_is_refused(dev: Synthesized, source: Source, place: Path) -> None:
    templates = source()
    inner = templates["tuning-dev-data"]
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = TRANSFORM
    assert refused(dev, templates)
