"""What protects, of the properties of resources: which change of it leaves less than before."""

from typing import Any, Final

_OFF: Final = ("false", "disabled", "off", "suspended")
_ON: Final = ("true", "enabled", "all")
# Of a stack.
PROTECTED: Final = "termination protection"
# Each may come; none may go, and none may become something else without a look.
_GUARDS: Final = frozenset(
    {
        "ActionsEnabled",
        "AlarmActions",
        "AuthType",
        "BlockPublicAcls",
        "BlockPublicPolicy",
        "DeadLetterConfig",
        "DeletionProtectionEnabled",
        "DestinationBucketName",
        "EnableKeyRotation",
        "Enabled",
        "IgnorePublicAcls",
        "KMSMasterKeyID",
        "KMSMasterKeyId",
        "KmsKeyId",
        "KmsMasterKeyId",
        "LoggingConfiguration",
        "ObjectOwnership",
        "PermissionsBoundary",
        "PointInTimeRecoveryEnabled",
        "RestrictPublicBuckets",
        "SSEAlgorithm",
        "SSEEnabled",
        "State",
        "VersioningConfiguration",
        PROTECTED,
    }
)
# How long something is kept: no number is for ever, or AWS's default, which is long.
_PERIODS: Final = frozenset(
    {
        "ExpirationInDays",
        "MessageRetentionPeriod",
        "NoncurrentDays",
        "PendingWindowInDays",
        "RetentionInDays",
    }
)
# How much must happen before somebody is told.
_PATIENCE: Final = frozenset({"EvaluationPeriods", "Threshold"})
_KEPT: Final = "Retain"
_EVERYWHERE: Final = ("0.0.0.0/0", "::/0")
# Puts what runs handle into logs.
_SHOWS: Final = "IncludeExecutionData"


def is_weaker(path: str, old: Any, new: Any) -> bool:
    """Whether less is protected: switched off, replaced, shorter, later, or open to every address.

    path: of a property, such as "VersioningConfiguration.Status". old, new: None if it is not set.
    """
    steps = {step for step in path.split(".") if not step.isdigit()}
    if new in _EVERYWHERE or (_SHOWS in steps and _is(_ON, new)):
        return True
    if str(old).startswith(_KEPT):
        return not str(new).startswith(_KEPT)
    if steps & _PERIODS:
        return _number(new) < _number(old)
    if steps & _PATIENCE:
        return _number(old) < _number(new)
    is_lost = old is not None and not _is(_OFF, old) and not _is(_ON, new)
    return bool(steps & _GUARDS) and (is_lost or (old is None and _is(_OFF, new)))


def _is(words: tuple[str, ...], value: Any) -> bool:
    return str(value).lower() in words


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        return float("inf")
