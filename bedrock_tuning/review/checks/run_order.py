"""Checks of the order of a run: what it does after each answer and each failure.

They are written from what a run promises, not from the states: whatever the states are called and
however many there are, these sentences must be true of them.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import product
from typing import Any, Final

from bedrock_tuning.contracts import FunctionSpec
from bedrock_tuning.contracts.contract import NO_SETTINGS, NO_SLOT
from bedrock_tuning.contracts.ending import CLOSE_RUN
from bedrock_tuning.contracts.functions import (
    ADMIT,
    CHECK_IMAGES,
    MERGE,
    START_JOB,
    TAKE_TURN,
)
from bedrock_tuning.contracts.serving import EVALUATE, SERVE
from bedrock_tuning.review.assembly.template import Resource
from bedrock_tuning.review.check import Evidence, Violation, check, found
from bedrock_tuning.review.checks.workflow import publishes
from bedrock_tuning.review.workflow import graph
from bedrock_tuning.review.workflow.choices import ABSENT
from bedrock_tuning.review.workflow.follow import next_states
from bedrock_tuning.review.workflow.graph import StateDefinition, StateGraph, Transition

# The answers with which a run goes on; with any other one it is closed.
_GOES_ON: Final[Mapping[str, tuple[object, ...]]] = {
    ADMIT.name: ("run",),
    MERGE.name: (True,),
    START_JOB.name: ("start", "approve"),
    TAKE_TURN.name: ("train", "wait"),
}
# By what Serve did: the answers that lead to another of its actions, and to which.
_SERVING: Final[Mapping[str, Mapping[str, str]]] = {
    "serve": {"wait": "serve", "smoke": "smoke", "roll-back": "roll-back"},
    "smoke": {"publish": "evaluate"},
    "publish": {"wait": "serve", "roll-back": "roll-back"},
    "roll-back": {"roll-back-wait": "roll-back"},
}
_TRAINS: Final = ":bedrock:createModelCustomizationJob"
_FIX: Final = "Correct the transition in bedrock_tuning/contracts/states/workflow.py"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    """A state machine's own graph, with the states that call each function."""

    machine: Resource
    graph: StateGraph
    functions: Mapping[str, str]

    def calling(self, function: FunctionSpec) -> set[str]:
        """The states that call a function."""
        return {name for name in self.graph.states if self.function(name) == function.name}

    def function(self, name: str) -> str:
        """The function that a state calls; "" for none."""
        return self.functions.get(str(self.graph.states.get(name, {}).get("Resource")), "")

    def acting(self, action: str) -> set[str]:
        """The states in which Serve does this."""
        return {
            name
            for name in self.calling(SERVE)
            if self.graph.states[name].get("Parameters", {}).get("action") == action
        }

    def asking(self) -> set[str]:
        """The states that ask whether to serve: only a person's answer leads back to serving."""
        serve = self.acting("serve")
        answered = {
            name
            for name, state in self.graph.states.items()
            if str(state.get("Resource")).endswith(".waitForTaskToken")
        }
        return {
            name
            for name, state in self.graph.states.items()
            if publishes(state)
            and str(_message(state).get("run.$")).startswith(SERVE.payload["serving"])
            and serve & (from_here := replace(self.graph, start=name)).reached()
            and not serve
            & from_here.reached(without=lambda each: each.tail in answered and not each.caught)
        }

    def violation(self, what: str, limit: str) -> Violation:
        return found(self.machine, what, limit, _FIX)


def _message(state: StateDefinition) -> Mapping[str, Any]:
    message = state.get("Parameters", {}).get("Message")
    return message if isinstance(message, Mapping) else {}


def _runs(evidence: Evidence) -> Iterator[_Run]:
    functions = {
        evidence.bound.fill(f"{{{function.name}}}"): function.spec.name
        for function in evidence.bound.contracts.functions
    }
    for machine, definition in graph.machines(evidence.assembly):
        yield _Run(machine=machine, graph=next(graph.graphs(definition)), functions=functions)


def _names(states: set[tuple[str, bool]]) -> str:
    return " or ".join(sorted(name for name, _ in states)) or "nothing"


@check(
    "F719",
    "The workflow continues only with the result that it needs, and closes the run on any other.",
)
def other_answers_close(evidence: Evidence) -> Iterator[Violation]:
    for run in _runs(evidence):
        closing = {(name, False) for name in run.calling(CLOSE_RUN)}
        for function in (ADMIT, MERGE, START_JOB, TAKE_TURN):
            if function.answer is None:
                continue
            for value in function.answer.values or (False,):
                if value in _GOES_ON[function.name]:
                    continue
                for name in sorted(run.calling(function)):
                    reached = next_states(run.graph, name, {function.answer.decision: value})
                    if not reached or reached != closing:
                        yield run.violation(
                            f"{name} answers {value}, and {_names(reached)} comes next",
                            f"{CLOSE_RUN.name} closes the run",
                        )


