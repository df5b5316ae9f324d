"""docs/models.md says everything that the catalogue says."""

import re
from pathlib import Path

from bedrock_tuning.catalogue import catalogue
from bedrock_tuning.catalogue._page import models_page

PAGE = Path(__file__).parents[2] / "docs" / "models.md"


def test_the_page_in_docs_is_the_generated_one() -> None:
    assert PAGE.read_text(encoding="utf-8") == models_page()


def test_every_link_leads_somewhere() -> None:
    page = models_page()
    anchors = set(re.findall(r'<a id="([^"]+)">', page)) | {"sources"}

    assert set(re.findall(r"\]\(#([^)]+)\)", page)) <= anchors


def test_every_fact_of_every_model_is_on_the_page() -> None:
    page = models_page()

    for key, model in catalogue().items():
        section = page.partition(f'<a id="{key}"></a>')[2].partition('\n## <a id="')[0]
        for path, fact in model.facts.items():
            root, _, rest = path.partition(".")
            if root == "datasets":
                rest = rest.partition(".")[2]
            name = rest.partition(".")[0] if root.endswith("hyperparameters") else rest or root
            assert name in section, (key, path)
            assert all(f"[{tag}]" in section for tag in fact.source), (key, path)


def test_conflicting_sources_are_shown_with_both_values_and_the_band() -> None:
    page = models_page()

    rows = [line for line in page.splitlines() if "FINE_TUNING.image.bytes_max`" in line]
    assert len(rows) == 1
    assert "25,000,000" in rows[0]
    assert "5,000,000" in rows[0]
    assert "above 5,000,000" in rows[0]


def test_the_overview_says_which_models_are_closed_and_since_when() -> None:
    overview = models_page().partition("## Account")[0]

    assert "| `titan-multimodal-embeddings-g1` | **open** |" in overview
    assert "| `nova-canvas` | closed: past its end-of-life date, 2026-09-30 |" in overview


def test_every_table_row_has_as_many_cells_as_its_header() -> None:
    width = 0
    for line in models_page().splitlines():
        cells = len(re.findall(r"(?<!\\)\|", line)) if line.startswith("|") else 0
        if cells and width:
            assert cells == width, line
        width = cells
