"""What the account may do with the base models of the customizations: open, reachable, quotas."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from bedrock_tuning.catalogue import base_id
from bedrock_tuning.client.doctor.check import Observation, Subject, doctor_check, fail, ok, warn
from bedrock_tuning.run import quotas
from bedrock_tuning.run.price_list import usage_types
from bedrock_tuning.run.quotas import Need
from bedrock_tuning.sources.listing import custom_models
from bedrock_tuning.sources.price_list import listed_prices
from bedrock_tuning.sources.quotas import in_use, value_of

# Unknowns that a quota answers.
_LEARNED: Final = {quotas.MODEL_UNITS: "model-units", quotas.SCHEDULED_JOBS: "job-slots"}


@doctor_check("base models accept new jobs", asks="bedrock:GetFoundationModel")
def _model_open(subject: Subject) -> Iterator[Observation]:
    for name, customization in sorted(subject.customizations.items()):
        id = customization.base_model.customization_id
        details = subject.aws.bedrock.get_foundation_model(modelIdentifier=id)["modelDetails"]
        status = details.get("modelLifecycle", {}).get("status", "unknown")
        if status == "ACTIVE":
            yield ok(f"{name}: {id} is open")
        elif customization.allow_closed_model:
            yield warn(f"{name}: {id} is {status}, which its file allows")
        else:
            yield fail(
                f"{name}: {id} is {status} and accepts no new jobs",
                "choose an open model: tuning models --open",
            )


@doctor_check("the account may use the base models", asks="bedrock:GetFoundationModelAvailability")
def _model_access(subject: Subject) -> Iterator[Observation]:
    for name, customization in sorted(subject.customizations.items()):
        id = customization.base_model.invoke_id
        availability: Mapping[str, Any] = dict(
            subject.aws.bedrock.get_foundation_model_availability(modelId=id)
        )
        shortages = [
            f"{aspect} is {value}"
            for aspect, value, expected in (
                ("access", availability.get("authorizationStatus"), "AUTHORIZED"),
                ("entitlement", availability.get("entitlementAvailability"), "AVAILABLE"),
                ("the Region", availability.get("regionAvailability"), "AVAILABLE"),
            )
            if value != expected
        ]
        if shortages:
            yield fail(
                f"{name}: {id}: {', '.join(shortages)}",
                "request access: Bedrock console, Model access",
            )
        else:
            yield ok(f"{name}: {id} may be used")


@doctor_check("what is trained can be served", asks="servicequotas:GetServiceQuota")
def _quota_model_units(subject: Subject) -> Iterator[Observation]:
    """Whether what is trained can be served, for each that wants an endpoint."""
    for name, customization in sorted(subject.customizations.items()):
        for need in quotas.needed(customization):
            if need.path in (quotas.SCHEDULED_JOBS, quotas.CUSTOM_MODELS):
                continue
            yield _room(subject, need, customization=name)


@doctor_check("there is room for jobs and custom models", asks="servicequotas:GetServiceQuota")
def _quota_counts(subject: Subject) -> Iterator[Observation]:
    """Custom models and jobs, of which every customization needs the same."""
    needs = {
        need.path: need
        for customization in subject.customizations.values()
        for need in quotas.needed(customization)
    }
    for path in (quotas.CUSTOM_MODELS, quotas.SCHEDULED_JOBS):
        if path in needs:
            yield _room(subject, needs[path])


def _room(subject: Subject, need: Need, *, customization: str = "") -> Observation:
    start = f"{customization}: " if customization else ""
    quota = value_of(subject.aws.service_quotas, need.code)
    if quota is None:
        return warn(
            f"{start}no quota of {need.what} is listed",
            "look for it in Service Quotas, Amazon Bedrock, before you pay for training",
        )
    prefix = f"{subject.settings.name}-{customization}"
    units_in_use = in_use(subject.aws.bedrock, need.counted, but=prefix)
    learned = {unknown: str(quota) for path, unknown in _LEARNED.items() if path == need.path}
    shortage = need.lack(quota, used=units_in_use, region=subject.region)
    if shortage is None:
        usage = f"{units_in_use} of " if need.counted else ""
        return ok(f"{start}{usage}{quota} {need.what}", learned=learned)
    sentence, _, fix = shortage.partition("; ")
    return fail(f"{start}{sentence}", fix, learned=learned)


@doctor_check("Bedrock writes base models as the catalogue does", asks="bedrock:ListCustomModels")
def _base_model_arn(subject: Subject) -> Iterator[Observation]:
    """How Bedrock writes the base model of models that exist, against what we compare it with."""
    catalogue_ids = {
        customization.base_model.customization_id
        for customization in subject.customizations.values()
    }
    bedrock_ids = {base_id(model["baseModelArn"]) for model in custom_models(subject.aws.bedrock)}
    for id in sorted(catalogue_ids):
        matches = {
            candidate
            for candidate in bedrock_ids
            if id.startswith(candidate) or candidate.startswith(id)
        }
        if not matches:
            continue
        spelling = ", ".join(sorted(matches))
        if matches == {id}:
            yield ok(
                f"Bedrock writes {id} as the catalogue does", learned={"base-model-arn": spelling}
            )
        else:
            yield fail(
                f"Bedrock writes {id} as {spelling}: each run would create a second endpoint",
                "report it: the catalogue's id has to change",
                learned={"base-model-arn": spelling},
            )


@doctor_check("prices of today are known", asks="pricing:GetProducts")
def _prices(subject: Subject) -> Iterator[Observation]:
    for name, customization in sorted(subject.customizations.items()):
        model = customization.base_model
        if not usage_types(model, subject.region):
            continue
        prices = listed_prices(subject.aws.pricing, model, subject.region)
        for problem in prices.problems:
            yield warn(
                f"{name}: {problem}",
                "allow pricing:GetProducts; until then the prices of docs/models.md count",
                learned={"price-list": "another answer"},
            )
        for path, fact in prices.prices.items():
            published = model.facts.get(path)
            former = f", {published.value:g} on {published.date}" if published is not None else ""
            yield ok(
                f"{name}: {path.removeprefix('prices.')}: {fact.value:g} USD on "
                f"{fact.date}{former}",
                learned={"price-list": "as we assume"},
            )
