"""Grants that several contracts share; each says why it is needed."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from bedrock_tuning import s3_layout
from bedrock_tuning.config.tags import ENVIRONMENT_TAG, EXPIRES_TAG
from bedrock_tuning.contracts.contract import (
    Condition,
    Grant,
    Scope,
    parameter_prefix,
    settings_prefix,
    workflow_arn,
)
from bedrock_tuning.run import items

JOB_ARNS: Final = "arn:{partition}:bedrock:{region}:{account}:model-customization-job/*"
CUSTOM_MODEL_ARNS: Final = "arn:{partition}:bedrock:{region}:{account}:custom-model/*"
# Provisioned Throughput and on-demand deployments; "provisioned-model" is Bedrock's spelling.
ENDPOINTS: Final = (
    "arn:{partition}:bedrock:{region}:{account}:custom-model-deployment/*",
    "arn:{partition}:bedrock:{region}:{account}:provisioned-model/*",
)
DATASETS: Final = ("{training}", "{validation}")
OUTPUT: Final = ("{output}",)
READ_KEY: Final = ("kms:Decrypt",)
WRITE_KEY: Final = ("kms:Decrypt", "kms:GenerateDataKey")


def equals(key: str, *values: str) -> Condition:
    """The request's value must be one of these."""
    return Condition.of("StringEquals", key, *values)


def all_equal(key: str, *values: str) -> Condition:
    """Each of the request's values, of a key that has several, must be one of these."""
    return Condition.of("ForAllValues:StringEquals", key, *values)


def like(key: str, *values: str) -> Condition:
    """The request's value must fit one of these patterns."""
    return Condition.of("StringLike", key, *values)


def arn_like(key: str, *values: str) -> Condition:
    """The request's ARN must fit one of these patterns."""
    return Condition.of("ArnLike", key, *values)


# A bucket of the same name in yet another account is not the one that is meant.
OWN_ACCOUNT: Final = equals("aws:ResourceAccount", "{data-account}")
FROM_THIS_ACCOUNT: Final = equals("aws:SourceAccount", "{account}")


def tagged_as_own(environment: str) -> Condition:
    """Only what this environment has tagged."""
    return equals(f"aws:ResourceTag/{ENVIRONMENT_TAG}", environment)


def allow(
    why: str,
    *actions: str,
    on: str | Iterable[str],
    when: Condition | Iterable[Condition] = (),
    to: str = "",
) -> Grant:
    """Actions on these resources under all of these conditions; to a service, if one is named."""
    return Grant(
        why=why,
        actions=actions,
        resources=(on,) if isinstance(on, str) else tuple(on),
        conditions=(when,) if isinstance(when, Condition) else tuple(when),
        services=(to,) if to else (),
    )


def refuse(why: str, *actions: str, on: Iterable[str], when: Condition | None = None) -> Grant:
    """Nobody's actions on these resources, under this condition, if there is one."""
    return replace(allow(why, *actions, on=on, when=() if when is None else when), effect="Deny")


def objects(why: str, *actions: str, buckets: Iterable[str], patterns: Iterable[str]) -> Grant:
    """Actions on the objects under these patterns in each of these buckets."""
    arns = list(patterns)
    return allow(
        why,
        *actions,
        on=(f"{bucket}/{pattern}" for bucket in buckets for pattern in arns),
        when=OWN_ACCOUNT,
    )


def listing(
    why: str, *, buckets: Iterable[str], prefixes: Iterable[str], action: str = "s3:ListBucket"
) -> Grant:
    """Listing keys under these prefixes only."""
    return allow(why, action, on=buckets, when=(OWN_ACCOUNT, like("s3:prefix", *prefixes)))


def key_through(service: str, why: str, *, key: str, actions: tuple[str, ...]) -> Grant:
    """The use of a key on the caller's behalf by one service, never directly."""
    return allow(
        why, *actions, on=key, when=equals("kms:ViaService", f"{service}.{{region}}.amazonaws.com")
    )


def use_data_key(*actions: str) -> Grant:
    """The key of datasets and results, through S3; for reading and writing unless it says less."""
    return key_through("s3", "use data key", key="{data-key}", actions=actions or WRITE_KEY)


# Of any customization: functions read all datasets, and write none.
ANY: Final = "*"
FOLDERS: Final = (f"{s3_layout.folder(ANY)}*",)


