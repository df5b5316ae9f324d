"""What an assembly holds, who reaches what over the network, and what is billed meanwhile."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from bedrock_tuning.catalogue import BaseModel, catalogue, cite
from bedrock_tuning.contracts.written import customization
from bedrock_tuning.review.assembly.json_path import get, is_true
from bedrock_tuning.review.assembly.template import Resource
from bedrock_tuning.review.bound_contracts import Bound
from bedrock_tuning.review.iam.access import EffectivePermissions
from bedrock_tuning.review.iam.keys import default_encryption, key_arn, kms_key_of
from bedrock_tuning.review.pages.labels import Labels, type_label
from bedrock_tuning.wording import counted


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """Something that holds data: what, how sensitive, under which key, for how long."""

    name: str
    kind: str
    holds: str
    sensitive: str
    key: str
    kept: str
    survives: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkPath:
    """What reaches what over the network."""

    who: str
    way: str
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What is billed while nothing happens."""

    what: str
    unit: str
    until: str


_DATASETS: Final = "datasets: manifests, checked copies of them, images"
# By contract name: what it holds, and how sensitive that is.
_HOLDS: Final[Mapping[str, tuple[str, str]]] = {
    "training": (_DATASETS, "confidential"),
    "validation": (_DATASETS, "confidential"),
    "output": ("reports that quote rows, metrics, answers, decisions", "confidential"),
    "access-logs": ("who read and wrote which object", "internal"),
    "runs": ("runs: names, states, prices, approval tokens", "internal"),
    "topic": ("messages about runs", "internal"),
    "chat-topic": ("messages about runs, for Slack", "internal"),
    "dead-letters": ("undelivered events: names of objects", "internal"),
    "data-key": ("the key of datasets and results", "key"),
    "operations-key": ("the key of runs, messages and logs", "key"),
    "model-key": ("the key of custom models: without it they are lost", "key"),
    "network-key": ("the key of flow logs", "key"),
}
_BY_KIND: Final = {
    "bucket": ("objects", "unknown"),
    "table": ("items", "unknown"),
    "queue": ("messages", "unknown"),
    "topic": ("messages", "unknown"),
    "logs": ("what functions and services log", "internal"),
    "key": ("a key", "key"),
}


def stores(
    permissions: EffectivePermissions, labels: Labels, bound: Bound | None
) -> Iterator[Store]:
    """Everything that holds data, and the keys."""
    names = {resource.arn: name for name, resource in bound.resources.items()} if bound else {}
    for resource in permissions.assembly.resources:
        kind = type_label(resource)
        if kind not in _BY_KIND:
            continue
        holds, sensitive = _HOLDS.get(names.get(resource.arn, ""), _BY_KIND[kind])
        yield Store(
            name=labels.of(resource),
            kind=kind,
            holds=holds,
            sensitive=sensitive,
            key=_key(permissions, resource, labels),
            kept=_retention(resource, kind),
            survives=resource.keeps_on_delete,
        )


def _key(permissions: EffectivePermissions, resource: Resource, labels: Labels) -> str:
    if resource.type == "AWS::KMS::Key":
        rotates = is_true(resource.properties.get("EnableKeyRotation"))
        return "rotates every year" if rotates else "never rotates"
    arn = key_arn(permissions.assembly, resource)
    if arn:
        return labels.arn(arn)
    algorithm = get(default_encryption(resource), "SSEAlgorithm")
    return {"AES256": "S3's own key"}.get(str(algorithm), kms_key_of(resource) or "AWS's own key")


def _retention(resource: Resource, kind: str) -> str:
    properties = resource.properties
    match kind:
        case "logs":
            days = properties.get("RetentionInDays")
            return f"{days} days" if days else "indefinitely"
        case "queue":
            return f"{int(properties.get('MessageRetentionPeriod', 345_600)) // 86_400} days"
        case "bucket":
            periods = []
            for rule in get(properties, "LifecycleConfiguration", "Rules") or []:
                if "ExpirationInDays" in rule:
                    where = f" under {rule['Prefix']}" if rule.get("Prefix") else ""
                    periods.append(f"{rule['ExpirationInDays']} days{where}")
                noncurrent_days = get(rule, "NoncurrentVersionExpiration", "NoncurrentDays")
                if noncurrent_days:
                    periods.append(f"old versions {noncurrent_days} days")
            versions = get(properties, "VersioningConfiguration", "Status") == "Enabled"
            return ", ".join(["" if versions else "no versions", *periods]).strip(", ")
        case "table":
            recovery = get(
                properties, "PointInTimeRecoverySpecification", "PointInTimeRecoveryEnabled"
            )
            return "indefinitely" + ("; point-in-time recovery for 35 days" if recovery else "")
    return "until deleted"


