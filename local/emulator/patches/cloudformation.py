"""Resources and properties that CloudFormation does not know or drops."""

import secrets
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Final

from local.emulator.patching import around, expect, expect_source

Properties = Mapping[str, Any]
Created = tuple[str, dict[str, Any]]

_RULES: Final = {
    "AWS::EC2::SecurityGroupIngress": "IpPermissions",
    "AWS::EC2::SecurityGroupEgress": "IpPermissionsEgress",
}


def bucket_properties() -> None:
    """Gap: CloudFormation drops a bucket's encryption, lifecycle, tags, logging and ownership.

    The properties go through the same handlers as the S3 API's own calls, in the XML that botocore
    itself would send.
    """
    from ministack.services import s3
    from ministack.services.cloudformation import provisioners

    properties = tuple(row[0] for row in provisioners._S3_BUCKET_CONFIGURATIONS)
    expect(
        properties
        == ("CorsConfiguration", "PublicAccessBlockConfiguration", "WebsiteConfiguration"),
        "CloudFormation to apply only CORS, public access block and website to a bucket",
    )

    expect(
        "AWS::S3::Bucket" not in provisioners._STACK_TAG_PROPERTY,
        "CloudFormation to give a bucket no tags of its own, such as aws:cloudformation:logical-id",
    )
    provisioners._STACK_TAG_PROPERTY["AWS::S3::Bucket"] = ("Tags", "list")

    def drop_logging(bucket: str) -> None:
        s3._bucket_logging_config.pop(bucket, None)

    provisioners._S3_BUCKET_CONFIGURATIONS += (
        ("BucketEncryption", _encryption, s3._put_bucket_encryption, s3._delete_bucket_encryption),
        (
            "LifecycleConfiguration",
            _lifecycle,
            s3._put_bucket_lifecycle,
            s3._delete_bucket_lifecycle,
        ),
        ("Tags", _tags, s3._put_bucket_tagging, s3._delete_bucket_tagging),
        ("LoggingConfiguration", _logging, s3._put_bucket_logging, drop_logging),
        (
            "OwnershipControls",
            _ownership,
            s3._put_bucket_ownership_controls,
            s3._delete_bucket_ownership_controls,
        ),
    )


def table_properties() -> None:
    """Gap: CloudFormation drops a table's encryption and its point-in-time recovery."""
    from ministack.services import dynamodb

    def keep(name: str, properties: Properties) -> None:
        encryption = properties.get("SSESpecification")
        if encryption:
            specification = {**encryption, "Enabled": _truth(encryption.get("SSEEnabled"))}
            table = dynamodb._tables[name]
            table["SSEDescription"] = dynamodb._sse_description_from_spec(specification)
        recovery = properties.get("PointInTimeRecoverySpecification")
        if recovery:
            dynamodb._update_continuous_backups(
                {"TableName": name, "PointInTimeRecoverySpecification": recovery}
            )

    _after_creation("AWS::DynamoDB::Table", "_ddb_create", '"SSEDescription": None,', keep)


def topic_properties() -> None:
    """Gap: CloudFormation drops a topic's encryption, so nobody needs its key."""
    from ministack.services import sns

    def keep(arn: str, properties: Properties) -> None:
        if properties.get("KmsMasterKeyId"):
            sns._topics[arn]["attributes"]["KmsMasterKeyId"] = properties["KmsMasterKeyId"]

    source = '"EffectiveDeliveryPolicy": json.dumps({'
    _after_creation("AWS::SNS::Topic", "_sns_create", source, keep)


def log_group_names() -> None:
    """Gap: a log group without a name is called after its stack in a way that AWS does not.

    Policies name the groups of a stack by the beginning of their names.
    """
    from ministack.services.cloudformation import provisioners

    row = provisioners._RESOURCE_HANDLERS["AWS::Logs::LogGroup"]
    upstream_create, upstream_update = row["create"], row["update"]
    expect_source(upstream_create, 'or f"/aws/cloudformation/{stack_name}/{logical_id}"')
    expect_source(upstream_update, "name = new_props.get(")

    def create(logical_id: str, properties: Properties, stack: str) -> Created:
        name = provisioners._physical_name(stack, logical_id)
        created: Created = upstream_create(logical_id, {"LogGroupName": name, **properties}, stack)
        return created

    def update(
        physical_id: str,
        old_props: Properties,
        new_props: Properties,
        stack_name: str,
        logical_id: str | None = None,
    ) -> Created:
        properties = {"LogGroupName": physical_id, **new_props}
        updated: Created = upstream_update(
            physical_id, old_props, properties, stack_name, logical_id
        )
        return updated

    row["create"], row["update"] = create, update


