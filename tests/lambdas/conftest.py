"""Handlers with AWS in memory: no socket, no credentials, no clock but the machine's."""

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any

import boto3
import pytest
import pytest_socket
from botocore.config import Config

from bedrock_tuning.config.customization import CustomizationSettings, load_all
from bedrock_tuning.config.deployed import text, to_settings
from bedrock_tuning.config.lambda_environment import (
    CheckEnvironment,
    GuardEnvironment,
    LeaseEnvironment,
    ReconcileEnvironment,
    RunEnvironment,
    ServeEnvironment,
    StartEnvironment,
    ThroughputEnvironment,
    TurnEnvironment,
)
from lambdas import _aws, provisioned_throughput
from lambdas._deploying import _cloudformation
from tests.lambdas.aws import (
    OUTPUT,
    PREFIX,
    ROLE,
    SETTINGS,
    TOPIC,
    TRAINING,
    USED,
    VALIDATION,
    WORKFLOW,
    Aws,
)
from tests.lambdas.bedrock import BASE, model_arn
from tests.lambdas.cloudformation import IDENTITY, CloudFormation
from tests.lambdas.direct import Direct
from tests.lambdas.fakes import DEPLOYED, Fake, connect
from tests.lambdas.flow import Flow
from tests.support.s3 import Server, serve


class _Current:
    """The services of the test that runs now; clients are kept, they cost 0.1 s each."""

    aws: Aws

    def client(self, name: str) -> Any:
        made = boto3.client(  # type: ignore[call-overload]
            name.replace("_", "-"),
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
            # botocore would put the long one together for each call.
            config=Config(user_agent="tests"),
        )

        def fake() -> Fake:
            return getattr(self.aws, name)

        return _aws.told_apart(connect(made, fake))


@pytest.fixture(scope="session")
def _current() -> _Current:
    return _Current()


@pytest.fixture(scope="session")
def clients(_current: _Current) -> dict[str, Any]:
    return {name: _current.client(name) for name in Aws.__dataclass_fields__}


@pytest.fixture(autouse=True)
def aws(
    _current: _Current,
    clients: dict[str, Any],
    socket_disabled: None,
    monkeypatch: pytest.MonkeyPatch,
) -> Aws:
    """AWS in memory, put where every handler finds its clients."""
    _current.aws = Aws()
    _current.aws.s3.objects.buckets = {TRAINING: {}, VALIDATION: {}, OUTPUT: {}}
    for name, client in clients.items():
        monkeypatch.setattr(_aws, name, lambda client=client: client)
    return _current.aws


@pytest.fixture
def direct(aws: Aws, clients: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Handlers reach the fakes without boto3: thousands of calls need no check of each request."""
    for name, client in clients.items():
        made = Direct(partial(getattr, aws, name), client)
        monkeypatch.setattr(_aws, name, lambda made=made: made)


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the stacks set for the functions, of all of them together."""
    run = RunEnvironment(
        environment="dev",
        training_bucket=TRAINING,
        validation_bucket=VALIDATION,
        output_bucket=OUTPUT,
        runs_table="a-table",
    )
    buckets = {
        name: getattr(run, name)
        for name in ("environment", "training_bucket", "validation_bucket", "output_bucket")
    }
    every = [
        run,
        StartEnvironment(**asdict(run), in_network=False),
        TurnEnvironment(**asdict(run), poll_seconds=60),
        ReconcileEnvironment(**asdict(run), topic_arn=TOPIC, workflow_arn=WORKFLOW),
        CheckEnvironment(**buckets, images_per_shard=4),
        ServeEnvironment(
            environment="dev",
            runs_table="a-table",
            output_bucket=OUTPUT,
            parameter_prefix=PREFIX,
            poll_seconds=60,
            serving_timeout_seconds=7200,
        ),
        ThroughputEnvironment(
            environment="dev",
            runs_table="a-table",
            parameter_prefix=PREFIX,
            settings_prefix=SETTINGS,
            workflow_arn=WORKFLOW,
        ),
        GuardEnvironment(environment="dev", runs_table="a-table", used_parameter=USED),
        LeaseEnvironment(
            environment="dev",
            runs_table="a-table",
            workflow_arn=WORKFLOW,
            topic_arn=TOPIC,
            parameter_prefix=PREFIX,
            settings_prefix=SETTINGS,
        ),
    ]
    for each in every:
        for name, value in each.to_env().items():
            monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session")
def _shipped() -> dict[str, CustomizationSettings]:
    return dict(load_all(Path(__file__).parents[2] / "customizations"))


@pytest.fixture(autouse=True)
def customize(_shipped: dict[str, CustomizationSettings]) -> Callable[..., CustomizationSettings]:
    """Changes one deployed customization: its fields, or those of its serving or its budget."""
    deployed = dict(_shipped)

    def deploy(name: str) -> None:
        roles = {"service_role": ROLE, "starter_role": ROLE}
        DEPLOYED[f"{SETTINGS}/{name}"] = text(to_settings(deployed[name]) | roles)

    for name in deployed:
        deploy(name)

    def change(name: str = "pets-search", **changes: Any) -> CustomizationSettings:
        before = deployed[name]
        for part in ("serving", "budget"):
            if part in changes:
                changes[part] = replace(getattr(before, part), **changes[part])
        deployed[name] = replace(before, **changes)
        deploy(name)
        return deployed[name]

    return change


@pytest.fixture
def trained(aws: Aws, customize: Callable[..., CustomizationSettings]) -> None:
    """Two models of one base exist; whatever is asked answers with a vector; the stack is there."""
    aws.ssm.values[f"{PREFIX}/pets-search/serving"] = "deployed"
    aws.bedrock.models = {model_arn(1): BASE, model_arn(2): BASE}
    aws.bedrock_runtime.reply = json.dumps({"embedding": [0.5] * 1024}).encode()


@pytest.fixture
def flow(aws: Aws) -> Flow:
    """The serving part of the workflow."""
    return Flow(aws)


@pytest.fixture
def stack(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> CloudFormation:
    """The stack of one customization, whose custom resource it creates, updates and deletes."""
    properties = {
        "Customization": "pets-search",
        "Mode": "provisioned",
        "LeaseHours": "8",
        "OnDelete": "delete",
    }
    made = CloudFormation(aws, provisioned_throughput.handler, properties, IDENTITY)
    monkeypatch.setattr(_cloudformation.urllib3, "PoolManager", lambda: made)
    monkeypatch.setattr(provisioned_throughput.time, "sleep", made.sleep)
    aws.bedrock.models[model_arn(1)] = BASE
    return made


@pytest.fixture
def server(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """Datasets are read by obstore, over HTTP from the same objects."""
    pytest_socket.enable_socket()
    pytest_socket.socket_allow_hosts(["127.0.0.1"])
    monkeypatch.setattr(
        _aws,
        "credentials",
        lambda: {"access_key_id": "a", "secret_access_key": "b", "token": None},
    )
    with serve(aws.s3.objects) as running:
        monkeypatch.setenv("AWS_ENDPOINT_URL", running.endpoint)
        yield running
