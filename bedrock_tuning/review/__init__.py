"""From synthesized templates to proofs and pages; reads JSON only.

evidence = review.read(Path("cdk.out"), contracts)
violations = review.violations(evidence)
"""

from pathlib import Path

from bedrock_tuning.contracts import Contracts
from bedrock_tuning.errors import UserError
from bedrock_tuning.review.assembly import template
from bedrock_tuning.review.assembly.template import Assembly
from bedrock_tuning.review.bound_contracts import bind
from bedrock_tuning.review.check import Evidence, Violation
from bedrock_tuning.review.checks import CHECKS
from bedrock_tuning.review.iam import access
from bedrock_tuning.review.judgement import Judgement, evidence_of, judge, violations
from bedrock_tuning.review.pages.facts import Facts, gather
from bedrock_tuning.review.permitted import NOTHING, Permitted

__all__ = (
    "CHECKS",
    "Assembly",
    "Evidence",
    "Facts",
    "Judgement",
    "Violation",
    "assembly",
    "described",
    "evidence_of",
    "judge",
    "read",
    "violations",
)


def read(cdk_out: Path, contracts: Contracts, *, alone: bool = True) -> Evidence:
    """What is to be checked in a cdk.out; raises OSError or ValueError when it cannot be read.

    alone: whether a stack that the contracts do not name is a fault; otherwise it is another app's.
    """
    return evidence_of(assembly(cdk_out, contracts, alone=alone), contracts)


def assembly(cdk_out: Path, contracts: Contracts, *, alone: bool = True) -> Assembly:
    """What is in a cdk.out; for alone and errors, see read."""
    return template.read(cdk_out, only=None if alone else contracts.stacks)


def described(
    permissions: access.EffectivePermissions,
    contracts: Contracts | None,
    permits: Permitted = NOTHING,
) -> Facts:
    """What a reviewer wants to know of a whole assembly; judged if there are contracts for it.

    permits: what review.toml says.
    """
    try:
        facts = gather(permissions, bind(contracts, permissions.assembly) if contracts else None)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        # CloudFormation would refuse such a value; the checks refuse it in a synthesis.
        raise UserError(
            f"a property has a value of another form than its type has: {error}",
            where=str(permissions.assembly.folder),
            fix="synthesize again, and change nothing by hand",
        ) from error
    if contracts is not None:
        judgement = judge(permissions.assembly, contracts, permits)
        facts.violations = judgement.violations
        facts.permitted = list(judgement.permitted)
        facts.proved = True
        facts.checks = len(CHECKS)
    return facts
