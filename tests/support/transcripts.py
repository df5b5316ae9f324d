"""Pages whose console blocks are run: `$ ` begins a command, what follows is what it prints.

A line of one `…` stands for any lines. Names that are new at each run (runs, ARNs, buckets), times
and decimal numbers may be others than on the page; a name that comes again must be the same again,
also in a later command. `<!-- exit code 1 -->` before a block is that of its last command, and
`<!-- not run: why -->` leaves a block out. A block with the title of a file is that file.
"""

import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

ANY = "…"
_BLOCK = re.compile(r"(?:<!-- (?P<note>[^\n]*?) -->\n)?```console\n(?P<text>.*?)```\n", re.DOTALL)
# A command goes on after a backslash at the end of its line.
_STEP = re.compile(r"^\$ ((?:.*\\\n)*.*\n)((?:(?!\$ ).*\n)*)", re.MULTILINE)
_FILE = re.compile(r'```\w+ title="([^"]+)"\n(.*?)```\n', re.DOTALL)
# What differs from run to run, by kind. Earlier ones win.
_NAMES = {
    "run": r"\d{8}-\d{6}-(?:[a-z]+-)?[0-9a-z]{6}",
    "time": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ|\b\d:\d\d:\d\d\b",
    "arn": r"arn:aws:bedrock:[\w:.-]+/(?:[\w:.-]+/)?[0-9a-z]{12}",
    "bucket": r"tuning-local-[a-z]+-[a-z]+[0-9a-f]{8}-[0-9a-f]+",
    "endpoint": r"\blocal(?:-[a-z]+)+-[0-9a-f]{8}\b(?!-)",
    "picture": r"\bpicture-\d{5}\.\w{3}\b",
    "step": r"\bat step \d+\b",
    "answer": r"\[Bedrock simulator\] .*|\b\d+ (?:characters|bytes)\b",
    "number": r"[+-]?\b\d+\.\d+\b",
}
# A run that is followed shows a phase of its job only if it is there at that moment.
_PHASE = re.compile(r"^.*: Bedrock: .*\n", re.MULTILINE)
_ANY_NAME = re.compile("|".join(f"(?P<{kind}>{each})" for kind, each in _NAMES.items()))
# Of these, the same one on the page is the same one in the run.
_KEPT = ("run", "arn", "bucket", "endpoint")


@dataclass
class Step:
    """One command of a page. start, end: of its output in the page's text."""

    command: str
    output: str
    start: int
    end: int
    code: int = 0


def steps(page: str) -> Iterator[Step]:
    """The commands of a page in their order."""
    for block in _BLOCK.finditer(page):
        note = block["note"] or ""
        if note.startswith("not run"):
            continue
        found = list(_steps(block["text"], block.start("text")))
        if note.startswith("exit code"):
            found[-1].code = int(note.split()[-1])
        yield from found


def _steps(text: str, start: int) -> Iterator[Step]:
    for part in _STEP.finditer(text):
        command = part[1].replace("\\\n", "").strip()
        yield Step(command, part[2], start + part.start(2), start + part.end(2))


def files(page: str) -> dict[str, str]:
    """The files that a page tells to save, by the titles of their blocks."""
    return {block[1]: block[2] for block in _FILE.finditer(page)}


@dataclass
class Terminal:
    """Where a page's commands are run. names: of the page, and what they are here."""

    folder: Path
    environment: Mapping[str, str]
    names: dict[str, str] = field(default_factory=dict)

    def run(self, step: Step) -> str:
        """What the command prints; names in it that the page has from earlier output are ours."""
        command = _ANY_NAME.sub(lambda name: self.names.get(name[0], name[0]), step.command)
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=self.folder,
            env={**os.environ, **self.environment, "PYTHONUNBUFFERED": "1"},
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, check=False, timeout=300,
        )  # fmt: skip
        assert done.returncode == step.code, (
            f"$ {command}\n{done.stdout}exit code {done.returncode}"
        )
        return done.stdout

    def same(self, expected: str, printed: str) -> bool:
        """Whether a command printed what its page says, but for the phases that it met."""
        expected, printed = (_PHASE.sub("", each) for each in (expected, printed))
        found = re.fullmatch("".join(map(self._pattern, expected.splitlines())), printed)
        if found is None:
            return False
        names = [each for each in _ANY_NAME.finditer(expected) if each.lastgroup in _KEPT]
        for each, here in zip(names, found.groups(), strict=True):
            if self.names.setdefault(each[0], here) != here:
                return False
        return True

    def as_on_the_page(self, expected: str, printed: str) -> str:
        """What a command printed, with the page's names for what it has names for."""
        for kind in _KEPT:
            known, here = (
                list(dict.fromkeys(re.findall(_NAMES[kind], text))) for text in (expected, printed)
            )
            for name, other in zip(known, here, strict=False):
                self.names.setdefault(name, other)
        names = {here: name for name, here in self.names.items()}
        return _ANY_NAME.sub(lambda name: names.get(name[0], name[0]), printed)

    def _pattern(self, line: str) -> str:
        """A line of a page as a regular expression, with a group for each name that is kept."""
        if line.strip() == ANY:
            return r"(?:.*\n)*?"
        parts, done = [], 0
        for name in _ANY_NAME.finditer(line):
            # Columns of tables are as wide as what is in them.
            parts.append(_text(line[done : name.start()]))
            each = _NAMES[str(name.lastgroup)]
            parts.append(f"({each})" if name.lastgroup in _KEPT else f"(?:{each})")
            done = name.end()
        return "".join(parts) + _text(line[done:]) + r"[ ]*\n"


def _text(part: str) -> str:
    return re.sub(r"(?:\\ ){2,}", "[ ]{2,}", re.escape(part))


def rewritten(page: str, printed: Mapping[int, str]) -> str:
    """The page with other outputs. printed: by the number of the step."""
    found = list(steps(page))
    for number in sorted(printed, reverse=True):
        step = found[number]
        page = page[: step.start] + printed[number] + page[step.end :]
    return page
