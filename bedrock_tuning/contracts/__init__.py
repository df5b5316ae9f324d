"""What every role, policy and function of an environment is for: the promise that review proves."""

from collections.abc import Mapping

from bedrock_tuning import s3_layout
from bedrock_tuning.config.customization import Customization
from bedrock_tuning.config.settings import Settings
from bedrock_tuning.contracts.constructs import WORKFLOW_FUNCTIONS, places
from bedrock_tuning.contracts.contract import (
    Condition,
    Contracts,
    Function,
    Grant,
    Guarded,
    Place,
    Refusal,
    Role,
)
from bedrock_tuning.contracts.functions import functions
from bedrock_tuning.contracts.options import with_options
from bedrock_tuning.contracts.resources import guarded
from bedrock_tuning.contracts.roles import roles
from bedrock_tuning.serving.plan import POINTERS

__all__ = (
    "Condition",
    "Contracts",
    "Function",
    "Grant",
    "Guarded",
    "Place",
    "Refusal",
    "Role",
    "contracts",
)


def contracts(settings: Settings, customizations: Mapping[str, Customization]) -> Contracts:
    """The contracts of one environment, from its settings and the customizations alone."""
    known = places(customizations)
    base = Contracts(
        environment=settings.name,
        places=known,
        roles=roles(settings, customizations, known),
        guarded=guarded(settings.name, known),
        functions=functions(settings, customizations, known),
        trigger_buckets=("training", "validation"),
        trigger_keys=tuple(s3_layout.manifest_key(name) for name in customizations),
        boundary=settings.permissions_boundary,
        role_prefix=settings.role_name_prefix,
        named_roles=bool(settings.role_name_prefix or settings.deny_others),
        alarm_email=settings.alarm_email,
        protected=settings.functions == "lambda",
        architecture="arm64" if settings.functions == "lambda" else "x86_64",
        table_keys={"": ("id",), "by-customization": ("customization", "run")},
        placeholders={
            **{name: f"{{function.{name}}}" for name in WORKFLOW_FUNCTIONS},
            "OutputBucket": "{output:name}",
            "RunsTable": "{runs:name}",
            "Topic": "{topic}",
        },
        retention={
            "logs": settings.log_retention_days,
            "noncurrent": settings.noncurrent_days,
            "work": settings.work_days,
        },
        serving={
            name: {
                "Customization": name,
                "Mode": each.serving.mode,
                "ModelUnits": str(each.serving.model_units),
                "Commitment": each.serving.commitment or "none",
                "LeaseHours": str(each.serving.lease_hours or "none"),
                "OnDelete": each.serving.on_delete,
                "Pointers": POINTERS,
            }
            for name, each in customizations.items()
        },
    )
    return with_options(base, settings, customizations)
