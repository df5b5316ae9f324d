"""Who may do what in an environment: the constructs compile it, the review proves it."""

from collections.abc import Mapping
from dataclasses import replace

from bedrock_tuning.config.customization import CustomizationSettings
from bedrock_tuning.config.deployed import to_settings
from bedrock_tuning.config.settings import Settings
from bedrock_tuning.contracts import job_text
from bedrock_tuning.contracts.alarms import alarms
from bedrock_tuning.contracts.bucket_access import physical_name
from bedrock_tuning.contracts.construct_names import places
from bedrock_tuning.contracts.contract import (
    Condition,
    Contracts,
    FunctionSpec,
    Grant,
    Guarded,
    Place,
    Role,
    Scope,
)
from bedrock_tuning.contracts.functions import (
    FUNCTIONS,
    GUARD_RUNS,
    used_by_jobs,
    used_by_runs,
)
from bedrock_tuning.contracts.options import with_options
from bedrock_tuning.contracts.people import people
from bedrock_tuning.contracts.resources import guarded
from bedrock_tuning.contracts.roles import roles
from bedrock_tuning.contracts.written.buckets import buckets
from bedrock_tuning.contracts.written.budgets import monthly_budget
from bedrock_tuning.contracts.written.dashboard import dashboard
from bedrock_tuning.contracts.written.events import events
from bedrock_tuning.contracts.written.functions import functions
from bedrock_tuning.contracts.written.operations import operations
from bedrock_tuning.contracts.written.runs_table import runs_table
from bedrock_tuning.run.exposure import exposure, to_properties

__all__ = (
    "Condition",
    "Contracts",
    "FunctionSpec",
    "Grant",
    "Guarded",
    "Place",
    "Role",
    "contracts",
)


def contracts(settings: Settings, customizations: Mapping[str, CustomizationSettings]) -> Contracts:
    """The contracts of one environment, from its settings and the customizations alone."""
    scope = Scope(settings=settings, customizations=customizations)
    budgets = {
        name: properties
        for name, entry in customizations.items()
        if (properties := monthly_budget(settings, entry)) is not None
    }
    by_workflow = job_text.by_workflow(settings)
    runs = runs_table(protected=settings.protected)
    place_of = {**places(customizations, budgets, starters=not by_workflow), "runs": runs}
    place_of |= buckets(settings, place_of)
    place_of |= operations(settings, place_of)
    place_of |= functions(FUNCTIONS, scope, place_of)
    specs = [spec for spec in FUNCTIONS if spec.stack == "pipeline"]
    alarm_places = alarms(settings.name, customizations, network=settings.own_network)
    base = Contracts(
        chosen=settings,
        places={
            **place_of,
            **events(settings.name),
            **alarm_places,
            "dashboard": dashboard(settings.name, specs),
        },
        roles=roles(scope, place_of),
        people=people(scope, place_of),
        guarded=guarded(settings, place_of),
        functions=FUNCTIONS,
        placeholders={
            **{s.name: f"{{function.{s.name}}}" for s in FUNCTIONS if s.payload},
            "OutputBucket": "{output:name}",
            "RunsTable": "{runs:name}",
            "Topic": "{topic}",
            **(job_text.PLACEHOLDERS if by_workflow else {}),
        },
        settings={
            name: {**to_settings(entry), **job_text.in_settings(settings, entry)}
            for name, entry in customizations.items()
        },
        serving={
            name: {"Customization": name, **_former(entry), **to_properties(exposure(entry))}
            for name, entry in customizations.items()
        },
        budgets=budgets,
    )
    result = _guarding_runs(with_options(base, scope), scope)
    if not settings.deny_others:
        return result
    return replace(result, role_names={r.name: physical_name(settings, r) for r in result.roles})


def _guarding_runs(contracts: Contracts, scope: Scope) -> Contracts:
    """With the custom resources that guard open runs: what they use, in the end."""
    guard = {
        "ServiceToken": f"{{function.{GUARD_RUNS.name}}}",
        "ServiceTimeout": "300",
        "Uses": used_by_runs(contracts, scope),
    }
    return replace(
        contracts,
        places={
            **contracts.places,
            "run-guard": replace(contracts.places["run-guard"], properties=guard),
        },
        serving={
            name: {**properties, "Uses": used_by_jobs(contracts, name)}
            for name, properties in contracts.serving.items()
        },
    )


def _former(customization: CustomizationSettings) -> dict[str, str]:
    """What its resource says of a name that it had before."""
    former = customization.renamed_from
    return {"RenamedFrom": former} if former else {}
