"""What docs/audit.md says to put around the app works with the app's own roles."""

import json
import re
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator

from app import ROOT, read_context
from bedrock_tuning.contracts import contracts, project
from bedrock_tuning.contracts.people import PEOPLE
from bedrock_tuning.review.check import Evidence
from bedrock_tuning.review.iam.policy import Statement, parse_policy
from bedrock_tuning.review.iam.simulator import EvalRequest, Policies, decide
from bedrock_tuning.review.iam.wildcards import contains
from tests.review.broken import Synthesized

TEXT = (ROOT / "docs" / "audit.md").read_text("utf-8")
SNIPPETS = dict(re.findall(r"<!-- ([\w -]+) -->\n```json\n(.*?)```", TEXT, re.DOTALL))
HERE = "arn:aws:iam::111122223333:role"


def statements(name: str) -> list[Statement]:
    found = parse_policy(json.loads(SNIPPETS[name]), where=name)
    assert found.problems == []
    return found.statements


def allowed(policy: list[Statement], principal: str, action: str, resource: str = "*") -> bool:
    request = EvalRequest(
        principal=principal,
        action=action,
        resource=resource,
        context={"aws:PrincipalArn": principal},
        account="111122223333",
    )
    # The policy of a key leaves it to the account's own policies, as that of the app's keys does.
    root = {"AWS": ("arn:aws:iam::111122223333:root",)}
    key = Statement(
        where="", sid="", effect="Allow", principals=root, actions=("kms:*",), resources=("*",)
    )
    of_key = [key] if action.startswith("kms:") else None
    return bool(decide(request, Policies(identity=policy, resource=of_key)))


@pytest.fixture(scope="module")
def evidence(dev: Synthesized) -> Evidence:
    return dev.evidence()


BUYS = ("bedrock:CreateProvisionedModelThroughput", "bedrock:CreateCustomModelDeployment")


def test_the_service_control_policy_stops_everybody_but_the_app(evidence: Evidence) -> None:
    everything = Statement(where="", sid="", effect="Allow", actions=("*",), resources=("*",))
    policy = [everything, *statements("scp")]
    for role in evidence.permissions.roles.values():
        named = {action for each in role.policy for action in each.actions}
        for action in named & {"bedrock:CreateModelCustomizationJob", *BUYS}:
            assert allowed(policy, role.arn, action), f"{role.path} cannot {action}"
    for action in ("bedrock:CreateModelCustomizationJob", *BUYS):
        assert not allowed(policy, f"{HERE}/Administrator", action)
    assert allowed(policy, f"{HERE}/Administrator", "s3:GetObject")


def test_the_boundary_has_room_for_all_that_the_roles_do(evidence: Evidence) -> None:
    bounds = [action for each in statements("boundary") for action in each.actions]
    needed = {
        action
        for role in evidence.permissions.roles.values()
        if not role.is_policy
        for each in role.policy
        for action in each.actions
    }
    outside = [a for a in needed if not any(contains(b.lower(), a.lower()) for b in bounds)]
    assert outside == []
    assert not any(contains(b.lower(), "iam:createrole") for b in bounds)


def test_administrators_of_keys_cannot_use_them() -> None:
    policy, key = statements("key-administrators"), "arn:aws:kms:us-east-1:111122223333:key/x"
    for action in ("kms:PutKeyPolicy", "kms:ScheduleKeyDeletion", "kms:EnableKeyRotation"):
        assert allowed(policy, f"{HERE}/KeyAdministrator", action, key)
    for action in ("kms:Decrypt", "kms:GenerateDataKey", "kms:CreateGrant"):
        assert not allowed(policy, f"{HERE}/KeyAdministrator", action, key)


def test_break_glass_may_become_an_operator_who_neither_approves_nor_uploads() -> None:
    context = read_context()["tuning"]
    own = context["environments"]["prod"] | json.loads(SNIPPETS["break-glass"])
    context["environments"]["prod"] = own
    read = project.read(context, environment="prod", customizations=ROOT / "customizations")
    found = contracts(read.settings, read.customizations)
    (role,) = (each for each in found.roles if each.name.startswith("role.person."))
    assert role.name == "role.person.operator"
    assert [(c.key, c.values) for c in role.trust] == [
        ("aws:PrincipalArn", ("arn:{partition}:iam::{account}:role/BreakGlass",))
    ]
    (operator,) = (each for each in PEOPLE if each.name == "operator")
    assert not {"approve prices", "upload datasets"} & set(operator.abilities)


def test_each_use_of_break_glass_is_an_event_of_the_rule() -> None:
    pattern = json.loads(json.loads(SNIPPETS["events PutRule"])["EventPattern"])
    issuer = {"type": "Role", "userName": "BreakGlass"}
    event = {
        "source": "aws.sts",
        "detail": {
            "eventName": "AssumeRole",
            "userIdentity": {"sessionContext": {"sessionIssuer": issuer}},
        },
    }

    def met(wanted: Any, given: Any) -> bool:
        if isinstance(wanted, list):
            return given in wanted
        return all(name in given and met(inner, given[name]) for name, inner in wanted.items())

    assert met(pattern, event)
    issuer["userName"] = "Scientist"
    assert not met(pattern, event)


@pytest.mark.parametrize("name", [name for name in SNIPPETS if " " in name])
def test_a_request_is_one_that_aws_knows(name: str) -> None:
    service, operation = name.split()
    model = botocore.session.get_session().get_service_model(service)
    shape: Any = model.operation_model(operation).input_shape
    report = ParamValidator().validate(json.loads(SNIPPETS[name]), shape)
    assert not report.has_errors(), report.generate_report()


def test_every_snippet_is_tried() -> None:
    tried = {"scp", "boundary", "key-administrators", "break-glass"} | {
        n for n in SNIPPETS if " " in n
    }
    assert set(SNIPPETS) == tried
    assert TEXT.count("```json") == len(SNIPPETS)
