"""AWS clients that answer what a test wrote down, checked against botocore's own model."""

import json
from collections.abc import Mapping
from dataclasses import replace
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import boto3
from boto3.dynamodb.types import TypeSerializer
from botocore.stub import Stubber

from bedrock_tuning.client.aws import Aws
from bedrock_tuning.config.customization import CustomizationSettings, load_all
from bedrock_tuning.config.deployed import text, to_settings

REGION = "us-east-1"
WORKFLOW = "arn:aws:states:us-east-1:000000000000:stateMachine:tuning-dev-workflow"
APPROVAL_URL = "https://approve.lambda-url.us-east-1.on.aws/"
ROLES = {"service_role": "arn:service-role", "starter_role": "arn:starter-role"}
CALLER = "arn:aws:iam::000000000000:user/ann"


# Making one takes 0.1 s, so each is made once for all tests.
_CLIENTS: dict[str, Any] = {}


@cache
def shipped() -> Mapping[str, CustomizationSettings]:
    """The customizations of this repository."""
    return load_all(Path(__file__).parents[2] / "customizations")


class Heard:
    """SNS with these subscriptions, as far as commands look at it by the way."""

    def __init__(self, *arns: str) -> None:
        self.found = [
            {"SubscriptionArn": arn, "Endpoint": "a@example.com"} for arn in arns or ("a",)
        ]

    def get_paginator(self, _: str) -> "Heard":
        return self

    def paginate(self, **_: Any) -> list[dict[str, Any]]:
        return [{"Subscriptions": self.found}]