def reaches(permissions: EffectivePermissions, labels: Labels) -> Iterator[NetworkPath]:
    """Which functions reach what, and what each security group lets in."""
    functions = list(permissions.assembly.of_type("AWS::Lambda::Function"))
    vpc_functions = [function for function in functions if function.properties.get("VpcConfig")]
    other_functions = [function for function in functions if function not in vpc_functions]
    if other_functions:
        yield NetworkPath(
            who=", ".join(labels.of(function) for function in other_functions),
            way="AWS's network, outside any VPC",
            what="any address; nothing reaches them but calls of AWS's API, which are signed",
        )
    services = sorted(endpoint.service.split(".", 3)[-1] for endpoint in permissions.endpoints)
    if vpc_functions:
        way = f"VPC endpoints for {', '.join(services)}" if services else "your subnets"
        yield NetworkPath(
            who=", ".join(labels.of(function) for function in vpc_functions),
            way=way,
            what="only these APIs; no internet route" if services else "whatever they route to",
        )
    for group in permissions.assembly.of_type("AWS::EC2::SecurityGroup"):
        for rule in group.properties.get("SecurityGroupIngress") or []:
            peer = rule.get("CidrIp") or rule.get("SourceSecurityGroupId")
            names = {
                security_group.name: labels.of(security_group)
                for security_group in permissions.assembly.of_type(group.type)
            }
            yield NetworkPath(
                who=names.get(str(peer), str(peer)),
                way=f"{rule.get('IpProtocol')} {rule.get('FromPort', 'any port')}",
                what=labels.of(group),
            )


def _base_model(settings: Resource) -> BaseModel | None:
    """Of a customization, by its settings; None for another parameter or an unknown model."""
    try:
        content = json.loads(str(settings.properties.get("Value")))
    except ValueError:
        return None
    return catalogue().get(str(content.get("base_model"))) if isinstance(content, dict) else None


_KEPT: Final = "somebody deletes it, since it stays when its stack is deleted"
_GONE: Final = "its stack is deleted"


def costs(permissions: EffectivePermissions, labels: Labels) -> Iterator[Cost]:
    """What is billed while nothing happens, and what ends it."""
    for resource in permissions.assembly.resources:
        name = labels.of(resource)
        properties = resource.properties
        match resource.type:
            case "AWS::KMS::Key":
                yield Cost(what=f"key {name}", unit="by the month", until=_KEPT)
            case "AWS::EC2::VPCEndpoint" if properties.get("VpcEndpointType") == "Interface":
                zones = len(properties.get("SubnetIds", ()))
                yield Cost(
                    what=f"endpoint {name}",
                    unit=f"by the hour, in {zones} zones",
                    until="the network stack is deleted",
                )
            case customization.SERVING if properties.get("Mode") == "provisioned":
                hours, units = (str(properties.get(name)) for name in ("LeaseHours", "ModelUnits"))
                lease = counted(int(hours), "hour") if hours.isdigit() else ""
                size = counted(int(units), "model unit") if units.isdigit() else units
                yield Cost(
                    what=f"Provisioned Throughput of {properties.get('Customization')}",
                    unit=f"by the hour, {size}, commitment {properties.get('Commitment')}; "
                    "nothing until a model exists",
                    until=f"its lease ends ({lease} unless extended)" if lease else _GONE,
                )
            case "AWS::SSM::Parameter" if (model := _base_model(resource)) is not None:
                price = model.facts.get("prices.storage_per_month")
                yield Cost(
                    what=f"each custom model of {str(properties['Name']).rpartition('/')[2]}",
                    unit="unknown: no price is known"
                    if price is None
                    else f"{price.value:,.2f} USD by the month ({cite(price.source)}, seen "
                    f"{price.date})",
                    until="somebody deletes it, since no stack holds it",
                )
            case "AWS::S3::Bucket" | "AWS::DynamoDB::Table":
                yield Cost(
                    what=f"{type_label(resource)} {name}",
                    unit="by stored bytes",
                    until=_KEPT if resource.keeps_on_delete else _GONE,
                )
    alarms = len(list(permissions.assembly.of_type("AWS::CloudWatch::Alarm")))
    if alarms:
        yield Cost(what=f"{alarms} alarms", unit="by the month", until="their stacks are deleted")
