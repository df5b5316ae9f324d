"""Every layout on the shelf is recognised and read as it was meant."""

from pathlib import Path

import pytest

from bedrock_tuning.dataset.layouts.listing import look
from bedrock_tuning.dataset.layouts.recognise import Understood, understand
from tests.dataset.layouts.shelf import SHELF, Layout, laid


def read(layout: Layout, tmp_path: Path) -> Understood:
    (tmp_path / "in").mkdir()
    (tmp_path / "room").mkdir()
    source = laid(layout, tmp_path / "in")
    return understand(look(source, layout.options, room=tmp_path / "room"))


@pytest.mark.slow
@pytest.mark.parametrize("layout", SHELF, ids=lambda layout: layout.name)
def test_a_layout_is_read_as_it_was_meant(layout: Layout, tmp_path: Path) -> None:
    found = read(layout, tmp_path)
    pairs = sorted((pair.file, pair.caption) for pair in found.pairs)
    assert pairs == sorted((file, text) for file, texts in layout.pairs.items() for text in texts)
    splits = {pair.file: pair.split for pair in found.pairs if pair.split}
    assert splits == layout.splits
    assert sorted({each.kind for each in found.left}) == sorted(layout.left)
    assert layout.said in "\n".join(found.said)
    assert found.layout
    assert found.why
