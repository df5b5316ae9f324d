"""What roles and services ask for at work, so that a test can see whether they may.

The review proves that the templates are what the contracts say. Whether the contracts fit together,
so that whatever is wired up works, is for tests to say: of each environment, with all policies
taken together and with the keys of what is asked for.
"""

import re
from collections.abc import Iterator
from typing import Final

from bedrock_tuning.config.tags import CUSTOMIZATION_TAG, ENVIRONMENT_TAG
from bedrock_tuning.review.assembly import identity
from bedrock_tuning.review.assembly.json_path import get
from bedrock_tuning.review.check import Evidence
from bedrock_tuning.review.iam.access import owner_arn, principal_of
from bedrock_tuning.review.iam.containment import parts
from bedrock_tuning.review.iam.keys import key_arn
from bedrock_tuning.review.iam.simulator import EvalRequest, usual_context
from bedrock_tuning.review.workflow import graph
from tests.review.iam.probes import cannot_use, concrete, lacking, on_behalf_of, requests_of
from tests.review.workflow.tasks import requests

EVENTS: Final = "events.amazonaws.com"
# What tasks name that is in no template, or in those of some customization.
ELSEWHERE: Final = re.compile(":(bedrock|execution):|:parameter/")
ENCRYPT: Final = ("kms:Encrypt", "kms:Decrypt", "kms:ReEncryptFrom", "kms:GenerateDataKey")


def lacks(evidence: Evidence) -> list[str]:
    """Everything that somebody at work may not do."""
    found = [*_keys(evidence), *_dead_letters(evidence)]
    for by, request in (*_grants(evidence), *_deliveries(evidence), *_logs(evidence)):
        if not evidence.permissions.decide(
            request.principal, request.action, request.resource, request.context
        ):
            found.append(f"{by}: {request.principal} may not {request.action} {request.resource}")
    for by, request in (*_deliveries(evidence), *_tasks(evidence)):
        missing = lacking(
            evidence.permissions,
            request.principal,
            request.action,
            request.resource,
            request.context,
        )
        known = evidence.permissions.knows(request.resource)
        if not known and not ELSEWHERE.search(request.resource):
            missing.append("a resource of these templates")
        found += [f"{by}: {request.principal} lacks {each}" for each in missing]
    return [evidence.readable(each) for each in found]


def _asked(who: str, action: str, on: str, context: dict[str, str]) -> EvalRequest:
    return EvalRequest(
        principal=who, action=action, resource=on, context={**usual_context(), **context}
    )


def _grants(evidence: Evidence) -> Iterator[tuple[str, EvalRequest]]:
    """What each role is for."""
    bound = evidence.bound
    for contract in bound.contracts.principals:
        resource = evidence.contracted.get(contract.name)
        if resource is None:
            continue
        role = evidence.permissions.roles[principal_of(resource)]
        named = bound.contracts.data_roles
        # Where buckets are closed, people ask as one of these.
        as_one = {}
        if role.is_policy and named:
            start = f"arn:{identity.PARTITION}:iam::{identity.ACCOUNT}:role"
            as_one = {"aws:PrincipalArn": f"{start}/{concrete(named[0])}"}
        for grant in map(bound.grant, contract.grants):
            for each in requests_of(grant, role.arn):
                # Whom the pattern names is in other stacks, and each has a say: M825 asks them.
                if each.action != "sts:AssumeRole":
                    request = EvalRequest(
                        principal=each.principal,
                        action=each.action,
                        resource=each.resource,
                        context={**each.context, **as_one},
                    )
                    yield f"{contract.name}, {grant.why}", request


def _tasks(evidence: Evidence) -> Iterator[tuple[str, EvalRequest]]:
    """What the workflow's states ask for; with Credentials as whichever starter is named."""
    contracts = evidence.bound.contracts
    starters = {
        evidence.contracted[name].arn: customization
        for customization in contracts.settings
        if (name := f"role.start.{customization}") in evidence.contracted
    }
    for machine, definition in graph.machines(evidence.assembly):
        own = str(machine.properties.get("RoleArn"))
        for each in graph.graphs(definition):
            for state_name, state in each.states.items():
                by = f"{each.name}{state_name}"
                roles = starters if "Credentials" in state else {own: "sample"}
                for role, customization in roles.items():
                    tags = {
                        CUSTOMIZATION_TAG: customization,
                        ENVIRONMENT_TAG: contracts.environment,
                    }
                    for request in requests(
                        state,
                        role=role,
                        machine=machine.arn,
                        region=evidence.bound.region,
                        tags=tags,
                    ):
                        yield by, request
                    if role != own:
                        become = {"sts:ExternalId": machine.arn}
                        yield by, _asked(own, "sts:AssumeRole", role, become)


