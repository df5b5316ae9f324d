"""The custom resource Custom::ClosedSecurityGroup: a VPC's default group loses all of its rules."""

from typing import Any

from bedrock_tuning.sources.listing import listed
from lambdas import _aws
from lambdas._deploying import _cloudformation


def handler(event: dict[str, Any], context: object) -> None:
    """event: a CloudFormation custom resource request. ResourceProperties: GroupId.

    Deletion leaves the group as it is: it goes with its VPC.
    """

    def act(answer: dict[str, Any]) -> None:
        if event["RequestType"] != "Delete":
            group = event["ResourceProperties"]["GroupId"]
            answer["PhysicalResourceId"] = f"closed/{group}"
            answer["Reason"] = f"{_close(group)} rules revoked"

    _cloudformation.respond(event, act, unknown="closed/unknown")


def _close(group: str) -> int:
    """Revokes every rule and returns how many there were."""
    ec2 = _aws.ec2()
    filters = [{"Name": "group-id", "Values": [group]}]
    rules = list(
        listed(ec2, "describe_security_group_rules", "SecurityGroupRules", Filters=filters)
    )
    ingress = [rule["SecurityGroupRuleId"] for rule in rules if not rule["IsEgress"]]
    egress = [rule["SecurityGroupRuleId"] for rule in rules if rule["IsEgress"]]
    if ingress:
        ec2.revoke_security_group_ingress(GroupId=group, SecurityGroupRuleIds=ingress)
    if egress:
        ec2.revoke_security_group_egress(GroupId=group, SecurityGroupRuleIds=egress)
    return len(rules)
