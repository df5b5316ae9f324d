"""The report's page in a real browser: nothing sticks out, at a desk's and at a phone's width."""

from pathlib import Path

import pytest

from bedrock_tuning.report.html import to_html
from tests.report.test_report import bad_report, good_report
from tests.run.test_what_a_run_takes import priced_report
from tests.support import browser

pytestmark = pytest.mark.slow

REPORTS = {"bad": bad_report, "good": good_report, "priced": priced_report}


@pytest.mark.skipif(browser.CHROMIUM is None, reason="no Chromium on this machine")
@pytest.mark.parametrize("name", REPORTS)
@pytest.mark.parametrize(("width", "dark"), [(1400, False), (390, False), (390, True)])
def test_nothing_sticks_out(name: str, width: int, dark: bool, tmp_path: Path) -> None:
    html = to_html(REPORTS[name]())
    seen = browser.look(html, tmp_path, width=width, dark=dark, may_scroll="svg")
    assert seen.scroll <= seen.client <= width
    assert seen.sticking == 0
    assert seen.dark == dark
