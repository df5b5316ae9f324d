"""What the simulator keeps: jobs, models, throughputs and deployments, in the API's own names.

Each struct encodes to the members of the service's answers; members of ours come last and never
leave the server, because answers are cut to their shapes.
"""

from datetime import datetime
from typing import Any

import msgspec

Tags = dict[str, str]


class Resource(msgspec.Struct, kw_only=True, rename="camel", omit_defaults=True):
    """Base of what is kept; encodes without the members that are not set."""

    def members(self) -> dict[str, Any]:
        """The record as JSON values, times in ISO 8601."""
        members: dict[str, Any] = msgspec.to_builtins(self)
        return members


class Phase(Resource, kw_only=True):
    """One phase of a job: NotStarted, InProgress, Completed, Stopping, Stopped or Failed."""

    status: str
    creation_time: datetime
    last_modified_time: datetime


class StatusDetails(Resource, kw_only=True):
    """A job's phases in their order."""

    validation_details: Phase
    data_processing_details: Phase
    training_details: Phase


class Job(Resource, kw_only=True):
    """A customization job; `parent_model_arn` is the model it tunes, foundation or custom."""

    job_arn: str
    job_name: str
    output_model_name: str
    output_model_arn: str
    client_request_token: str | None = None
    role_arn: str
    status: str
    status_details: StatusDetails
    failure_message: str | None = None
    creation_time: datetime
    last_modified_time: datetime
    end_time: datetime | None = None
    base_model_arn: str
    hyper_parameters: dict[str, str]
    training_data_config: dict[str, Any]
    validation_data_config: dict[str, Any]
    output_data_config: dict[str, Any]
    customization_type: str
    output_model_kms_key_arn: str | None = None
    training_metrics: dict[str, float] | None = None
    validation_metrics: list[dict[str, float]] | None = None
    vpc_config: dict[str, Any] | None = None
    customization_config: dict[str, Any] | None = None

    region: str
    account: str
    catalogue_key: str
    parent_model_arn: str
    tags: Tags = {}
    model_tags: Tags = {}


class Model(Resource, kw_only=True):
    """A custom model; `foundation_arn` is the base model at the bottom of a chain of tunings."""

    model_arn: str
    model_name: str
    job_name: str
    job_arn: str
    base_model_arn: str
    customization_type: str
    model_kms_key_arn: str | None = None
    hyper_parameters: dict[str, str]
    training_data_config: dict[str, Any]
    validation_data_config: dict[str, Any]
    output_data_config: dict[str, Any]
    training_metrics: dict[str, float]
    validation_metrics: list[dict[str, float]]
    creation_time: datetime
    model_status: str

    foundation_arn: str
    catalogue_key: str
    tags: Tags = {}


class Throughput(Resource, kw_only=True):
    """Provisioned Throughput; a change under way settles at `settles_at` (None: never)."""

    provisioned_model_arn: str
    provisioned_model_name: str
    model_units: int
    desired_model_units: int
    model_arn: str
    desired_model_arn: str
    foundation_model_arn: str
    status: str
    creation_time: datetime
    last_modified_time: datetime
    failure_message: str | None = None
    commitment_duration: str | None = None
    commitment_expiration_time: datetime | None = None

    catalogue_key: str
    settles_at: datetime | None = None
    settles_as: str = "InService"
    settles_with: str | None = None
    client_request_token: str | None = None
    tags: Tags = {}


class OnDemandDeployment(Resource, kw_only=True):
    """An on-demand deployment of a custom model."""

    custom_model_deployment_arn: str
    model_deployment_name: str
    model_arn: str
    created_at: datetime
    status: str
    description: str | None = None
    update_details: dict[str, str] | None = None
    failure_message: str | None = None
    last_updated_at: datetime

    catalogue_key: str
    settles_at: datetime | None = None
    client_request_token: str | None = None
    tags: Tags = {}


class SimulatorState(Resource, kw_only=True):
    """Everything, by ARN; what a restart brings back."""

    jobs: dict[str, Job] = {}
    models: dict[str, Model] = {}
    throughputs: dict[str, Throughput] = {}
    deployments: dict[str, OnDemandDeployment] = {}
