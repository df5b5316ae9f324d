"""Pages in a real browser: nothing sticks out, anybody can read them, and findings are found."""

import base64
import hashlib
import re
from pathlib import Path

import pytest

from bedrock_tuning.report.html import to_html
from tests.report import test_side_by_side
from tests.report.test_report import bad_report, good_report
from tests.report.test_run_page import FILES, page
from tests.run.test_what_a_run_takes import priced_report
from tests.support import browser
from tests.support.browser import View

pytestmark = pytest.mark.slow

PAGES = {
    "bad": lambda: to_html(bad_report()),
    "good": lambda: to_html(good_report()),
    "priced": lambda: to_html(priced_report()),
    "run": page,
    "side by side": test_side_by_side.page,
}


needs_browser = pytest.mark.skipif(browser.CHROMIUM is None, reason="no Chromium here")


@needs_browser
def test_nothing_sticks_out_and_no_number_breaks(tmp_path: Path) -> None:
    views = [View(1400, dark=False), View(390, dark=False), View(390, dark=True)]
    pages = {name: page() for name, page in PAGES.items()}
    for (name, view), seen in browser.look(pages, tmp_path, views, may_scroll="svg").items():
        assert seen.scroll <= seen.client <= view.width, (name, view)
        assert seen.sticking == 0, (name, view)
        assert seen.dark == view.dark, (name, view)
        assert [each for each in seen.broken if each[0].isdigit()] == [], (name, view)


@needs_browser
def test_axe_finds_nothing_wrong_with_the_page_of_a_run_full_of_findings(tmp_path: Path) -> None:
    html = page(files={**FILES, "report.json": bad_report().to_json()})
    views = [View(1400, dark=False), View(1400, dark=True)]
    for shown, found in browser.accessibility({"run": html}, tmp_path, views).items():
        assert found == [], shown


@needs_browser
def test_findings_are_searched_in_words_under_the_pages_own_policy(tmp_path: Path) -> None:
    """Typed by a second script, which the policy of this copy allows as well."""
    typed = (
        'document.querySelector(".filter input").value = "TOO-SMALL 1.png";'
        'document.querySelector(".filter").dispatchEvent(new Event("input"));'
    )
    digest = base64.b64encode(hashlib.sha256(typed.encode()).digest()).decode()
    html = to_html(bad_report())
    html = html.replace("; script-src ", f"; script-src 'sha256-{digest}' ")
    page = tmp_path / "page.html"
    page.write_text(html.replace("</body>", f"<script>{typed}</script></body>"), "utf-8")
    shown = browser.dom(page.as_uri(), tmp_path)
    cards = re.findall(r"<article[^>]*>.*?</article>", shown, re.DOTALL)
    (left,) = [card for card in cards if "hidden" not in card.partition(">")[0]]
    assert "folder/1.png" in left
    assert "image-side-too-small" in left
