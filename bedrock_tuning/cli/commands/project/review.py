"""`tuning review`: proves what synthesized templates allow, and shows what changed."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bedrock_tuning.cli.options import customizations_option, read_settings_file, settings_option
from bedrock_tuning.cli.terminal.command import command
from bedrock_tuning.cli.terminal.errors import EXIT_NO
from bedrock_tuning.cli.terminal.output import emit, emit_json, emit_table, json_option, say
from bedrock_tuning.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bedrock_tuning.contracts import Contracts
    from bedrock_tuning.contracts.project import Project
    from bedrock_tuning.review.about import Origin
    from bedrock_tuning.review.assembly.template import Assembly
    from bedrock_tuning.review.pages.change import Change
    from bedrock_tuning.review.pages.facts import Facts
    from bedrock_tuning.review.pages.money import MoneyChanges

_FOLDER = click.Path(file_okay=False, path_type=Path)
_FILE = click.Path(dir_okay=False, writable=True, path_type=Path)


@command(
    order=2,
    examples=(
        "cdk synth && tuning review --html review.html",
        "tuning review cdk.out --against ../released/cdk.out",
        "tuning review cdk.out --attest attestations/prod.json",
    ),
)
@click.argument(
    "cdk_out",
    required=False,
    type=_FOLDER,
    default=Path("cdk.out"),
    metavar="[CDK.OUT]",
    help="Folder written by `cdk synth`; cdk.out by default.",
)
@click.option("--against", type=_FOLDER, help="Another such folder to compare with.")
@click.option(
    "--outside",
    multiple=True,
    metavar="PATTERN",
    help="Stacks of another app in the same folder, such as 'web-*': not reviewed. Repeatable.",
)
@click.option("--html", type=_FILE, help="Write the page with pictures to this file.")
@click.option("--md", type=_FILE, help="Write Markdown for a pull request to this file.")
@click.option("--sarif", type=_FILE, help="Write the violations as SARIF, for code hosts.")
@click.option(
    "--attest",
    type=_FILE,
    help="Write what was reviewed to this file, if every check passes; deployments can require it.",
)
@settings_option
@customizations_option
@json_option
@click.pass_context
def review(
    ctx: click.Context,
    /,
    *,
    cdk_out: Path,
    against: Path | None,
    outside: tuple[str, ...],
    html: Path | None,
    md: Path | None,
    sarif: Path | None,
    attest: Path | None,
    settings: Path,
    customizations: Path,
    as_json: bool,
) -> None:
    """Prove what synthesized templates allow, and show what changed; needs no AWS account.

    Exit code 1: a check failed, or there is a stack that these settings do not define. Loosened
    permissions and spending gates are shown, but fail no check.
    """
    from bedrock_tuning import review as reviewing
    from bedrock_tuning.contracts import contracts as contracts_of
    from bedrock_tuning.review import permitted
    from bedrock_tuning.review.about import about as about_synthesis
    from bedrock_tuning.review.iam import access
    from bedrock_tuning.review.pages.compare import changes_between
    from bedrock_tuning.review.pages.money import money, money_changes

    assembly = _read(cdk_out, outside)
    earlier = None if against is None else access.build(_read(against, outside))
    if assembly.left_aside:
        say(
            f"reviewing {', '.join(assembly.templates)}, not "
            f"{', '.join(assembly.left_aside)}, left over from an earlier synthesis"
        )
    environments = _environments(assembly, settings)
    project = _project(environments, settings, customizations)
    about, contracts = about_synthesis(), None
    if project is not None:
        about = about_synthesis(project.settings.name, project.settings.account)
        contracts = contracts_of(project.settings, project.customizations)
    graph = access.build(assembly)
    permits = permitted.read(settings.parent)
    facts = reviewing.described(graph, contracts, permits)
    changes = Changes()
    if earlier is not None:
        changes = Changes(
            money=money_changes(money(earlier.assembly), facts.money),
            all=changes_between(earlier, graph),
        )
    _write(facts, changes, about, html=html, md=md)
    if sarif is not None:
        from bedrock_tuning.review.pages.sarif import violations_to_sarif

        sarif.write_bytes(violations_to_sarif(facts, about))
        say(f"wrote {sarif}")
    if as_json:
        emit_json({"about": about, **_as_json(facts, changes), "left_aside": assembly.left_aside})
    elif html is None and md is None and sarif is None:
        _show(facts, changes)
    unknown = _unknown_stacks(assembly, contracts, facts)
    if facts.violations:
        say(f"{len(facts.violations)} violations")
    if len(environments) > 1:
        names = ", ".join(environments)
        say(f"not checked: stacks of {names} in one folder; synthesize one environment")
    elif unknown:
        say(
            f"not checked: no contract of {settings} names {', '.join(unknown)}; if they are "
            "another app's, say so: --outside PATTERN"
        )
    proved = contracts is not None and not facts.violations and not unknown
    if attest is not None and not proved:
        say(f"not attested: {attest} is written only if every check passes")
    for assumption in facts.assumed:
        say(f"no template says this, and `tuning preflight` checks it: {assumption}")
    if facts.violations or unknown:
        ctx.exit(EXIT_NO)
    if contracts is None:
        say("not checked: every stack is outside")
    else:
        say(
            f"proved: {facts.checks} checks hold for {facts.resources} resources of "
            f"{contracts.environment}"
        )
        if attest is not None:
            _attest(attest, assembly, about, facts, permits.content)


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What is different from another synthesis; None without one."""

    money: "MoneyChanges | None" = None
    all: "Sequence[Change] | None" = None


