"""The table of scores, and the survivors, in Markdown."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from tools.mutants.operators import Mutant
from tools.mutants.running import MutantVerdict


@dataclass(frozen=True, slots=True, kw_only=True)
class MutantResult:
    """A mutant and what became of it."""

    mutant: Mutant
    verdict: MutantVerdict

    @property
    def dead(self) -> bool:
        """Whether a test failed or never ended."""
        return self.verdict in ("killed", "timeout")

    def __str__(self) -> str:
        """One line, as the survivors are listed."""
        where = f"{self.mutant.module}:{self.mutant.line} {self.mutant.scope}"
        change = f"{_short(self.mutant.old)} → {_short(self.mutant.new)}"
        return f"{self.verdict}: {where}, {self.mutant.operator}: {change}"


def mutants_page(
    results: Sequence[MutantResult],
    targets: Mapping[str, str],
    *,
    seed: str,
    commit: str,
    goal: float,
) -> str:
    """Scores by target and module, survivors last."""
    of_module: dict[str, list[MutantResult]] = defaultdict(list)
    of_target: dict[str, list[MutantResult]] = defaultdict(list)
    for result in results:
        of_module[result.mutant.module].append(result)
        of_target[targets[result.mutant.module]].append(result)
    survivors = [result for result in results if not result.dead]
    return "\n".join(
        [
            "# Mutation scores",
            "",
            f"Written by `make mutants` on {datetime.now(UTC):%Y-%m-%d} at commit {commit}, seed "
            f"{seed}. A sample: {len(results)} mutants that are not listed in equivalent.toml. "
            f"The goal is {goal:.0%}.",
            "",
            "| target | mutants | dead | score |",
            "|---|---|---|---|",
            *(_row(name, found) for name, found in sorted(of_target.items())),
            _row("**all**", results),
            "",
            "| module | mutants | dead | score |",
            "|---|---|---|---|",
            *(_row(name, found) for name, found in sorted(of_module.items())),
            "",
            "## Survivors",
            "",
            *(f"* {_code(result)}" for result in survivors),
            "",
        ]
    )


def _row(name: str, results: Sequence[MutantResult]) -> str:
    dead = sum(result.dead for result in results)
    score = f"{dead / len(results):.0%}" if results else "–"
    return f"| {name} | {len(results)} | {dead} | {score} |"


def _code(result: MutantResult) -> str:
    mutant = result.mutant
    return (
        f"`{mutant.module}` {mutant.scope} ({result.verdict}), {mutant.operator}: "
        f"`{_short(mutant.old)}` → `{_short(mutant.new)}`"
    )


def _short(code: str) -> str:
    line = " ".join(code.replace("`", "'").split())
    return line if len(line) <= 120 else f"{line[:119]}…"
