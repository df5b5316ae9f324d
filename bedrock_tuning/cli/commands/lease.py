"""`tuning lease`: ends what is billed by the hour before its time, or lets it live longer."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

import click

from bedrock_tuning.cli.terminal.errors import CannotRun
from bedrock_tuning.cli.terminal.output import confirm, emit_json, json_option, say
from bedrock_tuning.client.deployment import deployment_options

if TYPE_CHECKING:
    from bedrock_tuning.client.deployment import Deployed, Deployment
    from bedrock_tuning.client.endpoints import Endpoint

# The lease keeper's schedule (stacks/pipeline.py): it deletes what has outlived its lease.
_WITHIN: Final = "a quarter of an hour"


@click.command()
@click.argument("customization", help="Whose Provisioned Throughput, as in `tuning endpoints`.")
@click.option(
    "--hours",
    type=click.IntRange(1),
    help="Let the lease end so many hours from now, later or sooner than before.",
)
@click.option("--end", is_flag=True, help="End it now.")
@click.option("--yes", is_flag=True, help="Do not ask; needed where nobody can answer.")
@json_option
@deployment_options
def lease(
    *,
    customization: str,
    hours: int | None,
    end: bool,
    deployed: "Deployed",
    yes: bool,
    as_json: bool,
) -> None:
    """End the lease of a Provisioned Throughput now, or at another time.

    The lease keeper deletes what has outlived its lease within a quarter of an hour; then billing
    stops. The custom model stays and can be served again: `tuning serve`.
    """
    if end == (hours is not None):
        raise CannotRun(
            "it is not said when the lease shall end" if not end else "the lease ends twice",
            fix="give either --end or --hours N",
        )
    if hours is not None:
        _demand_an_end(hours)
    deployment = deployed()
    found = _leased(deployment, customization)
    expires = f"{_now() + timedelta(hours=hours or 0):%Y-%m-%dT%H:%M:%SZ}"
    for each in found:
        price = "an unknown price" if each.usd_per_hour is None else f"{each.usd_per_hour:,.2f} USD"
        say(f"{each.name}: {price} per hour, lease until {each.lease_end or 'nobody knows when'}")
    if end:
        confirm(
            f"End it? It is deleted within {_WITHIN}; who calls it then gets an error.",
            yes=yes,
            otherwise="to end it",
            unchanged="the lease stays as it is",
        )
    else:
        confirm(
            f"Let it be billed until {expires}?",
            yes=yes,
            otherwise="to agree to what it costs until then",
            unchanged="the lease stays as it is",
        )
    for each in found:
        _tag(deployment, each, expires)
    if as_json:
        emit_json([{"arn": each.arn, "name": each.name, "expires": expires} for each in found])
    elif end:
        say(f"ended; billing stops within {_WITHIN}: {deployment.command('endpoints')}")
    else:
        say(f"the lease ends {expires}")


def _demand_an_end(hours: int) -> None:
    from bedrock_tuning.config.customization_tables import LEASE_HOURS_MAX

    if hours > LEASE_HOURS_MAX:
        raise CannotRun(
            f"a lease of {hours:,} hours is longer than {LEASE_HOURS_MAX}",
            fix="give fewer hours; before it ends it can be moved again",
        )


def _now() -> datetime:
    return datetime.now(UTC)


def _leased(deployment: "Deployment", customization: str) -> "list[Endpoint]":
    """What is billed by the hour for a customization; raises CannotRun where no lease can end."""
    from bedrock_tuning.cli.lookup import demand_deployed
    from bedrock_tuning.client.endpoints import endpoints

    listed = endpoints(deployment.aws, environment=deployment.environment)
    found = [each for each in listed if each.customization == customization]
    shown = deployment.command("endpoints")
    if not found:
        demand_deployed(customization, deployment)
        raise CannotRun(
            f"{customization} has no Provisioned Throughput: nothing is billed by the hour",
            fix=f"`{shown}` lists what there is",
        )
    leased = [each for each in found if each.commitment is None]
    if not leased:
        raise CannotRun(
            f"a commitment ({found[0].commitment}) cannot be ended before its time",
            where=found[0].arn,
            fix="Amazon Bedrock bills it until then; ask AWS support",
        )
    return leased


def _tag(deployment: "Deployment", endpoint: "Endpoint", expires: str) -> None:
    from bedrock_tuning.run.job import TAG_PREFIX

    deployment.aws.bedrock.tag_resource(
        resourceARN=endpoint.arn, tags=[{"key": f"{TAG_PREFIX}:expires", "value": expires}]
    )
