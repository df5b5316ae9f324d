"""docs/unknowns.md: what only AWS can show, how to find out, and what it answered."""

from pathlib import Path

from bedrock_tuning.cli.pages.rendering import render_markdown
from bedrock_tuning.client.doctor.every_check import DOCTOR_CHECKS
from bedrock_tuning.client.doctor.unknowns import VERIFIED, Unknown, read_verified, unknowns


def unknowns_page(root: Path) -> str:
    """The whole page. root: the project's folder, where verified.toml is once there are answers."""
    answers: dict[str, list[str]] = {}
    for fact in read_verified(root / VERIFIED):
        origin = f"{fact.date}, {fact.region}, account {fact.account}"
        answers.setdefault(fact.unknown, []).append(f"{fact.answer} ({origin})")
    rows = [
        (
            unknown.assumption,
            unknown.why,
            unknown.breaks,
            _how_to_answer(unknown),
            "; ".join(answers.get(id, ["not asked yet"])),
        )
        for id, unknown in unknowns().items()
    ]
    return render_markdown("unknowns.md.j2", rows=rows)


def _how_to_answer(unknown: Unknown) -> str:
    if not unknown.check:
        return unknown.test
    check = next(entry for entry in DOCTOR_CHECKS if entry.id == unknown.check)
    if not check.costs:
        return f"`tuning doctor {check.id}`. 0 USD."
    return f"`tuning doctor {check.id} {check.option}`. {check.costs}."
