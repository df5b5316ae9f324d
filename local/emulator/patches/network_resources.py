"""Gap: CloudFormation knows no flow logs and no rules beside their security group."""

import secrets
from collections.abc import Mapping
from typing import Any, Final

from local.emulator.patches._patching import expect

Made = tuple[str, dict[str, Any]]

_RULES: Final = {
    "AWS::EC2::SecurityGroupIngress": "IpPermissions",
    "AWS::EC2::SecurityGroupEgress": "IpPermissionsEgress",
}


def apply() -> None:
    from ministack.services.cloudformation import provisioners

    handlers = provisioners._RESOURCE_HANDLERS
    for kind in ("AWS::EC2::FlowLog", *_RULES):
        expect(kind not in handlers, f"no {kind} in CloudFormation")
    handlers["AWS::EC2::FlowLog"] = {"create": _create_flow_log, "delete": _delete_flow_log}
    for kind, store in _RULES.items():
        handlers[kind] = {"create": _rule_maker(store), "delete": _rule_breaker(store)}


def _create_flow_log(_: str, properties: Mapping[str, Any], __: str) -> Made:
    from ministack.services import ec2

    name = f"fl-{secrets.token_hex(8)}"
    group = properties.get("LogGroupName", "")
    ec2._flow_logs[name] = {
        "FlowLogId": name,
        "ResourceId": properties["ResourceId"],
        "ResourceType": properties["ResourceType"],
        "TrafficType": properties.get("TrafficType", "ALL"),
        "LogDestinationType": properties.get("LogDestinationType", "cloud-watch-logs"),
        "LogDestination": properties.get("LogDestination", group),
        "FlowLogStatus": "ACTIVE",
        "CreationTime": ec2._now_ts(),
    }
    return name, {"Id": name}


def _delete_flow_log(name: str, _: Mapping[str, Any]) -> None:
    from ministack.services import ec2

    ec2._flow_logs.pop(name, None)


def _rule_maker(store: str) -> Any:
    def create(_: str, properties: Mapping[str, Any], __: str) -> Made:
        from ministack.services import ec2
        from ministack.services.cloudformation import provisioners

        group = ec2._security_groups[properties["GroupId"]]
        (rule,) = provisioners._ec2_sg_permissions([properties])
        rule["SecurityGroupRuleId"] = f"sgr-{secrets.token_hex(8)}"
        group[store].append(rule)
        return rule["SecurityGroupRuleId"], {"Id": rule["SecurityGroupRuleId"]}

    return create


def _rule_breaker(store: str) -> Any:
    def delete(name: str, properties: Mapping[str, Any]) -> None:
        from ministack.services import ec2

        group = ec2._security_groups.get(properties["GroupId"])
        if group is not None:
            group[store] = [r for r in group[store] if r.get("SecurityGroupRuleId") != name]

    return delete
