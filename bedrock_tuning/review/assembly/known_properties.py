"""The properties that the checks judge, by resource type; any other is refused until one does.

AWS adds properties, and most of what a bucket, a function or a table can do is switched on by one:
a copy of all data to another account, code from elsewhere, an alarm that never rings. So it is not
enough to look for what is wrong. A dot leads into an object or into each object of a list; what
ends here is judged as a whole (policies, definitions, single values).
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

_TAGS: Final = "Tags.Key Tags.Value"
_RETRIES: Final = "RetryPolicy.MaximumEventAgeInSeconds RetryPolicy.MaximumRetryAttempts"


def _under(parent: str, names: str) -> str:
    return " ".join(f"{parent}.{name}" for name in names.split())


_PROPERTIES: Final[Mapping[str, tuple[str, ...]]] = {
    "AWS::CloudWatch::Alarm": (
        "ActionsEnabled AlarmActions AlarmDescription ComparisonOperator",
        "Dimensions.Name Dimensions.Value EvaluationPeriods MetricName Namespace Period Statistic",
        "Threshold TreatMissingData",
        _TAGS,
    ),
    "AWS::DynamoDB::Table": (
        "AttributeDefinitions.AttributeName AttributeDefinitions.AttributeType BillingMode",
        "DeletionProtectionEnabled KeySchema.AttributeName KeySchema.KeyType",
        _under(
            "GlobalSecondaryIndexes",
            "IndexName KeySchema.AttributeName KeySchema.KeyType Projection.ProjectionType",
        ),
        "PointInTimeRecoverySpecification.PointInTimeRecoveryEnabled",
        _under("SSESpecification", "KMSMasterKeyId SSEEnabled SSEType"),
        _TAGS,
    ),
    "AWS::EC2::FlowLog": (
        "DeliverLogsPermissionArn LogDestinationType LogGroupName ResourceId ResourceType",
        "TrafficType",
        _TAGS,
    ),
    "AWS::EC2::RouteTable": ("VpcId", _TAGS),
    "AWS::EC2::SecurityGroup": (
        "GroupDescription VpcId",
        _under("SecurityGroupEgress", "CidrIp Description FromPort IpProtocol ToPort"),
        _under(
            "SecurityGroupIngress", "Description FromPort IpProtocol SourceSecurityGroupId ToPort"
        ),
        _TAGS,
    ),
    "AWS::EC2::SecurityGroupEgress": ("Description DestinationSecurityGroupId GroupId IpProtocol",),
    "AWS::EC2::SecurityGroupIngress": ("Description GroupId IpProtocol SourceSecurityGroupId",),
    "AWS::EC2::Subnet": ("AvailabilityZoneId CidrBlock MapPublicIpOnLaunch VpcId", _TAGS),
    "AWS::EC2::SubnetRouteTableAssociation": ("RouteTableId SubnetId",),
    "AWS::EC2::VPC": ("CidrBlock EnableDnsHostnames EnableDnsSupport", _TAGS),
    "AWS::EC2::VPCEndpoint": (
        "PolicyDocument PrivateDnsEnabled RouteTableIds SecurityGroupIds ServiceName SubnetIds",
        "VpcEndpointType VpcId",
        _TAGS,
    ),
    "AWS::Events::Rule": (
        "Description EventPattern State",
        _under("Targets", f"Arn DeadLetterConfig.Arn Id RoleArn {_RETRIES}"),
        _TAGS,
    ),
    "AWS::IAM::Role": (
        "AssumeRolePolicyDocument Description PermissionsBoundary RoleName",
        _under("Policies", "PolicyDocument PolicyName"),
        _TAGS,
    ),
    "AWS::KMS::Key": ("Description EnableKeyRotation KeyPolicy", _TAGS),
    "AWS::Lambda::Function": (
        "Architectures Code.S3Bucket Code.S3Key Description Environment.Variables",
        "EphemeralStorage.Size Handler Layers LoggingConfig.LogFormat LoggingConfig.LogGroup",
        "MemorySize Role Runtime Timeout VpcConfig.SecurityGroupIds VpcConfig.SubnetIds",
        _TAGS,
    ),
    "AWS::Lambda::LayerVersion": ("Content.S3Bucket Content.S3Key Description",),
    "AWS::Logs::LogGroup": ("KmsKeyId RetentionInDays", _TAGS),
    "AWS::S3::Bucket": (
        _under(
            "BucketEncryption.ServerSideEncryptionConfiguration",
            "BucketKeyEnabled ServerSideEncryptionByDefault.KMSMasterKeyID"
            " ServerSideEncryptionByDefault.SSEAlgorithm",
        ),
        _under(
            "LifecycleConfiguration.Rules",
            "AbortIncompleteMultipartUpload.DaysAfterInitiation ExpirationInDays Id"
            " NoncurrentVersionExpiration.NoncurrentDays Prefix Status",
        ),
        "LoggingConfiguration.DestinationBucketName LoggingConfiguration.LogFilePrefix",
        "NotificationConfiguration.EventBridgeConfiguration.EventBridgeEnabled",
        "OwnershipControls.Rules.ObjectOwnership VersioningConfiguration.Status",
        _under(
            "PublicAccessBlockConfiguration",
            "BlockPublicAcls BlockPublicPolicy IgnorePublicAcls RestrictPublicBuckets",
        ),
        _TAGS,
    ),
    "AWS::S3::BucketPolicy": ("Bucket PolicyDocument",),
    "AWS::SNS::Subscription": ("Endpoint Protocol TopicArn",),
    "AWS::SNS::Topic": ("DisplayName KmsMasterKeyId", _TAGS),
    "AWS::SNS::TopicPolicy": ("PolicyDocument Topics",),
    "AWS::SQS::Queue": ("KmsMasterKeyId MessageRetentionPeriod", _TAGS),
    "AWS::SQS::QueuePolicy": ("PolicyDocument Queues",),
    "AWS::Scheduler::Schedule": (
        "Description FlexibleTimeWindow.Mode ScheduleExpression State",
        _under("Target", f"Arn DeadLetterConfig.Arn RoleArn {_RETRIES}"),
    ),
    "AWS::StepFunctions::StateMachine": (
        "DefinitionString DefinitionSubstitutions RoleArn StateMachineName",
        "LoggingConfiguration.Destinations.CloudWatchLogsLogGroup.LogGroupArn",
        "LoggingConfiguration.IncludeExecutionData LoggingConfiguration.Level",
        _TAGS,
    ),
}
JUDGED: Final[Mapping[str, frozenset[str]]] = {
    kind: frozenset(" ".join(lines).split()) for kind, lines in _PROPERTIES.items()
}


def others(kind: str, properties: Mapping[str, Any]) -> Iterator[str]:
    """The properties of a resource that nobody judges; of a custom resource none (M803, M804)."""
    if kind in JUDGED:
        yield from dict.fromkeys(_others(properties, "", JUDGED[kind]))


def _others(value: Any, path: str, known: frozenset[str]) -> Iterator[str]:
    if path in known:
        return
    if isinstance(value, list):
        for inner in value:
            yield from _others(inner, path, known)
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            below = f"{path}.{name}" if path else str(name)
            if below in known or any(each.startswith(f"{below}.") for each in known):
                yield from _others(inner, below, known)
            else:
                yield below
