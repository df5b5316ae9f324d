"""What optional settings add to the contracts: a network, a key for models, a chat."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final

from bedrock_tuning.config.settings import Settings
from bedrock_tuning.config.settings_limits import BUCKETS
from bedrock_tuning.contracts import grants as g
from bedrock_tuning.contracts.bucket_access import DATA_ACTIONS, admitted
from bedrock_tuning.contracts.contract import (
    MACHINE,
    Condition,
    Contracts,
    Grant,
    Guarded,
    Place,
    Role,
    Scope,
    base_path,
)
from bedrock_tuning.contracts.job_text import by_workflow
from bedrock_tuning.contracts.network import add_network
from bedrock_tuning.contracts.people import add_roles
from bedrock_tuning.contracts.resources import (
    administered,
    from_rules,
    keeps_events,
    refuse_plain_http,
)
from bedrock_tuning.contracts.vpc_endpoints import vpc_endpoints
from bedrock_tuning.contracts.written.events import chat_rule
from bedrock_tuning.contracts.written.functions import FUNCTION
from bedrock_tuning.contracts.written.operations import key
from bedrock_tuning.run.messages import CHAT

# What an account holds that owns the data.
DATA: Final = (*BUCKETS, "data-key")
_ENCRYPT: Final = ("kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey")


def _serves_nova(scope: Scope) -> bool:
    """Whether any base model is one of Amazon's Nova models, whose keys need more rights."""
    return any(entry.base_model.key.startswith("nova-") for entry in scope.customizations.values())


def with_options(contracts: Contracts, scope: Scope) -> Contracts:
    """The contracts with what the settings add; the same ones where they add nothing."""
    settings = scope.settings
    if settings.people:
        # First, so that closed buckets let them in.
        contracts = add_roles(contracts, scope)
    if settings.model_key:
        contracts = _add_model_key(contracts, scope)
    if settings.deny_others:
        contracts = _close_buckets(contracts, settings)
    if settings.vpc:
        contracts = add_network(contracts, scope)
    if settings.tracing:
        contracts = _add_tracing(contracts)
    if settings.slack_channel:
        contracts = _add_chat(contracts, settings)
    result = _with_service_roles(_with_existing(contracts, settings), scope)
    if not settings.own_network:
        return result
    return replace(result, places={**result.places, **vpc_endpoints(result.callers, settings)})


def _add_tracing(contracts: Contracts) -> Contracts:
    """After the network, which has a function of its own; its endpoints follow from the roles."""
    roles = tuple(
        replace(role, grants=(*role.grants, g.trace()))
        if role.service in ("lambda.amazonaws.com", "states.amazonaws.com")
        else role
        for role in contracts.roles
    )
    traced = contracts.with_property(FUNCTION, "TracingConfig", {"Mode": "Active"})
    traced = traced.with_property(MACHINE, "TracingConfiguration", {"Enabled": True})
    return replace(traced, roles=roles)


def _add_chat(contracts: Contracts, settings: Settings) -> Contracts:
    """A channel that shows alarms and, from a topic of its own, messages.

    Its role may do nothing: AWS Chatbot takes no channel without one (docs/facts/workflow.md#chat).
    """

    def place(path: str, kind: str) -> Place:
        return Place(stack="pipeline", path=f"Chat/{path}", type=kind)

    rules = {f"chat-rule.{n}": chat_rule(settings.name, n, rule) for n, rule in CHAT.items()}
    places = {
        "chat": replace(
            place("Channel", "AWS::Chatbot::SlackChannelConfiguration"),
            properties={
                "ConfigurationName": f"tuning-{settings.name}",
                "SlackWorkspaceId": settings.slack_workspace,
                "SlackChannelId": settings.slack_channel,
                "IamRoleArn": "{role.chat}",
                # Without it, AWS sets AdministratorAccess.
                "GuardrailPolicies": ["arn:{partition}:iam::aws:policy/AWSDenyAll"],
                "SnsTopicArns": ["{topic}", "{chat-topic}"],
            },
        ),
        "chat-topic": replace(contracts.places["topic"], path="Chat/Topic"),
        "role.chat": place("Role", "AWS::IAM::Role"),
    }
    role = Role(
        name="role.chat",
        place=places["role.chat"],
        does="The chat channel: may do nothing",
        service="chatbot.amazonaws.com",
        trust=(g.FROM_THIS_ACCOUNT,),
        grants=(),
    )
    topic = Guarded(
        name="chat-topic",
        place=places["chat-topic"],
        grants=(
            g.allow(
                "the rules of the chat publish",
                "sns:Publish",
                to="events.amazonaws.com",
                on="{chat-topic}",
                when=from_rules(*rules),
            ),
        ),
        refusals=(refuse_plain_http("sns:Publish", "{chat-topic}"),),
    )
    guarded = (
        replace(item, grants=(*item.grants, *map(keeps_events, rules)))
        if item.name == "dead-letters"
        else item
        for item in contracts.guarded
    )
    return replace(
        contracts,
        places={**contracts.places, **places, **rules},
        roles=(*contracts.roles, role),
        guarded=(*guarded, topic),
    )


def _with_service_roles(contracts: Contracts, scope: Scope) -> Contracts:
    """Service roles that exist already: their contracts stay, and no stack makes them."""
    arns = {
        f"role.bedrock.{name}": _arn(customization.job.service_role, "")
        for name, customization in scope.customizations.items()
        if customization.job.service_role
    }
    return replace(
        contracts,
        places={name: place for name, place in contracts.places.items() if name not in arns},
        roles=tuple(role for role in contracts.roles if role.name not in arns),
        existing_roles=tuple(role for role in contracts.roles if role.name in arns),
        given={**contracts.given, **arns},
    )


