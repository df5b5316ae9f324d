"""Who may do what in an environment: the constructs compile it, the review proves it."""

from collections.abc import Mapping
from dataclasses import replace

from bedrock_tuning.config.customization import CustomizationSettings
from bedrock_tuning.config.deployed import to_settings
from bedrock_tuning.config.names import used_parameter
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
from bedrock_tuning.contracts.written.customization import customization
from bedrock_tuning.contracts.written.dashboard import dashboard
from bedrock_tuning.contracts.written.events import events
from bedrock_tuning.contracts.written.functions import functions
from bedrock_tuning.contracts.written.operations import operations
from bedrock_tuning.contracts.written.runs_table import runs_table

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
    by_workflow = job_text.by_workflow(settings)
    runs = runs_table(protected=settings.protected)
    place_of = {**places(customizations, starters=not by_workflow), "runs": runs}
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
            **{
                name: place
                for entry in customizations.values()
                for name, place in customization(settings, entry).items()
            },
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
    )
    result = _guarding_runs(with_options(base, scope), scope)
    if not settings.deny_others:
        return result
    return replace(result, role_names={r.name: physical_name(settings, r) for r in result.roles})


def _guarding_runs(contracts: Contracts, scope: Scope) -> Contracts:
    """With the custom resources that guard open runs: what they use, in the end."""
    used = used_by_runs(contracts, scope)
    added = {
        "run-guard": {
            "ServiceToken": f"{{function.{GUARD_RUNS.name}}}",
            "ServiceTimeout": "300",
            "Uses": used,
        },
        "used-by-runs": {
            "Name": used_parameter(contracts.environment),
            "Type": "String",
            "Value": used,
        },
        **{
            f"serving.{name}": {"Uses": used_by_jobs(contracts, name)}
            for name in contracts.settings
        },
    }
    places = dict(contracts.places)
    for name, properties in added.items():
        place = places[name]
        places[name] = replace(place, properties={**place.properties, **properties})
    return replace(contracts, places=places)