@check("F723", "A run whose job finds no free slot waits, asks again, and trains when it may.")
def slots_are_waited_for(evidence: Evidence) -> Iterator[Violation]:
    for run in _runs(evidence):
        asking = run.calling(TAKE_TURN)
        for name in sorted(asking):
            reached = next_states(run.graph, name, {"$.turn.decision": "wait"})
            if not reached or not reached <= {(each, True) for each in asking}:
                yield run.violation(
                    f"{name} answers wait, and {_names(reached)} comes next",
                    f"{' or '.join(sorted(asking))} after a pause",
                )
        for name, state in run.graph.states.items():
            if _TRAINS in str(state.get("Resource")):
                heads = {each.head for each in run.graph.transitions() if _full(each, tail=name)}
                if not heads or not heads <= asking:
                    yield run.violation(
                        f"a full quota in {name} leads to {' or '.join(heads) or 'a failure'}",
                        " or ".join(sorted(asking)) or f"{TAKE_TURN.name} is asked",
                    )


def _full(each: Transition, *, tail: str) -> bool:
    """Whether a transition is what a start of a job does that Bedrock has no free slot for."""
    return each.tail == tail and each.errors == (NO_SLOT,)


@check(
    "F720",
    "The workflow takes the step that Serve returns, and rolls back what fails its test or its "
    "evaluation.",
)
def serving_is_followed(evidence: Evidence) -> Iterator[Violation]:
    for run in _runs(evidence):
        if SERVE.answer is None:
            continue
        for action, following in _SERVING.items():
            otherwise = run.acting("roll-back") if action == "smoke" else run.calling(CLOSE_RUN)
            for name, step in product(sorted(run.acting(action)), SERVE.answer.values):
                wanted = otherwise
                if step in following:
                    after = following[step]
                    wanted = run.calling(EVALUATE) if after == "evaluate" else run.acting(after)
                if (action, step) == ("serve", "approve"):
                    wanted = run.asking()
                pauses = step in following and step.endswith("wait")
                reached = next_states(run.graph, name, {SERVE.answer.decision: step})
                if not reached or reached != {(each, pauses) for each in wanted}:
                    yield run.violation(
                        f"{name} answers {step}, and {_names(reached)} comes next",
                        f"{' or '.join(sorted(wanted)) or 'nothing'}{' after a pause' * pauses}",
                    )

        for name, (step, action) in product(
            sorted(run.calling(EVALUATE)), (("publish", "publish"), ("roll-back", "roll-back"))
        ):
            reached = next_states(run.graph, name, {SERVE.answer.decision: step})
            if not reached or reached != {(each, False) for each in run.acting(action)}:
                yield run.violation(
                    f"{name} answers {step}, and {_names(reached)} comes next",
                    " or ".join(sorted(run.acting(action))) or "nothing",
                )
        yield from _approved(run)


def _approved(run: _Run) -> Iterator[Violation]:
    """What was approved is served: neither asked again nor tested before it is there."""
    for name, state in run.graph.states.items():
        waits = str(state.get("Resource")).endswith(".waitForTaskToken")
        if not waits or "$.serving.run" not in str(state.get("Parameters", {}).get("Key")):
            continue
        noted = run.graph.states.get(str(state.get("Next")), {})
        if noted.get("Next") not in run.acting("serve"):
            yield run.violation(
                f"{name} is answered, and {noted.get('Next')} comes after it",
                " or ".join(sorted(run.acting("serve"))) or "nothing",
            )


@check("F721", "After every failure, the workflow closes the run or rolls back what it started.")
def failures_close(evidence: Evidence) -> Iterator[Violation]:
    for run in _runs(evidence):
        closing = run.calling(CLOSE_RUN)
        ending = set().union(*(replace(run.graph, start=name).reached() for name in closing))
        for each in run.graph.transitions():
            if not each.caught or each.errors in ((NO_SETTINGS,), (NO_SLOT,)):
                continue
            if each.tail in ending:
                allowed = {name for name in ending if _tells_or_fails(run.graph.states[name])}
            elif each.tail in (run.calling(SERVE) | run.calling(EVALUATE)) - run.acting(
                "roll-back"
            ):
                allowed = run.acting("roll-back")
            else:
                allowed = closing
            if each.head not in allowed:
                yield run.violation(
                    f"an error in {each.tail} leads to {each.head}",
                    " or ".join(sorted(allowed)),
                )


