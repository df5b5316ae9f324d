"""The endpoints of a customization as they are now, and the Bedrock calls that change them."""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from bedrock_tuning.config.customization import CustomizationSettings
from bedrock_tuning.config.names import NAME
from bedrock_tuning.config.tags import CUSTOMIZATION_TAG, ENVIRONMENT_TAG, EXPIRES_TAG, RUN_TAG
from bedrock_tuning.errors import RequestError
from bedrock_tuning.run import job
from bedrock_tuning.serving.plan import STATUS, Endpoint, EndpointKind
from bedrock_tuning.sources import listing
from lambdas import _aws

_GONE = "ResourceNotFoundException"
_TOKEN_IN_NAME: Final = 8


def kind_of(arn: str) -> EndpointKind:
    """The kind of endpoint an ARN names; it can differ from the desired kind."""
    return "on-demand" if ":custom-model-deployment/" in arn else "provisioned"


def tags_of(arn: str) -> dict[str, str]:
    """An endpoint's tags; none if it is gone."""
    answer = _aws.none_if(_GONE, lambda: _aws.bedrock().list_tags_for_resource(resourceARN=arn))
    return {tag["key"]: tag["value"] for tag in answer["tags"]} if answer else {}


def provisioned(environment: str) -> list[tuple[Endpoint, dict[str, str]]]:
    """Every Provisioned Throughput of this environment with its tags, found by tag.

    A name does not prove ownership: only our own create call sets the tag.
    """
    throughputs = listing.throughputs(_aws.bedrock())
    return list(
        _filter_by_tag(
            environment, (throughput["provisionedModelArn"] for throughput in throughputs)
        )
    )


def named() -> Iterator[tuple[str, str]]:
    """Every Provisioned Throughput of the account and Region, whoever owns it, with its name."""
    for summary in listing.throughputs(_aws.bedrock()):
        yield summary["provisionedModelArn"], summary["provisionedModelName"]


def is_ours(environment: str, name: str) -> bool:
    """Whether a Provisioned Throughput has a name as `purchase` makes them."""
    pattern = rf"{re.escape(environment)}-{NAME.pattern}-[0-9a-f]{{{_TOKEN_IN_NAME}}}"
    return re.fullmatch(pattern, name) is not None


def deployments(environment: str) -> list[tuple[Endpoint, dict[str, str]]]:
    """Every on-demand deployment of this environment with its tags, found by tag."""
    summaries = listing.deployments(_aws.bedrock())
    return list(
        _filter_by_tag(
            environment, (deployment["customModelDeploymentArn"] for deployment in summaries)
        )
    )


def _filter_by_tag(
    environment: str, arns: Iterator[str]
) -> Iterator[tuple[Endpoint, dict[str, str]]]:
    for arn in arns:
        tags = tags_of(arn)
        if tags.get(ENVIRONMENT_TAG) == environment:
            endpoint = describe(arn)
            if endpoint is not None:
                yield endpoint, tags


def of_customization(environment: str, customization: CustomizationSettings) -> list[Endpoint]:
    """The endpoints of one customization, of both kinds."""
    return [endpoint for endpoint, _ in _with_tags(environment, customization)]


def bought(environment: str, customization: CustomizationSettings, request: str) -> Endpoint | None:
    """The endpoint that a request has made, even if the answer to it was lost."""
    run = next(tag["value"] for tag in json.loads(request)["tags"] if tag["key"] == RUN_TAG)
    endpoints = _with_tags(environment, customization)
    return next((endpoint for endpoint, tags in endpoints if tags.get(RUN_TAG) == run), None)


def _with_tags(
    environment: str, customization: CustomizationSettings
) -> list[tuple[Endpoint, dict[str, str]]]:
    endpoints = provisioned(environment)
    # The model decides, not the desired mode: a deployment may be left from an earlier one.
    if customization.base_model.serving.on_demand:
        endpoints += deployments(environment)
    return [(e, tags) for e, tags in endpoints if tags.get(CUSTOMIZATION_TAG) == customization.name]


def describe(arn: str) -> Endpoint | None:
    """One endpoint now; None when it is gone."""
    return _aws.none_if(_GONE, lambda: _describe(arn))


def _describe(arn: str) -> Endpoint:
    bedrock = _aws.bedrock()
    if kind_of(arn) == "provisioned":
        return _provisioned_endpoint(
            {**bedrock.get_provisioned_model_throughput(provisionedModelId=arn)}
        )
    deployment = bedrock.get_custom_model_deployment(customModelDeploymentIdentifier=arn)
    return _on_demand_endpoint({**deployment})


