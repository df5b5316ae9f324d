"""Flaws by addition: properties that AWS knows and nobody here means, resources, sections."""

from copy import deepcopy
from typing import Any

from tests.review.broken import Copy
from tests.review.mutants._mutant import Mutant, collected, flaw

BEDROCK = "pets-search/BedrockRole"
FUNCTION = "pipeline/Functions/Serve/Function"
SERVE = "pipeline/Functions/Serve/Role"
SETTINGS = "pets-search/Settings"
TRAINING = "data/Training"
RUNS = "pipeline/Runs"
TOPIC = "pipeline/Messages/Topic"
QUEUE = "pipeline/Messages/DeadLetters"
ALARM = "pipeline/WorkflowFailed"
RULE = "pipeline/ManifestUploaded"
SCHEDULE = "pipeline/KeepLeases"
FOREIGN_TOPIC = "arn:aws:sns:us-east-1:999999999999:t"
FOREIGN_KEY = "arn:aws:kms:us-east-1:999999999999:key/k"

# Where, the property (a dot leads inside), its value, and what that does.
_PROPERTIES: tuple[tuple[str, str, Any, str], ...] = (
    (TRAINING, "InventoryConfigurations", [{"Id": "x"}], "lists of its objects go elsewhere"),
    (TRAINING, "AnalyticsConfigurations", [{"Id": "x"}], "reports about it go elsewhere"),
    (TRAINING, "MetadataTableConfiguration", {}, "a table of its objects, elsewhere"),
    (TRAINING, "IntelligentTieringConfigurations", [{"Id": "x"}], "objects go to the archive"),
    (TRAINING, "AccelerateConfiguration", {"AccelerationStatus": "Enabled"}, "uploads abroad"),
    (TRAINING, "ObjectLockEnabled", True, "nothing can be deleted"),
    (TRAINING, "BucketName", "tuning-training", "a name that somebody else may take"),
    (TRAINING, "AbacStatus", "Enabled", "tags decide who may read"),
    (TRAINING, "LifecycleConfiguration.TransitionDefaultMinimumObjectSize", "x", "other objects"),
    (FUNCTION, "DeadLetterConfig", {"TargetArn": FOREIGN_TOPIC}, "events go elsewhere"),
    (FUNCTION, "FileSystemConfigs", [{"Arn": "x", "LocalMountPath": "/mnt/x"}], "a foreign disk"),
    (FUNCTION, "KmsKeyArn", FOREIGN_KEY, "its environment under a foreign key"),
    (FUNCTION, "RuntimeManagementConfig", {"UpdateRuntimeOn": "Manual"}, "never patched"),
    (FUNCTION, "RecursiveLoop", "Allow", "it may call itself for ever"),
    (FUNCTION, "ReservedConcurrentExecutions", 1, "all but one call are refused"),
    (FUNCTION, "Code.S3ObjectVersion", "x", "another version of the code"),
    (FUNCTION, "LoggingConfig.ApplicationLogLevel", "FATAL", "errors are not logged"),
    (
        FUNCTION,
        "SnapStart",
        {"ApplyOn": "PublishedVersions"},
        "starts from a picture of its memory",
    ),
    (FUNCTION, "CodeSigningConfigArn", "arn:aws:lambda:x", "others sign its code"),
    (FUNCTION, "Code.SourceKMSKeyArn", FOREIGN_KEY, "its code under a foreign key"),
    (FUNCTION, "ImageConfig", {"Command": ["x"]}, "another command"),
    (RUNS, "WarmThroughput", {"ReadUnitsPerSecond": 4_000_000}, "billed for what nobody needs"),
    (TRAINING, "CorsConfiguration", {"CorsRules": [{"Id": "x"}]}, "read by pages in browsers"),
    (SETTINGS, "Policies", '[{"Type": "Expiration"}]', "they are gone one day"),
    (SETTINGS, "DataType", "aws:ec2:image", "they must be a picture of a machine"),
    (RUNS, "StreamSpecification", {"StreamViewType": "NEW_IMAGE"}, "a stream of all changes"),
    (RUNS, "KinesisStreamSpecification", {"StreamArn": "x"}, "changes go to a stream elsewhere"),
    (RUNS, "ImportSourceSpecification", {}, "it begins with somebody's rows"),
    (RUNS, "OnDemandThroughput", {"MaxWriteRequestUnits": 1}, "throttled"),
    (RUNS, "PointInTimeRecoverySpecification.RecoveryPeriodInDays", 1, "restored for a day only"),
    (TOPIC, "Subscription", [{"Protocol": "https", "Endpoint": "https://x"}], "read elsewhere"),
    (TOPIC, "DataProtectionPolicy", {"Name": "x"}, "messages are dropped"),
    (TOPIC, "DeliveryStatusLogging", [{"Protocol": "sqs"}], "a role nobody knows logs it"),
    (TOPIC, "FifoTopic", True, "alarms cannot publish to it"),
    (QUEUE, "MaximumMessageSize", 1024, "large events are lost"),
    (QUEUE, "RedriveAllowPolicy", {"redrivePermission": "allowAll"}, "anybody's dead letters"),
    (ALARM, "DatapointsToAlarm", 5, "it rings later"),
    (ALARM, "Metrics", [{"Id": "m", "Expression": "0"}], "it watches an expression"),
    (ALARM, "ExtendedStatistic", "p1", "it watches the smallest of all"),
    (ALARM, "Unit", "Seconds", "it watches nothing"),
    (ALARM, "InsufficientDataActions", [FOREIGN_TOPIC], "it tells somebody else, too"),
    ("pipeline/WorkflowLogs", "DataProtectionPolicy", {}, "logs are masked or copied"),
    ("pipeline/WorkflowLogs", "ResourcePolicyDocument", {}, "logs are read by others"),
    ("pipeline/WorkflowLogs", "LogGroupClass", "INFREQUENT_ACCESS", "no metrics from it"),
    ("pipeline/Workflow", "DefinitionS3Location", {"Bucket": "x", "Key": "y"}, "two definitions"),
    ("pipeline/Workflow", "EncryptionConfiguration", {"KmsKeyId": FOREIGN_KEY}, "a foreign key"),
    (RULE, "Name", "x", "a name that another rule may have"),
    (SCHEDULE, "GroupName", "other", "in a group that may be deleted"),
    (SCHEDULE, "Target.Input", '{"dry_run": true}', "it hands over what nobody reads"),
    (SCHEDULE, "KmsKeyArn", FOREIGN_KEY, "a foreign key"),
    ("data/DataKey", "KeySpec", "RSA_2048", "a key that encrypts nothing"),
    ("data/DataKey", "RotationPeriodInDays", 2560, "it rotates every seven years"),
    (BEDROCK, "MaxSessionDuration", 43_200, "its credentials live for twelve hours"),
)


