"""docs/how-to/example.ipynb runs, and shows what it showed when it was written."""

import re
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOK = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "example.ipynb"


def texts(notebook: Any) -> list[str]:
    """What each output says as text."""
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    return [str(each.get("text") or each["data"].get("text/plain")) for each in outputs]


@pytest.mark.filterwarnings("ignore")
def test_the_example_shows_what_it_showed_when_it_was_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    written = nbformat.read(NOTEBOOK, as_version=4)
    shown = texts(written)
    # The cell that draws makes its pictures in the folder in which it runs.
    NotebookClient(
        written, timeout=120, record_timing=False, resources={"metadata": {"path": str(tmp_path)}}
    ).execute()
    if request.config.getoption("--rewrite-tutorials"):
        nbformat.write(written, NOTEBOOK)
        shown = texts(written)
    pages = [
        output["data"]["text/html"]
        for cell in written.cells
        for output in cell.get("outputs", ())
        if "text/html" in output.get("data", {})
    ]
    assert any(re.search(r"<progress value=\"1\.00\"", page) for page in pages)
    assert any("<figure" in page and "data:image/" in page for page in pages)
    assert texts(written) == shown, "run `make tutorials` and read the difference"
