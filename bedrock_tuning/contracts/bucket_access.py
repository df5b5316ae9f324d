"""Who may touch datasets and results when everybody else is refused (setting deny_others)."""

import hashlib
from collections.abc import Iterable
from typing import Final

from bedrock_tuning.config.settings import Settings
from bedrock_tuning.contracts.contract import Role, base_path, role_path

ROLE_NAME_LENGTH: Final = 64
# Reading, writing, deleting and listing what lies in a bucket. Not its configuration: whoever
# administrates the account, and CloudFormation, can always change the lock, in the open
# (CloudTrail records it), but cannot walk through it.
DATA_ACTIONS: Final = (
    "s3:AbortMultipartUpload",
    "s3:DeleteObject*",
    "s3:GetObject*",
    "s3:ListBucket*",
    "s3:ListMultipartUploadParts",
    "s3:PutObject*",
    "s3:Replicate*",
    "s3:RestoreObject",
)


def role_name(settings: Settings, name: str) -> str:
    """The physical name of a role whose contract is called role.<name>: 64 characters at most."""
    full = f"{settings.role_name_prefix}tuning-{settings.name}-{settings.region}-{name}"
    if len(full) <= ROLE_NAME_LENGTH:
        return full
    digest = hashlib.sha256(full.encode()).hexdigest()[:8]
    return f"{full[: ROLE_NAME_LENGTH - 9]}-{digest}"


def physical_name(settings: Settings, role: Role) -> str:
    """The name that the buckets' policies need a role to have: it comes into being after them.

    One that moves to another path is another role, and needs another name than the one before.
    """
    path = role.path.strip("/").rpartition("/")[2] if role.service else ""
    kind = f"-{path}" if path in ("check", "approve") else ""
    return role_name(settings, f"{role.name.removeprefix('role.')}{kind}")


def admitted(settings: Settings, roles: Iterable[Role]) -> list[str]:
    """Who is not refused, as a role's path and name: roles with S3 in their contract, data_roles.

    Customizations come and go, so their roles are admitted by the path that all of them have.
    """
    # Also while there is none: a platform does not know which will come.
    base = base_path(settings)
    customizations = f"{role_path(settings, 'bedrock')}*".lstrip("/")
    paths = [
        f"{role.path}*".lstrip("/")
        if role.path != "/"
        else f"{base}{role_name(settings, role.name.removeprefix('role.'))}".lstrip("/")
        for role in roles
        if any(action.startswith("s3:") for grant in role.grants for action in grant.actions)
    ]
    return [*dict.fromkeys([customizations, *paths]), *settings.data_roles]
