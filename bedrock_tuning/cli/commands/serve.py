"""`tuning serve`: serves a published model again, or the model of another run instead of it."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bedrock_tuning.cli.lookup import customizations_option
from bedrock_tuning.cli.terminal.errors import CannotRun
from bedrock_tuning.cli.terminal.output import confirm, emit_json, json_option, say
from bedrock_tuning.client.deployment import deployment_options

if TYPE_CHECKING:
    from bedrock_tuning.client.deployment import Deployed, Deployment
    from bedrock_tuning.config.customization import Customization


@click.command()
@click.argument("customization", help="Name of a file in customizations/, without .toml.")
@click.option(
    "--run",
    "of_run",
    metavar="RUN",
    help="Serve and publish the model of this run: to go back to an earlier one, or to serve one "
    "that was trained and never published.",
)
@click.option("--yes", is_flag=True, help="Do not ask; needed where nobody can answer.")
@customizations_option
@json_option
@deployment_options
def serve(
    *,
    customization: str,
    deployed: "Deployed",
    of_run: str | None,
    yes: bool,
    customizations: Path,
    as_json: bool,
) -> None:
    """Serve the published model again, after its lease ended, or the model of another run.

    Nothing is trained. The endpoint is proved before it is published, as after a run, and gets a
    lease of its own. Where another model is served, it is swapped in place, and swapped back if the
    new one fails its test.
    """
    from bedrock_tuning.cli.lookup import find_customization

    chosen = find_customization(customization, customizations)
    if chosen.serving.mode == "none":
        raise CannotRun(
            f"{customization} is not to be served: the mode of its serving is none",
            where=f"{customizations}/{customization}.toml",
            fix="set another mode there and deploy it",
        )
    deployment = deployed()
    serving = {"started_by": "deployment"}
    if of_run is not None:
        serving = {"started_by": "person", "model_arn": _model_of(deployment, of_run, chosen.name)}
    model = _servable(deployment, chosen, serving.get("model_arn"))
    say(f"{model} would be served and billed until its lease ends or it is deleted:")
    for line in _price(chosen):
        say(f"  {line}")
    confirm(
        "Serve it?",
        yes=yes,
        otherwise="to serve and pay for it",
        unchanged="nothing is served, nothing is billed",
    )
    run = f"serve-{_now():%Y%m%d-%H%M%S}"
    execution = _start(deployment, {"customization": chosen.name, "run": run, **serving})
    if as_json:
        emit_json(
            {"customization": chosen.name, "run": run, "model": model, "execution": execution}
        )
        return
    say(f"started {execution}")
    say(f"what is billed: {deployment.command('endpoints')}")
    say(f"when it has ended: {deployment.command(f'run {run}')}")


def _now() -> datetime:
    return datetime.now(UTC)


def _model_of(deployment: "Deployment", run: str, customization: str) -> str:
    """The model that a run trained; raises CannotRun where there is none any more."""
    from bedrock_tuning.client import runs

    found = runs.row(deployment, run)
    shown = deployment.command(f"run {run}")
    if found["customization"] != customization:
        raise CannotRun(
            f"run {run} is of {found['customization']}, not of {customization}",
            fix=f"`{deployment.command(f'runs -c {customization}')}` lists its runs",
        )
    model = found.get("model_arn") or _of_job(deployment, found.get("job_name"))
    if model is None:
        raise CannotRun(
            f"run {run} has no model: it is {found['status']}", fix=f"`{shown}` says why"
        )
    bedrock = deployment.aws.bedrock
    try:
        bedrock.get_custom_model(modelIdentifier=str(model))
    except bedrock.exceptions.ResourceNotFoundException:
        raise CannotRun(
            f"the model of run {run} was deleted", where=str(model), fix="choose another run"
        ) from None
    return str(model)


def _of_job(deployment: "Deployment", job_name: str | None) -> str | None:
    """The model of a job whose run ended before it: somebody aborted the execution."""
    bedrock = deployment.aws.bedrock
    if job_name is None:
        return None
    try:
        found = bedrock.get_model_customization_job(jobIdentifier=job_name)
    except bedrock.exceptions.ResourceNotFoundException:
        return None
    return found.get("outputModelArn") if found["status"] == "Completed" else None


def _servable(deployment: "Deployment", customization: "Customization", wished: str | None) -> str:
    """The model to serve, the published one if no other is wished.

    Raises CannotRun where it cannot or need not be served.
    """
    name = customization.name
    published = _pointer(deployment, name, "model")
    model = wished or published
    if model is None:
        raise CannotRun(
            f"no model of {name} is published in {deployment.environment}",
            fix=f"`{deployment.command(f'upload DATASET -c {name}')}`: "
            "a run trains, publishes and serves a model",
        )
    if _pointer(deployment, name, "serving") is None:
        raise CannotRun(
            f"the serving stack of {name} is not deployed in {deployment.environment}",
            fix=f"deploy it: cdk deploy --all --context environment={deployment.environment}; "
            "that alone serves the published model",
        )
    there = _served(deployment, customization)
    if there is not None and model != published:
        say(f"{there} serves {published} now; the other model takes its place")
    elif there is not None:
        other = deployment.command(f"serve {name} --run RUN")
        raise CannotRun(
            f"{name} is served already",
            where=there,
            fix=f"`{other}` serves another run's model instead",
        )
    return model


def _served(deployment: "Deployment", customization: "Customization") -> str | None:
    """What serves a customization or soon will; None for nothing.

    Raises CannotRun for what is about to be deleted: nobody may build on it.
    """
    from bedrock_tuning.client.endpoints import endpoints

    for each in endpoints(deployment.aws, environment=deployment.environment):
        # The workflow deletes one that failed before it makes another.
        if each.customization == customization.name and each.status != "Failed":
            if each.is_ending:
                longer = deployment.command(f"lease {customization.name} --hours N")
                raise CannotRun(
                    f"the lease of {each.name} is over: it is deleted within a quarter of an hour",
                    where=each.arn,
                    fix=f"try again when it is gone, or keep it: {longer}",
                )
            return f"{each.arn} ({each.status})"
    # On-demand deployments have no lease, so the pointer to one stays until it is deleted.
    on_demand = customization.serving.mode == "on-demand"
    return _pointer(deployment, customization.name, "endpoint") if on_demand else None


def _pointer(deployment: "Deployment", customization: str, name: str) -> str | None:
    from bedrock_tuning.contracts.grants import parameter_prefix

    ssm = deployment.aws.ssm
    path = f"{parameter_prefix(deployment.environment)}/{customization}/{name}"
    try:
        return ssm.get_parameter(Name=path)["Parameter"]["Value"]
    except ssm.exceptions.ParameterNotFound:
        return None


def _price(customization: "Customization") -> list[str]:
    from bedrock_tuning.run import cost

    wish = customization.serving
    if wish.mode == "on-demand":
        return ["on demand: by what is asked, nothing by the hour"]
    units = f"{wish.model_units} model unit{'s' * (wish.model_units > 1)}"
    until = f"a lease of {wish.lease_hours} h" if wish.lease_hours else "no lease"
    if wish.commitment is not None:
        until = f"a commitment ({wish.commitment}) that cannot be ended before"
    rates = map(str, cost.estimate(customization=customization).rates)
    return [f"{units}, {until}", *rates]


def _start(deployment: "Deployment", serving: dict[str, str]) -> str:
    """Starts the workflow at its serving part; returns the execution's ARN."""
    run = serving["run"]
    states = deployment.aws.stepfunctions
    try:
        return states.start_execution(
            stateMachineArn=deployment.workflow_arn,
            name=run,
            input=json.dumps({"serving": serving}),
        )["executionArn"]
    except states.exceptions.ExecutionAlreadyExists:
        raise CannotRun(
            f"{run} was started in this very second by somebody else",
            fix=f"look at `{deployment.command('endpoints')}`, then try again",
        ) from None
