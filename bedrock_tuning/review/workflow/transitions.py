"""What a state machine does next after each step: transitions without the names of states."""

from collections.abc import Iterator, Mapping
from typing import Any

from bedrock_tuning.review.workflow.graph import Flow, State

_UNTOLD = ("Variable", "Next", "Comment")


def step(state: State, functions: Mapping[str, str]) -> str:
    """What a state is there for, such as "Serve smoke"; functions: their names by ARN."""
    kind, resource = str(state.get("Type")), str(state.get("Resource", ""))
    if kind == "Fail":
        return f"fail: {state.get('Error', state.get('ErrorPath'))}"
    if kind == "Pass":
        return f"set {state.get('ResultPath', '$')}"
    if kind != "Task":
        return kind.lower()
    if resource in functions:
        action = state.get("Parameters", {}).get("action")
        return f"{functions[resource]} {action}" if action else functions[resource]
    call = resource.partition(":::")[2]
    if "createModelCustomizationJob" in call:
        return "train validated" if "ValidationDataConfig.$" in state["Parameters"] else "train"
    if call == "sns:publish":
        message = state.get("Parameters", {}).get("Message", {})
        status = message.get("status") if isinstance(message, Mapping) else None
        return f"tell {status or 'outcome'}"
    return "await approval" if call.endswith(".waitForTaskToken") else call


def routes(flow: Flow, functions: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """By step: on which answers, "" for any, it leads to which step; "error": what is caught.

    Choices and waits lie on the way: "$.serving.step = wait, pause". Of two states that do the
    same, the second is called "... again", so that none hides another.
    """
    names: dict[str, str] = {}
    for name, state in flow.states.items():
        if state.get("Type") in ("Choice", "Wait"):
            continue
        done = step(state, functions)
        while done in names.values():
            done += " again"
        names[name] = done
    leads = {"start": [("", flow.start)]}
    for name, done in names.items():
        state = flow.states[name]
        leads[done] = [("", str(state["Next"]))] if "Next" in state else []
        for catcher in state.get("Catch", ()):
            errors = ", ".join(catcher.get("ErrorEquals", ()))
            caught = f"error {errors}".replace("error States.ALL", "error")
            leads[done].append((caught, str(catcher.get("Next"))))
    found: dict[str, dict[str, str]] = {}
    for done, ways in leads.items():
        found[done] = {}
        for so_far, at in ways:
            for answers, head in _ways(flow, names, at, so_far, frozenset()):
                # Of two rules that ask the same, the first decides.
                found[done].setdefault(answers, head)
    return found


def _ways(
    flow: Flow, names: Mapping[str, str], at: str, so_far: str, seen: frozenset[str]
) -> Iterator[tuple[str, str]]:
    state = flow.states.get(at, {})
    if at in names or not state or at in seen:
        yield so_far, names.get(at, f"«{at}»")
        return
    seen |= {at}
    if state.get("Type") == "Wait":
        yield from _ways(flow, names, str(state.get("Next")), _and(so_far, "pause"), seen)
        return
    for rule in state.get("Choices", ()):
        yield from _ways(flow, names, str(rule.get("Next")), _and(so_far, _asked(rule)), seen)
    yield from _ways(flow, names, str(state.get("Default")), _and(so_far, "else"), seen)


def _and(so_far: str, more: str) -> str:
    return f"{so_far}, {more}" if so_far else more


def _asked(rule: Mapping[str, Any]) -> str:
    tests = {key: value for key, value in rule.items() if key not in _UNTOLD}
    if len(tests) != 1 or "Variable" not in rule:
        return str(tests)
    ((test, value),) = tests.items()
    sign = {"IsPresent": "is there", "NumericGreaterThan": ">"}.get(test, "=")
    told = str(value).lower() if isinstance(value, bool) else value
    if sign == "is there":
        return f"{rule['Variable']} is there" if value is True else f"no {rule['Variable']}"
    known = test in ("StringEquals", "BooleanEquals", "NumericGreaterThan")
    return f"{rule['Variable']} {sign if known else test} {told}"