def _provisioned_endpoint(throughput: Mapping[str, Any]) -> Endpoint:
    status = STATUS[throughput["status"]]
    # After a failed update, the desired model still differs from the one that is served.
    desired = throughput.get("desiredModelArn") if status in ("creating", "updating") else None
    return Endpoint(
        kind="provisioned",
        arn=throughput["provisionedModelArn"],
        status=status,
        model_arn=desired or throughput["modelArn"],
        base_arn=throughput.get("foundationModelArn"),
        units=throughput["modelUnits"],
        commitment=throughput.get("commitmentDuration"),
        committed_until=_committed_until(throughput),
        failure=throughput.get("failureMessage", ""),
    )


def _committed_until(throughput: Mapping[str, Any]) -> str | None:
    if throughput.get("commitmentDuration") is None:
        return None
    end = throughput.get("commitmentExpirationTime")
    if end is None:
        return "an unknown date"
    # After its commitment an endpoint can be deleted, and is billed by the hour until it is.
    return f"{end:%Y-%m-%dT%H:%M:%SZ}" if end > datetime.now(UTC) else None


def _on_demand_endpoint(deployment: Mapping[str, Any]) -> Endpoint:
    update = deployment.get("updateDetails") or {}
    updating = update.get("updateStatus") == "Updating"
    model_arn = deployment["modelArn"]
    return Endpoint(
        kind="on-demand",
        arn=deployment["customModelDeploymentArn"],
        status="updating" if updating else STATUS[deployment["status"]],
        model_arn=update.get("modelArn", model_arn) if updating else model_arn,
        failure=deployment.get("failureMessage", ""),
    )


def purchase(
    environment: str,
    customization: CustomizationSettings,
    *,
    model_arn: str,
    run: str,
    expires: str | None,
) -> str:
    """The whole request that `create` sends, as JSON: repeated, it makes no second endpoint.

    The name and the token follow from the desired state and the run.
    Raises RequestError if Bedrock would refuse the name.
    """
    desired = customization.serving
    spec = f"{model_arn}|{desired.mode}|{desired.model_units}|{desired.commitment}|{run}"
    token = hashlib.sha256(spec.encode()).hexdigest()[:32]
    name = f"{environment}-{customization.name}-{token[:_TOKEN_IN_NAME]}"
    problem = job.problem("provisionedModelName", name)
    if problem is not None:
        raise RequestError([problem])
    tags = {
        **customization.tags,
        ENVIRONMENT_TAG: environment,
        CUSTOMIZATION_TAG: customization.name,
        RUN_TAG: run,
        **({EXPIRES_TAG: expires} if expires is not None else {}),
    }
    common = {
        "tags": [{"key": key, "value": value} for key, value in tags.items()],
        "clientRequestToken": token,
    }
    if desired.mode == "on-demand":
        return json.dumps({"modelDeploymentName": name, "modelArn": model_arn, **common})
    committed = {"commitmentDuration": desired.commitment} if desired.commitment else {}
    return json.dumps(
        {
            "provisionedModelName": name,
            "modelId": model_arn,
            "modelUnits": desired.model_units,
            **common,
            **committed,
        }
    )


def create(request: str) -> str:
    """Buys a Provisioned Throughput or creates an on-demand deployment; returns its ARN."""
    members = json.loads(request)
    bedrock = _aws.bedrock()
    if "modelDeploymentName" in members:
        return bedrock.create_custom_model_deployment(**members)["customModelDeploymentArn"]
    return bedrock.create_provisioned_model_throughput(**members)["provisionedModelArn"]


def swap(endpoint: Endpoint, model_arn: str) -> None:
    """Replaces the custom model that an endpoint serves, in place."""
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

    An endpoint that no longer exists counts as deleted.
    """

    def call() -> object:
        bedrock = _aws.bedrock()
        if endpoint.kind == "on-demand":
            return bedrock.delete_custom_model_deployment(
                customModelDeploymentIdentifier=endpoint.arn
            )
        return bedrock.delete_provisioned_model_throughput(provisionedModelId=endpoint.arn)

    def deleted() -> bool:
        _aws.none_if(_GONE, call)
        return True

    return _aws.none_if("ConflictException", deleted) is not None


def rename(arn: str, customization: str) -> None:
    """Tags an endpoint or a model as another customization's; one that is gone stays so."""
    tags: Any = [{"key": CUSTOMIZATION_TAG, "value": customization}]
    _aws.none_if(_GONE, lambda: _aws.bedrock().tag_resource(resourceARN=arn, tags=tags))


def renew(endpoint: Endpoint, expires: str) -> None:
    """Sets a new end of an endpoint's lease."""
    _aws.bedrock().tag_resource(
        resourceARN=endpoint.arn, tags=[{"key": EXPIRES_TAG, "value": expires}]
    )