def _tells_or_fails(state: StateDefinition) -> bool:
    return state.get("Type") == "Fail" or publishes(state)


@check("F722", "A valid run calls every function, asks only if it must, and trains exactly once.")
def good_run(evidence: Evidence) -> Iterator[Violation]:
    for run in _runs(evidence):
        called = {
            function.spec.name
            for function in evidence.bound.contracts.functions
            if function.spec.payload
        }
        for images, asked, validated, configured in product((True, False), repeat=4):
            facts: dict[str, object] = {
                SERVE.payload["serving"]: ABSENT,
                "$.admission.decision": "run",
                "$.check.shards": int(images),
                "$.report.valid": True,
                "$.start.decision": "approve" if asked else "start",
                "$.turn.decision": "train",
                "$.images.decision": "same",
                "$.start.with_validation": validated,
                "$.start.with_configuration": configured,
                "$.outcome.notify": True,
                "$.outcome.failed": False,
            }
            visited, problem = _follow(run, facts)
            states = [run.graph.states[name] for name in visited]
            if not problem:
                parts = {"ValidationDataConfig": validated, "CustomizationConfig": configured}
                problem = _unlike(states, images=images, asked=asked, parts=parts)
            missing = called - {CHECK_IMAGES.name} - {run.function(name) for name in visited}
            if not problem and missing:
                problem = f"it never calls {', '.join(sorted(missing))}"
            if problem:
                scenario = (
                    f"a valid run with{'' if images else 'out'} images, "
                    f"with{'' if validated else 'out'} a validation dataset, "
                    f"with{'' if configured else 'out'} a grader or a teacher"
                    f"{', whose price is approved' if asked else ''}"
                )
                yield run.violation(
                    f"{scenario}: {problem}", "one path leads from an upload to a served model"
                )
        yield from _deployment(run)


def _follow(run: _Run, facts: dict[str, object]) -> tuple[list[str], str]:
    """The states that a run passes when every answer is good, and what is wrong on its way."""
    answers = {"serve": "smoke", "smoke": "publish", "publish": "served"}
    visited: list[str] = []
    reached = next_states(run.graph, None, facts)
    while len(visited) <= len(run.graph.states):
        if len(reached) != 1:
            return (
                visited,
                f"after {visited[-1] if visited else 'its start'} comes {_names(reached)}",
            )
        ((name, _),) = reached
        state = run.graph.states.get(name)
        if state is None:
            return visited, f"it leads to {name}, which is not a state"
        visited.append(name)
        if graph.ends(state):
            return visited, "" if state.get("Type") == "Succeed" else f"it ends in {name}"
        action = str(state.get("Parameters", {}).get("action"))
        if SERVE.answer is not None and action in answers:
            facts[SERVE.answer.decision] = answers[action]
        reached = next_states(run.graph, name, facts)
    return visited, "it runs in a loop"


def _unlike(
    states: list[Mapping[str, Any]], *, images: bool, asked: bool, parts: Mapping[str, bool]
) -> str:
    """What a run did without a reason, or did not do though it had one; "" for nothing.

    parts: optional ones of the job's request, and whether it has them.
    """
    calls = [str(state.get("Resource")) for state in states]
    kinds = [state.get("Type") for state in states]
    jobs = [state for state in states if _TRAINS in str(state.get("Resource"))]
    if kinds.count("Map") != images or kinds.count("Pass") != (not images):
        return "images are checked although there are none, or not checked"
    if sum(call.endswith(".waitForTaskToken") for call in calls) != asked:
        return "a person is asked for approval without need, or not asked"
    if sum(map(publishes, states)) != 1 + asked:
        return "a message is sent without need, or not sent"
    if len(jobs) != 1:
        return f"it starts {len(jobs)} jobs"
    given = jobs[0].get("Parameters", {})
    has = {key.removesuffix(".$") for key in given}
    wrong = [part for part, wanted in parts.items() if (part in has) != wanted]
    return f"its job has a wrong {wrong[0]}" if wrong else ""


def _deployment(run: _Run) -> Iterator[Violation]:
    facts: dict[str, object] = {SERVE.payload["serving"]: {}}
    reached = next_states(run.graph, None, facts)
    loads = {name for name, _ in reached if _loads(run.graph.states.get(name, {}))}
    if len(reached) == 1 and loads:
        reached = next_states(run.graph, loads.pop(), facts)
    if reached != {(name, False) for name in run.acting("serve")} or not reached:
        yield run.violation(
            f"a run that a deployment starts begins with {_names(reached)}",
            "it begins with serving, once its settings are read",
        )


def _loads(state: StateDefinition) -> bool:
    return str(state.get("Resource")).endswith(":ssm:getParameter")
