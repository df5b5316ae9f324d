"""Resources of one's own in these stacks that only watch, tell or name what is there."""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from bedrock_tuning.review.additions.addition import Addition, generic_path, without_resource
from bedrock_tuning.review.assembly import identity
from bedrock_tuning.review.assembly.json_path import get
from bedrock_tuning.review.assembly.template import Assembly, Resource
from bedrock_tuning.review.bound_contracts import Bound
from bedrock_tuning.review.iam.policy import as_list

AdditionRule = Callable[[Assembly, Bound, Resource], Iterator[str]]
_ATTRIBUTES: Final = {"Type", "Properties", "Metadata", "DependsOn"}
_ACTIONS: Final = ("AlarmActions", "OKActions", "InsufficientDataActions")
_MAIL: Final = ("email", "email-json")
_IN_ACCOUNT: Final = ("lambda", "sqs", "firehose")


def added_resources(assembly: Assembly, bound: Bound) -> Iterator[Addition]:
    """Those of the types below that have no contract."""
    paths = {bound.path(place) for place in bound.contracts.places.values()}
    stacks = bound.contracts.stacks
    for resource in assembly.resources:
        rule = _RULES.get(resource.type)
        is_uncontracted = resource.stack in stacks and resource.path not in paths
        if rule is None or not is_uncontracted:
            continue
        attributes = sorted(set(resource.raw) - _ATTRIBUTES)
        against = [*(f"it has {name}" for name in attributes), *rule(assembly, bound, resource)]
        is_subscriber = resource.type == _SUBSCRIPTION
        yield Addition(
            kind="subscriber" if is_subscriber else "resource",
            fields={
                "at": generic_path(resource.path, bound),
                **(_subscriber_fields(resource) if is_subscriber else {"type": resource.type}),
            },
            where=resource.path,
            remove=without_resource(resource.stack, resource.logical_id),
            against=tuple(against),
        )


def _subscriber_fields(resource: Resource) -> dict[str, str]:
    properties = resource.properties
    account = str(properties.get("Endpoint")).replace(identity.ACCOUNT, "ACCOUNT")
    return {"protocol": str(properties.get("Protocol")), "endpoint": account}


def _subscription(_: Assembly, bound: Bound, resource: Resource) -> Iterator[str]:
    properties = resource.properties
    protocol, endpoint = str(properties.get("Protocol")), str(properties.get("Endpoint"))
    if properties.get("TopicArn") != bound.fill("{topic}"):
        yield f"it subscribes to {properties.get('TopicArn')}, not to the topic of these stacks"
    if protocol in _IN_ACCOUNT:
        if f":{identity.ACCOUNT}:" not in endpoint:
            yield f"{endpoint} is not in this account"
    elif protocol == "https":
        if not endpoint.startswith("https://"):
            yield f"{endpoint} is no https address"
    elif protocol not in _MAIL:
        yield f"nobody is notified by {protocol}"


def _alarm(_: Assembly, bound: Bound, resource: Resource) -> Iterator[str]:
    topic = bound.fill("{topic}")
    for name in _ACTIONS:
        for arn in as_list(resource.properties.get(name)):
            if arn != topic:
                yield f"{name} notifies {arn}, not the topic of these stacks"


def _alias(assembly: Assembly, _: Bound, resource: Resource) -> Iterator[str]:
    name, key = (
        str(resource.properties.get(property_name))
        for property_name in ("AliasName", "TargetKeyId")
    )
    if not name.startswith("alias/") or name.startswith("alias/aws/"):
        yield f"{name} is a name of AWS's"
    if assembly.by_arn(key) is None and assembly.by_name("AWS::KMS::Key", key) is None:
        yield f"{key} is no key of these stacks"


def _metric_filter(assembly: Assembly, _: Bound, resource: Resource) -> Iterator[str]:
    group = str(resource.properties.get("LogGroupName"))
    if assembly.by_name("AWS::Logs::LogGroup", group) is None:
        yield f"{group} is no log group of these stacks"


def _composite(assembly: Assembly, bound: Bound, resource: Resource) -> Iterator[str]:
    yield from _alarm(assembly, bound, resource)
    if "ActionsSuppressor" in resource.properties:
        yield "another alarm can silence it"


def _budget(_: Assembly, bound: Bound, resource: Resource) -> Iterator[str]:
    """A budget tells and stops nothing; whoever is told learns what is spent."""
    for notice in as_list(resource.properties.get("NotificationsWithSubscribers")):
        for subscriber in as_list(get(notice, "Subscribers")):
            mail = get(subscriber, "SubscriptionType") == "EMAIL"
            if not mail and get(subscriber, "Address") != bound.fill("{topic}"):
                yield f"it notifies {get(subscriber, 'Address')}, not the topic of these stacks"


def _harmless(_: Assembly, _bound: Bound, _resource: Resource) -> Iterator[str]:
    # It shows to its readers what they may see anyway, or names it.
    yield from ()


_SUBSCRIPTION: Final = "AWS::SNS::Subscription"
_RULES: Final[Mapping[str, AdditionRule]] = {
    "AWS::CloudWatch::Alarm": _alarm,
    "AWS::Budgets::Budget": _budget,
    "AWS::CloudWatch::AnomalyDetector": _harmless,
    "AWS::CloudWatch::CompositeAlarm": _composite,
    "AWS::CloudWatch::Dashboard": _harmless,
    "AWS::KMS::Alias": _alias,
    "AWS::Logs::MetricFilter": _metric_filter,
    "AWS::Logs::QueryDefinition": _harmless,
    "AWS::ResourceGroups::Group": _harmless,
    "AWS::XRay::Group": _harmless,
    _SUBSCRIPTION: _subscription,
}