def _read(folder: Path, outside: tuple[str, ...]) -> "Assembly":
    """The stacks in a folder but for those that are another app's."""
    from bedrock_tuning.review.assembly import template

    if not folder.is_dir():
        raise UserError(
            "there is no such folder",
            where=str(folder),
            fix="run `cdk synth` in the folder of cdk.json, or name the folder that it wrote",
        )
    try:
        return template.read(folder, outside=outside)
    except ValueError as error:
        raise UserError(str(error)) from error


def _environments(assembly: "Assembly", settings: Path) -> list[str]:
    """The environments of the settings that stacks are named after."""
    names = read_settings_file(settings).get("environments", {}) if settings.is_file() else {}
    return [
        name
        for name in names
        if any(stack.startswith(f"tuning-{name}-") for stack in assembly.templates)
    ]


def _project(names: list[str], settings: Path, customizations: Path) -> "Project | None":
    """What the files say of the one environment there is; None if there is none, or several."""
    from bedrock_tuning.contracts import project

    if len(names) != 1:
        return None
    return project.read(
        read_settings_file(settings), environment=names[0], customizations=customizations
    )


def _attest(
    file: Path, assembly: "Assembly", about: "Origin", facts: "Facts", permits: bytes
) -> None:
    from bedrock_tuning.review.attestation import attested

    content = attested(assembly, about, checks=facts.checks, permitted=permits)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content, "utf-8")
    say(f"attested: wrote {file}")


def _unknown_stacks(
    assembly: "Assembly", contracts: "Contracts | None", facts: "Facts"
) -> list[str]:
    """The stacks that no contract knows: nobody can say whether they are good."""
    known_stacks = {permit.place for permit in facts.permitted if permit.kind == "stack"}
    known_stacks |= set() if contracts is None else set(contracts.stacks)
    return [name for name in assembly.templates if name not in known_stacks]


def _write(
    facts: "Facts", changes: Changes, about: "Origin", *, html: Path | None, md: Path | None
) -> None:
    from bedrock_tuning.review import CHECKS
    from bedrock_tuning.review.pages.html import html_page
    from bedrock_tuning.review.pages.markdown import markdown
    from bedrock_tuning.review.pages.workflow_picture import draw_workflow

    if html is not None:
        sentences = [(check.id, check.sentence) for check in CHECKS] if facts.proved else []
        pictures = {
            name: draw_workflow(states, title=name) for name, states in facts.machines.items()
        }
        text = html_page(
            facts,
            changes=changes.all,
            money=changes.money,
            sentences=sentences,
            pictures={name: svg for name, svg in pictures.items() if svg is not None},
            about=about,
        )
        html.write_text(text, "utf-8")
        say(f"wrote {html}")
    if md is not None:
        md.write_text(
            markdown(facts, changes=changes.all, money=changes.money, about=about), "utf-8"
        )
        say(f"wrote {md}")


def _as_json(facts: "Facts", changes: Changes) -> dict[str, Any]:
    return {
        "proved": facts.proved and not facts.violations,
        "judged": facts.proved,
        "checks": facts.checks,
        "violations": facts.violations,
        "permitted": facts.permitted,
        "changes": changes.all,
        "money": {
            "customizations": facts.money.exposed,
            "unreadable": facts.money.unreadable,
            "totals": dict(facts.money.totals()),
            "changes": changes.money,
        },
        "stacks": facts.stacks,
        "resources": facts.resources,
        "trusts": facts.trusts,
        "accesses": facts.accesses,
        "guards": facts.guards,
        "stores": facts.stores,
        "reaches": facts.reaches,
        "costs": facts.costs,
        "unresolved": facts.unresolved,
        "assumed": facts.assumed,
    }


def _show(facts: "Facts", changes: Changes) -> None:
    from bedrock_tuning.review.pages.money import HEAD

    if facts.permitted:
        emit_table(
            ("PERMITTED", "WHERE", "EXACTLY", "REASON", "UNTIL"),
            ((e.kind, e.place, e.exactly, e.reason, str(e.expires)) for e in facts.permitted),
            texts=("EXACTLY", "REASON"),
        )
        emit()
    for violation in facts.violations:
        emit(f"{violation.check} {violation.where}")
        for name, text in (
            ("is", violation.what),
            ("limit", violation.limit),
            ("fix", violation.fix),
        ):
            emit(f"  {name + ':':<7}{text}")
        if violation.permit:
            emit("  or permit it in review.toml:\n")
            emit(violation.permit)
        emit()
    if changes.money is not None:
        for total in changes.money.totals:
            emit(f"{total.what}: {total.before} → {total.after} ({total.change})")
        emit_table(
            ("MONEY", "CUSTOMIZATION", "WHAT"),
            (
                ("🔴 loosened" if c.loosened else "changed", c.customization, c.what)
                for c in changes.money.changes
            ),
            texts=("WHAT",),
        )
        emit()
    if changes.all is not None:
        emit_table(
            ("CHANGE", "WHERE", "WHAT"),
            ((c.kind, c.where, c.what) for c in changes.all),
            texts=("WHAT",),
        )
        emit()
    emit_table([name.upper() for name in HEAD], facts.money.rows(), texts=("RUNS", "SERVED"))
    for label, amount in facts.money.totals():
        emit(f"{label}: {amount}")
    emit()
    emit_table(
        ("ROLE", "WHO", "LEVEL", "WHAT FOR"),
        (
            (
                trust.role,
                trust.who,
                _strongest(facts, trust.role),
                f"{trust.does}{' ⚠ ' + trust.warning if trust.warning else ''}",
            )
            for trust in facts.trusts
        ),
        texts=("WHO", "WHAT FOR"),
    )


def _strongest(facts: "Facts", role: str) -> str:
    from bedrock_tuning.review.iam.wording import LEVELS

    levels = {a.level for a in facts.accesses if a.role == role and a.effect == "Allow"}
    return min(levels, key=LEVELS.index, default="nothing")
