"""What people do with an environment, and exactly what each of these abilities takes."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from bedrock_tuning import s3_layout
from bedrock_tuning.config.tags import CUSTOMIZATION_TAG
from bedrock_tuning.contracts import grants as g
from bedrock_tuning.contracts import operating
from bedrock_tuning.contracts.contract import (
    Condition,
    Grant,
    Scope,
    parameter_prefix,
    settings_prefix,
)
from bedrock_tuning.run import items

# The text: the name of a customization, or ANY for all of an environment's.
Grants = Callable[[Scope, str], tuple[Grant, ...]]


def _tags(scope: Scope, name: str) -> tuple[Condition, ...]:
    """Only what this environment, and this customization if it is one, has tagged."""
    tag = g.tagged_as_own(scope.settings.name)
    if name == g.ANY:
        return (tag,)
    return tag, g.equals(f"aws:ResourceTag/{CUSTOMIZATION_TAG}", name)


def _find(scope: Scope, _: str) -> tuple[Grant, ...]:
    return (
        g.allow("find the deployment", "cloudformation:DescribeStacks", on=operating.stacks(scope)),
        g.allow(
            "find customizations",
            "ssm:GetParametersByPath",
            on=g.parameter(settings_prefix(scope.settings.name)),
        ),
    )


def _list(scope: Scope, _: str) -> tuple[Grant, ...]:
    return (
        # Without a name or with a tag, these know no resources.
        g.allow(
            "list stacks, tags and models",
            "bedrock:ListCustomModels",
            "cloudformation:DescribeStacks",
            "tag:GetResources",
            on="*",
        ),
        g.allow(
            "see whose jobs and models are",
            "bedrock:ListTagsForResource",
            on=(g.JOB_ARNS, g.CUSTOM_MODEL_ARNS),
        ),
        g.allow(
            "list what stacks hold", "cloudformation:ListStackResources", on=operating.stacks(scope)
        ),
        replace(g.find_pointers(scope.settings.name), why="list pointers"),
        g.allow(
            "measure what is stored",
            "s3:ListBucketVersions",
            on=(*g.DATASETS, *g.OUTPUT),
            when=g.OWN_ACCOUNT,
        ),
    )


def _read_runs(_: Scope, name: str) -> tuple[Grant, ...]:
    by_customization, is_open = "{runs}/index/by-customization", "{runs}/index/open"
    if name == g.ANY:
        listed = g.allow("list runs", "dynamodb:Query", "dynamodb:Scan", on=by_customization)
    else:
        listed = g.allow(
            "list own runs", "dynamodb:Query", on=by_customization, when=g.leading(name)
        )
    grant, key = g.runs("GetItem", keys=(items.RUN,))
    return (
        replace(grant, why="read runs"),
        listed,
        g.allow("see the queue", "dynamodb:Query", on=is_open),
        replace(key, actions=g.READ_KEY),
    )


def _read_reports(_: Scope, name: str) -> tuple[Grant, ...]:
    reports = f"{s3_layout.REPORTS}/{name}/*" if name != g.ANY else f"{s3_layout.REPORTS}/*"
    return (
        g.objects("read reports", "s3:GetObject", buckets=g.OUTPUT, patterns=[reports]),
        g.use_data_key(*g.READ_KEY),
    )


def _folders(scope: Scope, name: str) -> list[str]:
    """Where a customization's manifest lies, and its images."""
    folders = (s3_layout.folder(name), *scope.customizations[name].media_folders)
    return [f"{folder}*" for folder in dict.fromkeys(folders)]


def _upload(scope: Scope, name: str) -> tuple[Grant, ...]:
    folders = _folders(scope, name)
    return (
        g.objects("upload datasets", "s3:PutObject", buckets=g.DATASETS, patterns=folders),
        g.listing("list the dataset", buckets=g.DATASETS, prefixes=folders),
        g.use_data_key(),
    )


def _read_datasets(scope: Scope, name: str) -> tuple[Grant, ...]:
    places = [*_folders(scope, name), f"{s3_layout.manifests_prefix(name)}*"]
    return (
        g.objects("read the dataset", "s3:GetObject", buckets=g.DATASETS, patterns=places),
        # S3 says that a key is missing only to those who may list.
        g.listing("list what was checked", buckets=g.DATASETS, prefixes=places),
        g.use_data_key(*g.READ_KEY),
    )


