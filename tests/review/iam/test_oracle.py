"""An independent simulator agrees with our engine, on our templates and on random policies."""

import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from hypothesis import settings

from bedrock_tuning.review.assembly.identity import ACCOUNT
from bedrock_tuning.review.bound_contracts import bind
from bedrock_tuning.review.iam.access import EffectivePermissions
from bedrock_tuning.review.iam.policy import Statement
from bedrock_tuning.review.iam.simulator import EvalRequest, Policies, decide, usual_context
from tests.review.broken import Synthesized
from tests.review.iam.oracle import simulator
from tests.review.iam.oracle.near_misses import STRANGER, STRANGER_ACCOUNT, near_misses
from tests.review.iam.oracle.random_policies import questions
from tests.review.iam.probes import context_for, requests_of


@pytest.fixture(scope="module", autouse=True)
def _simulator() -> None:
    simulator.require()


Question = tuple[EvalRequest, Policies]
# Actions that exist, for the samples of patterns that have none of that name.
_REAL = {"kms:ReEncryptSample": "kms:ReEncryptFrom", "kms:DescribeSample": "kms:DescribeKey"}
# The request names a kind of resource that the action does not have: AWS would not ask about it.
_NO_SUCH_REQUEST = "no.resource.types"
# The policy of somebody who may do everything that resource policies let him.
_ANYTHING = Statement(where="", sid="", effect="Allow", actions=("*",), resources=("*",))


def _policies(permissions: EffectivePermissions, request: EvalRequest) -> Policies:
    role = permissions.roles.get(request.principal)
    person = request.principal.startswith("arn:") and role is None
    return Policies(
        identity=role.policy if role else [_ANYTHING] if person else (),
        resource=permissions.guarding(request.action, request.resource),
    )


def _account(permissions: EffectivePermissions, request: EvalRequest) -> EvalRequest:
    """S3's ARNs do not say whose bucket it is; foundation models are everybody's own."""
    if ":s3:::" not in request.resource:
        if request.resource.split(":")[4:5] != [""]:
            return request
        return replace(request, account=request.principal_account or ACCOUNT)
    ours = permissions.assembly.by_arn(request.resource.partition("/")[0]) is not None
    return replace(request, account=ACCOUNT if ours else STRANGER_ACCOUNT)


def _on_templates(synthesized: Synthesized) -> Iterator[Question]:
    """Whatever contracts promise, what nearly is it, and the same by others."""
    evidence = synthesized.evidence()
    permissions = evidence.permissions
    bound = bind(synthesized.contracts, evidence.assembly)
    people = [STRANGER, f"arn:aws:iam::{ACCOUNT}:user/admin"]
    for contract in synthesized.contracts.roles:
        arn = bound.resources[contract.name].arn
        trusted = EvalRequest(
            principal=contract.service,
            action="sts:AssumeRole",
            resource=arn,
            context=_trust_context(bound.conditions(contract.trust)),
        )
        requests = [trusted, *near_misses(trusted, bound.conditions(contract.trust))]
        requests += [replace(trusted, principal=who) for who in people]
        for grant in map(bound.grant, contract.grants):
            for request in requests_of(grant, arn):
                requests += [request, *near_misses(request, grant.conditions)]
                requests += [replace(request, principal=who) for who in people]
        for request in requests:
            if "*" not in request.resource:
                policies = _policies(permissions, request)
                # To the oracle a caller's own policy is enough to become a role. To AWS it is not:
                # the role's trust must speak of the caller, so here the trust alone is asked.
                if request.action == "sts:AssumeRole":
                    policies = replace(policies, identity=())
                yield _account(permissions, request), policies
    for guarded in synthesized.contracts.guarded:
        target = bound.resources[guarded.name].arn
        for grant in map(bound.grant, guarded.grants):
            for service in grant.services:
                for request in requests_of(grant, service):
                    aimed = replace(
                        request,
                        action=_REAL.get(request.action, request.action.replace("Sample", "")),
                        resource=target if request.resource == "*" else request.resource,
                    )
                    for each in (aimed, *near_misses(aimed, grant.conditions)):
                        yield _account(permissions, each), _policies(permissions, each)


def _trust_context(conditions: object) -> dict[str, str]:
    found = context_for(conditions)  # type: ignore[arg-type]
    return {key: str(value) for key, value in found.items()}


def _disagreements(asked: list[Question]) -> tuple[list[str], Counter[str]]:
    """Where the two differ, and how often each answer was given."""
    answers = simulator.ask(asked, account=ACCOUNT)
    found, counts = [], Counter[str]()
    for (request, policies), answer in zip(asked, answers, strict=True):
        if _NO_SUCH_REQUEST in answer.error:
            continue
        assert answer.decision != "Error", (request, answer.error)
        # Keys that the action does not have are not part of a real request.
        context = {k: v for k, v in request.context.items() if k not in answer.ignored}
        ours = decide(replace(request, context=context), policies)
        counts[answer.decision] += 1
        if ours.value != answer.decision:
            found.append(f"{request}: {ours.value}, the oracle says {answer.decision}")
    return found, counts


@pytest.mark.parametrize("environment", ["dev", "options"])
def test_both_decide_alike_about_our_templates(
    synthesized: Callable[[str], Synthesized], environment: str
) -> None:
    # One thing wrong with two grants may be the same question.
    asked = [*{repr(each): each for each in _on_templates(synthesized(environment))}.values()]
    found, counts = _disagreements(asked)
    assert found == []
    assert counts["Allowed"] > 100
    assert counts["ImplicitlyDenied"] > 500
    assert len(asked) > 1_500


def test_both_decide_alike_about_random_policies() -> None:
    many = 20 * settings.default.max_examples
    found, counts = _disagreements(list(questions(random.Random(20261122), many)))  # noqa: S311
    assert found == []
    assert min(counts.values()) > many / 20


def test_every_permission_that_a_contract_promises_is_one_that_aws_has(dev: Synthesized) -> None:
    """The oracle knows each action's own condition keys: a grant on another would never work."""
    evidence = dev.evidence()
    bound = bind(dev.contracts, evidence.assembly)
    asked = []
    for contract in dev.contracts.roles:
        arn = bound.resources[contract.name].arn
        for grant in map(bound.grant, contract.grants):
            for request in requests_of(grant, arn):
                if request.resource != "*":
                    known = {c.key for c in grant.conditions}
                    context = {k: v for k, v in request.context.items() if k in known}
                    usual = {**usual_context(), "aws:PrincipalArn": arn, **context}
                    asked.append(
                        (
                            _account(evidence.permissions, replace(request, context=usual)),
                            _policies(evidence.permissions, request),
                        )
                    )
    answers = simulator.ask(asked, account=ACCOUNT)
    refused = [
        f"{request.action} on {request.resource}: {answer.decision} {answer.error}, "
        f"ignored {answer.ignored}"
        for (request, _), answer in zip(asked, answers, strict=True)
        if answer.decision != "Allowed" and _NO_SUCH_REQUEST not in answer.error
    ]
    assert refused == []
