"""What each role can do at all: every action of every AWS service, asked of the simulator.

python -m tests.review.iam.oracle.exhaustive      writes tests/review/iam/effective.yaml anew
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from bedrock_tuning.review.assembly.identity import ACCOUNT
from bedrock_tuning.review.check import Evidence
from bedrock_tuning.review.iam.access import IamRole
from bedrock_tuning.review.iam.policy import Statement
from bedrock_tuning.review.iam.simulator import usual_context
from tests.review.iam.oracle.documents import document
from tests.review.iam.oracle.simulator import ROOT
from tests.review.iam.probes import concrete, context_for

SCRIPT = Path(__file__).with_name("exhaustive.mjs")
SNAPSHOT = Path(__file__).parents[1] / "effective.yaml"
# What the data calls the resource types that templates have.
_TYPES = {
    "AWS::DynamoDB::Table": ("dynamodb:table",),
    "AWS::IAM::Role": ("iam:role",),
    "AWS::KMS::Key": ("kms:key",),
    "AWS::Lambda::Function": ("lambda:function",),
    "AWS::S3::Bucket": ("s3:bucket",),
    "AWS::SNS::Topic": ("sns:topic",),
    "AWS::SQS::Queue": ("sqs:queue",),
    "AWS::StepFunctions::StateMachine": ("states:statemachine",),
}


def run(evidence: Evidence, *, full: bool, only: str = "") -> dict[str, Any]:
    """{"actions": how many there are, "count": simulations, "allowed": role → action → ARNs}."""
    permissions = evidence.permissions
    resources: dict[str, list[str]] = {}
    for resource in evidence.assembly.resources:
        for kind in _TYPES.get(resource.type, ()):
            resources.setdefault(kind, []).append(resource.arn)
    resources["s3:object"] = sorted({*_keys(evidence)})
    resources["logs:log-stream"] = [
        f"{group.arn.removesuffix(':*')}:log-stream:sample"
        for group in evidence.assembly.of_type("AWS::Logs::LogGroup")
    ]
    resources["s3:bucket"].append("arn:aws:s3:::somebody-elses-bucket")
    resources["kms:key"].append(f"arn:aws:kms:{evidence.bound.region}:{ACCOUNT}:key/another")
    usual = usual_context()
    roles = [
        {
            "name": _name(role),
            "arn": role.arn,
            "identity": document(role.policy),
            "spoken": [
                {"action": action, "context": {**usual, **context_for(statement.conditions)}}
                for statement in role.policy
                for action in (*statement.actions, *statement.not_actions)
            ],
            "targets": _targets(role.policy),
        }
        for role in permissions.roles.values()
        if only in _name(role)
    ]
    question = {
        "account": ACCOUNT,
        "region": evidence.bound.region,
        "full": full,
        "context": usual,
        "roles": roles,
        "resources": resources,
        "policies": {arn: document(found) for arn, found in permissions.policies.items()},
    }
    done = subprocess.run(
        ["node", "--no-warnings", str(SCRIPT)],
        input=json.dumps(question),
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def _name(role: IamRole) -> str:
    """Its stack and its path: each customization's stack has roles of the same paths."""
    return f"{role.resource.stack}/{role.path}"


def listed_as(role: IamRole) -> str:
    """What a role is called in the snapshot."""
    return _shown(_name(role))


def _shown(name: str) -> str:
    return name.partition("/")[2].removesuffix("/Role")


def _keys(evidence: Evidence) -> Iterator[str]:
    """Keys of all patterns, others that look like them, and each folder's in every other bucket."""
    patterns = {
        concrete(resource)
        for role in evidence.permissions.roles.values()
        for statement in role.policy
        for resource in statement.resources
        if ":s3:::" in resource and "/" in resource
    }
    folders = {"other": "other/key"}
    for pattern in sorted(patterns):
        bucket, _, key = pattern.partition("/")
        folders.setdefault(key.partition("/")[0], key)
        yield from (pattern, f"{bucket}/{key.replace('/', 'x/', 1)}")
    for bucket in evidence.assembly.of_type("AWS::S3::Bucket"):
        yield from (f"{bucket.arn}/{key}" for key in folders.values())
    yield "arn:aws:s3:::somebody-elses-bucket/other/key"


def _targets(statements: Sequence[Statement]) -> dict[str, list[str]]:
    """By service, one resource for each pattern that a role's statements name."""
    found: dict[str, set[str]] = {}
    for statement in statements:
        for resource in statement.resources:
            if resource.startswith("arn:"):
                found.setdefault(resource.split(":")[2], set()).add(concrete(resource))
    return {service: sorted(arns) for service, arns in found.items()}


def readable(evidence: Evidence, allowed: Mapping[str, Mapping[str, list[str]]]) -> dict[str, Any]:
    """The answer with construct paths for ARNs, sorted, for a file that people compare."""
    plain = {
        role: {
            action: sorted(evidence.readable(arn).replace(ACCOUNT, "<account>") for arn in arns)
            for action, arns in sorted(actions.items())
        }
        for role, actions in sorted(allowed.items())
    }
    return {_shown(role): found for role, found in plain.items()}


def text(evidence: Evidence) -> str:
    """The snapshot's text."""
    allowed = run(evidence, full=False)["allowed"]
    body: str = yaml.safe_dump(readable(evidence, allowed), width=100, sort_keys=True)
    return (
        "# What each role can do, of all actions of all services, by an independent simulator.\n"
        "# Written by: python -m tests.review.iam.oracle.exhaustive\n" + body
    )


def main() -> None:
    """Writes the snapshot of the default environment."""
    from app import ROOT as REPOSITORY
    from app import build_app, read_context
    from bedrock_tuning.config import customization, settings
    from bedrock_tuning.contracts import contracts
    from tests.review.broken import Synthesized

    with tempfile.TemporaryDirectory() as outdir:
        build_app(read_context(), outdir=outdir).synth()
        promised = contracts(
            settings.read(read_context()["tuning"]),
            customization.load_all(REPOSITORY / "customizations"),
        )
        evidence = Synthesized.read(Path(outdir), promised).evidence()
    SNAPSHOT.write_text(text(evidence), "utf-8")
    sys.stderr.write(f"wrote {SNAPSHOT.name}\n")


if __name__ == "__main__":
    main()
