"""Whatever a comment, a docstring or a page refers to exists in this repository."""

import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
TOPS = "bedrock_tuning|customizations|docs|lambdas|local|stacks|tests|tools"
# A path below the root, perhaps with an anchor or, in prose, ", Heading".
PATH = re.compile(rf"(?<![\w/.:@<-])((?:{TOPS})/[\w./*-]*\w)(#[\w-]+)?")
HEADING = re.compile(r"((?:docs/)?[\w/-]+\.md), ([A-Z][\w' -]+[\w'])")
PAGE = re.compile(r"(?<![\w/.:<-])([\w./-]+\.md)\b")
LINK = re.compile(r"\]\((?!https?:)([\w./-]+)(#[\w-]+)?\)")
DOCSTRING = re.compile(r'^\s*r?"""(.*?)"""', re.M | re.S)
COMMENT = re.compile(r"(?:^|\s)(#[ :].*)$")
MODULE = re.compile(r"(?<![\w./])bedrock_tuning(?:\.\w+)+")
TEST = re.compile(r"`(test_\w+)`(?!\.)")
DECISION = re.compile(r"\bdecisions? (\d+)\b", re.I)
# Words for a reader to replace, and what commands make.
PLACEHOLDER = re.compile(r"NAME|KEY|<|\*\*")
MADE = ("build/", "customizations/answers.toml", "cdk.out", "report.md", "review.md", "RESULTS.md")
TEXT = (".md", ".toml", ".yml", ".in", "Makefile")
# Written by others, by a test run, or about other trees: a changelog and the page of mutation
# scores tell of what was.
SKIPPED = (
    "tests/stacks/__snapshots__/",
    "tests/dataset/data/",
    "CHANGELOG.md",
    "tools/mutants/RESULTS.md",
    "package-lock.json",
)


def tracked() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    names = [name for name in listed.stdout.split("\0") if name and not name.startswith(SKIPPED)]
    return [ROOT / name for name in names if (ROOT / name).is_file()]


def prose(file: Path) -> Iterator[tuple[int, str]]:
    """Line number and text of everything that is written for people."""
    source = file.read_text("utf-8")
    if file.suffix != ".py":
        yield from enumerate(source.splitlines(), 1)
        return
    for number, line in enumerate(source.splitlines(), 1):
        if (comment := COMMENT.search(line)) is not None:
            yield number, comment[1]
    for docstring in DOCSTRING.finditer(source):
        yield source.count("\n", 0, docstring.start()) + 1, docstring[1]


@cache
def anchors(page: Path) -> frozenset[str]:
    """What `#…` may name on a page: its headings as GitHub spells them, and ids."""
    text = page.read_text("utf-8")
    headings = re.findall(r"^#+ +(.+)$", text, re.M)
    plain = (re.sub(r"<[^>]*>|[^\w\s-]", "", heading).strip().lower() for heading in headings)
    return frozenset([heading.replace(" ", "-") for heading in plain]) | frozenset(
        re.findall(r'<a id="([^"]+)"', text)
    )


def missing(name: str, anchor: str, *, near: Path) -> str:
    """Why a path, seen from a file, leads nowhere; "" if it leads somewhere."""
    if PLACEHOLDER.search(name) or name.startswith(MADE):
        return ""
    for folder in (ROOT, near, ROOT / "docs"):
        found = next(iter(folder.glob(name)), None) if "*" in name else folder / name
        if found is not None and found.exists():
            if anchor and anchor[1:] not in anchors(found):
                return f"{name} has no heading {anchor}"
            return ""
    return f"there is no {name}"


def resolves(dotted: str) -> bool:
    """Whether the module exists, and holds what follows its name."""
    parts = dotted.split(".")
    for cut in range(len(parts), 0, -1):
        base = ROOT.joinpath(*parts[:cut])
        file = next(
            (f for f in (base.with_suffix(".py"), base / "__init__.py") if f.is_file()), None
        )
        if file is None:
            continue
        source = file.read_text("utf-8")
        return all(
            re.search(rf"^\s*(?:(?:async )?def |class |from .* import .*)?{name}\b", source, re.M)
            for name in parts[cut:]
        )
    return False


def broken(text: str, *, near: Path, markdown: bool) -> Iterator[str]:
    for name, anchor in PATH.findall(text):
        yield missing(name, anchor, near=near)
    for name in PAGE.findall(text):
        yield missing(name, "", near=near)
    for name, heading in HEADING.findall(text):
        file = next((f for f in (ROOT / name, near / name) if f.is_file()), None)
        slug = heading.lower().replace(" ", "-").replace("'", "")
        if file is not None and not any(slug.startswith(each) for each in anchors(file)):
            yield f"{name} has no heading {heading}"
    for dotted in MODULE.findall(text):
        if not resolves(dotted):
            yield f"there is no {dotted}"
    for number in DECISION.findall(text):
        if not list((ROOT / "docs/decisions").glob(f"{int(number):04d}-*.md")):
            yield f"there is no decision {number}"
    if markdown:
        for name in TEST.findall(text):
            if name not in named_tests():
                yield f"there is no test {name}"
        for name, anchor in LINK.findall(text):
            yield missing(name, anchor, near=near)


@cache
def named_tests() -> frozenset[str]:
    """The names of all tests."""
    texts = [file.read_text("utf-8") for file in tracked() if file.name.startswith("test_")]
    return frozenset(re.findall(r"^ *def (test_\w+)", "\n".join(texts), re.MULTILINE))


def test_every_reference_leads_somewhere() -> None:
    problems = [
        f"{file.relative_to(ROOT)}:{line}: {problem}"
        for file in tracked()
        if file.name.endswith((".py", *TEXT))
        for line, text in prose(file)
        for problem in broken(text, near=file.parent, markdown=file.suffix == ".md")
        if problem
    ]
    assert not problems, "\n".join(problems)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("see docs/none.md", "there is no docs/none.md"),
        ("see the-notes.md §4", "there is no the-notes.md"),
        ("as tests/none/test_x.py shows", "there is no tests/none/test_x.py"),
        ("docs/facts/iam.md#nothing", "docs/facts/iam.md has no heading #nothing"),
        ("docs/runbook.md, No such heading", "docs/runbook.md has no heading No such heading"),
        ("bedrock_tuning.none.at_all", "there is no bedrock_tuning.none.at_all"),
        ("bedrock_tuning.errors.NoError", "there is no bedrock_tuning.errors.NoError"),
        ("decision 999", "there is no decision 999"),
    ],
)
def test_a_reference_to_nothing_is_noticed(text: str, problem: str) -> None:
    assert problem in list(broken(text, near=ROOT, markdown=False))


def test_a_page_that_names_a_test_which_is_gone_is_noticed() -> None:
    found = broken("| `test_nothing_at_all` |", near=ROOT, markdown=True)
    assert list(filter(None, found)) == ["there is no test test_nothing_at_all"]
