"""The documentation site: every link leads somewhere, and it works without a network."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import browser

pytestmark = pytest.mark.long

ROOT = Path(__file__).resolve().parents[2]
# A part of a page that a browser would fetch from elsewhere.
REMOTE = re.compile(r"<(?:script|img|iframe)[^>]*\ssrc=\"?https?:|<link[^>]*\shref=\"?https?:")


def build(config: Path, site: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "-f", config, "-d", site],
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_the_site_builds_without_a_warning_and_loads_nothing_from_elsewhere(tmp_path: Path) -> None:
    built = build(ROOT / "mkdocs.yml", tmp_path / "site")
    assert built.returncode == 0, built.stderr
    pages = sorted((tmp_path / "site").rglob("*.html"))
    assert {"index.html", "cli.html"} <= {page.name for page in pages}
    assert [page.name for page in pages if REMOTE.search(page.read_text("utf-8"))] == []
    # Browsers fetch no JSON from a disk: the index is a script, too.
    assert (tmp_path / "site" / "search" / "search_index.js").is_file()


@pytest.mark.skipif(browser.CHROMIUM is None, reason="no Chromium here")
def test_the_search_finds_a_heading_in_a_browser_without_a_server(tmp_path: Path) -> None:
    assert build(ROOT / "mkdocs.yml", tmp_path / "site").returncode == 0
    index = (tmp_path / "site" / "index.html").as_uri()
    shown = browser.dom(f"{index}?q=attestation", tmp_path)
    assert re.search(r"[1-9]\d* matching documents", shown) is not None
    assert "hardening.html?h=attestation#attestation-nothing-is-deployed-that" in shown
    assert "No matching documents" in browser.dom(f"{index}?q=xylophone", tmp_path)


def test_a_link_to_nothing_and_a_page_that_nobody_finds_are_refused(tmp_path: Path) -> None:
    docs = tmp_path / "docs"
    docs.mkdir()
    (docs / "index.md").write_text("# A\n\n[gone](gone.md), [no heading](index.md#b)\n", "utf-8")
    (docs / "alone.md").write_text("# Alone\n")
    config = tmp_path / "mkdocs.yml"
    config.write_text(
        f"INHERIT: {ROOT / 'mkdocs.yml'}\nhooks: []\ndocs_dir: docs\nnav: [index.md]\n", "utf-8"
    )
    built = build(config, tmp_path / "site")
    assert built.returncode == 1
    for said in ("'gone.md'", "'index.md#b'", "alone.md"):
        assert said in built.stderr
