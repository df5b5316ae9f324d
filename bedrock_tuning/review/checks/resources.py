"""Checks that resources are as their contracts say, which say every property of each."""

from typing import Final

from bedrock_tuning.contracts.alarms import ALARM
from bedrock_tuning.contracts.contract import MACHINE
from bedrock_tuning.contracts.written.customization import BUDGET
from bedrock_tuning.contracts.written.functions import FUNCTION
from bedrock_tuning.review.check import as_contracted

_CONTRACTS: Final = "bedrock_tuning/contracts"
_BUCKET: Final = "AWS::S3::Bucket"
_BUCKET_FIX: Final = f"Deploy it as {_CONTRACTS}/written/buckets.py says"
_FUNCTION_FIX: Final = f"Wire the function as its specification in {_CONTRACTS} says"
FILE_FIX: Final = (
    "Deploy what its file in customizations/ says, "
    f"as {_CONTRACTS}/written/customization.py writes it"
)
_EVENTS_FIX: Final = f"Deploy it as {_CONTRACTS}/written/events.py says"
_OPERATIONS: Final = f"{_CONTRACTS}/written/operations.py"
_NETWORK_FIX: Final = f"Deploy it as {_CONTRACTS}/written/vpc.py says"

functions = as_contracted(
    "W505",
    "Every function is exactly its specification: handler, role, environment, log group, runtime, "
    "time-out, memory, disk, traces and, if the settings say so, the network.",
    FUNCTION,
    fix=f"{_FUNCTION_FIX}; set tracing or vpc in cdk.json for traces or the network",
)
addresses = as_contracted(
    "W508",
    "A function URL accepts signed requests only, and only functions whose specification has one "
    "are called by it.",
    "AWS::Lambda::Url",
    limit="AuthType AWS_IAM, no CORS, no alias",
    fix=_FUNCTION_FIX,
)
dashboard = as_contracted(
    "W516",
    "The dashboard has the environment's name and shows metrics, and nothing that is loaded or "
    "run.",
    "AWS::CloudWatch::Dashboard",
    fix=f"Deploy it as {_CONTRACTS}/written/dashboard.py says",
)
alarms = as_contracted(
    "W518",
    "The alarms of the platform and of every customization count what their contracts say, fire "
    "at the first failure or when calls stop, and notify the topic, also when the alarm ends.",
    ALARM,
    fix=f"Deploy them as {_CONTRACTS}/alarms.py says",
)
rules = as_contracted(
    "W521",
    "One rule starts a run for uploaded manifests, and for nothing else; one has the runs "
    "reconciled of executions that ended badly; with slack_channel, two show this environment's "
    "messages, in the form that AWS Chatbot shows. All are enabled, and keep what they cannot "
    "deliver.",
    "AWS::Events::Rule",
    fix=_EVENTS_FIX,
)
notifications = as_contracted(
    "W522",
    "Only the buckets with datasets send events, to EventBridge alone.",
    f"{_BUCKET}.NotificationConfiguration",
    fix="Only datasets may start runs; what a run writes must not send an event",
)
schedule = as_contracted(
    "W525",
    "The lease keeper and the reconciler run every 15 minutes.",
    "AWS::Scheduler::Schedule",
    limit="leases end, and lost runs and jobs are found, within 15 minutes; until then both bill",
    fix=_EVENTS_FIX,
)
subscriptions = as_contracted(
    "W529",
    "The function that announces messages gets all of this environment; alarm_email gets every "
    "message.",
    "AWS::SNS::Subscription",
    limit="all messages with this environment's attribute",
    fix=_EVENTS_FIX,
)
channel = as_contracted(
    "W530",
    "A chat channel shows alarms and messages, and nobody can act from it.",
    "AWS::Chatbot::SlackChannelConfiguration",
    limit="what members of a channel may do, AWS Chatbot does as its role within its guardrails",
    fix=f"Deploy it as {_CONTRACTS}/options.py says",
)
runs_table = as_contracted(
    "S602",
    "The runs table has recovery, its key, on-demand billing, the keys and indexes that functions "
    "and commands query, and, if the setting protected is on, deletion protection.",
    "AWS::DynamoDB::Table",
    limit="the record of all runs and the lock against double jobs",
    fix=f"Deploy it as {_CONTRACTS}/written/runs_table.py says",
)
versioned = as_contracted(
    "S603",
    "Every bucket keeps the versions of its objects.",
    f"{_BUCKET}.VersioningConfiguration",
    limit="an overwritten dataset must be recoverable, and a version names an upload",
    fix=_BUCKET_FIX,
)
lifecycles = as_contracted(
    "S604",
    "Objects are kept as long as the settings say, and incomplete uploads are removed.",
    f"{_BUCKET}.LifecycleConfiguration",
    fix="Set noncurrent_days, work_days or log_retention_days in cdk.json; "
    f"{_CONTRACTS}/written/buckets.py writes the lifecycle",
)
log_retention = as_contracted(
    "S605",
    "Every log group has its key and the retention period that the settings say. The workflow's "
    "name begins with /aws/vendedlogs/, so that it uses none of the account's resource policy for "
    "logs.",
    "AWS::Logs::LogGroup",
    limit="as many days as the settings say; without RetentionInDays, logs are kept indefinitely",
    fix=f"Set log_retention_days in cdk.json; {_OPERATIONS} writes the log group",
)
queues = as_contracted(
    "S606",
    "Dead letters are encrypted, kept as long as SQS allows, and neither moved nor delayed.",
    "AWS::SQS::Queue",
    fix=f"Deploy it as {_CONTRACTS}/construct_names.py says",
)
keys = as_contracted(
    "S607",
    "Every key rotates, is enabled, and is a single-Region encryption key of KMS.",
    "AWS::KMS::Key",
    limit="a key that rotates and exists as long as its data",
    fix=f"Deploy it as {_OPERATIONS} says",
)
closed = as_contracted(
    "S608",
    "No bucket can be made public, and the bucket owner owns every object.",
    f"{_BUCKET}.PublicAccessBlockConfiguration",
    f"{_BUCKET}.OwnershipControls",
    limit="no public access, no ACLs",
    fix=_BUCKET_FIX,
)
encrypted = as_contracted(
    "S609",
    "Buckets and topics are encrypted with the key intended for them.",
    f"{_BUCKET}.BucketEncryption",
    "AWS::SNS::Topic",
    limit="its own key, switched on",
    fix="Give the construct its key, and set encryption",
)
access_logged = as_contracted(
    "S610",
    "Who reads and writes a bucket that holds data is logged, in the bucket for access logs.",
    f"{_BUCKET}.LoggingConfiguration",
    limit="each in a folder of its own, which the log bucket's policy opens for it",
    fix=_BUCKET_FIX,
)
logged = as_contracted(
    "F710",
    "A state machine acts as its own role and logs everything it does, without the data of its "
    "executions.",
    MACHINE,
    limit="a run of several days must be traceable; its data stays in the buckets",
    fix=f"Deploy it as {_CONTRACTS}/written/operations.py says",
)
custom_resources = as_contracted(
    "M804",
    "Every other custom resource has exactly the properties of its contract.",
    "Custom::ClosedSecurityGroup",
    "Custom::RunGuard",
    fix=f"Wire it as the contract in {_CONTRACTS} says",
)
budgets = as_contracted(
    "M806",
    "Every monthly budget is the one in its customization's file.",
    BUDGET,
    fix=FILE_FIX,
)
endpoints = as_contracted(
    "N902",
    "The endpoint of each API that functions and jobs call is in the functions' subnets, under the "
    "SDKs' names (private DNS). Its policy allows what the contracts name, for this account, and "
    "no more.",
    "AWS::EC2::VPCEndpoint",
    fix=f"Deploy it as {_CONTRACTS}/vpc_endpoints.py says",
)
groups = as_contracted(
    "N906",
    "Security groups allow exactly what functions, jobs and endpoints need: HTTPS from functions "
    "and jobs to endpoints, and jobs among themselves.",
    "AWS::EC2::SecurityGroup",
    "AWS::EC2::SecurityGroupEgress",
    "AWS::EC2::SecurityGroupIngress",
    fix=_NETWORK_FIX,
)
subnets = as_contracted(
    "N907",
    "The network has private addresses and DNS names, which resolve to the endpoints. Its subnets "
    "are private, in separate zones, and share one route table without a way out.",
    "AWS::EC2::RouteTable",
    "AWS::EC2::Subnet",
    "AWS::EC2::SubnetRouteTableAssociation",
    "AWS::EC2::VPC",
    fix=_NETWORK_FIX,
)
recorded = as_contracted(
    "N908",
    "All VPC traffic is logged.",
    "AWS::EC2::FlowLog",
    limit="every connection is recorded",
    fix=_NETWORK_FIX,
)