def _after_creation(
    kind: str, function: str, source: str, keep: Callable[[str, Properties], None]
) -> None:
    """Once the emulator's `function` has created a resource, `keep` adds what it dropped."""
    from ministack.services.cloudformation import provisioners

    row = provisioners._RESOURCE_HANDLERS[kind]
    upstream = row["create"]
    expect(upstream is getattr(provisioners, function), f"{function} to create {kind}")
    expect_source(upstream, source)

    def create(logical_id: str, properties: Properties, stack: str) -> Created:
        name, attributes = upstream(logical_id, properties, stack)
        keep(name, properties)
        return name, attributes

    row["create"] = create


def network_resources() -> None:
    """Gap: CloudFormation knows no flow logs and no rules beside their security group."""
    from ministack.services.cloudformation import provisioners

    handlers = provisioners._RESOURCE_HANDLERS
    for kind in ("AWS::EC2::FlowLog", *_RULES):
        expect(kind not in handlers, f"no {kind} in CloudFormation")
    handlers["AWS::EC2::FlowLog"] = {"create": _create_flow_log, "delete": _delete_flow_log}
    for kind, store in _RULES.items():
        handlers[kind] = {"create": _rule_creator(store), "delete": _rule_deleter(store)}


def chat_channels() -> None:
    """Gap: CloudFormation knows no channels of AWS Chatbot. Nobody sees here what is sent there."""
    from ministack.core.responses import get_account_id
    from ministack.services.cloudformation import provisioners

    kind = "AWS::Chatbot::SlackChannelConfiguration"
    expect(kind not in provisioners._RESOURCE_HANDLERS, f"no {kind} in CloudFormation")

    def create(_: str, properties: Properties, __: str) -> Created:
        name = properties["ConfigurationName"]
        arn = f"arn:aws:chatbot::{get_account_id()}:chat-configuration/slack-channel/{name}"
        return arn, {"Arn": arn}

    handlers = {"create": create, "delete": lambda _, __: None}
    provisioners._RESOURCE_HANDLERS[kind] = handlers


@cache
def _serializer() -> Callable[[str, Mapping[str, Any]], bytes]:
    import botocore.serialize
    import botocore.session

    model = botocore.session.get_session().get_service_model("s3")
    serializer = botocore.serialize.create_serializer("rest-xml", include_validation=False)

    def serialize(operation: str, arguments: Mapping[str, Any]) -> bytes:
        request = serializer.serialize_to_request(
            {"Bucket": "any", **arguments}, model.operation_model(operation)
        )
        body = request["body"]
        return body if isinstance(body, bytes) else str(body).encode()

    return serialize


def _xml(operation: str, **arguments: Any) -> bytes:
    return _serializer()(operation, arguments)


def _truth(value: object) -> bool:
    return str(value).lower() == "true"


def _encryption(properties: Any) -> bytes:
    rules = []
    for rule in properties.get("ServerSideEncryptionConfiguration", ()):
        default = rule.get("ServerSideEncryptionByDefault", {})
        rules.append(
            {
                "ApplyServerSideEncryptionByDefault": default,
                "BucketKeyEnabled": _truth(rule.get("BucketKeyEnabled", False)),
            }
        )
    return _xml("PutBucketEncryption", ServerSideEncryptionConfiguration={"Rules": rules})