# Properties that a check of its own reads, and what has those of its contract and no others.
_JUDGED = {
    "Code.S3ObjectVersion": "A107",
    "Code.SourceKMSKeyArn": "A107",
    "LifecycleConfiguration.TransitionDefaultMinimumObjectSize": "S604",
    ALARM: "W518",
    RULE: "W521",
    RUNS: "S602",
    SCHEDULE: "W525",
    TOPIC: "S609",
    QUEUE: "S606",
    "data/DataKey": "S607",
    "pipeline/Workflow": "F710",
    "pipeline/WorkflowLogs": "S605",
    FUNCTION: "W505",
    SETTINGS: "M805",
}


def _added(path: str, name: str, value: Any, what: str) -> Mutant:
    def change(copy: Copy) -> None:
        holder = copy.properties(path)
        *way, last = name.split(".")
        for step in way:
            holder = holder[step]
        holder[last] = deepcopy(value)

    killer = _JUDGED.get(name) or _JUDGED.get(path, "A107")
    return Mutant(name=f"{path}, {name}: {what}", killer=killer, change=change)


@flaw("A110", "a table without a contract")
def another_table(copy: Copy) -> None:
    copy.add("pipeline", "Extra", "AWS::DynamoDB::Table", **deepcopy(copy.properties(RUNS)))


def _unknown(kind: str) -> Mutant:
    def change(copy: Copy) -> None:
        copy.add("pipeline", "Extra", kind)

    return Mutant(name=f"a resource of the type {kind}", killer="A110", change=change)


_UNKNOWN = tuple(
    map(
        _unknown,
        (
            "AWS::Bedrock::ModelInvocationJob",
            "AWS::Budgets::BudgetsAction",
            "AWS::CloudFormation::Stack",
            "AWS::CloudWatch::AlarmMuteRule",
            "AWS::CloudWatch::CompositeAlarm",
            "AWS::EC2::Route",
            "AWS::Events::EventBusPolicy",
            "AWS::IAM::InstanceProfile",
            "AWS::KMS::ReplicaKey",
            "AWS::Lambda::Alias",
            "AWS::Lambda::EventInvokeConfig",
            "AWS::Lambda::EventSourceMapping",
            "AWS::Lambda::LayerVersionPermission",
            "AWS::Logs::SubscriptionFilter",
            "AWS::Pipes::Pipe",
            "AWS::S3::AccessPoint",
        ),
    )
)


