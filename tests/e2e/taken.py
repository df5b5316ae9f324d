"""Takes permissions from the deployed roles and gives them back; calls single functions again."""

import contextlib
import copy
import http.server
import json
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from bedrock_tuning import contracts as permissions
from bedrock_tuning.config import settings
from bedrock_tuning.config.customization import load_all
from bedrock_tuning.contracts.contract import Contracts
from bedrock_tuning.contracts.states import workflow
from tests.e2e.world import World

POLICY = "Policy"


def contracts(**options: Any) -> Contracts:
    """What is promised about the deployed app; options: other settings."""
    from app import ROOT, read_context

    context = read_context()["tuning"]
    context["environments"]["local"] |= options
    return permissions.contracts(
        settings.read(context, environment="local"), load_all(ROOT / "customizations")
    )


@dataclass
class Roles:
    """The deployed roles by the names of their contracts, without "role.".

    options: the settings that were put on top of the environment's.
    """

    world: World
    options: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def names(self) -> dict[str, str]:
        """The physical name of every role in the templates that were deployed."""
        paths = {
            f"tuning-local-{role.place.stack}/{role.place.path}/Resource": role.name
            for role in contracts(**self.options).roles
        }
        found = {}
        for path, physical in self.world.deployed("AWS::IAM::Role").items():
            found[paths.get(path, path).removeprefix("role.")] = physical
        return found

    def actions(self, role: str) -> set[str]:
        """All that a role may do now."""
        return {action for each in self._policy(role)["Statement"] for action in _actions(each)}

    @contextlib.contextmanager
    def without(self, role: str, action: str, *, on: str = "") -> Iterator[str]:
        """In this block the role lacks the action, on resources with `on` in their ARN.

        Yields the role's physical name.
        """
        whole = self._policy(role)
        kept = copy.deepcopy(whole)
        for statement in kept["Statement"]:
            if on in json.dumps(statement["Resource"]):
                statement["Action"] = [each for each in _actions(statement) if each != action]
        # A policy must say something.
        nothing = {"Effect": "Allow", "Action": ["sts:GetCallerIdentity"], "Resource": "*"}
        kept["Statement"] = [each for each in kept["Statement"] if each["Action"]] or [nothing]
        assert kept != whole, f"{role} has no {action} that could be taken away"
        self._put(role, kept)
        try:
            yield self.names[role]
        finally:
            self._put(role, whole)

    def _policy(self, role: str) -> dict[str, Any]:
        iam = self.world.aws.client("iam")
        found = iam.get_role_policy(RoleName=self.names[role], PolicyName=POLICY)
        return dict(found["PolicyDocument"])

    def _put(self, role: str, document: dict[str, Any]) -> None:
        self.world.aws.client("iam").put_role_policy(
            RoleName=self.names[role], PolicyName=POLICY, PolicyDocument=json.dumps(document)
        )


def _actions(statement: dict[str, Any]) -> list[str]:
    found = statement["Action"]
    return list(found) if isinstance(found, list) else [found]


class FunctionFailedError(Exception):
    """A function raised; error is what the workflow's Catch would receive."""

    def __init__(self, payload: dict[str, Any]) -> None:
        super().__init__(payload["errorMessage"])
        self.error = {"Error": payload["errorType"], "Cause": json.dumps(payload)}


@dataclass
class Steps:
    """The function calls of a run that went well, to be made again one by one.

    entered: the workflow's state at the first entry of each of its states.
    """

    world: World
    arn: str

    @cached_property
    def entered(self) -> dict[str, dict[str, Any]]:
        states = self.world.aws.client("stepfunctions")
        found: dict[str, dict[str, Any]] = {}
        for page in states.get_paginator("get_execution_history").paginate(executionArn=self.arn):
            for event in page["events"]:
                details = event.get("stateEnteredEventDetails")
                if details:
                    found.setdefault(details["name"], json.loads(details["input"]))
        return found

    def payload(self, state: str) -> dict[str, Any]:
        """What the workflow hands to the function of a state."""
        described = workflow.definition(environment="local", approval_days=7)["States"][state]
        entered = copy.deepcopy(self.entered[state])
        filled: dict[str, Any] = self._filled(described["Parameters"], entered)
        return filled

    def shard(self) -> dict[str, Any]:
        """What the workflow hands to the function that checks the first shard."""
        entered = self.entered["Check manifest"]
        run, settings = entered["admission"]["run"], entered["settings"]["value"]
        key = f"work/{run}/shards/00000.json"
        return {"run": run, "settings": settings, "shard": {"number": "00000", "key": key}}

    def call(self, function: str, payload: dict[str, Any]) -> Any:
        """The function's result; raises FunctionFailedError."""
        answer = self.world.aws.client("lambda").invoke(
            FunctionName=self.functions[function], Payload=json.dumps(payload)
        )
        found = json.loads(answer["Payload"].read())
        if answer.get("FunctionError"):
            raise FunctionFailedError(found)
        return found

    @cached_property
    def functions(self) -> dict[str, str]:
        """The physical name of every function by its name in the contracts."""
        deployed = self.world.deployed("AWS::Lambda::Function")
        return {path.split("/")[-3]: physical for path, physical in deployed.items()}

    def _filled(self, value: Any, state: dict[str, Any]) -> Any:
        if not isinstance(value, dict):
            return value
        return {
            name.removesuffix(".$"): (
                self._at(inner, state) if name.endswith(".$") else self._filled(inner, state)
            )
            for name, inner in value.items()
        }

    def _at(self, path: str, state: dict[str, Any]) -> Any:
        if path == "$$.Execution.Id":
            return self.arn
        if path == "$$.Execution.Name":
            return self.arn.rpartition(":")[2]
        if path == "$$.Execution.StartTime":
            return f"{time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())}"
        found: Any = state
        for name in path.split(".")[1:]:
            found = found[name]
        return found


@contextlib.contextmanager
def answers() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """An address that takes a custom resource's answers, and the answers."""
    taken: list[dict[str, Any]] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            length = int(self.headers["content-length"])
            taken.append(json.loads(self.rfile.read(length)))
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Nothing: pytest shows what failed."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/answer", taken
        server.shutdown()
