"""A page in a real headless Chromium: what its scripts do, what sticks out, whether it is dark."""

import json
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
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
  for (const word of node.data.matchAll(/[A-Za-z]{3,}|(?<!\\S)\\d[\\d.,]+(?!\\S)/g)) {
    const place = new Range();
    place.setStart(node, word.index);
    place.setEnd(node, word.index + word[0].length);
    const lines = new Set([...place.getClientRects()].map((r) => Math.round(r.top)));
    if (lines.size > 1) broken.push(word[0]);
  }
}
parent.document.documentElement.dataset[window.name] = [
  root.clientWidth, root.scrollWidth, wide.length, getComputedStyle(document.body).backgroundColor,
  broken.join(" ")].join("|");
</script>"""


# Colours of what is behind a gradient or a picture it cannot judge; those are no violations.
_AXE: Final = Path(__file__).parents[2] / "node_modules/axe-core/axe.min.js"
_JUDGE: Final = """<script>%s</script><script>
document.querySelectorAll("details").forEach((d) => { d.open = true; });
axe.run().then((found) => {
  parent.document.documentElement.dataset[window.name] = JSON.stringify(found.violations.map((v) =>
    `${v.id} (${v.impact}): ${v.help}: ${v.nodes.slice(0, 3).map((n) => n.html).join(" ")}`));
});
</script>"""


class View(NamedTuple):
    """How somebody sees a page: the width in pixels, and whether the system's ground is dark."""

    width: int
    dark: bool


Shown = tuple[str, View]


def accessibility(
    pages: Mapping[str, str], folder: Path, views: Sequence[View]
) -> dict[Shown, list[str]]:
    """What axe-core finds wrong with each page in each view."""
    found = _framed(pages, _JUDGE % _AXE.read_text("utf-8"), folder, views)
    return {shown: json.loads(text) for shown, text in found.items()}


class Seen(NamedTuple):
    """Widths in pixels; sticking: elements beyond the right edge; dark: whether the ground is.

    broken: words of prose, and numbers, that go on in the next line.
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


def look(
    pages: Mapping[str, str], folder: Path, views: Sequence[View], *, may_scroll: str
) -> dict[Shown, Seen]:
    """Opens each page in each view; may_scroll: CSS selector of what may be wider than the page."""

    def seen(text: str) -> Seen:
        *widths, ground, broken = text.split("|")
        client, scroll, sticking = map(int, widths)
        (red, *_) = map(int, re.findall(r"\d+", ground))
        return Seen(client, scroll, sticking, red < 60, broken.split())

    found = _framed(pages, _PROBE % may_scroll, folder, views)
    return {shown: seen(text) for shown, text in found.items()}


def _framed(
    pages: Mapping[str, str], script: str, folder: Path, views: Sequence[View]
) -> dict[Shown, str]:
    """What a script of ours finds in each page. One browser shows them all: it starts slowly."""
    frames, names = [], {}
    for number, (page, view) in enumerate((page, view) for page in pages for view in views):
        name = f"frame{number}"
        names[name] = page, view
        html = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", pages[page])
        probed = escape(html.replace("</body>", f"{script}</body>"))
        # A window is at least 500 pixels wide, a frame as narrow as a phone; pages in it take its
        # colour scheme for the system's.
        style = f"width:{view.width}px;height:900px;border:0"
        scheme = "dark" if view.dark else "light"
        frames.append(
            f'<iframe name="{name}" style="{style};color-scheme:{scheme}" srcdoc="{probed}">'
            "</iframe>"
        )
    file = folder / "page.html"
    file.write_text('<!doctype html><meta charset="utf-8">' + "".join(frames), "utf-8")
    widest = max(view.width for view in views)
    shown = dom(file.as_uri(), folder, f"--window-size={max(widest, 500) + 20},950")
    found = dict(re.findall(r'data-(frame\d+)="([^"]*)"', shown.partition("<head")[0]))
    assert found.keys() == names.keys(), f"no answer of {names.keys() - found.keys()}"
    return {names[name]: unescape(text) for name, text in found.items()}
