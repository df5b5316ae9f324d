"""The custom resource Custom::ClosedSecurityGroup: a VPC's default group loses all of its rules."""

import logging
from typing import Any

from lambdas import _aws, _cloudformation

logger = logging.getLogger(__name__)


def handler(event: dict[str, Any], context: object) -> None:
    """event: a CloudFormation custom resource request. ResourceProperties: GroupId.

    Deletion leaves the group as it is: it goes with its VPC.
    """
    known = event.get("PhysicalResourceId", "closed/unknown")
    answer = _cloudformation.answer_to(event, physical_id=known)
    try:
        if event["RequestType"] != "Delete":
            group = event["ResourceProperties"]["GroupId"]
            answer["PhysicalResourceId"] = f"closed/{group}"
            answer["Reason"] = f"{_close(group)} rules revoked"
    except Exception as error:
        # Without any answer CloudFormation would wait for its timeout.
        logger.exception("custom resource failed")
        answer |= {"Status": "FAILED", "Reason": _cloudformation.reason(error)}
        _cloudformation.send(event["ResponseURL"], answer)
        # So that the alarm rings. Lambda then calls again, which does no harm.
        raise
    _cloudformation.send(event["ResponseURL"], answer)


def _close(group: str) -> int:
    """Revokes every rule and returns how many there were."""
    ec2 = _aws.ec2()
    pages = ec2.get_paginator("describe_security_group_rules").paginate(
        Filters=[{"Name": "group-id", "Values": [group]}]
    )
    rules = [rule for page in pages for rule in page["SecurityGroupRules"]]
    incoming = [rule["SecurityGroupRuleId"] for rule in rules if not rule["IsEgress"]]
    outgoing = [rule["SecurityGroupRuleId"] for rule in rules if rule["IsEgress"]]
    if incoming:
        ec2.revoke_security_group_ingress(GroupId=group, SecurityGroupRuleIds=incoming)
    if outgoing:
        ec2.revoke_security_group_egress(GroupId=group, SecurityGroupRuleIds=outgoing)
    return len(rules)
