"""The exceptions of the domain: one class per thing a caller handles differently.

TuningError
├── CatalogueError        a file in bedrock_tuning/catalogue/ is wrong: our fault, never the user's
├── ProblemsError         the user's input is wrong, with every problem found in one pass
│   ├── CustomizationError    a file in customizations/
│   ├── SettingsError         cdk.json and the settings under "tuning" in it
│   ├── ConfigurationError    any of both, for who reads both
│   └── RequestError          a request that Amazon Bedrock would refuse
├── UserError             a request that cannot be carried out, with its place and its fix
└── SourceError           bytes of a dataset could not be read
    └── DeniedError           because the reader may not: nothing that a repetition would cure

A finding about a dataset is a value (bedrock_tuning.rules.finding.Finding), never an exception.
"""

from collections.abc import Iterable


class TuningError(Exception):
    """Root of every exception that this package raises on purpose."""


class CatalogueError(TuningError):
    """A model file does not say what the catalogue needs; names the file and the key."""


class ProblemsError(TuningError):
    """Wrong input, with all its problems.

    problems: one sentence each: where, what, the limit, the fix; by file, in the order of lines.
    """

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = _by_line(problems)
        super().__init__("\n".join(self.problems))


def _by_line(problems: Iterable[str]) -> tuple[str, ...]:
    """In the order in which somebody goes through the files, whichever check found what."""
    files: dict[str, int] = {}

    def place(problem: str) -> tuple[int, int]:
        file, _, rest = problem.partition(":")
        line = rest.partition(":")[0]
        return files[file], int(line) if line.isdecimal() else 0

    every = tuple(problems)
    for each in every:
        files.setdefault(each.partition(":")[0], len(files))
    return tuple(sorted(every, key=place))


class CustomizationError(ProblemsError):
    """One or more files in customizations/ are wrong."""


class SettingsError(ProblemsError):
    """cdk.json cannot be read, or the settings of its environments are wrong."""


class ConfigurationError(ProblemsError):
    """What the app is made from is wrong: cdk.json, files in customizations/, or both."""


class RequestError(ProblemsError):
    """A request breaks a pattern or a length that Amazon Bedrock demands."""


class UserError(TuningError):
    """A person's request cannot be carried out.

    what: the problem, in words. where: file, option or resource. fix: what to do.
    """

    def __init__(self, what: str, *, where: str = "", fix: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.fix = fix


class SourceError(TuningError):
    """A dataset's bytes could not be read: access denied, no such bucket, network."""


class DeniedError(SourceError):
    """The reader of the dataset lacks a permission; the message is AWS's own."""
