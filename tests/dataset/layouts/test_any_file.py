"""Whatever a file holds, it is read or refused in words."""

import json
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bedrock_tuning.dataset.layouts.listing import look
from bedrock_tuning.dataset.layouts.reading import LayoutOptions
from bedrock_tuning.dataset.layouts.recognise import understand
from bedrock_tuning.errors import UserError
from tests.dataset.layouts.shelf import TINY
from tests.support.properties import examples

TEXTS = st.sampled_from(["", "1.jpg", "2.jpg#0", "a dog", "train", "s3://b/1.jpg", "7", "[1]"])
NAMES = st.sampled_from(
    [
        "file",
        "file_name",
        "image",
        "images",
        "caption",
        "text",
        "split",
        "id",
        "annotations",
        "image_id",
        "data",
        "result",
        "value",
        "choices",
        "source-ref",
        "x-metadata",
        "class-name",
        "conversations",
        "from",
        "sentences",
        "raw",
        "1.jpg",
        "url",
        "bbox",
        "was_cancelled",
        "annotation_id",
        "messages",
        "content",
        "role",
    ]
)
VALUES = st.recursive(
    TEXTS | st.none() | st.integers(0, 3) | st.booleans() | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=25,
)
SUFFIXES = st.sampled_from([".csv", ".tsv", ".json", ".jsonl", ".txt", ".xlsx", ".parquet", ".tar"])


def read(name: str, data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for image in ("1.jpg", "2.jpg"):
            (Path(folder) / image).write_bytes(TINY)
        (Path(folder) / name).write_bytes(data)
        with suppress(UserError):
            found = understand(look(Path(folder), LayoutOptions(), room=Path(folder) / "room"))
            assert found.pairs or found.left


@examples(150)
@given(VALUES, st.sampled_from([".json", ".jsonl"]))
def test_any_document(value: Any, suffix: str) -> None:
    read(f"a{suffix}", json.dumps(value).encode())


@pytest.mark.slow
@examples(100)
@given(st.lists(st.dictionaries(NAMES, VALUES, min_size=1, max_size=5), max_size=4))
def test_any_rows(rows: list[dict[str, Any]]) -> None:
    read("a.jsonl", "".join(f"{json.dumps(row)}\n" for row in rows).encode())


@examples(100)
@given(st.lists(st.lists(TEXTS, min_size=1, max_size=4), max_size=4), st.sampled_from(",;\t|"))
def test_any_table(rows: list[list[str]], delimiter: str) -> None:
    read("a.csv", "\n".join(delimiter.join(row) for row in rows).encode())


@examples(100)
@given(st.binary(max_size=200), SUFFIXES)
def test_any_bytes(data: bytes, suffix: str) -> None:
    read(f"a{suffix}", data)
