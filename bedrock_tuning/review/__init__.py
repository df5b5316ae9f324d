"""From synthesized templates to proofs and pages; reads JSON only.

subject = review.subject(Path("cdk.out"), contracts)
faults = review.faults(subject)
"""

from pathlib import Path

from bedrock_tuning.contracts import Contracts
from bedrock_tuning.review.assembly import template
from bedrock_tuning.review.bound_contracts import bind
from bedrock_tuning.review.check import Fault, Subject
from bedrock_tuning.review.checks import CHECKS
from bedrock_tuning.review.iam import access
from bedrock_tuning.review.pages.facts import Facts, gather

__all__ = ("CHECKS", "Facts", "Fault", "Subject", "described", "faults", "subject", "subject_of")


def subject(cdk_out: Path, contracts: Contracts) -> Subject:
    """What is to be checked in a cdk.out; raises OSError or ValueError when it cannot be read."""
    return subject_of(template.read(cdk_out), contracts)


def subject_of(assembly: template.Assembly, contracts: Contracts) -> Subject:
    """The same for templates that are resolved already."""
    return Subject(assembly=assembly, world=access.build(assembly), bound=bind(contracts, assembly))


def faults(checked: Subject) -> list[Fault]:
    """Everything that any check finds, in the order of the checks."""
    return [fault for check in CHECKS for fault in check.run(checked)]


def described(checked: Subject | None, seen: access.World) -> Facts:
    """What a reviewer wants to know; judged if there are contracts.

    checked: None for an assembly that nobody has contracts for. seen: its world.
    """
    facts = gather(seen, checked.bound if checked else None)
    if checked is not None:
        facts.faults = faults(checked)
        facts.proved = True
        facts.checks = len(CHECKS)
    return facts
