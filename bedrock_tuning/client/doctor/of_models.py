"""What the account may do with the base models of the customizations: open, reachable, quotas."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from bedrock_tuning.catalogue import base_id
from bedrock_tuning.client.doctor.check import Observation, Subject, check, fail, ok, warn
from bedrock_tuning.run import quotas
from bedrock_tuning.run.price_list import usage_types
from bedrock_tuning.run.quotas import Need
from bedrock_tuning.sources.listing import custom_models
from bedrock_tuning.sources.price_list import listed
from bedrock_tuning.sources.quotas import in_use, value_of

# Unknowns that a quota answers.
_LEARNED: Final = {quotas.MODEL_UNITS: "model-units", quotas.JOBS: "job-slots"}


@check("base models accept new jobs", asks="bedrock:GetFoundationModel")
def _model_open(subject: Subject) -> Iterator[Observation]:
    for name, each in sorted(subject.customizations.items()):
        id = each.base_model.customization_id
        details = subject.aws.bedrock.get_foundation_model(modelIdentifier=id)["modelDetails"]
        status = details.get("modelLifecycle", {}).get("status", "unknown")
        if status == "ACTIVE":
            yield ok(f"{name}: {id} is open")
        elif each.allow_closed_model:
            yield warn(f"{name}: {id} is {status}, which its file allows")
        else:
            yield fail(
                f"{name}: {id} is {status} and accepts no new jobs",
                "choose an open model: tuning models --open",
            )


@check("the account may use the base models", asks="bedrock:GetFoundationModelAvailability")
def _model_access(subject: Subject) -> Iterator[Observation]:
    for name, each in sorted(subject.customizations.items()):
        id = each.base_model.invoke_id
        found: Mapping[str, Any] = dict(
            subject.aws.bedrock.get_foundation_model_availability(modelId=id)
        )
        lacks = [
            f"{what} is {value}"
            for what, value, wanted in (
                ("access", found.get("authorizationStatus"), "AUTHORIZED"),
                ("entitlement", found.get("entitlementAvailability"), "AVAILABLE"),
                ("the Region", found.get("regionAvailability"), "AVAILABLE"),
            )
            if value != wanted
        ]
        if lacks:
            yield fail(
                f"{name}: {id}: {', '.join(lacks)}", "request access: Bedrock console, Model access"
            )
        else:
            yield ok(f"{name}: {id} may be used")


@check("what is trained can be served", asks="servicequotas:GetServiceQuota")
def _quota_model_units(subject: Subject) -> Iterator[Observation]:
    """Whether what is trained can be served, for each that wants an endpoint."""
    for name, each in sorted(subject.customizations.items()):
        for need in quotas.needed(each):
            if need.path in (quotas.JOBS, quotas.CUSTOM_MODELS):
                continue
            yield _room(subject, need, customization=name)


@check("there is room for jobs and custom models", asks="servicequotas:GetServiceQuota")
def _quota_counts(subject: Subject) -> Iterator[Observation]:
    """Custom models and jobs, of which every customization needs the same."""
    needs = {
        need.path: need for each in subject.customizations.values() for need in quotas.needed(each)
    }
    for path in (quotas.CUSTOM_MODELS, quotas.JOBS):
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
    own = f"{subject.settings.name}-{customization}"
    used = in_use(subject.aws.bedrock, need.counted, but=own)
    learned = {unknown: str(quota) for path, unknown in _LEARNED.items() if path == need.path}
    lack = need.lack(quota, used=used, region=subject.region)
    if lack is None:
        taken = f"{used} of " if need.counted else ""
        return ok(f"{start}{taken}{quota} {need.what}", learned=learned)
    seen, _, fix = lack.partition("; ")
    return fail(f"{start}{seen}", fix, learned=learned)


@check("Bedrock writes base models as the catalogue does", asks="bedrock:ListCustomModels")
def _base_model_arn(subject: Subject) -> Iterator[Observation]:
    """How Bedrock writes the base model of models that exist, against what we compare it with."""
    wanted = {each.base_model.customization_id for each in subject.customizations.values()}
    found = {base_id(model["baseModelArn"]) for model in custom_models(subject.aws.bedrock)}
    for id in sorted(wanted):
        alike = {each for each in found if id.startswith(each) or each.startswith(id)}
        if not alike:
            continue
        spelled = ", ".join(sorted(alike))
        if alike == {id}:
            yield ok(
                f"Bedrock writes {id} as the catalogue does", learned={"base-model-arn": spelled}
            )
        else:
            yield fail(
                f"Bedrock writes {id} as {spelled}: each run would create a second endpoint",
                "report it: the catalogue's id has to change",
                learned={"base-model-arn": spelled},
            )


@check("prices of today are known", asks="pricing:GetProducts")
def _prices(subject: Subject) -> Iterator[Observation]:
    for name, each in sorted(subject.customizations.items()):
        model = each.base_model
        if not usage_types(model, subject.region):
            continue
        found = listed(subject.aws.pricing, model, subject.region)
        for problem in found.problems:
            yield warn(
                f"{name}: {problem}",
                "allow pricing:GetProducts; until then the prices of docs/models.md count",
                learned={"price-list": "another answer"},
            )
        for path, fact in found.prices.items():
            known = model.facts.get(path)
            before = f", {known.value:g} on {known.date}" if known is not None else ""
            yield ok(
                f"{name}: {path.removeprefix('prices.')}: {fact.value:g} USD on "
                f"{fact.date}{before}",
                learned={"price-list": "as we assume"},
            )
