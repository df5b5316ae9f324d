"""The serving part of the workflow, followed state by state with the handler behind its tasks."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from bedrock_tuning.contracts.contract import DISCARDED
from bedrock_tuning.contracts.states import workflow
from lambdas import evaluate, serve
from tests.lambdas.aws import Aws, settings
from tests.lambdas.bedrock import BASE, model_arn

RUN = "20261121-093000-aaaaaa"
OLD, NEW = model_arn(1), model_arn(2)
NAME = "pets-search"
# What a run hands over to be served, and what a deployment and a person do.
STATE = {
    "customization": NAME,
    "run": RUN,
    "model_arn": NEW,
    "base_arn": BASE,
    "price": "total: 20.00 USD",
    "approval": "the price is within the budget",
}
DEPLOYMENT = {
    "run": "20261122-093000-deploy-abcdef",
    "started_by": "deployment",
    "execution": "deploy-abcdef",
    **dict.fromkeys(("model_arn", "base_arn", "price", "approval")),
}
SOMEBODY = "arn:aws:iam::000000000000:user/somebody"
PERSON = {
    "run": "20261122-100000-serve-abcdef",
    "started_by": "person",
    "base_arn": None,
    "price": "2.00 USD per hour",
    # What a caller says of itself is not recorded.
    "approval": f"agreed to by {SOMEBODY}",
}


@dataclass
class Flow:
    """Follows the states of the workflow's serving part; time goes by at every wait."""

    aws: Aws
    settles: bool = True
    steps: list[str] = field(default_factory=list)
    at: dict[str, Callable[[], None]] = field(default_factory=dict)
    seconds: float = 60

    def run(self, **serving: Any) -> dict[str, Any]:
        """The last serving state."""
        state = {**STATE, **serving}
        states = workflow.definition(environment="dev", approval_days=1)["States"]
        here = "Serve"
        while here != "Close run":
            described = states[here]
            if described["Type"] == "Wait" and not state["seconds"]:
                # An intention was put down: no time goes by, nothing happens meanwhile.
                here = described["Next"]
                continue
            self.steps.append(here)
            self.at.pop(here, lambda: None)()
            if described["Type"] == "Task":
                state, here = self._task(described, state)
            elif described["Type"] == "Choice":
                here = next(
                    (
                        rule["Next"]
                        for rule in described["Choices"]
                        if state["step"] == rule["StringEquals"]
                    ),
                    described["Default"],
                )
            else:
                assert state["seconds"] == 60
                state = self._wait(state)
                here = described["Next"]
            assert len(self.steps) < 2000, "no end in sight"
        return state

    def _task(self, described: dict[str, Any], state: Any) -> tuple[dict[str, Any], str]:
        if described["Resource"] == "${Evaluate}":
            event = {"serving": state, "settings": settings(state["customization"])}
            return evaluate.handler(event, None), described["Next"]
        if "action" not in described["Parameters"]:
            return self._asked(described, state), described["Next"]
        action = described["Parameters"]["action"]
        event = {"action": action, "serving": state, "settings": settings(state["customization"])}
        try:
            return json.loads(json.dumps(serve.handler(event, None))), described["Next"]
        except Exception as error:  # the workflow catches everything
            (catch,) = described["Catch"]
            cause = json.dumps({"errorMessage": str(error)})
            caught = {"Error": type(error).__name__, "Cause": cause}
            assert catch["ResultPath"] in ("$.serving.error", "$.error")
            return {**state, "error": caught}, catch["Next"]

    def _asked(self, described: dict[str, Any], state: Any) -> dict[str, Any]:
        """One of the states that ask a person, who approves."""
        if described["ResultPath"] == DISCARDED["ResultPath"]:
            return state
        assert described["ResultPath"] == "$.serving.approved"
        return {**state, "approved": {"approved_by": SOMEBODY, "reason": "worth it"}}

    def _wait(self, state: dict[str, Any]) -> dict[str, Any]:
        """Nothing waits really: the times in the state become older instead."""
        if self.settles:
            self.aws.bedrock.settle()
        times = {
            name: (datetime.fromisoformat(state[name]) - timedelta(seconds=self.seconds)).strftime(
                "%Y-%m-%dT%H:%M:%SZ"
            )
            for name in ("started", "undoing", "published")
            if name in state
        }
        return {**state, **times}