def find_manifests() -> Grant:
    """Finding the newest versions of the manifests."""
    return listing(
        "find manifests",
        action="s3:ListBucketVersions",
        buckets=DATASETS,
        prefixes=[s3_layout.manifest_key(ANY)],
    )


def read_manifests() -> Grant:
    """Reading the manifests, in the version that was checked."""
    return objects(
        "read manifests",
        "s3:GetObject",
        "s3:GetObjectVersion",
        buckets=DATASETS,
        patterns=[s3_layout.manifest_key(ANY)],
    )


def work(why: str, action: str, *files: str) -> Grant:
    """Files below work/<any run>/; "" for all of them."""
    patterns = [f"{s3_layout.WORK}/*/{file}" if file else f"{s3_layout.WORK}/*" for file in files]
    return objects(why, action, buckets=OUTPUT, patterns=patterns)


def write_reports(*files: str) -> Grant:
    """Files of each customization's reports, of any run."""
    patterns = [f"{s3_layout.report_prefix(ANY, ANY)}{file}" for file in files]
    return objects("write reports", "s3:PutObject", buckets=OUTPUT, patterns=patterns)


def keep_comparisons(customization: str) -> tuple[Grant, ...]:
    """Reading and writing what a customization's models answered, for people."""
    patterns = [f"{s3_layout.COMPARISONS}/{customization}/*"]
    actions = ("s3:GetObject", "s3:PutObject")
    return (
        objects("keep comparisons", *actions, buckets=OUTPUT, patterns=patterns),
        use_data_key(),
    )


def foundation_models(*ids: str) -> tuple[str, ...]:
    """The ARNs of base models, which belong to no account."""
    return tuple(f"arn:{{partition}}:bedrock:{{region}}::foundation-model/{model}" for model in ids)


def ask_lifecycle() -> Grant:
    """Asking whether Bedrock still offers a base model."""
    return allow(
        "ask whether the model is open", "bedrock:GetFoundationModel", on=foundation_models(ANY)
    )


def start_workflow(why: str) -> Grant:
    """Starting a run, or the serving part of one."""
    return allow(why, "states:StartExecution", on="{workflow}")


def start_own_workflow(why: str, scope: Scope) -> Grant:
    """For what the workflow's stack makes before the workflow, and for the workflow itself."""
    return replace(start_workflow(why), resources=(workflow_arn(scope.settings.name),))


def executions(scope: Scope, kind: str = ":") -> str:
    """The environment's executions: ":" of its workflow, "/" of the shards that this one maps."""
    return f"{workflow_arn(scope.settings.name).replace(':stateMachine:', ':execution:')}{kind}*"


def ask_executions(why: str, scope: Scope) -> Grant:
    """Asking what became of this environment's executions."""
    return allow(why, "states:DescribeExecution", on=executions(scope))


def find_jobs(why: str) -> Grant:
    """Listing jobs, which knows no resources."""
    return allow(why, "bedrock:ListModelCustomizationJobs", on="*")


def watch_jobs(why: str, *tagged: Condition) -> Grant:
    """Watching and stopping jobs that are tagged so."""
    return allow(
        why,
        "bedrock:GetModelCustomizationJob",
        "bedrock:StopModelCustomizationJob",
        on=JOB_ARNS,
        when=tagged,
    )


# None of what follows knows resources.
ASK_QUOTAS: Final = allow(
    "ask for quotas and what is in use",
    "bedrock:ListCustomModelDeployments",
    "bedrock:ListCustomModels",
    "bedrock:ListProvisionedModelThroughputs",
    "servicequotas:GetAWSDefaultServiceQuota",
    "servicequotas:GetServiceQuota",
    on="*",
)
ASK_PRICES: Final = allow("ask for prices", "pricing:GetProducts", on="*")


def ask_before_paying(scope: Scope) -> tuple[Grant, ...]:
    """Asking what the account has room for, and prices; nothing in a network reaches either."""
    return () if scope.settings.vpc else (ASK_QUOTAS, ASK_PRICES)


def leading(*keys: str) -> Condition:
    """Only items whose partition key is one of these, or fits one of these patterns."""
    return Condition.of("ForAllValues:StringLike", "dynamodb:LeadingKeys", *keys)


