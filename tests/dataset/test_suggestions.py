"""What a mistake was probably meant to be: fields and roles of other tools, references, JSON."""

from typing import Any

import pytest

from bedrock_tuning.dataset.json_lines import parse
from bedrock_tuning.dataset.suggestions import (
    ALIASES,
    key_hint,
    role_hint,
    s3_hint,
    syntax_hint,
)
from bedrock_tuning.wording import did_you_mean

# By our field, what other tools call it.
MEANT = {
    "caption": "text description label title",
    "image-ref": "url path file filename file_name uri",
    "completion": "response answer output target",
    "prompt": "question instruction",
    "input": "document content",
    "s3Location": "bytes s3uri s3Uri s3",
    "role": "from",
    "content": "value",
}


@pytest.mark.parametrize(
    ("ours", "theirs"), [(ours, each) for ours, names in MEANT.items() for each in names.split()]
)
def test_a_field_of_another_tool_is_told_as_ours(ours: str, theirs: str) -> None:
    assert did_you_mean(theirs, [ours], aliases=ALIASES) == f' – did you mean "{ours}"?'


@pytest.mark.parametrize("format", ["converse", "claude-messages", "rft"])
@pytest.mark.parametrize(
    ("role", "meant"),
    [
        *((each, "user") for each in ("User ", "human", "customer", "prompter")),
        *((each, "assistant") for each in ("ASSISTANT", "bot", "ai", "gpt", "model", "chatbot")),
    ],
)
def test_a_role_of_another_tool_is_told_as_ours(role: str, meant: str, format: Any) -> None:
    assert role_hint(role, format) == f'did you mean "{meant}"?'
    assert role_hint("narrator", format) == ""


@pytest.mark.parametrize("role", ["system", " Developer"])
def test_a_system_prompt_has_its_place_in_each_format(role: str) -> None:
    beside = "a system prompt stands beside the messages: "
    assert role_hint(role, "converse") == beside + '"system": [{"text": "…"}]'
    assert role_hint(role, "claude-messages") == beside + '"system": "…"'
    assert role_hint(role, "rft") == f'did you mean "{role.strip().lower()}"?'
    assert role_hint("Tool", "rft") == 'did you mean "tool"?'
    assert role_hint("Tool", "converse") == ""


@pytest.mark.parametrize(
    ("data", "problem", "told"),
    [
        (b"x", "Invalid control character at", "an escape: \\t"),
        (b"x", "NaN is not a JSON number", "write null, or omit the field"),
        (b"x", "Invalid \\escape", "written twice: \\\\"),
        (b"x", "Unterminated string starting at", "ends inside a string"),
        (b" [ ,", "", "one JSON array"),
        (b"]", "", "one JSON array"),
        (b'{"a": 1} , ', "", "a comma stands behind"),
        (b'{"a": 1}\r{"a": 2}', "", "CR only"),
        (b'{"a": 1},{"a": 2}', "", "several records"),
        (b'{"m":[{"a": 1},{"a" 2}]}', "Expecting ':' delimiter in column 21", ""),
        (b'[{"a": 1},{"a": 2},]', "Expecting value in column 20", "a comma stands before"),
        *(
            (f'{{"a": 1}}{end}'.encode(), "Extra data in column 9", "something stands behind")
            for end in (";", "\x1a", "]", "// x")
        ),
        (b'{"a": True}', "Expecting value in column 7", "true, false and null"),
        ('{"a":\u00a01}'.encode(), "Expecting value in column 6", "no such blank"),
        (b'\xef\xbb\xbf{"a": 1}', "Expecting value in column 1", "two files were joined"),
        (b" { 'a': 1}", "", "double quotes only"),
        *((f"{quote}a: 1}}".encode(), "", "typographic") for quote in "“”„"),
        ("a – b: …}".encode(), "", ""),
        (b'{"a": [1,]}', "", "a comma stands before"),
        (b'# {"a": 1}', "", "no comments"),
        (b"{", "", "spread over several lines"),
        (b' "a" : 1}', "", "spread over several lines"),
        (b"a,b", "", "CSV or plain text"),
        (b'{"a": 1', "", "cut off"),
        (b"{} {}", "", ""),
    ],
)
def test_a_line_that_is_no_json_is_told_by_what_is_at_its_ends(
    data: bytes, problem: str, told: str
) -> None:
    # The parser's own words: what it never says would be looked for in vain.
    assert "column" not in problem or parse(data).problem == problem
    hint = syntax_hint(data, problem)
    assert told in hint
    assert bool(hint) == bool(told)


def test_of_a_long_line_only_its_ends_are_searched() -> None:
    quote = "“".encode()
    for before, after, seen in (
        *((4_093, 9_999, True), (4_094, 9_999, False)),
        *((9_999, 4_093, True), (9_999, 4_094, False)),
    ):
        line = b"{" + b" " * (before - 1) + quote + b" " * (after - 1) + b"}"
        assert bool(syntax_hint(line, "")) == seen, (before, after)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (" s3://b/1.png ", "s3://b/1.png"),
        ("S3A://b/1.png", "s3://b/1.png"),
        ("s3:///b/1.png", "s3://b/1.png"),
        ("arn:aws-cn:s3:::b/1.png", "s3://b/1.png"),
        ("http://b.s3.amazonaws.com/1.png#x", "s3://b/1.png"),
        ("https://s3.amazonaws.com/b/a%20b.png", "s3://b/a b.png"),
        ("s3://b/" + "x" * 2_041, "s3://b/" + "x" * 2_041),
        ("s3://b/" + "x" * 2_042, ""),
        ("s3://b", ""),
    ],
)
def test_a_reference_in_another_form_is_told_as_an_s3_uri(written: str, meant: str) -> None:
    assert s3_hint(written) == meant


@pytest.mark.parametrize(
    ("key", "told"),
    [
        (" a/1.png", "it begins or ends with a blank"),
        ("a/my%20dog.png", "keys are not decoded; was a/my dog.png meant?"),
        ("a\\1.png", "folders are divided by /, not by \\"),
        ("a/100%.png", ""),
    ],
)
def test_a_key_that_looks_like_a_slip_is_told_as_one(key: str, told: str) -> None:
    assert key_hint(key) == told
