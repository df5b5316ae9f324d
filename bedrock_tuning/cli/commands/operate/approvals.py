"""`tuning approvals`: who approved or declined which price, as it was written down for good."""

from dataclasses import asdict

from bedrock_tuning.cli.options import DeploymentOption, customization_option, deployment_options
from bedrock_tuning.cli.terminal.command import command
from bedrock_tuning.cli.terminal.output import emit_json, emit_table, json_option, say


@command(
    order=13,
    examples=("tuning approvals -c pets-search", "tuning approvals --json | jq '.[].by'"),
    needs=("find the deployment", "read decisions"),
)
@customization_option("Only decisions about runs of this customization.")
@json_option
@deployment_options
def approvals(*, customization: str | None, deployed: DeploymentOption, as_json: bool) -> None:
    """List who approved or declined which run, when, why, and at which price.

    Each decision is a separate object in the output bucket, which is never changed or removed.
    With --json, it also shows exactly what was approved: the model, its hyperparameters and the
    datasets with their versions.
    """
    from bedrock_tuning.client.approvals import decisions

    trail = list(decisions(deployed(), customization=customization))
    if as_json:
        emit_json([asdict(decision) for decision in trail])
        return
    if not trail:
        say("nobody has approved or declined anything yet")
        return
    emit_table(
        ("AT", "RUN", "CUSTOMIZATION", "DECISION", "BY", "PRICE", "REASON"),
        (
            (
                decision.at,
                decision.run,
                decision.customization,
                decision.past,
                decision.by.rpartition(":")[2],
                decision.price.splitlines()[-1] if decision.price else "",
                decision.reason,
            )
            for decision in trail
        ),
        texts=("PRICE", "REASON"),
    )
