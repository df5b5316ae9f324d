"""Where one local AWS keeps its files, and the environments its server and its clients get."""

import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bedrock_tuning.config.names import LOCAL_ACCOUNT

REGION: Final = "us-east-1"
ENVIRONMENT: Final = "local"
HOST: Final = "127.0.0.1"
"""An address, not a name: with an address every SDK uses path-style S3."""

FUNCTION_URLS: Final = "/_aws/lambda-url/"
"""Below it lie the addresses of functions, which take signed requests as services do."""

LAMBDA_SLOTS: Final = 6
"""Lambda tasks that state machines may run at once; more of them queue.

Every one is a Python process of some 50 MB; on two cores more of them only take turns.
"""
WARM_SECONDS: Final = 120
"""How long an idle worker of a burst stays; the first worker of each function always stays."""
SHORTEST_WAIT_SCALE: Final = 1 / 60
"""Wait states and retry pauses run at most this much faster, or a poll becomes a busy loop."""


@dataclass(frozen=True, slots=True)
class Layout:
    """The files of one local AWS under `root`; nothing is written outside of it."""

    root: Path

    @property
    def lock(self) -> Path:
        """Held by the server for as long as it lives."""
        return self.root / "server.lock"

    @property
    def record(self) -> Path:
        """What the running (or last) server was started with, as JSON."""
        return self.root / "server.json"

    @property
    def unsaved(self) -> Path:
        """There as long as a server runs, and after one that was killed."""
        return self.root / "unsaved"

    @property
    def log(self) -> Path:
        return self.root / "server.log"

    @property
    def temporary(self) -> Path:
        """Emptied at every start: unpacked functions of a server that was killed are left here."""
        return self.root / "tmp"

    @property
    def data(self) -> tuple[Path, ...]:
        """Everything that `--fresh` throws away."""
        return (self.root / "state", self.root / "s3", self.temporary, self.root / "home")

    def move_addresses(self, port: int) -> None:
        """Lets the addresses of functions, and outputs of stacks with them, follow the server."""
        address = re.compile(rf"http://{re.escape(HOST)}:\d+{FUNCTION_URLS}")
        for file in self.data[0].glob("*.json"):
            kept = file.read_text("utf-8")
            moved = address.sub(f"http://{HOST}:{port}{FUNCTION_URLS}", kept)
            if moved != kept:
                draft = file.with_suffix(".new")
                draft.write_text(moved, "utf-8")
                draft.replace(file)

    def make(self) -> None:
        """Nobody else on the machine may read what is uploaded, or root's credentials."""
        for folder in (self.root, *self.data):
            folder.mkdir(parents=True, exist_ok=True)
        self.root.chmod(0o700)


def server_environment(*, layout: Layout, port: int, clock: float) -> dict[str, str]:
    """Everything the server process gets; nothing of the caller's environment goes in.

    Functions inherit the server's environment, so a credential, a proxy or a HOME
    that leaked in here would reach them.
    """
    state, objects, temporary, home = (str(folder) for folder in layout.data)
    return {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "HOME": home,
        "TMPDIR": temporary,
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "PYTHONUNBUFFERED": "1",
        "GATEWAY_PORT": str(port),
        "BIND_HOST": HOST,
        "MINISTACK_HOST": HOST,
        "MINISTACK_REGION": REGION,
        "MINISTACK_ACCOUNT_ID": LOCAL_ACCOUNT,
        "AUTH": "true",
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "PERSIST_STATE": "1",
        "S3_PERSIST": "1",
        "STATE_DIR": state,
        "S3_DATA_DIR": objects,
        "DOCKER_HOST": f"unix://{temporary}/no-docker.sock",
        # Matrices are small here: threads take six times the time of one, waiting for each other.
        "OPENBLAS_NUM_THREADS": "1",
        "LAMBDA_WARM_TTL_SECONDS": str(WARM_SECONDS),
        "SFN_WAIT_SCALE": f"{max(1 / clock, SHORTEST_WAIT_SCALE):.6f}",
    }


def client_environment(
    *, layout: Layout, port: int, access_key: str, secret_key: str
) -> dict[str, str]:
    """What boto3, the AWS CLI and the CDK CLI need to talk to the local AWS and to nothing else."""
    return {
        "AWS_ENDPOINT_URL": f"http://{HOST}:{port}",
        # TestState is at sync-states…, which loopback has no name for.
        "AWS_DISABLE_HOST_PREFIX_INJECTION": "true",
        "AWS_ACCESS_KEY_ID": access_key,
        "AWS_SECRET_ACCESS_KEY": secret_key,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        "AWS_PAGER": "",
        # What is deployed here is called local, so the CLI need not be told each time.
        "TUNING_ENVIRONMENT": ENVIRONMENT,
        "CDK_DEFAULT_ACCOUNT": LOCAL_ACCOUNT,
        "CDK_DEFAULT_REGION": REGION,
        "CDK_DISABLE_VERSION_CHECK": "1",
        "CDK_DISABLE_CLI_TELEMETRY": "true",
        # The CDK CLI caches the account of an access key; what it learned here stays here.
        "CDK_HOME": str(layout.root / "cdk"),
    }


UNSET: Final = ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL_S3", "AWS_CA_BUNDLE")
"""Variables of a caller that would lead a client elsewhere."""


def clean(environment: Mapping[str, str]) -> dict[str, str]:
    """A caller's environment without anything that could point a client at the real AWS."""
    return {key: value for key, value in environment.items() if not key.startswith("AWS_")}


def server_command(*, arguments: list[str]) -> list[str]:
    return [sys.executable, "-m", "local.child", *arguments]
