"""cdk-nag's packs AwsSolutions and Serverless over the construct tree of the app.

For development only: `cdk synth` does not need cdk-nag, and no template says anything of it.
"""

from collections.abc import Iterable, Iterator
from typing import Final

import cdk_nag
from constructs import IConstruct

from tools.scan.cases import Case
from tools.scan.table import ScanFinding, general

CDK_NAG: Final = "cdk-nag"
# cdk-nag reports a rule that crashes like any finding, under the same id. It is none: the rule has
# judged nothing there. So it gets an id of its own, which accepting the finding does not cover.
THREW: Final = "{} (rule error)"
_THREW_TEXT: Final = "Rule threw an error"


def findings(
    tree: IConstruct, *, case: Case, customizations: Iterable[str] = ()
) -> Iterator[ScanFinding]:
    """What both packs say of a tree; one that was synthesized, so that aspects have been at work.

    Not as a plugin: that would fail the synthesis, for every user who installs only what the app
    needs, and print each finding.
    """
    names = list(customizations)
    for pack in (cdk_nag.AwsSolutionsChecks(), cdk_nag.ServerlessChecks()):
        for violation in pack.validate_scope(tree).violations:
            rule = general(violation.rule_name, case=case, customizations=names)
            if violation.description.startswith(_THREW_TEXT):
                rule = THREW.format(rule)
            for resource in violation.violating_resources:
                path = str(resource.construct_path)
                yield ScanFinding(
                    tool=CDK_NAG,
                    rule=rule,
                    where=general(path, case=case, customizations=names),
                    detail=violation.description,
                    case=case,
                )
