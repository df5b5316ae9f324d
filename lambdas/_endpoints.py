"""The endpoints of a customization as they are now, and the Bedrock calls that change them."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from bedrock_tuning.config.customization import Customization
from bedrock_tuning.errors import RequestError
from bedrock_tuning.run import job
from bedrock_tuning.serving.plan import STATUS, Endpoint, EndpointKind
from lambdas import _aws

ENVIRONMENT = f"{job.TAG_PREFIX}:environment"
CUSTOMIZATION = f"{job.TAG_PREFIX}:customization"
RUN = f"{job.TAG_PREFIX}:run"
EXPIRES = f"{job.TAG_PREFIX}:expires"


def kind_of(arn: str) -> EndpointKind:
    """What an ARN is the ARN of; a wish may be served by an endpoint of another kind."""
    return "on-demand" if ":custom-model-deployment/" in arn else "provisioned"


def tags_of(arn: str) -> dict[str, str]:
    """An endpoint's tags; none if it is gone."""
    try:
        found = _aws.bedrock().list_tags_for_resource(resourceARN=arn).get("tags", [])
    except ClientError as error:
        if error.response["Error"]["Code"] == "ResourceNotFoundException":
            return {}
        raise
    return {tag["key"]: tag["value"] for tag in found}


def provisioned(environment: str) -> list[tuple[Endpoint, dict[str, str]]]:
    """Every Provisioned Throughput of this environment with its tags, found by tag.

    Names are no proof of ownership; a tag is put on by our own create call only.
    """
    pages = _aws.bedrock().get_paginator("list_provisioned_model_throughputs").paginate()
    arns = (
        summary["provisionedModelArn"]
        for page in pages
        for summary in page["provisionedModelSummaries"]
    )
    return list(_ours(environment, arns))


def disowned(environment: str, customizations: Iterable[str]) -> list[str]:
    """Every Provisioned Throughput with one of our names and without any environment's tag.

    Somebody took the tag away; nothing else finds it then.
    """
    starts = tuple(f"{environment}-{name}-" for name in customizations)
    pages = _aws.bedrock().get_paginator("list_provisioned_model_throughputs").paginate()
    arns = [
        summary["provisionedModelArn"]
        for page in pages
        for summary in page["provisionedModelSummaries"]
        if summary["provisionedModelName"].startswith(starts)
    ]
    # One that is gone has no tags either.
    return [arn for arn in arns if ENVIRONMENT not in tags_of(arn) and describe(arn) is not None]


def deployments(environment: str) -> list[tuple[Endpoint, dict[str, str]]]:
    """Every on-demand deployment of this environment with its tags, found by tag."""
    pages = _aws.bedrock().get_paginator("list_custom_model_deployments").paginate()
    arns = (
        summary["customModelDeploymentArn"]
        for page in pages
        for summary in page["modelDeploymentSummaries"]
    )
    return list(_ours(environment, arns))


def _ours(environment: str, arns: Iterator[str]) -> Iterator[tuple[Endpoint, dict[str, str]]]:
    for arn in arns:
        tags = tags_of(arn)
        if tags.get(ENVIRONMENT) == environment:
            endpoint = describe(arn)
            if endpoint is not None:
                yield endpoint, tags


def of_customization(environment: str, customization: Customization) -> list[Endpoint]:
    """The endpoints of one customization, of both kinds.

    Deployments are looked for wherever there can be some, also when none is wished any more.
    """
    found = provisioned(environment)
    if customization.base_model.serving.on_demand:
        found += deployments(environment)
    return [e for e, tags in found if tags.get(CUSTOMIZATION) == customization.name]


def made_by(environment: str, customization: Customization, run: str) -> Endpoint | None:
    """The endpoint that a run has made, also when the answer to its create call was lost."""
    found = provisioned(environment)
    if customization.base_model.serving.on_demand:
        found += deployments(environment)
    mine = {CUSTOMIZATION: customization.name, RUN: run}
    return next((e for e, tags in found if mine.items() <= tags.items()), None)


def describe(arn: str) -> Endpoint | None:
    """One endpoint now; None when it is gone."""
    bedrock = _aws.bedrock()
    try:
        if kind_of(arn) == "provisioned":
            return _provisioned(
                dict(bedrock.get_provisioned_model_throughput(provisionedModelId=arn))
            )
        found = bedrock.get_custom_model_deployment(customModelDeploymentIdentifier=arn)
        return _on_demand(dict(found))
    except ClientError as error:
        if error.response["Error"]["Code"] == "ResourceNotFoundException":
            return None
        raise