def runs(*actions: str, keys: Iterable[str], why: str = "use runs") -> tuple[Grant, Grant]:
    """Operations on single items of the runs table, of these kinds, and its key."""
    return (
        allow(
            why,
            *(f"dynamodb:{action}" for action in actions),
            on="{runs}",
            when=leading(*(f"{kind}*" for kind in keys)),
        ),
        use_runs_key(),
    )


def use_runs_key() -> Grant:
    """The key of the runs table, for whoever reads or writes it."""
    return key_through(
        "dynamodb",
        "use the runs' key",
        key="{operations-key}",
        actions=("kms:Decrypt", "kms:DescribeKey"),
    )


def read_intents() -> Grant:
    """What is to be served, as the runs table says; beside the operations of runs()."""
    grant, _ = runs("GetItem", keys=(items.INTENT,), why="read what is to be served")
    return grant


def open_runs() -> Grant:
    """Finding the runs that have not ended, by their index of the runs table."""
    return allow("find open runs", "dynamodb:Query", on="{runs}/index/open")


def find_runs() -> Grant:
    """Finding the runs of a customization, by their index of the runs table."""
    return allow("find runs", "dynamodb:Query", on="{runs}/index/by-customization")


def notify() -> tuple[Grant, Grant]:
    """Sending to the encrypted topic."""
    return (
        allow("notify", "sns:Publish", on="{topic}"),
        key_through("sns", "encrypt messages", key="{operations-key}", actions=WRITE_KEY),
    )


def trace() -> Grant:
    """Sending traces, which know no resources."""
    return allow("send traces", "xray:PutTelemetryRecords", "xray:PutTraceSegments", on="*")


def write_logs(function: str) -> Grant:
    """A function's own log group, which it cannot create, only write."""
    return allow(
        "write own logs", "logs:CreateLogStream", "logs:PutLogEvents", on=f"{{logs.{function}}}"
    )


def find_endpoints() -> tuple[Grant, Grant]:
    """Finding the endpoints that exist; Bedrock's List actions know no resources."""
    return (
        allow(
            "find endpoints",
            "bedrock:ListProvisionedModelThroughputs",
            "bedrock:ListCustomModelDeployments",
            on="*",
        ),
        allow(
            "describe endpoints",
            "bedrock:GetProvisionedModelThroughput",
            "bedrock:GetCustomModelDeployment",
            "bedrock:ListTagsForResource",
            on=ENDPOINTS,
        ),
    )


def end_billing(environment: str) -> Grant:
    """Deleting endpoints that this environment has tagged as its own."""
    return allow(
        "end billing",
        "bedrock:DeleteProvisionedModelThroughput",
        "bedrock:DeleteCustomModelDeployment",
        on=ENDPOINTS,
        when=tagged_as_own(environment),
    )


def parameter(path: str) -> str:
    """The ARN of a parameter, or of those that a pattern names."""
    return f"arn:{{partition}}:ssm:{{region}}:{{account}}:parameter{path}"


def pointers(environment: str, *actions: str) -> Grant:
    """The SSM parameters that point to a customization's model and endpoint."""
    return allow(
        "publish pointers",
        *(f"ssm:{action}" for action in actions),
        on=parameter(f"{parameter_prefix(environment)}/*"),
    )


def find_pointers(environment: str) -> Grant:
    """Listing them with their values; the path that is asked for is the resource of the call."""
    path = parameter(parameter_prefix(environment))
    return allow("find pointers", "ssm:GetParametersByPath", on=path)


def read_settings(environment: str) -> Grant:
    """The customizations' settings, which only their own stacks write."""
    settings = parameter(f"{settings_prefix(environment)}/*")
    return allow("read settings", "ssm:GetParameter", on=settings)


# With another tag, an endpoint could be handed to another environment, and nothing would end it.
END_OF_LEASE: Final = all_equal("aws:TagKeys", EXPIRES_TAG)


def tag_as_own(why: str, environment: str, *, resources: tuple[str, ...]) -> Grant:
    """Tagging something new; what another environment has tagged cannot be claimed."""
    return allow(
        why,
        "bedrock:TagResource",
        on=resources,
        when=(
            equals(f"aws:RequestTag/{ENVIRONMENT_TAG}", environment),
            Condition.of("StringEqualsIfExists", f"aws:ResourceTag/{ENVIRONMENT_TAG}", environment),
        ),
    )
