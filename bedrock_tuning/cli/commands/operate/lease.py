"""`tuning lease`: ends a Provisioned Throughput early, or moves the end of its lease."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import click

from bedrock_tuning.cli.options import DeploymentOption, customization_argument, deployment_options
from bedrock_tuning.cli.terminal.command import command
from bedrock_tuning.cli.terminal.output import confirm, emit_json, json_option, say, yes_option
from bedrock_tuning.errors import UserError

if TYPE_CHECKING:
    from bedrock_tuning.client.deployment import DeploymentClient
    from bedrock_tuning.client.endpoints import ProvisionedEndpoint


@command(
    order=8,
    examples=(
        "tuning lease pets-style --hours 8",
        "tuning lease pets-style --end",
    ),
    needs=("find the deployment", "see endpoints", "serve models", "move leases"),
)
@customization_argument(
    "Customization that the Provisioned Throughput serves, as in `tuning endpoints`."
)
@click.option(
    "--hours",
    type=click.IntRange(1),
    help="End the lease this many hours from now, later or sooner than planned.",
)
@click.option("--end", is_flag=True, help="End it now.")
@yes_option
@json_option
@deployment_options
def lease(
    *,
    customization: str,
    hours: int | None,
    end: bool,
    deployed: DeploymentOption,
    yes: bool,
    as_json: bool,
) -> None:
    """End the lease of a Provisioned Throughput now, or at another time.

    The lease keeper deletes an endpoint within a quarter of an hour of the end of its lease; then
    billing stops. The custom model stays. `tuning serve` serves it again, and so does the run of a
    newer upload, but no deployment does.
    """
    from bedrock_tuning.config.customization_fields import LEASE_HOURS_MAX
    from bedrock_tuning.config.tags import EXPIRES_TAG

    if end == (hours is not None):
        raise UserError(
            "when should the lease end?" if not end else "--end and --hours contradict each other",
            fix="pass either --end or --hours N",
        )
    if hours is not None and hours > LEASE_HOURS_MAX:
        raise UserError(
            f"a lease of {hours:,} hours is longer than {LEASE_HOURS_MAX}",
            fix="pass fewer hours; you can extend it again before it ends",
        )
    deployment = deployed()
    endpoints = _leased_endpoints(deployment, customization)
    expires = f"{_now() + timedelta(hours=hours or 0):%Y-%m-%dT%H:%M:%SZ}"
    for endpoint in endpoints:
        price = (
            "an unknown price"
            if endpoint.usd_per_hour is None
            else f"{endpoint.usd_per_hour:,.2f} USD"
        )
        say(
            f"{endpoint.name}: {price} per hour, "
            f"lease until {endpoint.lease_end or 'an unknown time'}"
        )
    if end:
        confirm(
            "End it? It is deleted at once; callers will then get an error.",
            yes=yes,
            otherwise="to end it",
            unchanged="the lease is unchanged",
        )
    else:
        confirm(
            f"Keep it, billed until {expires}?",
            yes=yes,
            otherwise="to accept the cost until then",
            unchanged="the lease is unchanged",
        )
    if end:
        _end(deployment, customization, as_json=as_json)
        return
    tags: list[Any] = [{"key": EXPIRES_TAG, "value": expires}]
    for endpoint in endpoints:
        deployment.aws.bedrock.tag_resource(resourceARN=endpoint.arn, tags=tags)
    if as_json:
        emit_json(
            [
                {"arn": endpoint.arn, "name": endpoint.name, "expires": expires}
                for endpoint in endpoints
            ]
        )
    else:
        say(f"the lease ends {expires}")


def _end(deployment: "DeploymentClient", customization: str, *, as_json: bool) -> None:
    """By the workflow: it writes down that nothing is served before it deletes what is."""
    from bedrock_tuning.client.executions import start_serving, started_now

    run = started_now("end")
    serving = {
        "customization": customization,
        "run": run,
        "started_by": "person",
        "end": True,
    }
    execution = start_serving(deployment, serving)
    if as_json:
        emit_json({"customization": customization, "run": run, "execution": execution})
    else:
        say(f"started {execution}")
        say(f"see the result when it has ended: {deployment.command(f'run {run}')}")


def _now() -> datetime:
    return datetime.now(UTC)


def _leased_endpoints(
    deployment: "DeploymentClient", customization: str
) -> "list[ProvisionedEndpoint]":
    """What is billed by the hour for a customization; raises UserError where no lease can end."""
    from bedrock_tuning.client.endpoints import endpoints

    all_endpoints = endpoints(deployment.aws, environment=deployment.environment)
    own_endpoints = [
        endpoint for endpoint in all_endpoints if endpoint.customization == customization
    ]
    list_command = deployment.command("endpoints")
    if not own_endpoints:
        deployment.require(customization)
        raise UserError(
            f"{customization} has no Provisioned Throughput: nothing is billed by the hour",
            fix=f"`{list_command}` lists all endpoints",
        )
    leases = [endpoint for endpoint in own_endpoints if endpoint.commitment is None]
    if not leases:
        raise UserError(
            f"a commitment ({own_endpoints[0].commitment}) cannot be ended early",
            where=own_endpoints[0].arn,
            fix="Amazon Bedrock bills it until its end; ask AWS Support",
        )
    return leases
