"""The custom resource Custom::ProvisionedThroughput: what a deployment changes about serving.

It never waits for an endpoint: creating one takes 20 to 45 minutes, a custom resource may take one
hour at most, and a deployment that fails then would leave an endpoint behind. It reports what will
happen and starts the workflow at its serving part. Deletion does wait: once the stack is gone,
nothing of it may be billed.
"""

import hashlib
import json
import os
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

from botocore.exceptions import ClientError

from bedrock_tuning.config.customization import CustomizationSettings
from bedrock_tuning.config.deployed import from_settings
from bedrock_tuning.config.lambda_environment import ThroughputEnvironment
from bedrock_tuning.config.tags import CUSTOMIZATION_TAG
from bedrock_tuning.run import cost, row
from bedrock_tuning.serving.intent import Intent, ServingRequest, Terms
from bedrock_tuning.serving.plan import (
    Action,
    DesiredState,
    Endpoint,
    Plan,
    commitment_reason,
    plan,
    removable,
)
from bedrock_tuning.serving.purchase import may_buy
from lambdas import _aws
from lambdas._deploying import _cloudformation
from lambdas._records import _intent, _jobs, _pointers, _runs
from lambdas._serving import _endpoints, renaming
from lambdas._serving.work import priced, terms_of

# Leave the function time to answer CloudFormation before its own timeout.
_RESERVE_MS: Final = 30_000
_PAUSE_SECONDS: Final = 10
# Only resources of versions that had all customizations in one stack have this property. They are
# deleted when that stack is updated, after this function: what they served belongs to new stacks.
_OF_THE_OLD_LAYOUT: Final = "Pointers"
_ROLES: Final = ("ServiceRole", "StarterRole")
_USES: Final = "Uses"
# Published by a stack without roles of its own.
_DEPLOYED: Final = "deployed"
# Only resources of customizations that had another name have this one.
_FORMER_NAME: Final = "RenamedFrom"


def handler(event: dict[str, Any], context: Any) -> None:
    """event: a CloudFormation custom resource request; the answer goes to its ResponseURL.

    ResourceProperties: Customization and its desired serving, so that a change of it is an update.
    """

    def act(answer: dict[str, Any]) -> None:
        env = ThroughputEnvironment.from_env(os.environ)
        if event["RequestType"] == "Delete":
            answer["Reason"] = _remove(env, event["ResourceProperties"], context)
            return
        properties = event["ResourceProperties"]
        name = properties["Customization"]
        # The physical id never changes: we replace endpoints ourselves, so that a new one is tested
        # before the old one is deleted. CloudFormation would delete the old one first.
        answer["PhysicalResourceId"] = f"provisioned-throughput/{env.environment}/{name}"
        if event["RequestType"] == "Create":
            renaming.forget(env, name)
        former = properties.get(_FORMER_NAME)
        if former and former != event.get("OldResourceProperties", {}).get(_FORMER_NAME):
            renaming.move(env, old=former, new=name)
        _keep_roles(env, name, properties)
        answer["Data"] = _reconcile(env, name, event)

    _cloudformation.respond(event, act, unknown="provisioned-throughput/unknown")


def _keep_roles(env: ThroughputEnvironment, name: str, properties: Mapping[str, Any]) -> None:
    """Publishes that the stack is deployed: its roles, and what jobs use by them, each since when.

    Raises RuntimeError if this deployment takes one of them from an open run. A rollback takes what
    the failed deployment gave, which no run before it knows.
    """
    roles = filter(None, map(properties.get, _ROLES))
    uses = filter(None, properties.get(_USES, "").split(", "))
    former = _uses(_pointers.read(env.parameter_prefix, name, "serving") or "")
    current = {use: former.get(use, _runs.now()) for use in (*roles, *map(_digest, uses))}
    removed = [time for use, time in former.items() if use not in current and use != _DEPLOYED]
    if removed:
        _refuse_while_training(env, name, since=min(removed), then="deploy again")
    _pointers.publish(env.parameter_prefix, name, "serving", _text(current) or _DEPLOYED)


def _digest(use: str) -> str:
    """A parameter takes 4 KB, which many folders would exceed."""
    return hashlib.sha256(use.encode()).hexdigest()[:8]


def _text(uses: Mapping[str, str]) -> str:
    """What was given at one time stands behind that time."""
    times = sorted({*uses.values()})
    return " ".join(
        word for time in times for word in (time, *(use for use in uses if uses[use] == time))
    ).strip()


def _uses(text: str) -> dict[str, str]:
    """What _text made a text of; what earlier versions published was always there."""
    time, uses = "", {}
    for word in text.split():
        if word.startswith("2") and word.endswith("Z"):
            time = word
        else:
            uses[word] = time
    return uses


