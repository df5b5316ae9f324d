"""docs/unknowns.md: what only AWS can show, how to find out, and what it answered."""

from pathlib import Path
from typing import Final

from bedrock_tuning.client.doctor.every_check import CHECKS
from bedrock_tuning.client.doctor.unknowns import VERIFIED, Unknown, read_verified, unknowns

_HEADER: Final = """# What only AWS can show

`make docs` writes this page from `bedrock_tuning/client/doctor/unknowns.toml` and `verified.toml`.
Edit these, not the page.

Nothing here has run on a real AWS account. The local AWS is an emulator with a Bedrock simulator,
and everything was compared with AWS's documentation. These assumptions remain. `tuning doctor`
answers those that have a check and writes the answers into `verified.toml`: send us yours, and both
this page and the local AWS follow them.

| What is assumed | Why | If it is wrong | How to find out | AWS's answer |
| --- | --- | --- | --- | --- |
"""


def unknowns_page(root: Path) -> str:
    """The whole page. root: the project's folder, where verified.toml is once there are answers."""
    answers: dict[str, list[str]] = {}
    for each in read_verified(root / VERIFIED):
        where = f"{each.date}, {each.region}, account {each.account}"
        answers.setdefault(each.unknown, []).append(f"{each.answer} ({where})")
    rows = [
        f"| {unknown.assumption} | {unknown.why} | {unknown.breaks} | {_how(unknown)} "
        f"| {'; '.join(answers.get(id, ['not asked yet']))} |"
        for id, unknown in unknowns().items()
    ]
    return _HEADER + "\n".join(rows) + "\n"


def _how(unknown: Unknown) -> str:
    if not unknown.check:
        return unknown.test
    check = next(each for each in CHECKS if each.id == unknown.check)
    if not check.costs:
        return f"`tuning doctor {check.id}`. 0 USD."
    return f"`tuning doctor {check.id} {check.option}`. {check.costs}."
