"""Gap: for a role's session `aws:PrincipalArn` is the session's ARN; on AWS it is the role's.

A policy that names roles by this key would fit none of their sessions (IAM user guide, on global
condition keys).
"""

import functools
from typing import Any

from local.emulator.patches._patching import expect_source


def apply() -> None:
    from ministack.core import iam_evaluator
    from ministack.services import iam

    upstream = iam_evaluator._resolve_condition_key
    expect_source(upstream, 'if k == "aws:principalarn":\n        return ctx.principal_arn')

    @functools.wraps(upstream)
    def resolve(key: str, context: Any) -> Any:
        value = upstream(key, context)
        if key.lower() != "aws:principalarn" or ":assumed-role/" not in str(value):
            return value
        account, name = value.split(":")[4], value.split("/")[1]
        role = iam._roles.get_scoped(account, None, name)
        return role["Arn"] if role else f"arn:aws:iam::{account}:role/{name}"

    iam_evaluator._resolve_condition_key = resolve
