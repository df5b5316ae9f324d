"""What optional settings add to the contracts: a network, a key for models, closed buckets."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final

from bedrock_tuning.config.customization import Customization
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
)
from bedrock_tuning.contracts.network import add_network
from bedrock_tuning.contracts.resources import administered

_ENCRYPT: Final = ("kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey")


def serves_nova(customizations: Mapping[str, Customization]) -> bool:
    """Whether any base model is one of Amazon's Nova models, whose keys need more rights."""
    return any(each.base_model.key.startswith("nova-") for each in customizations.values())


def with_options(
    contracts: Contracts, settings: Settings, customizations: Mapping[str, Customization]
) -> Contracts:
    """The contracts with what the settings add; the same ones where they add nothing."""
    if settings.model_key:
        contracts = _add_model_key(contracts, nova=serves_nova(customizations))
    if settings.deny_others:
        contracts = _close_buckets(contracts, settings)
    return add_network(contracts, settings) if settings.vpc else contracts


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
            why="nobody but the named roles",
            actions=DATA_ACTIONS,
            resources=(f"{{{guarded.name}}}", f"{{{guarded.name}}}/*"),
            conditions=(others,),
        )
        return replace(guarded, refusals=(*guarded.refusals, refusal))

    return replace(contracts, guarded=tuple(closed(each) for each in contracts.guarded))


def _add_model_key(contracts: Contracts, *, nova: bool) -> Contracts:
    """The custom models' key: jobs make grants, Serve decrypts (docs/facts/iam.md#model-key)."""
    place = Place(stack="data", path="ModelKey", type="AWS::KMS::Key")
    encrypt = g.key_through("bedrock", "models are encrypted", key="{model-key}", actions=_ENCRYPT)
    decrypt = g.key_through(
        "bedrock",
        "call an encrypted model",
        key="{model-key}",
        actions=g.WRITE_KEY if nova else g.READ_KEY,
    )

    def wider(role: Role) -> Role:
        if role.name == "role.workflow" or role.service == "bedrock.amazonaws.com":
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
            why="Bedrock optimizes the throughput of a Nova model under the model's own key",
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