@flaw("A110", "a topic without a contract")
def another_topic(copy: Copy) -> None:
    copy.add("pipeline", "Extra", "AWS::SNS::Topic", **deepcopy(copy.properties(TOPIC)))


@flaw("A110", "a parameter that stands where serving publishes its endpoint")
def shadow_parameter(copy: Copy) -> None:
    name = "/bedrock-tuning/dev/pets-search/endpoint"
    copy.add("pipeline", "Extra", "AWS::SSM::Parameter", Name=name, Type="String", Value="x")


@flaw("A110", "an alias that another app looks for")
def alias(copy: Copy) -> None:
    key = {"Ref": copy.logical_id("data/DataKey")}
    copy.add("data", "Extra", "AWS::KMS::Alias", AliasName="alias/prod-data", TargetKeyId=key)


@flaw("A110", "a rule for somebody's security group, without a network")
def group_rule(copy: Copy) -> None:
    open_to_all = {"GroupId": "sg-0123", "IpProtocol": "-1", "CidrIp": "0.0.0.0/0"}
    copy.add("pipeline", "Extra", "AWS::EC2::SecurityGroupIngress", **open_to_all)


@flaw("A108", "a macro that may rewrite the template")
def macro(copy: Copy) -> None:
    copy.stack("pipeline")["Transform"] = ["Macro"]


@flaw("A108", "hooks")
def hooks(copy: Copy) -> None:
    copy.stack("pipeline")["Hooks"] = {"H": {"Type": "AWS::CodeDeploy::BlueGreen"}}


@flaw("A108", "a user who is there in every account but the reviewed one")
def user_elsewhere(copy: Copy) -> None:
    here = {"Fn::Equals": [{"Ref": "AWS::AccountId"}, "111122223333"]}
    copy.stack("pipeline")["Conditions"] = {"Elsewhere": {"Fn::Not": [here]}}
    copy.add("pipeline", "Extra", "AWS::IAM::User")
    copy.stack("pipeline")["Resources"]["Extra"]["Condition"] = "Elsewhere"


@flaw("A108", "a lease schedule that a parameter switches off")
def schedule_by_parameter(copy: Copy) -> None:
    stack = copy.stack("pipeline")
    stack["Parameters"]["Keep"] = {"Type": "String", "Default": "yes"}
    stack["Conditions"] = {"Keep": {"Fn::Equals": [{"Ref": "Keep"}, "yes"]}}
    copy.resource(SCHEDULE)["Condition"] = "Keep"


@flaw("A108", "Serve's trust: an account that a parameter names")
def account_by_parameter(copy: Copy) -> None:
    parameters = copy.stack("pipeline")["Parameters"]
    parameters["Account"] = {"Type": "String", "Default": "111122223333"}
    copy.trust(SERVE)["Condition"]["StringEquals"]["aws:SourceAccount"] = {"Ref": "Account"}


@flaw("A108", "a tag that shows a secret")
def looked_up(copy: Copy) -> None:
    tag = {"Key": "x", "Value": {"Fn::Join": ["", ["{{res", "olve:secretsmanager:prod/db}}"]]}}
    copy.properties(TRAINING)["Tags"].append(tag)


@flaw("A108", "an output that shows a secret")
def output_secret(copy: Copy) -> None:
    copy.stack("pipeline")["Outputs"]["Db"] = {"Value": "{{resolve:secretsmanager:prod/db}}"}


INCLUDE = {"Fn::Transform": {"Name": "AWS::Include", "Parameters": {"Location": "s3://a/b"}}}
# No credential of anybody, and not written out: scanners of this repository would find it.
CREDENTIAL = "AKIA" + "A" * 16


@flaw("A108", "an include in a resource's metadata")
def include_in_metadata(copy: Copy) -> None:
    copy.resource(TRAINING)["Metadata"]["x"] = INCLUDE


@flaw("A108", "an include in the template's metadata")
def include_in_template(copy: Copy) -> None:
    copy.stack("pipeline")["Metadata"] = INCLUDE


@flaw("A108", "an include in an output")
def include_in_output(copy: Copy) -> None:
    copy.stack("pipeline")["Outputs"]["New"] = {"Value": INCLUDE}