APPROVE_FUNCTION: Final = "{function.Approve}"


def approve(_scope: Scope, _: str) -> tuple[Grant, ...]:
    """The call of the function that approves and declines."""
    return (
        # AWS asks for both (docs/facts/iam.md#function-urls); the second one is for no other call.
        g.allow(
            "approve or decline prices",
            "lambda:InvokeFunctionUrl",
            on=APPROVE_FUNCTION,
            when=g.equals("lambda:FunctionUrlAuthType", "AWS_IAM"),
        ),
        g.allow(
            "approve by the function's address only",
            "lambda:InvokeFunction",
            on=APPROVE_FUNCTION,
            when=Condition.of("Bool", "lambda:InvokedViaFunctionUrl", "true"),
        ),
    )


def _read_trail(_scope: Scope, _: str) -> tuple[Grant, ...]:
    decisions = f"{s3_layout.APPROVALS}/*"
    return (
        g.objects("read decisions", "s3:GetObject", buckets=g.OUTPUT, patterns=[decisions]),
        g.listing("list decisions", buckets=g.OUTPUT, prefixes=[decisions]),
        g.use_data_key(*g.READ_KEY),
    )


def _read_pointers(scope: Scope, name: str) -> Grant:
    return g.allow(
        "find the published model",
        "ssm:GetParameter",
        on=g.parameter(f"{parameter_prefix(scope.settings.name)}/{name}/*"),
    )


_DESCRIBE_MODELS: Final = g.allow(
    "describe models", "bedrock:GetCustomModel", on=g.CUSTOM_MODEL_ARNS
)


def _serve(scope: Scope, name: str) -> tuple[Grant, ...]:
    return (
        _read_pointers(scope, name),
        _DESCRIBE_MODELS,
        g.start_workflow("have it served or ended"),
    )


def _call_models(scope: Scope, name: str) -> tuple[Grant, ...]:
    return (
        _read_pointers(scope, name),
        _DESCRIBE_MODELS,
        g.allow(
            "call the tuned model",
            "bedrock:InvokeModel",
            on=g.ENDPOINTS,
            when=_tags(scope, name),
        ),
        g.allow(
            "call its base model",
            "bedrock:InvokeModel",
            on=g.foundation_models(*scope.customizations[name].base_model.ids.invoke),
        ),
    )


# What only an administrator of the account may do (docs/decisions/0013-nobody-deletes.md).
NOBODYS: Final = (
    "close and admit runs again",
    "delete models and images",
)
# What commands need, by the words in which they say it.
ABILITIES: Final[Mapping[str, Grants]] = {
    "find the deployment": _find,
    "list what is deployed": _list,
    "read runs": _read_runs,
    "follow runs": lambda scope, _: (
        # Not its history, which shows the token of a task (docs/facts/iam.md#task-tokens).
        g.ask_executions("follow executions", scope),
    ),
    "read reports": _read_reports,
    "upload datasets": _upload,
    "read datasets": _read_datasets,
    "approve prices": approve,
    "ask for quotas": lambda *_: (g.ASK_QUOTAS,),
    "ask for prices": lambda *_: (g.ASK_PRICES,),
    "read decisions": _read_trail,
    "ask for bills": lambda *_: (g.allow("ask for bills", "ce:GetCostAndUsage", on="*"),),
    "see endpoints": lambda _scope, _: g.find_endpoints(),
    "serve models": _serve,
    "move leases": lambda scope, name: (
        g.allow(
            "move the end of leases",
            "bedrock:TagResource",
            on=g.ENDPOINTS,
            when=(*_tags(scope, name), g.END_OF_LEASE),
        ),
    ),
    "stop jobs": lambda scope, name: (g.watch_jobs("stop jobs", *_tags(scope, name)),),
    "read logs": operating.read_logs,
    "deliver events again": operating.deliver,
    "call models": _call_models,
    "keep comparisons": lambda _, name: g.keep_comparisons(name),
    "examine the account": operating.examine,
    "examine networks": operating.examine_network,
    "deploy": operating.deploy,
    "retire customizations": operating.retire,
}