def _reconcile(env: ThroughputEnvironment, name: str, event: Mapping[str, Any]) -> dict[str, str]:
    customization = from_settings(_settings(env, name)).customization
    desired = DesiredState(
        mode=customization.serving.mode,
        model_arn=_pointers.read(env.parameter_prefix, name, "model"),
        base_arn=None,
        units=customization.serving.model_units,
        commitment=customization.serving.commitment,
    )
    endpoints = _endpoints.of_customization(env.environment, customization)
    step = plan(desired, endpoints)
    intent = _adopt(env, _intent.read(env, name), customization, event, step)
    status, detail = _status(env, intent, customization, event, step)
    if status in ("handed-over", "awaiting-approval"):
        _hand_over(env, name, event["RequestId"])
    return {
        "Status": status,
        "Detail": detail,
        "Price": "; ".join(map(str, cost.estimate(customization=customization).rates)),
        "ProvisionedModelArn": step.target.arn if step.target else "",
    }


def _status(
    env: ThroughputEnvironment,
    intent: Intent,
    customization: CustomizationSettings,
    event: Mapping[str, Any],
    step: Plan,
) -> tuple[str, str]:
    """What the deployment does about serving; only "handed-over" and "awaiting-approval" act."""
    if step.action in (Action.PENDING, Action.NOTHING):
        return step.action.value, step.reason
    if customization.serving.mode == "none":
        return "handed-over", step.reason
    request = priced(_request(intent, customization), customization)
    verdict = may_buy(request, intent, replaces=True)
    if verdict.answer == "no":
        # A lease may have been ended on purpose: only a person starts billing again.
        command = f"tuning serve {customization.name} -e {env.environment}"
        return "not-serving", f"{verdict.reason}; to serve it, and be billed: {command}"
    if step.action is Action.READY and not step.surplus and not _has_new_lease(event):
        return "ready", step.reason
    if verdict.answer == "ask":
        return "awaiting-approval", f"{verdict.reason}; see tuning runs -e {env.environment}"
    return "handed-over", step.reason


def _request(intent: Intent, customization: CustomizationSettings) -> ServingRequest:
    return ServingRequest(
        run="",
        order="",
        started_by="deployment",
        model_arn=intent.model_arn,
        model_run=intent.model_run,
        terms=terms_of(customization),
    )


def _adopt(
    env: ThroughputEnvironment,
    intent: Intent,
    customization: CustomizationSettings,
    event: Mapping[str, Any],
    step: Plan,
) -> Intent:
    """What was served before there were intents, written down on the terms that it has.

    It is billed already, so this begins nothing.
    """
    endpoint = next(iter((*filter(None, [step.target]), *step.surplus)), None)
    if intent.version or endpoint is None:
        return intent
    former_lease = event.get("OldResourceProperties", event["ResourceProperties"]).get("LeaseHours")
    terms = Terms(
        mode=endpoint.kind,
        units=endpoint.units or 1,
        commitment=endpoint.commitment,
        lease_hours=int(former_lease) if str(former_lease).isdigit() else None,
        base_model=customization.base_model.key,
    )
    publication = replace(intent.published, endpoint_arn=endpoint.arn, terms=terms)
    adopted_intent = replace(
        intent,
        on=True,
        why="it was served before",
        by="a deployment",
        since=_runs.now(),
        terms=terms,
        price="\n".join(map(str, cost.estimate(customization=customization).rates)),
        approval="before approvals were recorded",
        published=publication,
    )
    return _intent.write(env.runs_table, adopted_intent) or _intent.read(env, customization.name)


def _settings(env: ThroughputEnvironment, name: str) -> dict[str, Any]:
    """What the same stack has just written."""
    answer = _aws.ssm().get_parameter(Name=f"{env.settings_prefix}/{name}")
    settings: dict[str, Any] = json.loads(answer["Parameter"]["Value"])
    return settings


def _has_new_lease(event: Mapping[str, Any]) -> bool:
    """Whether the endpoint needs a new lease although it serves the desired model."""
    former = event.get("OldResourceProperties", event["ResourceProperties"])
    return bool(former.get("LeaseHours") != event["ResourceProperties"].get("LeaseHours"))


def _hand_over(env: ThroughputEnvironment, name: str, request: str) -> None:
    """Starts the workflow at its serving part, once per request however often it comes."""
    # Like every run's name it begins with its time, by which deployments are ordered.
    began = f"{datetime.now(UTC):%Y%m%d-%H%M%S}"
    execution = f"deploy-{request}"
    serving = {
        "customization": name,
        "run": f"{began}-deploy-{request[:6]}",
        "started_by": "deployment",
        "execution": execution,
    }
    _aws.start_serving(env.workflow_arn, execution=execution, serving=serving)


