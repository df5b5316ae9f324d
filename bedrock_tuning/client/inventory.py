"""What is deployed of an environment, against its files, and what remains of deleted stacks."""

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from bedrock_tuning.catalogue import account_facts, catalogue, key_of
from bedrock_tuning.client import environments
from bedrock_tuning.client.aws import Aws
from bedrock_tuning.client.deployment import deploy_command, parameters
from bedrock_tuning.client.endpoints import tags_of
from bedrock_tuning.config.customization import CustomizationSettings
from bedrock_tuning.config.deployed import to_settings
from bedrock_tuning.config.names import RESERVED, stack_name
from bedrock_tuning.config.tags import CUSTOMIZATION_TAG, ENVIRONMENT_TAG
from bedrock_tuning.contracts.construct_names import setting_of
from bedrock_tuning.contracts.contract import parameter_prefix, settings_prefix
from bedrock_tuning.errors import UserError
from bedrock_tuning.run.job import run_of
from bedrock_tuning.sources.listing import custom_models, listed

# What the stacks retain, by the service in its ARN.
_RETAINED: Final = {"s3": "bucket", "kms": "key", "dynamodb": "table"}
_BYTES: Final = "by stored bytes"
# CloudFormation's tag, which a resource keeps when it outlives its stack.
_LOGICAL_ID: Final = "aws:cloudformation:logical-id"
# What only a deployment knows.
_DEPLOYED: Final = ("service_role", "starter_role", "request")


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One customization, in files or deployed. differs: in words; "" if it is as its file says."""

    name: str
    status: str
    differs: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Remains:
    """What is there and nobody's: billed, or pointing to nothing.

    usd_per_month: None if not known. setting: which one of a next environment names it, with
    what value, to go on with it; "" if none does.
    """

    kind: str
    name: str
    billed: str
    usd_per_month: float | None
    command: str
    setting: str = ""
    value: str = ""


def compared(
    aws: Aws,
    environment: str,
    files: Mapping[str, CustomizationSettings] | None,
    *,
    retired: Collection[str] = (),
    elsewhere: Collection[str] = (),
) -> list[Listed]:
    """Every customization of an environment, deployed or not, by name.

    files: those that the environment should have; None outside of a project: nothing is missing,
    and nothing differs but what failed. retired, elsewhere: names of files that say they
    have no stack, or none in this environment.
    Raises UserError for an environment of an older version, all of which would look left over.
    """
    stacks = _stacks(aws, environment)
    deployed = dict(_settings(aws, environment)) if files is not None else {}
    heirs = {
        customization.renamed_from: name
        for name, customization in (files or {}).items()
        if customization.renamed_from
    }
    entries = []
    for name in sorted({*(files or ()), *stacks}):
        status = stacks.get(name, "")
        difference = ""
        if not status:
            difference = f"not deployed: {deploy_command(environment, name)}"
        elif files is not None and name not in files:
            reason = "no file"
            if name in heirs:
                reason = f"it is called {heirs[name]} now"
            elif name in (*retired, *elsewhere):
                reason = "retired" if name in retired else "its file leaves this environment out"
            difference = f"deployed, {reason}: tuning retire {name} -e {environment}"
        elif not status.endswith(("CREATE_COMPLETE", "UPDATE_COMPLETE")):
            difference = f"the stack is {status}: its events in CloudFormation say why"
        elif files is not None and deployed.get(name) != _as_deployed(files[name]):
            difference = f"not as its file says: {deploy_command(environment, name)}"
        entries.append(Listed(name=name, status=status or "no stack", differs=difference))
    return entries


def _as_deployed(file: CustomizationSettings) -> Any:
    """As JSON has it: without tuples, and without what only a deployment knows."""
    return json.loads(json.dumps(to_settings(file)))


def _stacks(aws: Aws, environment: str) -> dict[str, str]:
    """The status of each customization's stack, by name."""
    prefix = stack_name(environment, "")
    names: dict[str, str] = {}
    for stack in environments.stacks(aws):
        name = stack["StackName"].removeprefix(prefix)
        if name in environments.REQUIRED_OUTPUTS and environments.is_older(stack):
            raise UserError(
                "an older version of this project deployed it, without a stack for each "
                "customization",
                where=stack["StackName"],
                fix=f"`tuning upgrade -e {environment}`, then deploy this version: "
                f"{deploy_command(environment)}",
            )
        if name != stack["StackName"] and name not in RESERVED:
            # "team" does not begin the name of another environment in cdk.json, but could in
            # another project: the tag says whose the stack is.
            tags = {tag["Key"]: tag["Value"] for tag in stack.get("Tags", ())}
            if tags.get(ENVIRONMENT_TAG, environment) == environment:
                names[name] = stack["StackStatus"]
    return names


