"""cdk.json as a file: whatever is wrong with it is a sentence with a way out."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bedrock_tuning.config.cdk_json import context
from bedrock_tuning.errors import SettingsError

SHIPPED = Path(__file__).parents[2] / "cdk.json"


def test_the_shipped_file_is_read() -> None:
    assert context(SHIPPED.read_bytes()) == json.loads(SHIPPED.read_text("utf-8"))["context"]


def test_a_byte_order_mark_does_no_harm() -> None:
    assert context(b'\xef\xbb\xbf{"context": {}}') == {}


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "cdk.json is empty: `git checkout cdk.json` restores the last version"),
        (b" \n", "cdk.json is empty"),
        (b'{"context": {"a": 1,}}', "cdk.json:1: is not JSON: Expecting property name"),
        (b'{\n"context" {}}', "cdk.json:2: is not JSON: Expecting ':' delimiter"),
        (
            b'{"context": {"NaN \\" NaN": "NaN",\n"a": [\n-Infinity]}}',
            "cdk.json:3: -Infinity is not a number in JSON: write a number",
        ),
        (b'{"context": {"a": ' + b"1" * 5_000 + b"}}", "cdk.json is not JSON: "),
        (b"[" * 200_000, "cdk.json is not JSON: nested too deeply"),
        (b'{"\xff": 1}', "cdk.json: byte 2 is not UTF-8: save it as UTF-8"),
        (b"[]", "cdk.json must be an object, not []"),
        (b"null", "cdk.json must be an object, not null"),
        (b"{}", 'cdk.json has no "context", which holds feature flags and settings'),
        (b'{"context": []}', "cdk.json:1: context: must be an object, not []"),
        (
            b'{"context": {}, "tuning": {}}',
            "cdk.json:1: tuning: belongs in context: move it to context.tuning",
        ),
        (b'{"context": null}', "cdk.json:1: context: must be an object, not null"),
        (
            b'{"context": {"dev": {"region": "a",\n"region": "b"}}}',
            'cdk.json:2: "region" is already set on line 1: remove one of the two',
        ),
    ],
)
def test_a_file_that_cannot_be_used_says_why_and_what_to_do(data: bytes, said: str) -> None:
    with pytest.raises(SettingsError) as caught:
        context(data)

    assert len(caught.value.problems) == 1
    assert caught.value.problems[0].startswith(said)
    assert len(caught.value.problems[0]) < 300


@given(st.one_of(st.binary(max_size=100), st.text().map(str.encode)))
def test_no_bytes_raise_anything_but_a_settings_error(data: bytes) -> None:
    with pytest.raises(SettingsError):
        context(data)
