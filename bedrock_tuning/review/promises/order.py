"""Promises about the order of a run: nothing invalid is paid for, nothing is left billing."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from bedrock_tuning.review.assembly.template import Resource
from bedrock_tuning.review.check import Evidence, Violation, check, found
from bedrock_tuning.review.promises.deployment import BY_WORKFLOW, DeploymentFacts
from bedrock_tuning.review.workflow import graph
from bedrock_tuning.review.workflow.graph import StateGraph, Transition

# What Step Functions calls it that Bedrock took no job: as many run as may.
_NO_SLOT: Final = "Bedrock.ServiceQuotaExceededException"


def _flow(evidence: Evidence) -> Iterator[tuple[Resource, StateGraph]]:
    for machine, definition in graph.machines(evidence.assembly):
        yield machine, next(graph.graphs(definition))


def _trains(state: Mapping[str, Any]) -> bool:
    return ":bedrock:createModelCustomizationJob" in str(state.get("Resource", ""))


def _does(state: Mapping[str, Any], action: str) -> bool:
    return bool(state.get("Parameters", {}).get("action") == action)


def _asks(edge: Transition, variable: str, value: object) -> bool:
    rule = edge.rule or {}
    return rule.get("Variable") == variable and value in (
        rule.get("BooleanEquals"),
        rule.get("StringEquals"),
    )


def _images_are_the_same(edge: Transition) -> bool:
    return _asks(edge, "$.images.decision", "same")


def _passes(edge: Transition, names: Collection[str]) -> bool:
    """Whether a transition leaves one of these states because it did what it is for."""
    return edge.tail in names and not edge.caught


_FIX: Final = "Bring back the decision in bedrock_tuning/contracts/states/workflow.py"


@check(
    "M801",
    "No job starts unless the report is valid, the price is allowed or approved, and the images "
    "are, after that, still those that were checked; none starts again because one failed.",
    fix=_FIX,
)
def paid_after_checks(evidence: Evidence) -> Iterator[Violation]:
    checkers = DeploymentFacts(evidence=evidence).handlers("check_manifest")
    for machine, flow in _flow(evidence):
        resources = {name: str(state.get("Resource", "")) for name, state in flow.states.items()}
        approval_states = {
            name for name, resource in resources.items() if resource.endswith(".waitForTaskToken")
        }
        check_states = {name for name, resource in resources.items() if resource in checkers}
        requirements = {
            "a valid report": flow.reached(
                without=lambda edge: _asks(edge, "$.report.valid", True)
            ),
            "an admitted upload": flow.reached(
                without=lambda edge: _asks(edge, "$.admission.decision", "run")
            ),
            "an allowed or approved price": flow.reached(
                without=lambda edge: (
                    _asks(edge, "$.start.decision", "start") or _passes(edge, approval_states)  # noqa: B023
                ),
            ),
            "images as they were checked": flow.reached(without=_images_are_the_same),
            "a checked manifest": flow.reached(
                without=lambda edge: _passes(edge, check_states)  # noqa: B023
            ),
        }
        job_states = {name for name, state in flow.states.items() if _trains(state)}
        for requirement, states in requirements.items():
            for name in sorted(job_states & states):
                yield found(
                    machine,
                    f"{name} can be reached without {requirement}",
                    "nothing invalid is paid for",
                )
        for name in sorted(job_states):
            retried_errors = {
                error
                for retrier in flow.states[name].get("Retry", ())
                for error in retrier.get("ErrorEquals", ())
            }
            for error in sorted(error for error in retried_errors if error.startswith("States.")):
                yield found(
                    machine, f"{name} is tried again after {error}", "a job is paid for once"
                )
        wait_states = {name for name, state in flow.states.items() if state.get("Type") == "Wait"}
        for pause in sorted(wait_states | approval_states):
            later_flow = replace(flow, start=pause)
            for name in sorted(job_states & later_flow.reached(without=_images_are_the_same)):
                yield found(
                    machine,
                    f"{name} can be reached from {pause} without a check of the images",
                    "what was checked is what is trained, however long the run waited",
                )
        for edge in flow.transitions():
            waits_for_slot = edge.tail in job_states and edge.errors == (_NO_SLOT,)
            if (
                edge.caught
                and not waits_for_slot
                and job_states & replace(flow, start=edge.head).reached()
            ):
                yield found(
                    machine,
                    f"an error in {edge.tail} leads to {edge.head}, and so to a job",
                    "nothing is paid for after an error",
                )
        if not job_states:
            yield found(machine, "no state starts a job", "an upload becomes a custom model")


@check(
    "M802",
    "No model is published untested, and an error while serving is rolled back.",
    fix=_FIX,
)
def served_after_proof(evidence: Evidence) -> Iterator[Violation]:
    for machine, flow in _flow(evidence):
        actions = {
            action: _states_doing(flow, action)
            for action in ("serve", "smoke", "publish", "roll-back")
        }
        missing_actions = [action for action, names in actions.items() if not names]
        if missing_actions:
            yield found(
                machine,
                f"no state does {', '.join(missing_actions)}",
                "test, then publish, or roll back",
            )
        untested_states = flow.reached(without=lambda edge: _passes(edge, actions["smoke"]))  # noqa: B023
        untested_states |= flow.reached(
            without=lambda edge: _asks(edge, "$.serving.step", "publish")
        )
        for name in sorted(actions["publish"] & untested_states):
            yield found(
                machine, f"{name} can be reached without the smoke test", "test, then publish"
            )
        for name in sorted(set().union(*actions.values())):
            retried_errors = [
                retrier.get("ErrorEquals") for retrier in flow.states[name].get("Retry", ())
            ]
            if ["States.TaskFailed"] not in retried_errors:
                yield found(
                    machine,
                    f"{name} gives up at the first error of an unknown name",
                    "creating an endpoint takes half an hour",
                )
        for edge in flow.transitions():
            serving_states = actions["serve"] | actions["smoke"] | actions["publish"]
            if (
                edge.caught
                and edge.tail in serving_states
                and edge.head not in actions["roll-back"]
            ):
                yield found(
                    machine,
                    f"an error in {edge.tail} leads to {edge.head}",
                    "what was started must be undone, or it is still billed",
                )


def _states_doing(flow: StateGraph, action: str) -> set[str]:
    return {name for name, state in flow.states.items() if _does(state, action)}


# The folder of an upload names its customization; a deployment, or a person, names it.
_OF_THE_UPLOAD: Final = "States.ArrayGetItem(States.StringSplit($.detail.object.key, '/'), 0)"
_OF_THE_REQUEST: Final = "$.serving.customization"
_KEPT: Final = "$.settings"


def _settings_name(state: Mapping[str, Any]) -> str:
    """What names the customization whose settings a state reads; "" for any other state."""
    if not str(state.get("Resource", "")).endswith(":aws-sdk:ssm:getParameter"):
        return ""
    return str(state.get("Parameters", {}).get("Name.$", "")) or "nothing"


@check(
    "M807",
    "A run reads the settings of its own folder's customization, once, before all else; nothing "
    "changes them, and its job runs as the starter role that they name. "
    f"{BY_WORKFLOW}, the definition takes the role, the tags and the folders of the job from them.",
    fix=_FIX,
)
def one_customization(evidence: Evidence) -> Iterator[Violation]:
    deployment = DeploymentFacts(evidence=evidence)
    path = deployment.settings_path
    expressions = {
        name: f"States.Format('{path}/{{}}', {name})" for name in (_OF_THE_UPLOAD, _OF_THE_REQUEST)
    }
    for machine, flow in _flow(evidence):
        loads = {
            name: _settings_name(state)
            for name, state in flow.states.items()
            if _settings_name(state)
        }
        for name, read in loads.items():
            if read not in expressions.values():
                yield found(machine, f"{name} reads {read}", " or ".join(expressions.values()))
            for key in sorted(flow.states[name].get("Parameters", {}).keys() - {"Name.$"}):
                yield found(machine, f"{name} has {key}", "it reads by name, and no more")
        upload_states = {
            name for name, read in loads.items() if read == expressions[_OF_THE_UPLOAD]
        }
        first = flow.reached(without=lambda edge: edge.head in loads)  # noqa: B023
        for name in sorted(first):
            if flow.states[name].get("Type") != "Choice":
                yield found(machine, f"{name} comes before the settings are read", "nothing does")
        other_states = flow.reached(without=lambda edge: edge.head in upload_states)  # noqa: B023
        for name, state in flow.states.items():
            if _trains(state):
                if name in other_states:
                    yield found(
                        machine,
                        f"{name} can be reached without the settings of the upload's folder",
                        "a job is of the customization in whose folder its dataset is",
                    )
                for what, limit in _foreign_parts(state, deployment):
                    yield found(machine, f"{name} {what}", limit)
            if name not in loads and _writes(state):
                yield found(
                    machine,
                    f"{name} writes {state.get('ResultPath', '$')}",
                    f"nothing changes {_KEPT}",
                )


def _foreign_parts(
    state: Mapping[str, Any], deployment: DeploymentFacts
) -> Iterator[tuple[str, str]]:
    """What of a job may be another customization's than the settings': what is there, the limit."""
    credentials = None if deployment.by_workflow else {"RoleArn.$": f"{_KEPT}.value.starter_role"}
    if state.get("Credentials") != credentials:
        yield f"runs as {state.get('Credentials')}", "the starter role of the settings, if any"
    if not deployment.by_workflow:
        return
    parameters = state.get("Parameters", {})
    for part, source in _own_parts(deployment).items():
        actual = {key: value for key, value in parameters.items() if key.removesuffix(".$") == part}
        is_optional = part == "ValidationDataConfig" and not actual
        if actual != {f"{part}.$" if isinstance(source, str) else part: source} and not is_optional:
            yield f"has {actual or f'no {part}'}", f"{part} from {source}"


def _own_parts(deployment: DeploymentFacts) -> dict[str, Any]:
    """The parts of a job by which it is a customization's, as the settings alone say them."""

    def uri(bucket: str, key: str, *values: str) -> dict[str, str]:
        text = f"s3://{bucket.rpartition(':')[2]}/{key}"
        return {"S3Uri.$": f"States.Format('{text}', {', '.join(values)})"}

    training, validation = deployment.datasets
    settings, run = f"{_KEPT}.value", "$.admission.run"
    place = (f"{settings}.name", run)
    tags = "States.StringToJson(States.Format('{}{}\"\\}]', " + f"{settings}.request.tags, {run}))"
    return {
        "RoleArn": f"{settings}.service_role",
        "JobTags": tags,
        "CustomModelTags": tags,
        "TrainingDataConfig": uri(training, "_checked/{}/{}/training.jsonl", *place),
        "ValidationDataConfig": {
            "Validators": [uri(validation, "_checked/{}/{}/validation.jsonl", *place)]
        },
        "OutputDataConfig": uri(deployment.output, "{}", f"{settings}.request.output"),
    }


def _writes(state: Mapping[str, Any]) -> bool:
    """Whether a state may change the settings in a run's data."""
    makes_result = state.get("Type") in ("Task", "Map", "Parallel")
    makes_result |= bool({"Result", "Parameters"} & set(state))
    path = state.get("ResultPath", "$")
    filters = {"OutputPath", "InputPath"} & set(state)
    return bool(filters) or (makes_result and (path == "$" or str(path).startswith(_KEPT)))
