"""What the account itself must have: identity, bootstrap, room for log policies and functions."""

from collections.abc import Iterator
from typing import Final

from bedrock_tuning.client.doctor.check import Observation, Subject, doctor_check, fail, ok, warn

# Of the modern template, which `cdk bootstrap` has written since CDK 2.
_BOOTSTRAP_MIN: Final = 6
# AWS: ten policies for log groups in an account and Region, 5,120 characters each.
_LOG_POLICIES_MAX: Final = 10
_LOG_POLICY_MAX: Final = 5_120
# Twenty shards of images are checked at once, beside the functions of other runs.
_CONCURRENCY_WANTED: Final = 50


@doctor_check("credentials and Region are those of the environment", asks="sts:GetCallerIdentity")
def _identity(subject: Subject) -> Iterator[Observation]:
    caller = subject.aws.sts.get_caller_identity()
    account, region = subject.settings.account, subject.region
    if account and account != caller["Account"]:
        yield fail(
            f"{caller['Arn']}: {subject.settings.name} belongs to account {account}",
            "choose another profile: AWS_PROFILE, or aws sso login --profile NAME",
        )
    elif region != subject.settings.region:
        yield fail(
            f"your Region is {region}, {subject.settings.name} is in {subject.settings.region}",
            fix=f"--region {subject.settings.region}",
        )
    else:
        yield ok(f"{caller['Arn']} in {region}")


@doctor_check("the CDK can deploy here", asks="ssm:GetParameter")
def _bootstrap(subject: Subject) -> Iterator[Observation]:
    ssm = subject.aws.ssm
    command = f"cdk bootstrap aws://ACCOUNT/{subject.settings.region}"
    try:
        version = ssm.get_parameter(Name="/cdk-bootstrap/hnb659fds/version")["Parameter"]["Value"]
    except ssm.exceptions.ParameterNotFound:
        yield fail("the Region is not bootstrapped for the CDK", command)
        return
    if int(version) < _BOOTSTRAP_MIN:
        yield fail(f"version {version}, at least {_BOOTSTRAP_MIN} is needed", command)
    else:
        yield ok(f"version {version}")


@doctor_check("there is room for policies of log groups", asks="logs:DescribeResourcePolicies")
def _log_policies(subject: Subject) -> Iterator[Observation]:
    policies = subject.aws.logs.describe_resource_policies()["resourcePolicies"]
    longest = max((len(policy.get("policyDocument", "")) for policy in policies), default=0)
    summary = f"policies: {len(policies)}, the longest with {longest:,} characters"
    if len(policies) >= _LOG_POLICIES_MAX or longest > _LOG_POLICY_MAX - 500:
        yield warn(
            f"{summary}; at most {_LOG_POLICIES_MAX} with {_LOG_POLICY_MAX:,} each",
            fix="log groups below /aws/vendedlogs/ need no room there, and the workflow's is one; "
            "others may fail: delete policies that nobody needs",
        )
    else:
        yield ok(summary)


@doctor_check("enough functions may run at once", asks="lambda:GetAccountSettings")
def _lambda_concurrency(subject: Subject) -> Iterator[Observation]:
    limit = subject.aws.lambda_.get_account_settings()["AccountLimit"]
    available = limit["UnreservedConcurrentExecutions"]
    if available < _CONCURRENCY_WANTED:
        yield warn(
            f"{available} functions may run at once; a run checks 20 shards of images together",
            fix="request a higher quota: Service Quotas, AWS Lambda, Concurrent executions "
            "(L-B99A9384)",
        )
    else:
        yield ok(f"{available:,} functions may run at once")
