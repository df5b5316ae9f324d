"""docs/unknowns.md: what only AWS can show, how to find out, and what it answered."""

from pathlib import Path

from bedrock_tuning.cli.pages.rendering import render
from bedrock_tuning.client.doctor.every_check import CHECKS
from bedrock_tuning.client.doctor.unknowns import VERIFIED, Unknown, read_verified, unknowns


def unknowns_page(root: Path) -> str:
    """The whole page. root: the project's folder, where verified.toml is once there are answers."""
    answers: dict[str, list[str]] = {}
    for each in read_verified(root / VERIFIED):
        where = f"{each.date}, {each.region}, account {each.account}"
        answers.setdefault(each.unknown, []).append(f"{each.answer} ({where})")
    rows = [
        (
            each.assumption,
            each.why,
            each.breaks,
            _how(each),
            "; ".join(answers.get(id, ["not asked yet"])),
        )
        for id, each in unknowns().items()
    ]
    return render("unknowns.md.j2", rows=rows)


def _how(unknown: Unknown) -> str:
    if not unknown.check:
        return unknown.test
    check = next(each for each in CHECKS if each.id == unknown.check)
    if not check.costs:
        return f"`tuning doctor {check.id}`. 0 USD."
    return f"`tuning doctor {check.id} {check.option}`. {check.costs}."
