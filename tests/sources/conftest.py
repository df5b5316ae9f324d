"""A small S3 on loopback; no test here may reach anything else."""

from collections.abc import Iterator

import boto3
import pytest
import pytest_socket
from botocore.config import Config

from bedrock_tuning.sources import s3
from tests.support.s3 import Objects, Server, serve

BUCKET = "a-bucket"


@pytest.fixture(autouse=True)
def _loopback_only(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest_socket.socket_allow_hosts(["127.0.0.1"])
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL_S3", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    # obstore opens sockets beyond Python's reach: a wrong endpoint must not lead anywhere.
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")


@pytest.fixture
def objects() -> Objects:
    return Objects({BUCKET: {}})


@pytest.fixture
def server(objects: Objects, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    with serve(objects) as running:
        monkeypatch.setenv("AWS_ENDPOINT_URL", running.endpoint)
        yield running


@pytest.fixture
def client(server: Server) -> s3.S3Store:
    return s3.store(
        BUCKET,
        region="us-east-1",
        credentials=lambda: {"access_key_id": "a", "secret_access_key": "b", "token": None},
    )


@pytest.fixture
def images(client: s3.S3Store, server: Server) -> s3.S3Images:
    boto = boto3.client(
        "s3",
        region_name="us-east-1",
        endpoint_url=server.endpoint,
        aws_access_key_id="a",
        aws_secret_access_key="b",
        config=Config(retries={"total_max_attempts": 1}),
    )
    return s3.S3Images(BUCKET, client=client, boto=boto, threads=4)