def _lifecycle(properties: Any) -> bytes:
    rules = []
    for rule in properties.get("Rules", ()):
        out: dict[str, Any] = {
            "Status": rule["Status"],
            "Filter": {"Prefix": rule.get("Prefix", "")},
        }
        if "Id" in rule:
            out["ID"] = rule["Id"]
        if "ExpirationInDays" in rule:
            out["Expiration"] = {"Days": int(rule["ExpirationInDays"])}
        for name in ("NoncurrentVersionExpiration", "AbortIncompleteMultipartUpload"):
            if name in rule:
                out[name] = {key: int(value) for key, value in rule[name].items()}
        if "Transitions" in rule:
            out["Transitions"] = [
                {"Days": int(step["TransitionInDays"]), "StorageClass": step["StorageClass"]}
                for step in rule["Transitions"]
            ]
        rules.append(out)
    return _xml("PutBucketLifecycleConfiguration", LifecycleConfiguration={"Rules": rules})


def _tags(properties: Any) -> bytes:
    tags = [{"Key": tag["Key"], "Value": str(tag["Value"])} for tag in properties]
    return _xml("PutBucketTagging", Tagging={"TagSet": tags})


def _logging(properties: Any) -> bytes:
    enabled = {
        "TargetBucket": properties.get("DestinationBucketName", ""),
        "TargetPrefix": properties.get("LogFilePrefix", ""),
    }
    return _xml("PutBucketLogging", BucketLoggingStatus={"LoggingEnabled": enabled})


def _ownership(properties: Any) -> bytes:
    rules = [{"ObjectOwnership": rule["ObjectOwnership"]} for rule in properties.get("Rules", ())]
    return _xml("PutBucketOwnershipControls", OwnershipControls={"Rules": rules})


def _create_flow_log(_: str, properties: Properties, __: str) -> Created:
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


def _delete_flow_log(name: str, _: Properties) -> None:
    from ministack.services import ec2

    ec2._flow_logs.pop(name, None)


def _rule_creator(store: str) -> Any:
    def create(_: str, properties: Properties, __: str) -> Created:
        from ministack.services import ec2
        from ministack.services.cloudformation import provisioners

        group = ec2._security_groups[properties["GroupId"]]
        (rule,) = provisioners._ec2_sg_permissions([properties])
        rule["SecurityGroupRuleId"] = f"sgr-{secrets.token_hex(8)}"
        group[store].append(rule)
        return rule["SecurityGroupRuleId"], {"Id": rule["SecurityGroupRuleId"]}

    return create


def _rule_deleter(store: str) -> Any:
    def delete(name: str, properties: Properties) -> None:
        from ministack.services import ec2

        group = ec2._security_groups.get(properties["GroupId"])
        if group is not None:
            group[store] = [r for r in group[store] if r.get("SecurityGroupRuleId") != name]

    return delete


def failed_deletions() -> None:
    """Gap: what a resource depends on is deleted although the resource itself could not be.

    On AWS it stays without being tried; here it counts as failed, too, with the reason.
    """
    from ministack.services.cloudformation import _stacks, stacks

    failures: set[tuple[str, str]] = set()

    def needed_by(stack_name: str, logical_id: str) -> str:
        stack = _stacks.get(stack_name) or {}
        resources = stack.get("_template", {}).get("Resources", {})
        existing = set(stack.get("_resources", {}))
        for stack_of, failure in failures:
            needs = {failure} & existing and stacks._with_dependencies(
                [failure], resources, existing
            ) - {failure}
            if stack_of == stack_name and needs and logical_id in needs:
                return failure
        return ""

    @around(stacks, "_delete_resource")
    def _delete_resource(
        upstream: Callable[..., None],
        kind: str,
        physical_id: str,
        properties: Properties,
        stack_name: str = "",
        logical_id: str = "",
    ) -> None:
        # What depends on others is tried first, so this is what the current attempt knows.
        failures.discard((stack_name, logical_id))
        blocker = needed_by(stack_name, logical_id)
        if blocker:
            raise RuntimeError(f"{blocker} depends on it and could not be deleted")
        try:
            upstream(kind, physical_id, properties, stack_name, logical_id)
        except Exception:
            failures.add((stack_name, logical_id))
            raise

    expect_source(stacks._delete_stack_async, "for logical_id in reversed(ordered):")
