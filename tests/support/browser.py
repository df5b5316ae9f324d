"""A page in a real headless Chromium: what its scripts do, what sticks out, whether it is dark."""

import json
import re
import shutil
import subprocess
from html import escape, unescape
from pathlib import Path
from typing import Final, NamedTuple

CHROMIUM: Final = shutil.which("chromium") or shutil.which("chromium-browser")
_FLAGS: Final = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    "--virtual-time-budget=2000",
)
# Runs in the page's copy only: the pages themselves forbid scripts.
_PROBE: Final = """<script>
document.querySelectorAll("details").forEach((d) => { d.open = true; });
const root = document.documentElement;
const wide = [...document.querySelectorAll("main *")].filter((e) =>
  e.getBoundingClientRect().right > root.clientWidth + 1 && !e.closest("%s"));
const broken = [], texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
for (let node; (node = texts.nextNode()) && broken.length < 20;) {
  const around = node.parentElement;
  if (around.closest("pre, script, svg, style") || !around.checkVisibility()) continue;
  for (const word of node.data.matchAll(/[A-Za-z]{3,}/g)) {
    const place = new Range();
    place.setStart(node, word.index);
    place.setEnd(node, word.index + word[0].length);
    const lines = new Set([...place.getClientRects()].map((r) => Math.round(r.top)));
    if (lines.size > 1) broken.push(word[0]);
  }
}
parent.document.documentElement.dataset.probe = [root.clientWidth, root.scrollWidth, wide.length,
  getComputedStyle(document.body).backgroundColor, broken.join(" ")].join("|");
</script>"""


# Colours of what is behind a gradient or a picture it cannot judge; those are no violations.
_AXE: Final = Path(__file__).parents[2] / "node_modules/axe-core/axe.min.js"
_JUDGE: Final = """<script>%s</script><script>
document.querySelectorAll("details").forEach((d) => { d.open = true; });
axe.run().then((found) => {
  parent.document.documentElement.dataset.axe = JSON.stringify(found.violations.map((v) =>
    `${v.id} (${v.impact}): ${v.help}: ${v.nodes.slice(0, 3).map((n) => n.html).join(" ")}`));
});
</script>"""


def accessibility(html: str, folder: Path, *, dark: bool, width: int = 1400) -> list[str]:
    """What axe-core finds wrong with a page."""
    shown = _framed(html, _JUDGE % _AXE.read_text("utf-8"), folder, width=width, dark=dark)
    found = re.search(r'data-axe="([^"]*)"', shown)
    assert found is not None, "axe-core did not end"
    return list(json.loads(unescape(found[1])))


class Seen(NamedTuple):
    """Widths in pixels; sticking: elements beyond the right edge; dark: whether the ground is.

    broken: words of prose that go on in the next line.
    """

    client: int
    scroll: int
    sticking: int
    dark: bool
    broken: list[str]


def dom(url: str, folder: Path, *flags: str) -> str:
    """The page as its scripts leave it; folder: for the browser's own files."""
    profile = f"--user-data-dir={folder / 'profile'}"
    return subprocess.run(
        [str(CHROMIUM), *_FLAGS, profile, *flags, "--dump-dom", url],
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    ).stdout


def printed(html: str, folder: Path) -> int:
    """How many pages a page has on paper."""
    file, paper = folder / "page.html", folder / "page.pdf"
    file.write_text(html, "utf-8")
    dom(file.as_uri(), folder, f"--print-to-pdf={paper}")
    return len(re.findall(rb"/Type /Page\b", paper.read_bytes()))


def look(html: str, folder: Path, *, width: int, dark: bool, may_scroll: str) -> Seen:
    """Opens a page at a width; may_scroll: CSS selector of what may be wider than the page."""
    shown = _framed(html, _PROBE % may_scroll, folder, width=width, dark=dark)
    found = re.search(r'data-probe="(\d+)\|(\d+)\|(\d+)\|rgb\((\d+)[^|]*\|([^"]*)"', shown)
    assert found is not None, shown[-2000:]
    client, scroll, sticking, red = map(int, found.groups()[:4])
    return Seen(client, scroll, sticking, red < 60, unescape(found[5]).split())


def _framed(html: str, script: str, folder: Path, *, width: int, dark: bool) -> str:
    """What a page with a script of ours does to the page around it."""
    html = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", html)
    probed = escape(html.replace("</body>", f"{script}</body>"))
    # A window is at least 500 pixels wide, a frame as narrow as a phone.
    frame = f'<iframe style="width:{width}px;height:900px;border:0" srcdoc="{probed}"></iframe>'
    file = folder / "page.html"
    file.write_text(f'<!doctype html><meta charset="utf-8">{frame}', "utf-8")
    return dom(
        file.as_uri(),
        folder,
        f"--window-size={max(width, 500) + 20},950",
        f"--blink-settings=preferredColorScheme={int(not dark)}",
    )
