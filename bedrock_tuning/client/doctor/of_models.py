"""What the account may do with the base models of the customizations: open, reachable, quotas."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from bedrock_tuning.catalogue import account_facts
from bedrock_tuning.client.doctor.check import Answer, Check, Quota, Subject
from bedrock_tuning.config.customization import Customization

_MODEL_UNITS: Final = "quotas.model_units"


def _open(subject: Subject) -> Iterator[Answer]:
    for name, each in sorted(subject.customizations.items()):
        id = each.base_model.customization_id
        details = subject.aws.bedrock.get_foundation_model(modelIdentifier=id)["modelDetails"]
        status = details.get("modelLifecycle", {}).get("status", "unknown")
        if status == "ACTIVE":
            yield Answer(state="ok", seen=f"{name}: {id} is open")
        elif each.allow_closed_model:
            yield Answer(state="warn", seen=f"{name}: {id} is {status}, which its file allows")
        else:
            yield Answer(
                state="fail",
                seen=f"{name}: {id} is {status} and takes no new jobs",
                fix="choose an open model: tuning models --open",
            )


def _access(subject: Subject) -> Iterator[Answer]:
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
            yield Answer(
                state="fail",
                seen=f"{name}: {id}: {', '.join(lacks)}",
                fix="request access: Bedrock console, Model access",
            )
        else:
            yield Answer(state="ok", seen=f"{name}: {id} may be used")


def _units(subject: Subject) -> Iterator[Answer]:
    return model_units(subject.quotas, subject.customizations, region=subject.region)


def model_units(
    quotas: Sequence[Quota], customizations: Mapping[str, Customization], *, region: str
) -> Iterator[Answer]:
    """Whether what is trained can be served, for each that wants a Provisioned Throughput."""
    for name, each in sorted(customizations.items()):
        if each.serving.mode != "provisioned":
            continue
        fact = each.base_model.facts.get(_MODEL_UNITS)
        code = fact.quota_code if fact is not None else ""
        found = next((quota for quota in quotas if quota["QuotaCode"] == code), None)
        if found is None:
            yield Answer(
                state="warn",
                seen=f"{name}: no quota of model units is listed for {each.base_model.name}",
                fix="look for it in Service Quotas, Amazon Bedrock, before you pay for training",
            )
            continue
        value, wanted = int(found["Value"]), each.serving.model_units
        learned = {"model-units": str(value)}
        if value < wanted:
            yield Answer(
                state="fail",
                seen=f"{name}: {value} model units; you would pay for a model that cannot be "
                "served",
                fix=f"request {wanted + 1} before you train; it may take days: "
                f"https://{region}.console.aws.amazon.com/servicequotas/home/services/bedrock/quotas/"
                f"{found['QuotaCode']}",
                learned=learned,
            )
        else:
            yield Answer(state="ok", seen=f"{name}: {value} model units", learned=learned)


def _counts(subject: Subject) -> Iterator[Answer]:
    """Custom models and jobs."""
    code = account_facts()["quotas.custom_models"].quota_code
    for quota in subject.quotas:
        called = quota["QuotaName"].lower()
        if quota["QuotaCode"] == code:
            pages = subject.aws.bedrock.get_paginator("list_custom_models").paginate()
            have = sum(len(page["modelSummaries"]) for page in pages)
            most = int(quota["Value"])
            seen = f"{have} of {most} custom models"
            if have + len(subject.customizations) > most:
                yield Answer(
                    state="fail", seen=seen, fix="delete models that nobody needs, or raise it"
                )
            else:
                yield Answer(state="ok", seen=seen)
        elif "customization job" in called or "fine-tuning job" in called:
            value = int(quota["Value"])
            yield Answer(
                state="ok",
                seen=f"{value}: {quota['QuotaName']}",
                learned={"job-slots": str(value)},
            )


def _spelling(subject: Subject) -> Iterator[Answer]:
    """How Bedrock writes the base model of models that exist, against what we compare it with."""
    wanted = {each.base_model.customization_id for each in subject.customizations.values()}
    pages = subject.aws.bedrock.get_paginator("list_custom_models").paginate()
    found = {
        model["baseModelArn"].rpartition("/")[2]
        for page in pages
        for model in page["modelSummaries"]
    }
    for id in sorted(wanted):
        alike = {each for each in found if id.startswith(each) or each.startswith(id)}
        if not alike:
            continue
        spelled = ", ".join(sorted(alike))
        if alike == {id}:
            yield Answer(
                state="ok", seen=f"{id} is written so", learned={"base-model-arn": spelled}
            )
        else:
            yield Answer(
                state="fail",
                seen=f"{id} is written {spelled}: each run would create a second endpoint",
                fix="report it: the catalogue's id has to change",
                learned={"base-model-arn": spelled},
            )


MODELS: Final = (
    Check(
        id="model-open",
        title="base models take new jobs",
        asks="bedrock:GetFoundationModel",
        ask=_open,
    ),
    Check(
        id="model-access",
        title="the account may use the base models",
        asks="bedrock:GetFoundationModelAvailability",
        ask=_access,
    ),
    Check(
        id="quota-model-units",
        title="what is trained can be served",
        asks="servicequotas:ListServiceQuotas",
        ask=_units,
    ),
    Check(
        id="quota-counts",
        title="there is room for jobs and custom models",
        asks="servicequotas:ListServiceQuotas",
        ask=_counts,
    ),
    Check(
        id="base-model-arn",
        title="Bedrock writes base models as the catalogue does",
        asks="bedrock:ListCustomModels",
        ask=_spelling,
    ),
)
