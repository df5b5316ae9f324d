"""The functions that create, change and delete endpoints; the rights that can cost money."""

from dataclasses import replace
from typing import Final, get_args

from bedrock_tuning import s3_layout
from bedrock_tuning.config.lambda_environment import (
    EvaluateEnvironment,
    LeaseEnvironment,
    ServeEnvironment,
    ThroughputEnvironment,
)
from bedrock_tuning.config.tags import CUSTOMIZATION_TAG, ENVIRONMENT_TAG
from bedrock_tuning.contracts import grants as g
from bedrock_tuning.contracts.contract import (
    SETTINGS_VALUE,
    FunctionAnswer,
    FunctionSpec,
    Grant,
    Scope,
)
from bedrock_tuning.run import items
from bedrock_tuning.run.decisions import ServingStep


def _serve(scope: Scope) -> tuple[Grant, ...]:
    environment = scope.settings.name
    return (
        *g.find_endpoints(),
        g.end_billing(environment),
        *_buy(environment),
        g.allow("describe models", "bedrock:GetCustomModel", on=g.CUSTOM_MODEL_ARNS),
        g.ask_lifecycle(),
        g.pointers(environment, "GetParameter", "PutParameter", "DeleteParameter"),
        *g.runs("GetItem", "PutItem", "UpdateItem", keys=(items.RUN, items.INTENT)),
        # The answer to its smoke test.
        g.write_reports("smoke.*"),
        g.use_data_key(),
    )


def _buy(environment: str) -> tuple[Grant, ...]:
    """What may cost money by the hour: only under this environment's tag."""
    tag = g.tagged_as_own(environment)
    return (
        g.allow(
            "buy endpoints",
            "bedrock:CreateProvisionedModelThroughput",
            "bedrock:CreateCustomModelDeployment",
            on=g.CUSTOM_MODEL_ARNS,
            when=g.equals(f"aws:RequestTag/{ENVIRONMENT_TAG}", environment),
        ),
        g.allow(
            "swap models",
            "bedrock:UpdateProvisionedModelThroughput",
            "bedrock:UpdateCustomModelDeployment",
            on=(g.CUSTOM_MODEL_ARNS, *g.ENDPOINTS),
            when=tag,
        ),
        g.tag_as_own("tag new endpoints", environment, resources=g.ENDPOINTS),
        g.allow("renew leases", "bedrock:TagResource", on=g.ENDPOINTS, when=(tag, g.END_OF_LEASE)),
        g.allow("smoke test", "bedrock:InvokeModel", on=g.ENDPOINTS, when=tag),
    )


SERVE: Final = FunctionSpec(
    name="Serve",
    module="serve",
    does="creates, swaps, tests and rolls back endpoints",
    variables=ServeEnvironment,
    grants=_serve,
    payload={"serving": "$.serving", "settings": SETTINGS_VALUE},
    answer=FunctionAnswer(path="$.serving", field="step", values=get_args(ServingStep)),
    writes="check",
)


def _evaluate(scope: Scope) -> tuple[Grant, ...]:
    manifest = s3_layout.checked_manifest_key(g.ANY, g.ANY, "validation")
    return (
        g.objects(
            "read the validation set",
            "s3:GetObject",
            buckets=("{validation}",),
            patterns=[manifest, *g.FOLDERS],
        ),
        g.objects(
            "read the evaluation of what is published",
            "s3:GetObject",
            buckets=g.OUTPUT,
            patterns=[f"{s3_layout.report_prefix(g.ANY, g.ANY)}evaluation.json"],
        ),
        g.listing(
            "tell missing from denied", buckets=g.OUTPUT, prefixes=[f"{s3_layout.REPORTS}/*"]
        ),
        replace(g.pointers(scope.settings.name, "GetParameter"), why="find what is published"),
        g.write_reports("evaluation.json"),
        g.use_data_key(),
        g.allow(
            "ask the tuned model",
            "bedrock:InvokeModel",
            on=g.ENDPOINTS,
            when=g.tagged_as_own(scope.settings.name),
        ),
        g.allow("ask the base model", "bedrock:InvokeModel", on=g.foundation_models(g.ANY)),
    )


EVALUATE: Final = FunctionSpec(
    name="Evaluate",
    module="evaluate",
    does="judges a new model by its validation set before it is published",
    variables=EvaluateEnvironment,
    grants=_evaluate,
    payload={"serving": "$.serving", "settings": SETTINGS_VALUE},
    answer=FunctionAnswer(path="$.serving", field="step", values=("publish", "roll-back")),
    # Measured: comparing vectors is bound by the processor.
    memory_mb=1_769,
    writes="check",
)


def _keep_leases(scope: Scope) -> tuple[Grant, ...]:
    environment = scope.settings.name
    return (
        *g.find_endpoints(),
        g.end_billing(environment),
        g.read_settings(environment),
        g.allow("see when endpoints were called", "cloudwatch:GetMetricStatistics", on="*"),
        g.pointers(environment, "GetParameter", "DeleteParameter"),
        g.find_pointers(environment),
        g.start_own_workflow("have unfinished work undone", scope),
        *g.runs("GetItem", "PutItem", keys=(items.INTENT, items.WARNED)),
        *g.notify(),
    )


KEEP_LEASES: Final = FunctionSpec(
    name="KeepLeases",
    module="keep_leases",
    does="deletes Provisioned Throughput whose lease has ended or that nobody calls, "
    "and pointers whose endpoint is gone",
    variables=LeaseEnvironment,
    grants=_keep_leases,
)


def _provisioned_throughput(scope: Scope) -> tuple[Grant, ...]:
    environment = scope.settings.name
    return (
        *g.find_endpoints(),
        g.end_billing(environment),
        g.start_workflow("hand over"),
        g.read_settings(environment),
        g.pointers(environment, "GetParameter", "PutParameter", "DeleteParameter"),
        *g.runs("GetItem", "PutItem", "UpdateItem", keys=(items.RUN, items.INTENT)),
        g.find_runs(),
        g.allow(
            "rename what is tagged as own",
            "bedrock:TagResource",
            on=(g.CUSTOM_MODEL_ARNS, *g.ENDPOINTS),
            when=(
                g.tagged_as_own(environment),
                g.all_equal("aws:TagKeys", CUSTOMIZATION_TAG),
            ),
        ),
        g.find_jobs("keep stacks of running jobs"),
    )


PROVISIONED_THROUGHPUT: Final = FunctionSpec(
    name="ProvisionedThroughput",
    module="provisioned_throughput",
    does="asks the workflow to serve what a deployment changes; deletes endpoints with their stack",
    variables=ThroughputEnvironment,
    grants=_provisioned_throughput,
    stack="serving",
)