def _remove(env: ThroughputEnvironment, properties: Mapping[str, Any], context: Any) -> str:
    """Deletes what is served; returns what stays and why."""
    name = properties["Customization"]
    if _OF_THE_OLD_LAYOUT in properties:
        return "kept: its customization has a stack of its own now"
    _refuse_while_training(env, name, then="delete the stack again")
    former = properties.get(_FORMER_NAME, "")
    if former and _pointers.read(env.parameter_prefix, former, "serving") is not None:
        # The new name goes before the old one: that was no renaming, or one that failed.
        renaming.move(env, old=name, new=former)
    heir = _intent.read(env, name).renamed_to
    if heir:
        for pointer in ("serving", "endpoint", "model", "run"):
            _pointers.withdraw(env.parameter_prefix, name, pointer)
        return f"kept: {name} is called {heir} now"
    # First: from here on, no run in progress buys an endpoint that nothing would delete.
    _pointers.withdraw(env.parameter_prefix, name, "serving")
    if properties.get("OnDelete") != "retain":
        _switch_off(env, name)
    endpoints = _endpoints.provisioned(env.environment)
    if properties.get("Mode") == "on-demand":
        endpoints += _endpoints.deployments(env.environment)
    own_endpoints = [e for e, tags in endpoints if tags.get(CUSTOMIZATION_TAG) == name]
    if properties.get("OnDelete") == "retain":
        arns = ", ".join(e.arn for e in own_endpoints)
        return f"kept, because the customization says on_delete = retain: {arns or 'nothing'}"
    reasons = [commitment_reason(e) for e in own_endpoints if not removable(e)]
    waiting = [e for e in own_endpoints if removable(e)]
    problems: list[str] = []
    while waiting:
        waiting = [e for e in waiting if not _delete(e, problems)]
        if waiting and context.get_remaining_time_in_millis() < _RESERVE_MS:
            problems += [
                f"{e.arn}: Bedrock refuses to delete it while it is {e.status}; "
                "delete the stack again in a few minutes"
                for e in waiting
            ]
            break
        if waiting:
            time.sleep(_PAUSE_SECONDS)
    if problems:
        raise RuntimeError(f"still billed: {'; '.join(problems)}")
    _pointers.withdraw(env.parameter_prefix, name, "endpoint")
    return "; ".join(reasons) or "nothing is served now"


def _refuse_while_training(
    env: ThroughputEnvironment, name: str, *, then: str, since: str = ""
) -> None:
    """Raises RuntimeError while a run has a job or may start one: the roles that it needs would go.

    What a run has read of its settings names these roles, for as long as it waits. since: only runs
    that began then or later.
    """
    for item in _runs.runs_of(env.runs_table, name):
        if row.needs_what_it_had(item) and item["created"] >= since:
            raise RuntimeError(
                f"run {item['run']} is {item['status']} and needs the roles of this stack, and "
                f"what they may use: decline or stop it {row.HOW_TO_END} or wait until it "
                f"ends, then {then}"
            )
    for job, run in _jobs.running():
        item = _runs.item_of(env.runs_table, run) or {}
        # Another customization's name may begin with this one's.
        is_usual_name = job == f"{env.environment}-{name}-{run}"
        is_own = item.get("customization") == name if job == item.get("job_name") else is_usual_name
        if is_own and item.get("created", since) >= since:
            raise RuntimeError(
                f"{job} is running and needs the roles of this stack: stop it "
                f"(tuning stop RUN) or wait until it ends, then {then}"
            )


def _switch_off(env: ThroughputEnvironment, name: str) -> None:
    """A run that works on its endpoint stops, and a new stack does not buy it again."""
    for _ in range(_intent.ATTEMPTS):
        intent = _intent.read(env, name)
        if not intent.on and not intent.owner:
            return
        intent_off = intent.ended(why="its stack was deleted", by="the deletion", now=_runs.now())
        if _intent.write(env.runs_table, intent_off) is not None:
            return
    raise RuntimeError(f"the intent of {name} keeps changing: delete the stack again")


def _delete(endpoint: Endpoint, problems: list[str]) -> bool:
    """Whether nothing is left to try; an error with one endpoint stops no other deletion."""
    try:
        return _endpoints.delete(endpoint)
    except ClientError as error:
        problems.append(f"{endpoint.arn}: {error}")
        return True