def _provisioned(found: Mapping[str, Any]) -> Endpoint:
    status = STATUS[found["status"]]
    # After an update that failed, what was desired still differs from what is served.
    desired = found.get("desiredModelArn") if status in ("creating", "updating") else None
    return Endpoint(
        kind="provisioned",
        arn=found["provisionedModelArn"],
        status=status,
        model_arn=desired or found["modelArn"],
        base_arn=found.get("foundationModelArn"),
        units=found["modelUnits"],
        commitment=found.get("commitmentDuration"),
        committed_until=_committed_until(found),
        failure=found.get("failureMessage", ""),
    )


def _committed_until(found: Mapping[str, Any]) -> str | None:
    if found.get("commitmentDuration") is None:
        return None
    until = found.get("commitmentExpirationTime")
    if until is None:
        return "an unknown date"
    # Once it is over, it can be deleted, and is billed by the hour until it is.
    return f"{until:%Y-%m-%dT%H:%M:%SZ}" if until > datetime.now(UTC) else None


def _on_demand(found: Mapping[str, Any]) -> Endpoint:
    update = found.get("updateDetails") or {}
    updating = update.get("updateStatus") == "Updating"
    return Endpoint(
        kind="on-demand",
        arn=found["customModelDeploymentArn"],
        status="updating" if updating else STATUS[found["status"]],
        model_arn=update.get("modelArn", found["modelArn"]) if updating else found["modelArn"],
        failure=found.get("failureMessage", ""),
    )


def create(
    environment: str, customization: Customization, *, model_arn: str, run: str, expires: str | None
) -> str:
    """Buys a Provisioned Throughput or makes an on-demand deployment; returns its ARN.

    The name and the token follow from the wish, so a repeated call makes no second one; expires
    must be the same then, else Bedrock refuses the token.
    Raises RequestError when Bedrock would refuse the name.
    """
    wish = customization.serving
    spec = f"{model_arn}|{wish.mode}|{wish.model_units}|{wish.commitment}|{run}"
    token = hashlib.sha256(spec.encode()).hexdigest()[:32]
    name = f"{environment}-{customization.name}-{token[:8]}"
    tags = {
        **customization.tags,
        ENVIRONMENT: environment,
        CUSTOMIZATION: customization.name,
        RUN: run,
    }
    if expires is not None:
        tags[EXPIRES] = expires
    tag_list: Any = [{"key": key, "value": value} for key, value in tags.items()]
    wrong = job.problem("provisionedModelName", name)
    if wrong is not None:
        raise RequestError([wrong])
    if wish.mode == "on-demand":
        return _aws.bedrock().create_custom_model_deployment(
            modelDeploymentName=name, modelArn=model_arn, tags=tag_list, clientRequestToken=token
        )["customModelDeploymentArn"]
    optional: dict[str, Any] = {}
    if wish.commitment is not None:
        optional["commitmentDuration"] = wish.commitment
    return _aws.bedrock().create_provisioned_model_throughput(
        provisionedModelName=name,
        modelId=model_arn,
        modelUnits=wish.model_units,
        tags=tag_list,
        clientRequestToken=token,
        **optional,
    )["provisionedModelArn"]


def swap(endpoint: Endpoint, model_arn: str) -> None:
    """Puts another custom model behind an endpoint, in place."""
    if endpoint.kind == "on-demand":
        _aws.bedrock().update_custom_model_deployment(
            customModelDeploymentIdentifier=endpoint.arn, modelArn=model_arn
        )
        return
    _aws.bedrock().update_provisioned_model_throughput(
        provisionedModelId=endpoint.arn, desiredModelId=model_arn
    )


def delete(endpoint: Endpoint) -> bool:
    """Ends an endpoint and its billing; False while Bedrock refuses because a change is under way.

    An endpoint that is gone already is what was wanted.
    """
    try:
        if endpoint.kind == "on-demand":
            _aws.bedrock().delete_custom_model_deployment(
                customModelDeploymentIdentifier=endpoint.arn
            )
        else:
            _aws.bedrock().delete_provisioned_model_throughput(provisionedModelId=endpoint.arn)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code == "ConflictException":
            return False
        if code != "ResourceNotFoundException":
            raise
    return True


def renew(endpoint: Endpoint, expires: str) -> None:
    """Moves the end of an endpoint's lease."""
    _aws.bedrock().tag_resource(resourceARN=endpoint.arn, tags=[{"key": EXPIRES, "value": expires}])
