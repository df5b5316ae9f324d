"""The violations as SARIF, for code hosts and editors."""

import json
from typing import Any, Final

from bedrock_tuning.report.formats import SARIF_SCHEMA
from bedrock_tuning.review.about import Origin
from bedrock_tuning.review.check import Violation
from bedrock_tuning.review.checks import CHECKS
from bedrock_tuning.review.pages.facts import Facts
from bedrock_tuning.wording import printable

_TOOL: Final = "bedrock-tuning review"


def violations_to_sarif(facts: Facts, about: Origin) -> bytes:
    """SARIF 2.1.0: one run, each check as a rule, each violation at its template and construct.

    An assembly that was not judged has a run that failed: no result is no pass.
    """
    sentences = {check.id: check.sentence for check in CHECKS}
    check_ids = sorted({violation.check for violation in facts.violations} | sentences.keys())
    run = {
        "tool": {
            "driver": {
                "name": _TOOL,
                "version": about.versions.get("bedrock-tuning", "unknown"),
                "rules": [
                    {
                        "id": check_id,
                        "shortDescription": {"text": sentences.get(check_id, check_id)},
                    }
                    for check_id in check_ids
                ],
            }
        },
        "invocations": [{"executionSuccessful": facts.proved}],
        "results": [_result(violation, facts) for violation in facts.violations],
    }
    document = {"$schema": SARIF_SCHEMA, "version": "2.1.0", "runs": [run]}
    return f"{json.dumps(document, indent=2, ensure_ascii=False)}\n".encode()


def _result(violation: Violation, facts: Facts) -> dict[str, Any]:
    stack = violation.where.partition("/")[0]
    file = f"{stack}.template.json" if stack in facts.stacks else "manifest.json"
    text = f"{violation.what}; {violation.limit}. {violation.whole_fix}"
    return {
        "ruleId": violation.check,
        "level": "error",
        "message": {"text": printable(text)},
        "locations": [
            {
                "physicalLocation": {"artifactLocation": {"uri": f"cdk.out/{file}"}},
                "logicalLocations": [{"fullyQualifiedName": printable(violation.where)}],
            }
        ],
    }
