#!/usr/bin/env python3
"""The CDK app: settings and customizations in, stacks out; the only place where stacks meet."""

import importlib.util
import os
import shutil
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    # Ctrl-C ends it at once and without a traceback, also during the seconds that imports take.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    if sys.version_info < (3, 11):  # noqa: UP036 - users of an older one must see this
        sys.exit(
            f"Python 3.11 or newer is needed; this is {sys.version.split()[0]}: {sys.executable}"
        )
    # The CDK starts Node when it is imported; without one of them there would be a traceback.
    missing = ""
    if importlib.util.find_spec("aws_cdk") is None:
        missing = f"aws_cdk is not installed for {sys.executable}"
    elif shutil.which(os.environ.get("JSII_NODE", "node")) is None:
        missing = "node, which the CDK needs, is not on PATH"
    if missing:
        fix = "`export PATH=$PWD/.venv/bin:$PWD/node_modules/.bin:$PATH`"
        sys.stderr.write(f"{missing}: run `make install`, then {fix}\n")
        sys.exit(2)

import aws_cdk as cdk

from bedrock_tuning.config import cdk_json, settings
from bedrock_tuning.config.settings import Settings
from bedrock_tuning.contracts import project
from bedrock_tuning.contracts.states import workflow
from bedrock_tuning.errors import ConfigurationError, SettingsError, TuningError
from bedrock_tuning.platform import TuningPlatform
from bedrock_tuning.wording import printable

ROOT = Path(__file__).resolve().parent


def build_app(
    context: Mapping[str, Any] | None = None,
    *,
    outdir: str | None = None,
    customizations: Path = ROOT / "customizations",
) -> cdk.App:
    """The app for one environment, as `cdk synth` builds it.

    context: cdk.json's context, with "environment" to choose another environment than the default;
        None reads cdk.json, which neither pytest nor `python app.py` does by itself: without it
        every feature flag would be off and another template would be proved than is deployed.
    Raises ConfigurationError with every problem of cdk.json and of all customizations.
    """
    problems: Sequence[str] | None = None
    values: dict[str, Any] | None = None
    try:
        values = read_context() if context is None else dict(context)
    except SettingsError as error:
        problems = error.problems
    # The settings are ours alone; CDK gets what is CDK's, and what the CLI's --context adds.
    flags = {key: value for key, value in (values or {}).items() if key != "tuning"}
    app = cdk.App(
        context=flags,
        outdir=outdir,
        analytics_reporting=False,
        # It takes seconds of each synthesis; tests/stacks/test_lint.py runs it on every case, and
        # the proof refuses each property that none of its checks reads.
        builtin_cloud_formation_validation=False,
    )
    read = project.read(
        (values or {}).get("tuning"),
        environment=app.node.try_get_context("environment"),
        customizations=customizations,
        problems=problems,
    )
    chosen = read.settings
    _check_account(chosen)
    platform = TuningPlatform(
        app,
        settings=chosen,
        customizations=read.customizations,
        alone=True,
        folder=customizations.parent,
    )
    for number, file in enumerate(read.retired):
        name = Path(file).stem
        cdk.Annotations.of(platform.stacks["data"]).add_warning_v2(
            f"bedrock-tuning:retired-{number}",
            f"{file}: retired: if its stack is still there, it stays until "
            f"`tuning retire {name} -e {chosen.name}`",
        )
    return app


def read_context(file: Path = ROOT / "cdk.json") -> dict[str, Any]:
    """The context that cdk.json gives the app; raises SettingsError."""
    try:
        data = file.read_bytes()
    except OSError as error:
        fix = "`git checkout cdk.json` brings it back"
        raise SettingsError([f"cdk.json cannot be read: {error.strerror}: {fix}"]) from error
    return cdk_json.context(data)


def _check_account(chosen: Settings) -> None:
    """Raises ConfigurationError if the CDK's credentials are of another account than chosen."""
    account = os.environ.get("CDK_DEFAULT_ACCOUNT")
    if chosen.account and account and account != chosen.account:
        raise ConfigurationError(
            [
                f"cdk.json: the environment {chosen.name} belongs to the account {chosen.account}, "
                f"and these credentials are of {account}: use credentials of {chosen.account}, or "
                "choose another environment"
            ]
        )


def workflow_picture() -> str:
    """docs/workflow.svg: the state machine drawn from its definition (`make docs`)."""
    # Only for the documentation: synthesis draws nothing.
    from bedrock_tuning.review.pages.workflow_picture import draw_workflow

    chosen = settings.read(read_context().get("tuning"))
    definition = workflow.definition(environment=chosen.name, approval_days=chosen.approval_days)
    title = "A run, from an upload to a served model"
    picture = draw_workflow(definition, title=title, folder=ROOT)
    if picture is None:
        raise TuningError("drawing needs Node.js and @viz-js/viz: run `make install`")
    return picture


def main() -> int:
    """Synthesizes, or prints the workflow for --picture; 2 with every problem on stderr."""
    picture = sys.argv[1:] == ["--picture"]
    try:
        if sys.argv[1:] and not picture:
            raise TuningError(
                f"unknown arguments {' '.join(sys.argv[1:])}: write `python app.py`, or "
                "`cdk synth --context environment=NAME` to choose an environment"
            )
        if picture:
            sys.stdout.write(workflow_picture())
        else:
            _check_outdir()
            synthesize(build_app())
    except TuningError as error:
        sys.stderr.write(f"{printable(str(error))}\n")
        return 2
    return 0


def synthesize(app: cdk.App) -> None:
    """Writes the templates; raises TuningError when the review refuses them.

    The CDK has printed every problem by then.
    """
    try:
        app.synth()
    except RuntimeError as error:
        if not str(error).startswith("ValidationFailed"):
            raise
        raise TuningError(str(error).partition(": ")[2]) from error


def _check_outdir() -> None:
    """Raises TuningError for a folder that the CDK answers with a traceback, or waits for."""
    outdir = os.environ.get("CDK_OUTDIR")
    if outdir:
        try:
            Path(outdir).mkdir(parents=True, exist_ok=True)
            usable = os.access(outdir, os.W_OK)
        except OSError:
            usable = False
        if not usable:
            raise TuningError(
                f"{outdir} cannot be written: choose another folder with --output or CDK_OUTDIR"
            )


if __name__ == "__main__":
    sys.exit(main())
