"""Each function's environment variables, defined once: stacks write them, handlers read them."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Self

from bedrock_tuning.errors import SettingsError
from bedrock_tuning.s3_layout import Buckets


@dataclass(frozen=True, slots=True, kw_only=True)
class LambdaEnvironment:
    """What all functions know. Values are strings, or mappings that travel as JSON."""

    environment: str

    def to_env(self) -> dict[str, str]:
        """Variables for a function's definition: upper-case names."""
        return {
            name.upper(): value if isinstance(value, str) else json.dumps(value, sort_keys=True)
            for name, value in asdict(self).items()
        }

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Self:
        """Reads them back; raises SettingsError naming every missing variable."""
        missing = [f.name.upper() for f in fields(cls) if f.name.upper() not in env]
        if missing:
            raise SettingsError(f"environment variable {name} is not set" for name in missing)
        values: dict[str, Any] = {}
        for field in fields(cls):
            text = env[field.name.upper()]
            values[field.name] = text if field.type is str else json.loads(text)
        return cls(**values)


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetEnvironment(LambdaEnvironment):
    """For functions that read datasets and write results."""

    training_bucket: str
    validation_bucket: str
    output_bucket: str

    @property
    def buckets(self) -> Buckets:
        """The three buckets."""
        return Buckets(
            training=self.training_bucket,
            validation=self.validation_bucket,
            output=self.output_bucket,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckEnvironment(DatasetEnvironment):
    """check_manifest, check_images. images_per_shard bounds what one invocation may cost."""

    images_per_shard: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluateEnvironment(DatasetEnvironment):
    """evaluate. parameter_prefix: of the pointers, which say what is published."""

    parameter_prefix: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEnvironment(DatasetEnvironment):
    """admit, merge, start_job, record_job, close_run, draw_page: they know the runs table."""

    runs_table: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StartEnvironment(RunEnvironment):
    """start_job. in_network: it reaches neither quotas nor prices."""

    in_network: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnEnvironment(RunEnvironment):
    """take_turn. poll_seconds: the least wait before a run asks again for a slot for its job."""

    poll_seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReconcileEnvironment(RunEnvironment):
    """reconcile. workflow_arn: whose executions it asks about, and starts to serve."""

    topic_arn: str
    workflow_arn: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeEnvironment(LambdaEnvironment):
    """serve. poll_seconds: wait between two looks; serving_timeout_seconds: then it gives up."""

    runs_table: str
    output_bucket: str
    parameter_prefix: str
    poll_seconds: int
    serving_timeout_seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ThroughputEnvironment(LambdaEnvironment):
    """provisioned_throughput, the custom resource. settings_prefix: of the customizations."""

    runs_table: str
    parameter_prefix: str
    settings_prefix: str
    workflow_arn: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardEnvironment(LambdaEnvironment):
    """guard_runs. used_parameter: what runs use, as deployed."""

    runs_table: str
    used_parameter: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaseEnvironment(LambdaEnvironment):
    """keep_leases. settings_prefix: of the customizations."""

    runs_table: str
    workflow_arn: str
    topic_arn: str
    parameter_prefix: str
    settings_prefix: str
