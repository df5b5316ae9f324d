"""Which synthesis a review is about: environment, account, commit, date, versions."""

import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Final

from bedrock_tuning.commit import DIRTY, GIT

_PACKAGES: Final = ("bedrock-tuning", "aws-cdk-lib")


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """What the page and an attestation say of their origin.

    environment, account: "" where the settings name none. commit: of the folder in which the review
    runs, with "-dirty" if files there differ from it; "" without one. date: ISO 8601, UTC.
    """

    date: str
    environment: str = ""
    account: str = ""
    commit: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)

    def rows(self) -> list[tuple[str, str]]:
        """All of it as names and texts."""
        return [
            ("environment", self.environment or "not known"),
            ("account", self.account or "any: cdk.json names none"),
            ("commit", self._commit()),
            ("date", self.date),
            ("versions", ", ".join(f"{name} {version}" for name, version in self.versions.items())),
        ]

    def _commit(self) -> str:
        commit = self.commit.removesuffix(DIRTY)
        if commit == self.commit:
            return commit or "not known"
        return f"{commit}, with changes that are in no commit: they are what was reviewed"


def about(environment: str = "", account: str = "") -> Origin:
    """What is known here and now."""
    return Origin(
        date=f"{datetime.now(UTC):%Y-%m-%dT%H:%MZ}",
        environment=environment,
        account=account,
        commit=_commit(),
        versions=versions(),
    )


def versions() -> dict[str, str]:
    """The packages that decide what is synthesized and how it is judged."""
    by_package = {}
    for name in _PACKAGES:
        try:
            by_package[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return by_package


def _commit() -> str:
    git = shutil.which("git")
    if git is None:
        return ""
    process = subprocess.run(  # noqa: S603
        [git, *GIT],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path.cwd(),
    )
    return process.stdout.strip()