def _deliveries(evidence: Evidence) -> Iterator[tuple[str, EvalRequest]]:
    """What alarms, rules, schedules, topics and buckets hand on."""
    of_type = evidence.assembly.of_type
    for each in of_type("AWS::CloudWatch::Alarm"):
        for arn in each.properties.get("AlarmActions", []):
            context = on_behalf_of(each.arn)
            yield each.path, _asked("cloudwatch.amazonaws.com", "sns:Publish", arn, context)
    for each in of_type("AWS::Events::Rule"):
        for target in each.properties.get("Targets", []):
            arn, context = str(target["Arn"]), on_behalf_of(each.arn)
            if "RoleArn" in target:
                yield each.path, _asked(str(target["RoleArn"]), "states:StartExecution", arn, {})
            else:
                action = "sns:Publish" if ":sns:" in arn else "lambda:InvokeFunction"
                yield each.path, _asked(EVENTS, action, arn, context)
    for each in of_type("AWS::Scheduler::Schedule"):
        target = each.properties["Target"]
        role, queue = str(target["RoleArn"]), str(get(target, "DeadLetterConfig", "Arn"))
        yield each.path, _asked(role, "lambda:InvokeFunction", str(target["Arn"]), {})
        yield each.path, _asked(role, "sqs:SendMessage", queue, on_behalf_of(each.arn))
    for each in of_type("AWS::SNS::Subscription"):
        if each.properties.get("Protocol") == "lambda":
            endpoint, topic = (str(each.properties[n]) for n in ("Endpoint", "TopicArn"))
            context = on_behalf_of(topic)
            yield each.path, _asked("sns.amazonaws.com", "lambda:InvokeFunction", endpoint, context)
    for each in of_type("AWS::S3::Bucket"):
        logging = each.properties.get("LoggingConfiguration")
        if logging:
            key = f"arn:aws:s3:::{logging['DestinationBucketName']}/{logging['LogFilePrefix']}x"
            context = on_behalf_of(each.arn)
            yield each.path, _asked("logging.s3.amazonaws.com", "s3:PutObject", key, context)


def _dead_letters(evidence: Evidence) -> Iterator[str]:
    """What rules keep in the queue; EventBridge's call to KMS names no source."""
    for rule in evidence.assembly.of_type("AWS::Events::Rule"):
        for target in rule.properties.get("Targets", []):
            arn, send = str(get(target, "DeadLetterConfig", "Arn")), "sqs:SendMessage"
            queue = evidence.assembly.by_arn(arn)
            assert queue is not None
            if not evidence.permissions.decide(EVENTS, send, arn, on_behalf_of(rule.arn)):
                yield f"{rule.path}: {EVENTS} may not {send} {arn}"
            usual = usual_context()
            for each in cannot_use(evidence.permissions, EVENTS, send, queue, usual):
                yield f"{rule.path}: {EVENTS} lacks {each}"


def _logs(evidence: Evidence) -> Iterator[tuple[str, EvalRequest]]:
    """How CloudWatch Logs encrypts log groups."""
    service = f"logs.{evidence.bound.region}.amazonaws.com"
    for group in evidence.assembly.of_type("AWS::Logs::LogGroup"):
        key = key_arn(evidence.assembly, group)
        context = {"kms:EncryptionContext:aws:logs:arn": group.arn.removesuffix(":*")}
        for action in ENCRYPT if key else ():
            yield group.path, _asked(service, action, key, context)


def _keys(evidence: Evidence) -> Iterator[str]:
    """The keys of all that a role may touch, through the service that holds it."""
    for role in evidence.permissions.roles.values():
        for statement in role.policy:
            for action, pattern in parts(statement) if statement.effect == "Allow" else ():
                target = evidence.assembly.by_arn(owner_arn(concrete(pattern)))
                if target is not None:
                    for each in cannot_use(
                        evidence.permissions, role.arn, action, target, usual_context()
                    ):
                        yield f"{role.path}: lacks {each} for {action} on {target.path}"
