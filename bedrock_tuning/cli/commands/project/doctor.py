"""`tuning doctor`: asks AWS what is only assumed, and what would fail later, for nothing."""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from bedrock_tuning.cli.options import (
    configured_options,
    customizations_option,
    read_settings_file,
    settings_option,
    usual_environment,
    without_project,
)
from bedrock_tuning.cli.terminal.command import command
from bedrock_tuning.cli.terminal.errors import EXIT_CANNOT, EXIT_NO
from bedrock_tuning.cli.terminal.output import emit, emit_json, emit_table, json_option, say

if TYPE_CHECKING:
    from collections.abc import Callable

    from bedrock_tuning.client.aws import Aws
    from bedrock_tuning.client.doctor.check import DoctorCheck, DoctorResult, Subject

_COLOURS: Final = {"ok": "green", "warn": "yellow", "fail": "red", "skip": "blue"}


@command(
    order=6,
    examples=(
        "tuning doctor -e prod",
        "tuning doctor quota-model-units model-open",
        "tuning doctor canary-job --canary-job",
    ),
    needs=("find the deployment", "examine the account"),
)
@click.argument(
    "checks", nargs=-1, metavar="[CHECK]...", help="Ids of checks; all of them by default."
)
@click.option("--list", "only_list", is_flag=True, help="List the checks and ask nothing.")
@click.option(
    "--canary-upload",
    is_flag=True,
    help="Also upload a manifest that starts no run, and make one of its events undeliverable: "
    "both must arrive, one of them in the dead-letter queue. 0 USD.",
)
@click.option(
    "--canary-job",
    is_flag=True,
    help="Also start a job per customization that fails in Bedrock's validation: it shows whether "
    "Bedrock can use the service roles. 0 USD.",
)
@click.option(
    "--check-access",
    is_flag=True,
    help="Also let Access Analyzer prove that no role may do more than its contract says: AWS "
    "bills a custom policy check for each role.",
)
@click.option(
    "--verified",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("verified.toml"),
    show_default=True,
    help="File for AWS's answers about assumptions of this project.",
)
@settings_option
@customizations_option
@json_option
@configured_options
@click.pass_context
def doctor(
    ctx: click.Context,
    /,
    *,
    checks: Sequence[str],
    only_list: bool,
    canary_upload: bool,
    canary_job: bool,
    check_access: bool,
    environment: str | None,
    verified: Path,
    settings: Path,
    customizations: Path,
    aws_in: "Callable[[str | None], Aws]",
    as_json: bool,
) -> None:
    """Ask AWS what would fail later: before a deployment, after it, and when something looks wrong.

    Each check is one operation that reads; nothing is changed and nothing billed, unless an option
    allows more. A check that you have no permission for is skipped, and never counts as passed.
    What AWS answers about assumptions of this project (docs/unknowns.md) is written to
    verified.toml, with a part of a hash of the account's id. Outside a project's folder, what is
    deployed is examined.

    Exit code 1: something would fail; 2: nothing could be asked; 0: all is well.
    """
    from bedrock_tuning.cli.service_roles import service_roles
    from bedrock_tuning.client.doctor.check import examine
    from bedrock_tuning.client.doctor.every_check import DOCTOR_CHECKS

    flags = {
        "--canary-upload": canary_upload,
        "--canary-job": canary_job,
        "--check-access": check_access,
    }
    options = {name for name, is_given in flags.items() if is_given}
    selection = _select((*DOCTOR_CHECKS, service_roles), checks, options)
    if only_list:
        _list(selection, as_json=as_json)
        return
    subject = _subject(aws_in, settings, customizations, environment=environment)
    for check in selection:
        if check.costs:
            say(f"{check.id}: {check.costs}")
    results = []
    for result in examine(subject, selection):
        results.append(result)
        if not as_json:
            _show(result)
    count = _write(subject, results, verified)
    states = [result.state for result in results]
    if as_json:
        emit_json(_document(results, count))
    else:
        emit(
            f"\nChecks: {states.count('fail')} failed, {states.count('warn')} with warnings, "
            f"{states.count('skip')} skipped. Nothing was changed"
            + (", nothing billed." if all(check.is_free for check in selection) else ".")
        )
        if count:
            emit(f"{count} written to {verified}; send it to us, and docs/unknowns.md follows")
    if "fail" in states:
        ctx.exit(EXIT_NO)
    if set(states) <= {"skip"}:
        ctx.exit(EXIT_CANNOT)


