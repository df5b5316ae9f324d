"""`tuning upload`: a prepared dataset goes to a deployment, which starts a run."""

from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

import click

from bedrock_tuning.cli.options import DeploymentOption, customization_option, deployment_options
from bedrock_tuning.cli.terminal.command import command
from bedrock_tuning.cli.terminal.errors import EXIT_NO, Interrupted
from bedrock_tuning.cli.terminal.output import (
    confirm,
    emit,
    emit_json,
    json_option,
    on_terminal,
    say,
)
from bedrock_tuning.wording import counted, in_bytes

if TYPE_CHECKING:
    from bedrock_tuning.client.deployment import DeploymentClient
    from bedrock_tuning.client.upload import Sending, UploadSide
    from bedrock_tuning.report.report import Report
    from bedrock_tuning.run.row import Row


@command(
    order=1,
    examples=(
        "tuning upload out -c pets-search --follow",
        "tuning upload out -c pets-search --dry-run",
    ),
    needs=("find the deployment", "read runs", "follow runs", "upload datasets"),
)
@click.argument(
    "dataset",
    metavar="DATASET",
    type=click.Path(exists=True, path_type=Path),
    help="What `tuning prepare` wrote, a folder with manifest.jsonl and its images, or a training "
    "manifest of any name with its images beside it.",
)
@click.option(
    "--validation",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The validation manifest, if DATASET is a manifest.",
)
@customization_option("Customization the dataset belongs to.", required=True)
@click.option("--no-check", is_flag=True, help="Send it unchecked; the run checks it anyway.")
@click.option("--dry-run", is_flag=True, help="Check it, show the price, and send nothing.")
@click.option("--follow", "-f", is_flag=True, help="Follow the run until it ends.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
@deployment_options
@click.pass_context
def upload(
    ctx: click.Context,
    /,
    *,
    dataset: Path,
    validation: Path | None,
    customization: str,
    no_check: bool,
    dry_run: bool,
    follow: bool,
    yes: bool,
    deployed: DeploymentOption,
    as_json: bool,
) -> None:
    """Check a dataset, show its price, and upload it: the training manifest last, because it starts
    the run.

    It checks the dataset as `tuning validate` does, and sends none that has errors; the run repeats
    the check. On a terminal it asks before it sends anything. An upload that was stopped continues
    where it was, and sends no file twice.

    The run starts some seconds later; then you see its name. --follow shows its progress until it
    ends, and asks you here if its price waits for approval. Exit code 1: the dataset has errors,
    you said no, or the run did not reach its goal; 3: it waits for approval, and nobody can answer
    here.
    """
    from bedrock_tuning.cli.following import exit_code, show_until_end
    from bedrock_tuning.cli.terminal.progress import ProgressBar
    from bedrock_tuning.client.runs import newest_before_upload
    from bedrock_tuning.client.upload import sending, sides, upload_images, upload_manifest

    deployment = deployed()
    deployment.require(customization)
    say(f"{customization} → {deployment.place}")
    upload_sides = sides(
        dataset, validation=validation, customization=customization, deployment=deployment
    )
    plans = {side.kind: sending(side, deployment) for side in upload_sides}
    report = None
    if not no_check:
        try:
            report = _check(deployment, customization, upload_sides)
        except KeyboardInterrupt:
            raise Interrupted("nothing was sent") from None
    if report is not None and not report.valid:
        _refuse(report, upload_sides, customization, deployment, as_json=as_json)
        ctx.exit(EXIT_NO)
    for kind, plan in plans.items():
        _tell(kind, plan)
    price = _price(deployment, customization, report)
    document = {
        "checked": report is not None,
        "price": price,
        "images": {
            kind: {
                "sent": len(plan.wanted),
                "bytes": plan.size,
                "replaced": plan.replaced,
                "already_there": plan.there,
            }
            for kind, plan in plans.items()
        },
    }
    if dry_run:
        if as_json:
            emit_json({**document, "manifests": [], "run": None})
        say("nothing was sent: --dry-run")
        return
    if on_terminal() and not yes:
        confirm("Send it?", yes=False, otherwise="", unchanged="nothing was sent")
    manifests: list[str] = []
    try:
        for plan in plans.values():
            upload_images(plan, deployment, meter=ProgressBar)
        newest = newest_before_upload(deployment, customization)
        # The validation manifest first: a run that needs both starts when the second one comes.
        for side in reversed(upload_sides):
            manifests.append(upload_manifest(side, deployment))
    except KeyboardInterrupt:
        option = f" --validation {quote(str(validation))}" if validation else ""
        upload_command = deployment.command(
            f"upload {quote(str(dataset))}{option} -c {customization}"
        )
        state = "no run was started" if not manifests else "the training manifest was not sent"
        raise Interrupted(
            f"{state}; images already uploaded stay there", fix=f"to continue: {upload_command}"
        ) from None
    if not as_json:
        for uri in manifests:
            emit(uri)
    run = _started_run(deployment, customization, upload_sides, newest)
    if run is not None and follow:
        run = show_until_end(deployment, run, show=say if as_json else emit)
        message = f": {run['message']}" if run.get("message") else ""
        say(f"run {run['run']} is {run['status']}{message}")
    if as_json:
        name = None if run is None else run["run"]
        emit_json({**document, "manifests": manifests, "run": name})
    if follow:
        ctx.exit(EXIT_NO if run is None else exit_code(run))


def _check(
    deployment: "DeploymentClient", customization: str, upload_sides: "list[UploadSide]"
) -> "Report":
    """What the run would say of the dataset."""
    from bedrock_tuning.cli.terminal.progress import ProgressBar
    from bedrock_tuning.validating.request import ValidateOptions, validate

    absent = sum(len(side.absent) for side in upload_sides)
    if absent:
        say(f"{counted(absent, 'image')} of the manifest not here: the run checks the images")
    first_side, *others = upload_sides
    options = ValidateOptions(
        manifest=str(first_side.manifest),
        customization=deployment.customizations[customization],
        kind=first_side.kind,
        validation=str(others[0].manifest) if others else None,
        bucket=first_side.bucket,
        no_images=bool(absent),
    )
    # Notes of `tuning validate` are about its options.
    report, _ = validate(options, deployment.aws, note=lambda _: None, meter=ProgressBar)
    return report


def _refuse(
    report: "Report",
    upload_sides: "list[UploadSide]",
    customization: str,
    deployment: "DeploymentClient",
    *,
    as_json: bool,
) -> None:
    from bedrock_tuning.cli.terminal.verdict import show_verdict

    if as_json:
        counts = {"errors": report.errors, "warnings": report.warnings, "counts": report.counts}
        emit_json({"checked": True, "valid": False, **counts, "manifests": [], "run": None})
    else:
        show_verdict(report, places=())
    first_side, *others = upload_sides
    options = "".join(f" --validation {quote(str(side.manifest))}" for side in others)
    validate_command = (
        f"validate {quote(str(first_side.manifest))}{options} -c {customization} --html report.html"
    )
    say(f"nothing was sent; every finding: {deployment.command(validate_command)}")


def _tell(kind: str, plan: "Sending") -> None:
    if not (plan.side.files or plan.there):
        return
    size = f" ({in_bytes(plan.size)})" if plan.wanted else ""
    present = f", {plan.there:,} already uploaded" if plan.there else ""
    say(f"{kind}: {counted(len(plan.wanted), 'image')} to send{size}{present}")
    if plan.replaced:
        # A run that checks another dataset of this customization now sees these.
        amount = counted(plan.replaced, "image")
        say(f"{kind}: of these, {amount} will replace another of the same name")


def _price(
    deployment: "DeploymentClient", customization: str, report: "Report | None"
) -> dict[str, object]:
    """Says what a run costs and how long it takes, and whether a person has to agree."""
    from bedrock_tuning.run import cost

    settings = deployment.customizations[customization]
    text = None if report is None else report.text_stats.get("training")
    estimate = cost.estimate(
        customization=settings,
        training_records=None if text is None else text.records,
        training_characters=None if text is None else text.characters,
    )
    approval = cost.needs_approval(customization=settings, estimate=estimate)
    say("what a run costs:")
    for line in str(estimate).splitlines():
        say(f"  {line}")
    say(f"  approval: {cost.approval_in_words(settings, estimate)}")
    if approval:
        _tell_unheard(deployment)
    return {"total_usd": estimate.total_usd, "unknown": estimate.unknown, "approval": approval}


def _tell_unheard(deployment: "DeploymentClient") -> None:
    """Says if nobody will hear of the run that waits; without the right to ask, says nothing."""
    from botocore.exceptions import BotoCoreError, ClientError

    from bedrock_tuning.client.messages import unheard

    try:
        problem = unheard(deployment.aws.sns, deployment.topic) if deployment.topic else None
    except (BotoCoreError, ClientError):
        return
    if problem:
        say(f"  {problem}")


def _started_run(
    deployment: "DeploymentClient",
    customization: str,
    sides: "list[UploadSide]",
    newest: str | None,
) -> "Row | None":
    """The run that this upload started; None if it is unknown or there is none."""
    from bedrock_tuning.client.runs import first_after

    follow_command = deployment.command(f"run latest -c {customization} --follow")
    if not any(side.kind == "training" for side in sides):
        runs_command = deployment.command(f"runs -c {customization}")
        say(
            "no training manifest was uploaded: a run starts with the next one, "
            f"or now if one waits for this validation set: {runs_command}"
        )
        return None
    if newest is None:
        say(f"the run starts in a moment: {follow_command}")
        return None
    say("waiting for the run to start …")
    try:
        run = first_after(deployment, customization, after=newest)
    except KeyboardInterrupt:
        raise Interrupted(
            "everything was uploaded, and the run starts", fix=follow_command
        ) from None
    if run is None:
        say(f"no run has started within a minute; check again: {follow_command}")
        say(
            f"if there is still none, its event may be undelivered: {deployment.command('redrive')}"
        )
        return None
    name = run["run"]
    say(f"run {name} has started: {deployment.command(f'run {name} --follow')}")
    return run
