"""The report's page in a real browser: nothing sticks out, at a desk's and at a phone's width."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.tuning.test_report import bad_report, good_report
from tests.tuning.test_what_a_run_takes import priced_report

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    "--virtual-time-budget=2000",
)
REPORTS = {"bad": bad_report, "good": good_report, "priced": priced_report}
# Runs in the page's copy only: the page itself forbids scripts.
PROBE = """<script>
const root = document.documentElement;
const wide = [...document.querySelectorAll("main *")].filter(
  (e) => e.getBoundingClientRect().right > root.clientWidth + 1 && !e.closest("svg"));
root.dataset.probe = [root.clientWidth, root.scrollWidth, wide.length,
  getComputedStyle(document.body).backgroundColor].join("|");
</script>"""


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
@pytest.mark.parametrize("name", REPORTS)
@pytest.mark.parametrize(("width", "dark"), [(1280, False), (500, False), (500, True)])
def test_nothing_sticks_out(name: str, width: int, dark: bool, tmp_path: Path) -> None:
    report = REPORTS[name]()
    html = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", report.to_html())
    file = tmp_path / "report.html"
    file.write_text(html.replace("</body>", f"{PROBE}</body>"))
    shown = subprocess.run(
        [
            str(CHROMIUM),
            *FLAGS,
            f"--user-data-dir={tmp_path / 'profile'}",
            f"--window-size={width},900",
            f"--blink-settings=preferredColorScheme={int(not dark)}",
            "--dump-dom",
            file.as_uri(),
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    ).stdout
    found = re.search(r'data-probe="(\d+)\|(\d+)\|(\d+)\|rgb\((\d+)', shown)
    assert found is not None
    client, scroll, sticking, red = map(int, found.groups())
    assert scroll <= client <= width
    assert sticking == 0
    assert (red < 60) == dark