@flaw("A108", "an include in an output's description")
def include_in_description(copy: Copy) -> None:
    copy.stack("pipeline")["Outputs"]["Topic"]["Description"] = INCLUDE


@flaw("A108", "metadata that tells a scanner to skip a resource")
def scanner_skip(copy: Copy) -> None:
    copy.resource(TRAINING)["Metadata"]["checkov"] = {"skip": [{"id": "CKV_AWS_18"}]}


@flaw("A114", "a credential in an output")
def credential_in_output(copy: Copy) -> None:
    copy.stack("pipeline")["Outputs"]["New"] = {"Value": f"key={CREDENTIAL}"}


@flaw("A114", "a credential in an output's description")
def credential_in_description(copy: Copy) -> None:
    copy.stack("pipeline")["Outputs"]["Topic"]["Description"] = CREDENTIAL


@flaw("A114", "a credential in a resource's metadata")
def credential_in_metadata(copy: Copy) -> None:
    copy.resource(TRAINING)["Metadata"]["aws:cdk:note"] = CREDENTIAL


@flaw("A114", "a credential in the template's description")
def credential_in_template(copy: Copy) -> None:
    copy.stack("pipeline")["Description"] = f"deployed with {CREDENTIAL}"


@flaw("A114", "a private key in a description")
def private_key(copy: Copy) -> None:
    copy.stack("data")["Description"] = "-----BEGIN RSA " + "PRIVATE KEY-----"


@flaw("A109", "Bedrock trust: this review's stand-in for the account, written out")
def account_written(copy: Copy) -> None:
    copy.trust(BEDROCK)["Condition"]["StringEquals"]["aws:SourceAccount"] = "111122223333"


@flaw("A109", "Serve's trust: the stand-in, joined from halves")
def account_joined(copy: Copy) -> None:
    halves = {"Fn::Join": ["", ["1111", "22223333"]]}
    copy.trust(SERVE)["Condition"]["StringEquals"]["aws:SourceAccount"] = halves


@flaw("A109", "data key: the root of the stand-in's account administers it")
def root_written(copy: Copy) -> None:
    root = {"AWS": "arn:aws:iam::111122223333:root"}
    copy.statements_of("data/DataKey")[0]["Principal"] = root


@flaw("A109", "function: code from the stand-in's assets")
def assets_written(copy: Copy) -> None:
    copy.properties(FUNCTION)["Code"]["S3Bucket"] = "cdk-hnb659fds-assets-111122223333-us-east-1"


@flaw("A109", "alarm: a generated name, written out")
def name_written(copy: Copy) -> None:
    resources = copy.source.evidence().contracted
    copy.properties(ALARM)["AlarmActions"] = [
        {"Fn::Join": ["", ["arn:aws:sns:us-east-1:", {"Ref": "AWS::AccountId"}, ":", name]]}
        for name in [resources["topic"].name]
    ]


@flaw("A101", "a loop that a transform would unroll")
def loop(copy: Copy) -> None:
    users = ["Name", ["a"], {"User${Name}": {"Type": "AWS::IAM::User"}}]
    copy.stack("data")["Resources"]["Fn::ForEach::Users"] = users


@flaw("A111", "an export for whoever wants it")
def exported(copy: Copy) -> None:
    key = {"Ref": copy.logical_id("data/DataKey")}
    copy.stack("data")["Outputs"]["Key"] = {"Value": key, "Export": {"Name": "shared-key"}}


@flaw("A111", "two exports of one name")
def exported_twice(copy: Copy) -> None:
    outputs = copy.stack("data")["Outputs"].values()
    name = next(output["Export"]["Name"] for output in outputs if "Export" in output)
    outputs = copy.stack("serving")["Outputs"]
    outputs["Other"] = {"Value": "somebodys-bucket", "Export": {"Name": name}}


@flaw("A112", "an output that names another bucket: datasets are uploaded to the output")
def output_swapped(copy: Copy) -> None:
    bucket = {"Ref": copy.logical_id("data/Output")}
    copy.stack("data")["Outputs"]["TrainingBucket"]["Value"] = bucket


@flaw("A113", "manifest: stacks go to another Region than that of the settings")
def another_region(copy: Copy) -> None:
    copy.regions["tuning-dev-data"] = "eu-west-1"


@flaw("A112", "an output is missing: no command finds the runs")
def output_missing(copy: Copy) -> None:
    del copy.stack("pipeline")["Outputs"]["RunsTable"]


