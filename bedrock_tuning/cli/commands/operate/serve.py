"""`tuning serve`: serves a published model again, or the model of another run instead of it."""

from typing import TYPE_CHECKING

import click

from bedrock_tuning.cli.options import DeploymentOption, customization_argument, deployment_options
from bedrock_tuning.cli.terminal.command import command
from bedrock_tuning.cli.terminal.output import confirm, emit_json, json_option, say, yes_option
from bedrock_tuning.errors import UserError

if TYPE_CHECKING:
    from bedrock_tuning.client.deployment import DeploymentClient
    from bedrock_tuning.config.customization import CustomizationSettings


@command(
    order=6,
    examples=(
        "tuning serve pets-style",
        "tuning serve pets-style --run RUN",
    ),
    needs=("find the deployment", "read runs", "see endpoints", "serve models"),
)
@customization_argument("Name of a file in customizations/, without .toml.")
@click.option(
    "--run",
    "of_run",
    metavar="RUN",
    help="Serve and publish the model of this run: an earlier one, or one that was trained but "
    "never published.",
)
@yes_option
@json_option
@deployment_options
def serve(
    *,
    customization: str,
    deployed: DeploymentOption,
    of_run: str | None,
    yes: bool,
    as_json: bool,
) -> None:
    """Serve the published model again, after its lease ended, or the model of another run.

    Nothing is trained. The endpoint is tested before it is published, as after a run, and gets a
    new lease. If another model is being served, the customization's strategy decides: "swap"
    changes the endpoint in place, and back if the new model fails its smoke test; "blue-green"
    tests the new model on a second endpoint first.
    """
    from bedrock_tuning.client.executions import start_serving, started_now
    from bedrock_tuning.client.inference import pointer

    deployment = deployed()
    deployment.require(customization)
    settings = deployment.customizations[customization]
    if settings.serving.mode == "none":
        raise UserError(
            f"{customization} is not served: its serving mode is none",
            where=settings.file,
            fix="set another mode and deploy it",
        )
    requested_model = None if of_run is None else _model_of(deployment, of_run, settings.name)
    model = _model_to_serve(deployment, settings, requested_model)
    say(f"{model} will be served, and billed until its lease ends or it is deleted:")
    price = _price(settings)
    for line in price:
        say(f"  {line}")
    confirm(
        "Serve it?",
        yes=yes,
        otherwise="to serve it at this price",
        unchanged="nothing is served or billed",
    )
    run = started_now("serve")
    serving = {
        "customization": settings.name,
        "run": run,
        "started_by": "person",
        "model_arn": model,
        "model_run": of_run or pointer(deployment, settings.name, "run") or "",
        "price": "\n".join(price),
    }
    execution = start_serving(deployment, serving)
    if as_json:
        emit_json(
            {"customization": settings.name, "run": run, "model": model, "execution": execution}
        )
        return
    say(f"started {execution}")
    say(f"see what is billed: {deployment.command('endpoints')}")
    say(f"see the result when it has ended: {deployment.command(f'run {run}')}")


def _model_of(deployment: "DeploymentClient", run: str, customization: str) -> str:
    """The model that a run trained; raises UserError where there is none any more."""
    from bedrock_tuning.client import runs

    details = runs.row(deployment, run)
    run_command = deployment.command(f"run {run}")
    if details["customization"] != customization:
        raise UserError(
            f"run {run} belongs to {details['customization']}, not to {customization}",
            fix=f"`{deployment.command(f'runs -c {customization}')}` lists its runs",
        )
    model = details.get("model_arn") or _model_of_job(deployment, details.get("job_name"))
    if model is None:
        raise UserError(
            f"run {run} has no model: it is {details['status']}", fix=f"`{run_command}` shows why"
        )
    bedrock = deployment.aws.bedrock
    try:
        bedrock.get_custom_model(modelIdentifier=str(model))
    except bedrock.exceptions.ResourceNotFoundException:
        raise UserError(
            f"the model of run {run} was deleted", where=str(model), fix="choose another run"
        ) from None
    return str(model)


def _model_of_job(deployment: "DeploymentClient", job_name: str | None) -> str | None:
    """The model of a job whose run ended before it: somebody aborted the execution."""
    bedrock = deployment.aws.bedrock
    if job_name is None:
        return None
    try:
        job = bedrock.get_model_customization_job(jobIdentifier=job_name)
    except bedrock.exceptions.ResourceNotFoundException:
        return None
    return job.get("outputModelArn") if job["status"] == "Completed" else None


def _model_to_serve(
    deployment: "DeploymentClient", customization: "CustomizationSettings", requested: str | None
) -> str:
    """The model to serve, the published one if no other is requested.

    Raises UserError where it cannot or need not be served.
    """
    from bedrock_tuning.client.deployment import deploy_command
    from bedrock_tuning.client.inference import pointer

    name = customization.name
    published_arn = pointer(deployment, name, "model")
    model = requested or published_arn
    if model is None:
        raise UserError(
            f"no model of {name} is published in {deployment.environment}",
            fix=f"`{deployment.command(f'upload DATASET -c {name}')}`: "
            "a run trains, publishes and serves a model",
        )
    if pointer(deployment, name, "serving") is None:
        raise UserError(
            f"the serving stack of {name} is not deployed in {deployment.environment}",
            fix=f"deploy it: {deploy_command(deployment.environment, name)}, then run this again",
        )
    endpoint = _serving_endpoint(deployment, customization)
    if endpoint is not None and model != published_arn:
        say(f"{endpoint} serves {published_arn} now and will be switched to the other model")
    elif endpoint is not None:
        other_run = deployment.command(f"serve {name} --run RUN")
        raise UserError(
            f"{name} is already served",
            where=endpoint,
            fix=f"`{other_run}` serves the model of another run instead",
        )
    return model


def _serving_endpoint(
    deployment: "DeploymentClient", customization: "CustomizationSettings"
) -> str | None:
    """What serves a customization or soon will; None for nothing.

    Raises UserError for an endpoint that is about to be deleted.
    """
    from bedrock_tuning.client.endpoints import endpoints
    from bedrock_tuning.client.inference import pointer

    for endpoint in endpoints(deployment.aws, environment=deployment.environment):
        # The workflow deletes one that failed before it makes another.
        if endpoint.customization == customization.name and endpoint.status != "Failed":
            if endpoint.is_ending:
                longer = deployment.command(f"lease {customization.name} --hours N")
                raise UserError(
                    f"the lease of {endpoint.name} has ended: it is deleted within 15 minutes",
                    where=endpoint.arn,
                    fix=f"try again after that, or extend its lease: {longer}",
                )
            return f"{endpoint.arn} ({endpoint.status})"
    # On-demand deployments have no lease, so the pointer to one stays until it is deleted.
    on_demand = customization.serving.mode == "on-demand"
    return pointer(deployment, customization.name, "endpoint") if on_demand else None


def _price(customization: "CustomizationSettings") -> list[str]:
    from bedrock_tuning.run import cost

    serving = customization.serving
    if serving.mode == "on-demand":
        return ["on demand: billed per request, nothing by the hour"]
    units = f"{serving.model_units} model unit{'s' * (serving.model_units > 1)}"
    term = f"a lease of {serving.lease_hours} h" if serving.lease_hours else "no lease"
    if serving.commitment is not None:
        term = f"a commitment ({serving.commitment}) that cannot be ended early"
    rates = map(str, cost.estimate(customization=customization).rates)
    return [f"{units}, {term}", *rates]
