"""The contract of every function: its handler, its role, and what its environment must say."""

from collections.abc import Iterable, Mapping

from bedrock_tuning.config.lambda_environment import (
    CheckEnvironment,
    Environment,
    LeaseEnvironment,
    RunEnvironment,
    ServeEnvironment,
    StartEnvironment,
    ThroughputEnvironment,
)
from bedrock_tuning.config.settings import Settings
from bedrock_tuning.contracts.constructs import PROVIDER, RUN_FUNCTIONS
from bedrock_tuning.contracts.contract import Function, Place
from bedrock_tuning.contracts.grants import parameter_prefix


def functions(
    settings: Settings, customizations: Iterable[str], places: Mapping[str, Place]
) -> tuple[Function, ...]:
    """All functions of an environment."""
    modules = {**RUN_FUNCTIONS, PROVIDER: "provisioned_throughput"}
    environments = _environments(settings, customizations)
    return tuple(
        Function(
            name=f"function.{name}",
            place=places[f"function.{name}"],
            role=f"role.{name}",
            handler=f"lambdas.{module}.handler",
            environment=environments[name].to_env(),
            log_group=f"logs.{name}",
        )
        for name, module in modules.items()
    )


def _environments(settings: Settings, customizations: Iterable[str]) -> dict[str, Environment]:
    """Each function's environment, with placeholders for names and ARNs."""
    name = settings.name
    buckets = {
        "environment": name,
        "training_bucket": "{training:name}",
        "validation_bucket": "{validation:name}",
        "output_bucket": "{output:name}",
    }
    prefix = parameter_prefix(name)
    run = RunEnvironment(**buckets, runs_table="{runs:name}")
    check = CheckEnvironment(**buckets, images_per_shard=settings.images_per_shard)
    return {
        "Admit": run,
        "CheckManifest": check,
        "CheckImages": check,
        "Merge": run,
        "StartJob": StartEnvironment(
            **buckets,
            runs_table="{runs:name}",
            service_roles={each: f"{{role.bedrock.{each}}}" for each in customizations},
            approval_days=settings.approval_days,
        ),
        "RecordJob": run,
        "Serve": ServeEnvironment(
            environment=name,
            parameter_prefix=prefix,
            poll_seconds=settings.poll_seconds,
            serving_timeout_seconds=settings.serving_timeout_seconds,
        ),
        "CloseRun": run,
        "KeepLeases": LeaseEnvironment(
            environment=name, topic_arn="{topic}", parameter_prefix=prefix
        ),
        PROVIDER: ThroughputEnvironment(
            environment=name, parameter_prefix=prefix, workflow_arn="{workflow}"
        ),
    }