def _settings(aws: Aws, environment: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """What the customizations' parameters say beside the ARNs of their roles."""
    for name, value in parameters(aws, settings_prefix(environment)):
        values = {key: entry for key, entry in json.loads(value).items() if key not in _DEPLOYED}
        yield name, values


def retained(aws: Aws, environment: str) -> Iterator[tuple[bool, Remains]]:
    """Buckets, keys and tables with the environment's tag, which outlive their stacks.

    Each with whether the environment still uses it: one of its stacks has it, or has none of its
    own, so that a setting names one. Which one that is, no stack says: none of them is left over.
    """
    resources_by_part = {
        part: list(resources(aws, stack_name(environment, part))) for part in RESERVED
    }
    all_resources = [
        resource for part_resources in resources_by_part.values() for resource in part_resources
    ]
    used_names = {resource.get("PhysicalResourceId", "") for resource in all_resources}
    own_settings = {setting_of(resource["LogicalResourceId"])[0] for resource in all_resources}
    filters = [{"Key": ENVIRONMENT_TAG, "Values": [environment]}]
    for mapping in listed(
        aws.tagging, "get_resources", "ResourceTagMappingList", TagFilters=filters
    ):
        arn = str(mapping["ResourceARN"])
        _, _, service, _, _, tail = arn.split(":", 5)
        kind, name = _RETAINED.get(service), tail.rpartition("/")[2]
        if kind is not None:
            tags = {tag["Key"]: tag["Value"] for tag in mapping.get("Tags", ())}
            setting, stack = setting_of(tags.get(_LOGICAL_ID, ""))
            is_named = bool(setting and resources_by_part[stack]) and setting not in own_settings
            value = (name if kind == "bucket" else arn) if setting else ""
            remains = replace(_retained_one(kind, name), setting=setting, value=value)
            yield name in used_names or is_named, remains


def _retained_one(kind: str, name: str) -> Remains:
    key = float(account_facts()["prices.kms_key_month"].value)
    billing, price, command = {
        "bucket": (_BYTES, None, f"aws s3api delete-bucket --bucket {name}, once it is empty"),
        "key": (
            "by the month, more if rotated",
            key,
            f"aws kms schedule-key-deletion --key-id {name}",
        ),
        "table": (_BYTES, None, f"aws dynamodb delete-table --table-name {name}"),
    }[kind]
    return Remains(kind=kind, name=name, billed=billing, usd_per_month=price, command=command)


def resources(aws: Aws, stack: str) -> Iterator[Any]:
    """The resources of a stack, as CloudFormation lists them; none if there is no such stack."""
    from botocore.exceptions import ClientError

    client, rows = aws.cloudformation, "StackResourceSummaries"
    try:
        yield from listed(client, "list_stack_resources", rows, StackName=stack)
    except ClientError as error:
        if "does not exist" not in str(error):
            raise


def dead_letters(aws: Aws, environment: str) -> str:
    """The address of the queue of events that could not be delivered; "" if there is none."""
    stack_resources = resources(aws, stack_name(environment, "pipeline"))
    return next(
        (
            resource["PhysicalResourceId"]
            for resource in stack_resources
            if resource["ResourceType"] == "AWS::SQS::Queue"
        ),
        "",
    )


def models(aws: Aws, environment: str) -> Iterator[tuple[str, Remains]]:
    """The custom models of an environment, each with its customization."""
    for owner, model in tuned_models(aws, environment):
        yield owner, model_left(model)


def model_left(model: Any) -> Remains:
    """A stored model, as Bedrock lists it."""
    base = catalogue().get(key_of(model["baseModelArn"]))
    price = None if base is None else base.prices.storage_per_month
    return Remains(
        kind="model",
        name=model["modelName"],
        billed="by the month",
        usd_per_month=None if price is None else float(price),
        command=f"aws bedrock delete-custom-model --model-identifier {model['modelArn']}",
    )


def tuned_models(aws: Aws, environment: str) -> Iterator[tuple[str, Any]]:
    """As Bedrock lists them: the models that runs of an environment made, each with whose it is.

    Their tags say so: a customization can name its models itself, and can be renamed later.
    """
    for model in custom_models(aws.bedrock):
        if run_of(model["modelName"]):
            tags = tags_of(aws, model["modelArn"])
            if tags and tags.get(ENVIRONMENT_TAG) == environment:
                yield tags.get(CUSTOMIZATION_TAG, ""), model


def pointers(aws: Aws, environment: str) -> dict[tuple[str, str], str]:
    """What the customizations' parameters point to: by customization, and "model" for example."""
    targets = {}
    for path, value in parameters(aws, parameter_prefix(environment), Recursive=True):
        owner, _, name = path.partition("/")
        targets[owner, name] = value
    return targets


def pointer_left(environment: str, owner: str, name: str, *, kind: str) -> Remains:
    """A parameter that points to nothing that anybody uses."""
    path = f"{parameter_prefix(environment)}/{owner}/{name}"
    command = f"aws ssm delete-parameter --name {path}"
    return Remains(kind=kind, name=path, billed="nothing", usd_per_month=0.0, command=command)
