"""Where each key of a file is written."""

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bedrock_tuning.config.cdk_json import context
from bedrock_tuning.config.customization import load
from bedrock_tuning.config.lines import json_lines, toml_lines
from bedrock_tuning.config.settings import check
from bedrock_tuning.errors import CustomizationError

CDK = Path(__file__).parents[2] / "cdk.json"


def test_keys_of_a_toml_file_have_their_lines() -> None:
    text = """\
#:schema x
a = 1
"b c" = '''
[not a table]
'''

[ table . inside ]  # a comment
d.e = { f = 2, g = [1,
  2] }
[[list]]
h = 3
"""
    assert toml_lines(text) == {
        ("a",): 2,
        ("b c",): 3,
        ("table", "inside"): 7,
        ("table", "inside", "d"): 8,
        ("table", "inside", "d", "e"): 8,
        ("table", "inside", "d", "e", "f"): 8,
        ("table", "inside", "d", "e", "g"): 8,
        ("list",): 10,
        ("list", "h"): 11,
    }


def test_a_statement_of_many_lines_ends_the_search_in_time() -> None:
    text = "a = [\n" + "1,\n" * 100_000 + "]\nb = 1"
    assert toml_lines(text) == {}


def test_keys_of_a_json_file_have_their_lines() -> None:
    text = '{"a": 1,\n"b{": {"c\\"":\n [{"d": "}"},\n {"d": 2}]}, "e": []\n, "f": {}}'
    assert list(json_lines(text)) == [
        (("a",), 1),
        (("b{",), 2),
        (("b{", 'c"'), 2),
        (("b{", 'c"', "0", "d"), 3),
        (("b{", 'c"', "1", "d"), 4),
        (("e",), 4),
        (("f",), 5),
    ]


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text()),
    lambda inner: st.one_of(st.lists(inner), st.dictionaries(st.text(), inner)),
    max_leaves=6,
)


@given(st.dictionaries(st.text(), JSON), st.sampled_from([None, 0, 2]))
def test_every_key_of_any_json_is_found_on_its_line(value: Any, indent: int | None) -> None:
    def paths(inside: Any) -> list[tuple[str, ...]]:
        if isinstance(inside, list):
            inside = {str(number): each for number, each in enumerate(inside)}
            return [(key, *p) for key, each in inside.items() for p in paths(each)]
        if not isinstance(inside, dict):
            return []
        return [
            p for key, each in inside.items() for p in [(key,), *((key, *q) for q in paths(each))]
        ]

    text = json.dumps(value, indent=indent)
    located = list(json_lines(text))
    assert [path for path, _ in located] == paths(value)
    for path, line in located:
        assert json.dumps(path[-1]) in text.split("\n")[line - 1]


def test_a_problem_of_a_customization_file_names_the_line_to_change() -> None:
    text = """\
description = "Pets"
base_model = "titan-multimodal-embeddings-g1"
[hyperparameters]
# the smallest is 256
batchSize = 9

[serving]
mode = "provisioned"

[tags]
team = 3
"""
    with pytest.raises(CustomizationError) as caught:
        load(text, file="customizations/pets.toml")
    assert [problem.split(": ")[:2] for problem in caught.value.problems] == [
        ["customizations/pets.toml:5", "hyperparameters.batchSize"],
        # What is missing is missing in its table.
        ["customizations/pets.toml:7", "serving.lease_hours"],
        ["customizations/pets.toml:11", "tags.team"],
    ]


def test_a_problem_of_cdk_json_names_the_line_to_change() -> None:
    text = CDK.read_text("utf-8").replace('"poll_seconds": 1,', '"poll_seconds": 0,')
    line = text[: text.index('"poll_seconds"')].count("\n") + 1
    (problem,) = check(context(text.encode())["tuning"]).problems
    where = "context.tuning.environments.local.poll_seconds"
    assert problem.startswith(f"cdk.json:{line}: {where}: 0 is below the minimum 1")


@pytest.mark.parametrize("name", ["pets-search", "pets-style"])
def test_the_lines_of_a_shipped_file_hold_their_keys(name: str) -> None:
    text = (CDK.parent / "customizations" / f"{name}.toml").read_text("utf-8")
    located = toml_lines(text)
    assert {path[0] for path in located} == set(tomllib.loads(text))
    for path, line in located.items():
        assert path[-1] in text.split("\n")[line - 1]