def _with_existing(contracts: Contracts, settings: Settings) -> Contracts:
    """What exists already is made by no stack, and its owner writes its policy."""
    owner = settings.data_account
    arns = {name: _arn(arn, owner) for name, arn in settings.existing.items()}
    # Access logs of a bucket are its owner's, too.
    names = {*arns, *(("access-logs",) if len(settings.own_buckets) == len(BUCKETS) else ())}
    base = base_path(settings)
    return replace(
        contracts,
        places={name: place for name, place in contracts.places.items() if name not in names},
        roles=tuple(
            replace(role, path=base) if role.path == "/" else role for role in contracts.roles
        ),
        guarded=tuple(
            _without_logs_of(item, arns) for item in contracts.guarded if item.name not in names
        ),
        asked=tuple(
            _of_another_account(item, (*contracts.roles, *contracts.people))
            if owner and item.name in DATA
            else item
            for item in contracts.guarded
            if item.name in arns
        ),
        given={**arns, "data-account": owner or "{account}"},
        role_path=base,
    )


def _arn(arn: str, owner: str) -> str:
    """An ARN with placeholders for where it is deployed, but for what another account owns."""
    _, _, service, region, account, name = arn.split(":", 5)
    place = account if owner and account == owner else account and "{account}"
    return f"arn:{{partition}}:{service}:{region and '{region}'}:{place}:{name}"


def _of_another_account(item: Guarded, roles: Iterable[Role]) -> Guarded:
    """What its owner must grant to this account, whose policies then decide who may do it.

    It names no folders: customizations come and go.
    """
    arn = f"{{{item.name}}}"
    uses = [
        (action, resource.removeprefix(arn), grant)
        for role in roles
        for grant in role.grants
        for resource in grant.resources
        if resource.startswith(arn)
        for action in grant.actions
    ]
    if item.name == "data-key":
        (conditions,) = {grant.conditions for _, _, grant in uses}
        key = _to_this_account("use the key", [action for action, *_ in uses], "*", conditions)
        return replace(item, grants=(key,))
    objects = [action for action, key, _ in uses if key]
    listings = [action for action, key, _ in uses if not key]
    grants = [_to_this_account("use objects", objects, f"{arn}/*")]
    if listings:
        grants.append(_to_this_account("list them", listings, arn))
    return replace(item, grants=tuple(grants))


def _to_this_account(
    why: str, actions: Iterable[str], resource: str, conditions: tuple[Condition, ...] = ()
) -> Grant:
    return Grant(
        why=why,
        actions=tuple(sorted(set(actions))),
        resources=(resource,),
        conditions=conditions,
        everybody_here=True,
    )


def _without_logs_of(item: Guarded, arns: Mapping[str, str]) -> Guarded:
    if item.name != "access-logs":
        return item
    logs = [f"{{access-logs}}/{name}/*" for name in arns]
    return replace(item, grants=tuple(g for g in item.grants if not set(logs) & set(g.resources)))


def _close_buckets(contracts: Contracts, settings: Settings) -> Contracts:
    """Datasets and results are refused to everybody but the roles that need them."""
    names = admitted(settings, contracts.roles)
    others = Condition.of(
        "ArnNotLike",
        "aws:PrincipalArn",
        *(f"arn:{{partition}}:iam::{{account}}:role/{name}" for name in names),
    )

    def closed(guarded: Guarded) -> Guarded:
        if guarded.name not in ("training", "validation", "output"):
            return guarded
        arns = (f"{{{guarded.name}}}", f"{{{guarded.name}}}/*")
        refusal = g.refuse("only named roles", *DATA_ACTIONS, on=arns, when=others)
        return replace(guarded, refusals=(*guarded.refusals, refusal))

    return replace(contracts, guarded=tuple(closed(item) for item in contracts.guarded))


def _add_model_key(contracts: Contracts, scope: Scope) -> Contracts:
    """The key of custom models: jobs create grants for it, and whoever calls a model decrypts
    with it (docs/facts/iam.md#model-key).
    """
    nova = _serves_nova(scope)
    starts = "role.workflow" if by_workflow(scope.settings) else "role.start."
    place = key(
        Place(stack="data", path="ModelKey", type="AWS::KMS::Key"),
        "Custom models of bedrock-tuning; without it they can never be used again",
    )
    encrypt = g.key_through("bedrock", "encrypt models", key="{model-key}", actions=_ENCRYPT)
    decrypt = g.key_through(
        "bedrock",
        "decrypt models",
        key="{model-key}",
        actions=g.WRITE_KEY if nova else g.READ_KEY,
    )

    def wider(role: Role) -> Role:
        if role.name.startswith((starts, "role.bedrock.")):
            return replace(role, grants=(*role.grants, encrypt))
        if role.name in ("role.Serve", "role.Evaluate") or role.name.startswith("person.uploader."):
            return replace(role, grants=(*role.grants, decrypt))
        return role

    guarded = Guarded(name="model-key", place=place, grants=tuple(_key_grants(nova=nova)))
    return replace(
        contracts,
        places={**contracts.places, "model-key": place},
        roles=tuple(wider(role) for role in contracts.roles),
        people=tuple(wider(policy) for policy in contracts.people),
        guarded=(*contracts.guarded, guarded),
        placeholders={**contracts.placeholders, "ModelKey": "{model-key}"},
    )


def _key_grants(*, nova: bool) -> Iterable[Grant]:
    yield administered()
    if nova:
        yield g.allow(
            "serve Nova",
            *g.WRITE_KEY,
            on="*",
            to="bedrock.amazonaws.com",
            when=Condition.of(
                "ForAnyValue:StringEquals", "kms:EncryptionContextKeys", "aws:bedrock:custom-model"
            ),
        )