class StubbedAws(Aws):
    """Real clients behind stubs: wrong parameters and unexpected calls fail."""

    def __init__(self) -> None:
        super().__init__(region=REGION)
        self._stubs: dict[str, Stubber] = {}
        self.sent: list[dict[str, str]] = []
        self.answers: list[tuple[int, str]] = []
        # Where the cached properties keep theirs.
        vars(self).update(_CLIENTS)
        vars(self)["sns"] = Heard()

    @cached_property
    def session(self) -> boto3.Session:
        return boto3.Session(
            aws_access_key_id="test", aws_secret_access_key="test", region_name=REGION
        )

    def stub(self, client: str) -> Stubber:
        """The stub of a client by its name here, e.g. "dynamodb"."""
        if client not in self._stubs:
            if client == "sns":
                vars(self).pop("sns")
            _CLIENTS[client] = getattr(self, client)
            self._stubs[client] = Stubber(_CLIENTS[client])
            self._stubs[client].activate()
        return self._stubs[client]

    def answer(
        self, client: str, method: str, response: dict[str, Any], expected: dict[str, Any] | None
    ) -> None:
        """The next call to a client."""
        self.stub(client).add_response(method, response, expected)

    def assert_all_called(self) -> None:
        assert not self.answers
        for stub in self._stubs.values():
            stub.assert_no_pending_responses()

    def end(self) -> None:
        """Frees the clients for the next test; fails if an expected call was not made."""
        for stub in self._stubs.values():
            stub.deactivate()
        self.assert_all_called()

    def deployed(
        self, environment: str = "dev", *, older: bool = False, **changed: CustomizationSettings
    ) -> None:
        """The stacks of an environment are there; changed: what pets_search says instead.

        older: as before customizations had stacks.
        """
        outputs = {
            "data": {"TrainingBucket": "train", "ValidationBucket": "valid", "OutputBucket": "out"},
            "pipeline": {
                "RunsTable": "runs",
                "Workflow": WORKFLOW,
                "ApprovalUrl": APPROVAL_URL,
                "Topic": "arn:topic",
            },
        }
        if older:
            del outputs["pipeline"]["ApprovalUrl"]
        for part, values in outputs.items():
            self.stands(part, environment, **values)
        prefix = f"/bedrock-tuning-settings/{environment}"
        if older:
            none: dict[str, Any] = {"Parameters": []}
            self.answer("ssm", "get_parameters_by_path", none, {"Path": prefix})
            return
        search, style = shipped()["pets-search"], shipped()["pets-style"]
        search = changed.get("pets_search", search)
        known = [replace(search, name="cats"), replace(search, name="pets"), search, style]
        self.answer(
            "ssm",
            "get_parameters_by_path",
            {
                "Parameters": [
                    {"Name": f"{prefix}/{each.name}", "Value": text(to_settings(each) | ROLES)}
                    for each in known
                ]
            },
            {"Path": prefix},
        )

    def stands(self, part: str, environment: str = "dev", /, **outputs: str) -> None:
        """One of the platform's stacks is there, with these outputs."""
        name = f"tuning-{environment}-{part}"
        stack: dict[str, Any] = {
            "StackName": name,
            "CreationTime": "2026-11-21T09:00:00Z",
            "StackStatus": "CREATE_COMPLETE",
            "Outputs": [{"OutputKey": k, "OutputValue": v} for k, v in outputs.items()],
        }
        self.answer("cloudformation", "describe_stacks", {"Stacks": [stack]}, {"StackName": name})

    def signed_post(self, url: str, body: str, *, service: str) -> tuple[int, str]:
        """As answered by `decides`; remembers what was sent."""
        assert (url, service) == (APPROVAL_URL, "lambda")
        self.sent.append(json.loads(body))
        return self.answers.pop(0)

    def decides(self, status: int = 200, **said: Any) -> None:
        """What the function of approvals answers next, of its own accord and as AWS would."""
        kept = {"customization": "pets-search", "by": CALLER, "at": "2026-11-21T10:00:00Z"}
        kept |= {"run": RUN, "reason": "", "price": "", "asked_because": "", "about": {}}
        self.answers.append((status, json.dumps(kept | said if status == 200 else said)))

    def has_units(self, value: float = 2.0) -> None:
        """The account has so many model units for the flagship, and room for the rest."""
        for code, number in (
            ("L-0406044C", 10.0),
            ("L-CB5B847D", 100.0),
            ("L-32F732DE", value),
            ("L-BE77399C", value),
        ):
            self.has_quota(code, number)
        self.answer("bedrock", "list_custom_models", {"modelSummaries": []}, {})
        none: dict[str, Any] = {"provisionedModelSummaries": []}
        self.answer("bedrock", "list_provisioned_model_throughputs", none, {})

    def has_quota(self, code: str, value: float) -> None:
        """What Service Quotas says of one quota."""
        quota = {"ServiceCode": "bedrock", "QuotaCode": code, "Value": value}
        asked = {"ServiceCode": "bedrock", "QuotaCode": code}
        self.answer("service_quotas", "get_service_quota", {"Quota": quota}, asked)

    def has_run(self, **values: Any) -> None:
        """The runs table knows this run."""
        self.answer(
            "dynamodb",
            "get_item",
            {"Item": item(**values)},
            {
                "TableName": "runs",
                "Key": {"id": {"S": f"run#{values['run']}"}},
                "ConsistentRead": True,
            },
        )

    def points(self, name: str, value: str | None, environment: str = "dev") -> None:
        """The parameter of pets-search of this name has this value; None: there is none."""
        asked = {"Name": f"/bedrock-tuning/{environment}/pets-search/{name}"}
        if value is None:
            self.stub("ssm").add_client_error(
                "get_parameter", "ParameterNotFound", expected_params=asked
            )
        else:
            self.answer("ssm", "get_parameter", {"Parameter": {"Value": value}}, asked)


def item(**values: Any) -> dict[str, Any]:
    """An item of the runs table as DynamoDB returns it."""
    serialize = TypeSerializer().serialize
    whole = {"id": f"run#{values['run']}", **values}
    return {name: serialize(value) for name, value in whole.items()}


RUN = "20261121-093000-3f9a1c"
OLDER = "20261120-093000-aaaaaa"
WAITING = {
    "run": RUN,
    "customization": "pets-search",
    "status": "awaiting-approval",
    "created": "2026-11-21T09:30:00Z",
    "estimate": "total: 12.00 USD",
}


def index(aws: StubbedAws, *items: dict[str, object]) -> None:
    aws.answer(
        "dynamodb",
        "scan",
        {"Items": [item(**each) for each in items]},
        {"TableName": "runs", "IndexName": "by-customization"},
    )