@flaw("P303", "Bedrock role: a name that nobody asked for")
def named(copy: Copy) -> None:
    copy.properties(BEDROCK)["RoleName"] = "AWSServiceRoleForBedrock"


@flaw("W506", "function: code from a bucket of a bootstrap that is not this app's")
def other_bootstrap(copy: Copy) -> None:
    bucket = {"Fn::Sub": "cdk-other-assets-${AWS::AccountId}-us-east-1"}
    copy.properties(FUNCTION)["Code"]["S3Bucket"] = bucket


@flaw("W506", "functions: code that somebody else put among the assets")
def other_upload(copy: Copy) -> None:
    for _, _, resource in copy.all():
        if resource["Type"] == "AWS::Lambda::Function":
            resource["Properties"]["Code"]["S3Key"] = f"{'0' * 64}.zip"


@flaw("A108", "an output that is there only sometimes")
def output_sometimes(copy: Copy) -> None:
    copy.stack("pipeline")["Outputs"]["Topic"]["Condition"] = "Sometimes"


@flaw("A108", "an output that shows a secret, joined from halves")
def output_joined(copy: Copy) -> None:
    value = {"Fn::Join": ["", ["{{res", "olve:secretsmanager:prod/db}}"]]}
    copy.stack("pipeline")["Outputs"]["Db"] = {"Value": value}


@flaw("S609", "training bucket: a second rule of encryption")
def second_encryption(copy: Copy) -> None:
    rules = copy.properties(TRAINING)["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    rules.append({"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}})


@flaw("W506", "functions: other packages than the provider's")
def other_packages(copy: Copy) -> None:
    layer = copy.properties("pipeline/Functions/Runtime/Wheels")
    layer["Content"]["S3Key"] = f"{'0' * 64}.zip"


@flaw("W521", "upload rule: starts the workflow twice")
def starts_twice(copy: Copy) -> None:
    targets = copy.properties("pipeline/ManifestUploaded")["Targets"]
    targets.append({**targets[0], "Id": "Again"})


@flaw("A110", "topic: told to somebody whom the settings do not name")
def told_to_others(copy: Copy) -> None:
    copy.add(
        "pipeline",
        "Extra",
        "AWS::SNS::Subscription",
        TopicArn={"Ref": copy.logical_id(TOPIC)},
        Protocol="email",
        Endpoint="somebody@example.com",
    )


@flaw("R410", "data key: nobody can change its policy any more")
def key_locked(copy: Copy) -> None:
    statement = {"Effect": "Deny", "Action": "kms:PutKeyPolicy", "Resource": "*", "Principal": "*"}
    copy.statements_of("data/DataKey").append(statement)


@flaw("R410", "training bucket: uploads are refused")
def uploads_refused(copy: Copy) -> None:
    arn = {"Fn::GetAtt": [copy.logical_id(TRAINING), "Arn"]}
    objects = {"Fn::Join": ["", [arn, "/*"]]}
    statement = {"Effect": "Deny", "Action": "s3:PutObject", "Principal": "*", "Resource": objects}
    copy.statements_of("data/Training/Policy").append(statement)


@flaw("R410", "Serve: its own work is refused from most addresses")
def refused_by_address(copy: Copy) -> None:
    elsewhere = {"NotIpAddress": {"aws:SourceIp": "10.0.0.0/8"}}
    copy.policy(SERVE).append(
        {"Effect": "Deny", "Action": "bedrock:*", "Resource": "*", "Condition": elsewhere}
    )


@flaw("S604", "training bucket: old versions of one customization go at once")
def old_versions_of_one(copy: Copy) -> None:
    copy.properties(TRAINING)["LifecycleConfiguration"]["Rules"].append(
        {
            "Status": "Enabled",
            "Prefix": "pets-search/",
            "NoncurrentVersionExpiration": {"NoncurrentDays": 1},
        }
    )


@flaw("S614", "serving: the endpoint stays, and is billed, when its stack goes")
def endpoint_stays(copy: Copy) -> None:
    copy.resource("pets-search/Throughput")["DeletionPolicy"] = "Retain"


@flaw("S614", "Bedrock role: it stays when its stack goes")
def role_stays(copy: Copy) -> None:
    copy.resource(BEDROCK)["DeletionPolicy"] = "Retain"


MUTANTS = (*(_added(*each) for each in _PROPERTIES), *_UNKNOWN, *collected(globals()))
