"""Whether the deployed roles may do what their contracts say, by IAM itself."""

import json
from collections.abc import Iterator
from typing import Any, Final

from bedrock_tuning.client.doctor import deployed_roles
from bedrock_tuning.client.doctor.check import Observation, Subject, doctor_check, fail, ok
from bedrock_tuning.wording import counted

_TYPES: Final = {"ERROR": "fail", "SECURITY_WARNING": "fail", "WARNING": "warn"}


@doctor_check(
    "the deployed roles may do what their contracts say", asks="iam:SimulatePrincipalPolicy"
)
def _permissions(subject: Subject) -> Iterator[Observation]:
    """One call for each action on each resource: IAM simulates no others together."""
    deployed = deployed_roles.find_roles(subject)
    iam, count = subject.aws.iam, 0
    for line in deployed.lines:
        context: list[Any] = [
            {"ContextKeyName": key, "ContextKeyValues": [value], "ContextKeyType": "string"}
            for key, value in line.context.items()
        ]
        answer = iam.simulate_principal_policy(
            PolicySourceArn=line.arn,
            ActionNames=[line.action],
            ResourceArns=[line.resource],
            ContextEntries=context,
        )
        (result,) = answer["EvaluationResults"]
        if result["EvalDecision"] == "allowed":
            count += 1
            continue
        yield fail(
            f"{line.arn.rpartition('/')[2]} may not do {line.action} on {line.resource}: "
            f"{_reason(result)}",
            fix="cdk deploy --all --revert-drift, or ask who set the boundary or the "
            "organization's policy to allow it",
        )
    if count:
        roles = counted(len(deployed.names), "role")
        yield ok(f"{count} permissions of {roles} are as their contracts say")


def _reason(result: Any) -> str:
    if not result.get("OrganizationsDecisionDetail", {}).get("AllowedByOrganizations", True):
        return "a policy of the organization"
    boundary = result.get("PermissionsBoundaryDecisionDetail", {})
    if not boundary.get("AllowedByPermissionsBoundary", True):
        return "the permissions boundary"
    is_denied = result["EvalDecision"] == "explicitDeny"
    return "a policy denies it" if is_denied else "no policy allows it"


@doctor_check("AWS finds no fault in the roles' policies", asks="access-analyzer:ValidatePolicy")
def _policies(subject: Subject) -> Iterator[Observation]:
    analyzer, iam = subject.aws.access_analyzer, subject.aws.iam
    names = deployed_roles.find_roles(subject).names
    clean = 0
    for name in sorted(names.values()):
        for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]:
            document = iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
            findings = analyzer.validate_policy(
                policyDocument=json.dumps(document), policyType="IDENTITY_POLICY"
            )["findings"]
            reported = [finding for finding in findings if finding["findingType"] in _TYPES]
            clean += not reported
            for finding in reported:
                yield Observation(
                    state=_TYPES[finding["findingType"]],  # type: ignore[arg-type]
                    seen=f"{name}: {finding['issueCode']}: {finding['findingDetails']}",
                    fix=f"report it, with {finding['learnMoreLink']}",
                )
    if clean:
        yield ok(f"Access Analyzer finds nothing in {clean} policies")


@doctor_check(
    "the deployed roles may do nothing that their contracts do not say",
    asks="access-analyzer:CheckNoNewAccess",
    option="--check-access",
    costs="AWS bills each custom policy check of Access Analyzer, one for each role",
)
def _new_access(subject: Subject) -> Iterator[Observation]:
    """Whether a deployed policy allows what its contract does not: Access Analyzer proves it."""
    analyzer, iam = subject.aws.access_analyzer, subject.aws.iam
    deployed, count = deployed_roles.find_roles(subject), 0
    for name, physical in sorted(deployed.names.items()):
        for policy in iam.list_role_policies(RoleName=physical)["PolicyNames"]:
            document = iam.get_role_policy(RoleName=physical, PolicyName=policy)["PolicyDocument"]
            answer = analyzer.check_no_new_access(
                existingPolicyDocument=json.dumps(deployed.policies[name]),
                newPolicyDocument=json.dumps(document),
                policyType="IDENTITY_POLICY",
            )
            if answer["result"] == "PASS":
                count += 1
                continue
            reasons = "; ".join(reason["description"] for reason in answer.get("reasons", ()))
            yield fail(
                f"{physical} may do more than its contract says: {reasons or answer['message']}",
                fix="cdk deploy --all --revert-drift, and find out in CloudTrail who changed it",
            )
    if count:
        roles = counted(count, "role")
        yield ok(f"nothing beyond the contracts is allowed to {roles}")


@doctor_check(
    "you may see what is billed by the hour", asks="bedrock:GetProvisionedModelThroughput"
)
def _endpoints_seen(subject: Subject) -> Iterator[Observation]:
    """Asks for an endpoint that is not there: an answer that says so shows that one may ask."""
    bedrock = subject.aws.bedrock
    account = subject.aws.sts.get_caller_identity()["Account"]
    prefix = f"arn:{bedrock.meta.partition}:bedrock:{subject.region}:{account}"
    arn = f"{prefix}:provisioned-model/doctor000000"
    try:
        bedrock.get_provisioned_model_throughput(provisionedModelId=arn)
    except bedrock.exceptions.ResourceNotFoundException:
        yield ok("you may see endpoints")
    except bedrock.exceptions.AccessDeniedException:
        yield fail(
            "you may not see endpoints, which are billed by the hour",
            "ask the administrator of the account for bedrock:GetProvisionedModelThroughput",
        )
