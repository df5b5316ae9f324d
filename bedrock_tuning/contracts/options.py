"""What optional settings add to the contracts: a network, a key for models, closed buckets."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from bedrock_tuning.config.settings import Settings
from bedrock_tuning.contracts import grants as g
from bedrock_tuning.contracts.bucket_access import DATA_ACTIONS, admitted
from bedrock_tuning.contracts.contract import (
    Condition,
    Contracts,
    Grant,
    Guarded,
    Place,
    Refusal,
    Role,
    Scope,
)
from bedrock_tuning.contracts.network import add_network
from bedrock_tuning.contracts.people import add_roles
from bedrock_tuning.contracts.resources import administered

_ENCRYPT: Final = ("kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey")


def _serves_nova(scope: Scope) -> bool:
    """Whether any base model is one of Amazon's Nova models, whose keys need more rights."""
    return any(each.base_model.key.startswith("nova-") for each in scope.customizations.values())


def with_options(contracts: Contracts, scope: Scope) -> Contracts:
    """The contracts with what the settings add; the same ones where they add nothing."""
    settings = scope.settings
    if settings.people:
        # First, so that closed buckets let them in.
        contracts = add_roles(contracts, scope)
    if settings.model_key:
        contracts = _add_model_key(contracts, nova=_serves_nova(scope))
    if settings.deny_others:
        contracts = _close_buckets(contracts, settings)
    return add_network(contracts, scope) if settings.vpc else contracts


def _close_buckets(contracts: Contracts, settings: Settings) -> Contracts:
    """Datasets and results are refused to everybody but the roles that need them."""
    names = admitted(settings, contracts.roles)
    others = Condition(
        operator="ArnNotLike",
        key="aws:PrincipalArn",
        values=tuple(f"arn:{{partition}}:iam::{{account}}:role/{name}" for name in names),
    )

    def closed(guarded: Guarded) -> Guarded:
        if guarded.name not in ("training", "validation", "output"):
            return guarded
        refusal = Refusal(
            why="only named roles",
            actions=DATA_ACTIONS,
            resources=(f"{{{guarded.name}}}", f"{{{guarded.name}}}/*"),
            conditions=(others,),
        )
        return replace(guarded, refusals=(*guarded.refusals, refusal))

    return replace(contracts, guarded=tuple(closed(each) for each in contracts.guarded))


def _add_model_key(contracts: Contracts, *, nova: bool) -> Contracts:
    """The custom models' key: jobs make grants, Serve decrypts (docs/facts/iam.md#model-key)."""
    place = Place(stack="data", path="ModelKey", type="AWS::KMS::Key")
    encrypt = g.key_through("bedrock", "encrypt models", key="{model-key}", actions=_ENCRYPT)
    decrypt = g.key_through(
        "bedrock",
        "decrypt models",
        key="{model-key}",
        actions=g.WRITE_KEY if nova else g.READ_KEY,
    )

    def wider(role: Role) -> Role:
        if role.name.startswith(("role.start.", "role.bedrock.")):
            return replace(role, grants=(*role.grants, encrypt))
        if role.name == "role.Serve":
            return replace(role, grants=(*role.grants, decrypt))
        return role

    key = Guarded(name="model-key", place=place, grants=tuple(_key_grants(nova=nova)))
    return replace(
        contracts,
        places={**contracts.places, "model-key": place},
        roles=tuple(wider(role) for role in contracts.roles),
        guarded=(*contracts.guarded, key),
        placeholders={**contracts.placeholders, "ModelKey": "{model-key}"},
    )


def _key_grants(*, nova: bool) -> Iterable[Grant]:
    yield administered()
    if nova:
        yield Grant(
            why="serve Nova",
            services=("bedrock.amazonaws.com",),
            actions=g.WRITE_KEY,
            resources=("*",),
            conditions=(
                Condition(
                    operator="ForAnyValue:StringEquals",
                    key="kms:EncryptionContextKeys",
                    values=("aws:bedrock:custom-model",),
                ),
            ),
        )
