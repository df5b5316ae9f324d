"""Deploys the app to the local AWS with the real CDK CLI, as a user would to AWS."""

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from bedrock_tuning.client import deployment
from bedrock_tuning.client.aws import Aws
from bedrock_tuning.client.deployment import DeploymentClient
from bedrock_tuning.config.names import LOCAL_ACCOUNT
from local import REPOSITORY
from local.emulator.layout import ENVIRONMENT, REGION
from local.emulator.server import LocalAws

_TAIL_LINES: Final = 40
_DEPLOY_SECONDS: Final = 600

Say = Callable[[str], None]


class DeployError(Exception):
    """The CDK CLI failed; the message ends with its last lines of output."""


class LocalClients(Aws):
    """The package's own clients, which reach the local AWS."""

    def __init__(self, local: LocalAws) -> None:
        super().__init__(region=REGION)
        self._local = local

    @cached_property
    def session(self) -> Any:
        """Makes clients as boto3's session does."""
        return self._local


def bootstrap(aws: LocalAws, folder: Path) -> None:
    """Bootstraps account and region for the CDK, once; the log goes into folder."""
    stacks = aws.client("cloudformation").describe_stacks()["Stacks"]
    if any(stack["StackName"] == "CDKToolkit" for stack in stacks):
        return
    # Where no app is: the CLI would synthesize it, and use nothing of it.
    cdk(aws, folder, ["bootstrap", f"aws://{LOCAL_ACCOUNT}/{REGION}"], say=None, at=folder)


def deploy(
    aws: LocalAws, folder: Path, *, say: Say, app: str = "", stacks: Sequence[str] = ("--all",)
) -> DeploymentClient:
    """Synthesizes and deploys all stacks; log and templates go into folder.

    app: the command that synthesizes, if not the one in cdk.json, or a folder of templates. stacks:
    which, as the CDK CLI's arguments.
    """
    command = ["deploy", *stacks, "--require-approval", "never", *_app(app)]
    cdk(aws, folder, command, say=say)
    return deployment.find(LocalClients(aws), environment=ENVIRONMENT)


def destroy(aws: LocalAws, folder: Path, *, stack: str, app: str = "") -> None:
    """Deletes a stack; retained resources stay. app: as for deploy."""
    cdk(aws, folder, ["destroy", stack, "--force", *_app(app)], say=None)


def _app(app: str) -> list[str]:
    return ["--app", app] if app else []


def cdk(
    aws: LocalAws,
    folder: Path,
    arguments: list[str],
    *,
    say: Say | None,
    environment: str = ENVIRONMENT,
    at: Path = REPOSITORY,
) -> None:
    """Runs the CDK CLI from node_modules against the local AWS; raises DeployError.

    at: whose cdk.json says which app there is.
    """
    folder.mkdir(parents=True, exist_ok=True)
    command = [
        str(REPOSITORY / "node_modules" / ".bin" / "cdk"),
        *arguments,
        "--no-notices",
        "--context",
        f"environment={environment}",
        "--output",
        str(folder / "cdk.out"),
    ]
    log = folder / f"cdk-{arguments[0]}.log"
    # The CLI starts `python app.py`, and jsii starts `node`: both from this environment.
    variables = aws.environment(os.environ)
    tools = Path(sys.executable).parent
    variables["PATH"] = f"{tools}{os.pathsep}{variables.get('PATH', os.defpath)}"
    if not Path(command[0]).exists():
        raise DeployError(f"the CDK CLI is not installed ({command[0]}): run `make install`")
    with (
        log.open("w", encoding="utf-8") as file,
        subprocess.Popen(  # noqa: S603 - our own command, no shell
            command,
            cwd=at,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process,
    ):
        for line in process.stdout or ():
            file.write(line)
            # The CLI marks each finished stack with a check mark.
            if say is not None and line.lstrip().startswith("✅"):
                say(line.strip().removeprefix("✅").strip())
        code = process.wait(timeout=_DEPLOY_SECONDS)
    if code:
        tail = "\n".join(log.read_text("utf-8").splitlines()[-_TAIL_LINES:])
        raise DeployError(f"cdk {arguments[0]} failed with exit code {code}; {log}:\n{tail}")
