"""`tuning upgrade`: makes an environment of an older version ready for a deployment of this one."""

from typing import TYPE_CHECKING

from bedrock_tuning.cli.options import DeploymentOption, deployment_options
from bedrock_tuning.cli.terminal.command import command
from bedrock_tuning.cli.terminal.output import confirm, emit_json, json_option, say, yes_option
from bedrock_tuning.errors import UserError
from bedrock_tuning.wording import counted

if TYPE_CHECKING:
    from bedrock_tuning.client.deployment import DeploymentClient
    from bedrock_tuning.client.operations.upgrade import UpgradeState


@command(
    order=5,
    examples=("tuning upgrade -e prod",),
    needs=("find the deployment", "close and admit runs again"),
)
@yes_option
@json_option
@deployment_options
def upgrade(*, yes: bool, deployed: DeploymentOption, as_json: bool) -> None:
    """Prepare an environment of an older version for `cdk deploy`, and finish the upgrade after it.

    Run it before and after the deployment. Before, it refuses while a job trains or an endpoint
    changes, asks you, and closes runs that wait for approval. After, it admits their uploads again:
    each is checked and priced anew, and waits for approval again. Buckets, keys, runs, models,
    endpoints and their leases stay as they are.
    """
    from bedrock_tuning.client.operations import upgrade as steps

    deployment = deployed.of_any_version()
    state = steps.look(deployment)
    if steps.is_older(deployment):
        closed_runs = _prepare(deployment, state, yes=yes)
        if as_json:
            emit_json({"step": "deploy", "closed": closed_runs, "admitted": []})
        return
    admitted = [steps.admit_again(deployment, *run) for run in state.closed.items()]
    if as_json:
        emit_json({"step": "done", "closed": [], "admitted": admitted})
    elif admitted:
        for name in admitted:
            say(f"started {name}")
        say(f"see the runs: {deployment.command('runs')}")
    else:
        say(f"{deployment.environment} has no run that was closed for an upgrade: nothing to do")


def _prepare(deployment: "DeploymentClient", state: "UpgradeState", *, yes: bool) -> list[str]:
    """The runs that are closed; raises UserError while something is at work."""
    from bedrock_tuning.client.deployment import deploy_command
    from bedrock_tuning.client.operations import upgrade as steps

    if state.working:
        raise UserError(
            f"{deployment.environment} is at work, and the deployment would take the permissions "
            f"of its workflow away: {'; '.join(state.working)}",
            fix="wait until all of it has ended, then run this again",
        )
    for run in state.waiting:
        say(f"{run.run} of {run.customization} waits for approval")
    if state.waiting:
        runs = counted(len(state.waiting), "run")
        confirm(
            f"Close {runs}, to be admitted again after the deployment?",
            yes=yes,
            otherwise="to close them",
            unchanged="they go on waiting, and the environment must not be deployed",
        )
    for run in state.waiting:
        steps.close(deployment, run)
        say(f"closed {run.run}")
    upgrade_command = deployment.command("upgrade")
    say(
        f"nothing is at work: {deploy_command(deployment.environment)}, "
        f"then `{upgrade_command}` once more"
    )
    return sorted({*state.closed, *(run.run for run in state.waiting)})