def _select(
    all_checks: Sequence["DoctorCheck"], ids: Sequence[str], options: Collection[str]
) -> Sequence["DoctorCheck"]:
    from bedrock_tuning.errors import UserError
    from bedrock_tuning.wording import or_meant

    checks_by_id = {check.id: check for check in all_checks}
    for id in ids:
        if id not in checks_by_id:
            raise UserError(
                f"unknown check {id}{or_meant(id, checks_by_id)}", fix="tuning doctor --list"
            )
    requested = [checks_by_id[id] for id in ids] or list(all_checks)
    permitted = [check for check in requested if not check.option or check.option in options]
    forbidden = [check for check in requested if check not in permitted] if ids else []
    if forbidden:
        raise UserError(
            f"{forbidden[0].id} does more than read: {forbidden[0].costs}",
            fix=f"tuning doctor {forbidden[0].id} {forbidden[0].option}",
        )
    return permitted


def _list(checks: Sequence["DoctorCheck"], *, as_json: bool) -> None:
    if as_json:
        emit_json([{"id": check.id, "title": check.title, "asks": check.asks} for check in checks])
        return
    emit_table(("CHECK", "WHAT", "ASKS"), ((check.id, check.title, check.asks) for check in checks))


def _subject(
    aws_in: "Callable[[str | None], Aws]",
    settings: Path,
    customizations: Path,
    *,
    environment: str | None,
) -> "Subject":
    from bedrock_tuning.client import deployment
    from bedrock_tuning.client.doctor.check import Subject
    from bedrock_tuning.contracts import project

    if without_project(settings):
        from bedrock_tuning.config.settings import Settings

        aws = aws_in(None)
        client = deployment.find(aws, environment=environment or usual_environment())
        platform = Settings(name=client.environment, region=aws.region)
        return Subject(
            aws=aws, settings=platform, customizations=client.customizations, deployment=client
        )
    files = project.read(
        read_settings_file(settings), environment=environment, customizations=customizations
    )
    return Subject.of(aws_in(files.settings.region), files.settings, files.customizations)


def _show(result: "DoctorResult") -> None:
    for answer in result.answers:
        state = click.style(f"{answer.state:5}", fg=_COLOURS[answer.state])
        emit(f"{state} {result.check.id}: {answer.seen}")
        if answer.fix:
            emit(f"      fix: {answer.fix}")


def _write(subject: "Subject", results: Sequence["DoctorResult"], verified: Path) -> int:
    """Writes what was learned; how much it was. The local AWS is not AWS."""
    from bedrock_tuning.client.doctor.unknowns import write_verified

    learned: dict[str, str] = {}
    for result in results:
        for answer in result.answers:
            learned |= answer.learned or {}
    if not learned or subject.settings.name == "local":
        return 0
    account = subject.aws.sts.get_caller_identity()["Account"]
    write_verified(verified, learned, account=account, region=subject.region)
    return len(learned)


def _document(results: Sequence["DoctorResult"], count: int) -> dict[str, Any]:
    return {
        "ok": not any(result.state == "fail" for result in results),
        "written": count,
        "checks": [
            {
                "id": result.check.id,
                "state": result.state,
                "asks": result.check.asks,
                "answers": [
                    {"state": answer.state, "seen": answer.seen, "fix": answer.fix}
                    for answer in result.answers
                ],
            }
            for result in results
        ],
    }
