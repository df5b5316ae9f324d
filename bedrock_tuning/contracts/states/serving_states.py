"""The serving part of the workflow: one function, which says after each step what comes next."""

from bedrock_tuning.contracts.serving import EVALUATE, SERVE
from bedrock_tuning.contracts.states.asl import (
    PATIENT_RETRY,
    State,
    approval,
    call,
    choose,
    equals,
    to,
)


def serving_states(environment: str, approval_seconds: int) -> dict[str, State]:
    """From a model to its endpoint, or to what was undone; and the question before dearer terms."""

    def act(action: str, *, then: str, catch: State) -> State:
        state = call(SERVE, action=action, then=then)
        return {**state, "Retry": PATIENT_RETRY, "Catch": [catch]}

    # An error while serving is not the end: what was begun must be undone, or it goes on billing.
    undo = to("Roll back", "$.serving.error")
    step = "$.serving.step"
    return {
        "Serve": act("serve", then="Next step?", catch=undo),
        "Next step?": choose(
            equals(step, "wait", "Wait for endpoint"),
            equals(step, "approve", "Ask to serve"),
            equals(step, "smoke", "Smoke test"),
            equals(step, "roll-back", "Roll back"),
            default="Close run",
        ),
        # A deployment of dearer terms: what is served stays as it is until somebody approves them.
        **approval(
            ("Ask to serve", "Await approval to serve", "Note the approval to serve"),
            environment=environment,
            seconds=approval_seconds,
            of="$.serving",
            reason="$.serving.reason",
            estimate="$.serving.estimate",
            about="$.serving",
            answer="$.serving.approved",
            status="serving",
            then="Serve",
        ),
        "Wait for endpoint": {
            "Type": "Wait",
            "SecondsPath": "$.serving.seconds",
            "Next": "Serve",
        },
        "Smoke test": act("smoke", then="Proved?", catch=undo),
        "Proved?": choose(equals(step, "publish", "Evaluate"), default="Roll back"),
        "Evaluate": {**call(EVALUATE, then="Good enough?"), "Catch": [undo]},
        "Good enough?": choose(equals(step, "publish", "Publish endpoint"), default="Roll back"),
        "Publish endpoint": act("publish", then="Published?", catch=undo),
        "Published?": choose(
            equals(step, "wait", "Wait for endpoint"),
            equals(step, "roll-back", "Roll back"),
            default="Close run",
        ),
        "Roll back": act("roll-back", then="Rolled back?", catch=to("Close run")),
        "Rolled back?": choose(
            equals(step, "roll-back-wait", "Wait to roll back"), default="Close run"
        ),
        "Wait to roll back": {
            "Type": "Wait",
            "SecondsPath": "$.serving.seconds",
            "Next": "Roll back",
        },
    }
