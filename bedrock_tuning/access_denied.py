"""AWS's access-denied message → who may not do what to what, which policy decided, the fix.

Source of the wording: IAM User Guide, "Troubleshoot access denied error messages".
"""

import re
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Denial:
    """One refused request.

    principal: "role NAME", "user NAME", or the ARN as it came. resource: "" if the message names
    none. policy: the kind of policy that decided, "" if the message does not say.
    explicit: a policy forbids it; otherwise none allows it.
    """

    principal: str
    action: str
    resource: str = ""
    policy: str = ""
    explicit: bool = False

    @property
    def cause(self) -> str:
        """Who may not do what to what, and by which policy."""
        what = f"the {self.principal} may not do {self.action}"
        if self.resource:
            what += f" on {self.resource}"
        if not self.policy:
            return what
        verb = "a {} forbids it" if self.explicit else "no {} allows it"
        return f"{what}: {verb.format(self.policy)}"

    @property
    def of_caller(self) -> bool:
        """Whether a policy of the caller decided, and not one of a bucket, key or topic."""
        return bool(self.policy) and not self.policy.startswith("resource-based")

    @property
    def fix(self) -> str:
        """What to do, for the policy that decided."""
        if self.principal.startswith("user "):
            return f"ask the administrator of the account for {self.action}, or use another profile"
        for word, fix in _FIXES.items():
            if word in self.policy:
                return fix
        return _OWN_POLICY


_OWN_POLICY: Final = (
    "compare the role with docs/permissions.md. If somebody changed it, `cdk drift` shows the "
    "change and `cdk deploy --revert-drift` reverts it; otherwise deploy again: code and roles "
    "belong together"
)
# By a phrase in the kind of the policy that decided.
_FIXES: Final = {
    " control policy": (
        "an organization's policy denies this, and nothing in this app can allow it: ask the "
        "administrator of the organization"
    ),
    "permissions boundary": (
        "widen the policy that the setting permissions_boundary names; docs/permissions.md lists "
        "what each role must be able to do"
    ),
    "endpoint policy": (
        "the policy of the VPC endpoint must allow this: `cdk drift` shows whether the app's was "
        "changed; docs/hardening.md says how your own endpoints are checked"
    ),
    "resource-based policy": (
        "the policy of the bucket, key or topic denies this: `cdk drift` shows whether it was "
        "changed; with the setting deny_others it allows only the app's roles and data_roles"
    ),
}
_MESSAGE: Final = re.compile(
    r"(?:(?P<principal>arn:[\w-]{1,20}:(?:sts|iam)::[0-9]{12}:[^\s\"]{1,300}) is )?"
    r"\bnot authorized to perform:? (?P<action>[\w-]{1,60}:\w{1,100})"
    # S3 quotes its resources, and their keys may have blanks.
    r"(?: on resource: (?:\"(?P<quoted>[^\"]{1,2048})\"|(?P<resource>[^\s\"]{1,2048})))?"
    r"(?: (?P<how>because no|with an explicit deny in an?) "
    r"(?P<policy>[a-z-]{1,20}(?: [a-z-]{1,20}){0,3}? policy|permissions boundary))?",
    re.IGNORECASE,
)
# Step Functions, of a task with Credentials (docs/facts/workflow.md#credentials).
_BECOME: Final = re.compile(
    r"role (?P<principal>arn:[\w-]{1,20}:iam::[0-9]{12}:role/[^\s\"]{1,300}) is not authorized to "
    r"assume the task state's role, (?P<resource>[^\s\"]{1,2048})",
    re.IGNORECASE,
)


def denial(message: str) -> Denial | None:
    """The denial that a message reports in AWS's own words; None if it reports none."""
    become = _BECOME.search(message)
    if become is not None:
        return Denial(
            principal=_principal(become["principal"]),
            action="sts:AssumeRole",
            resource=become["resource"].rstrip(".,;"),
        )
    match = _MESSAGE.search(message)
    if match is None:
        return None
    return Denial(
        principal=_principal(match["principal"]) if match["principal"] else "caller",
        action=match["action"],
        resource=match["quoted"] or (match["resource"] or "").rstrip(".,;"),
        policy=match["policy"] or "",
        explicit=(match["how"] or "").lower().startswith("with"),
    )


def _principal(arn: str) -> str:
    kind, _, rest = arn.split(":", 5)[5].partition("/")
    if kind == "assumed-role":
        return f"role {rest.partition('/')[0]}"
    if kind in ("role", "user"):
        return f"{kind} {rest.rpartition('/')[2]}"
    return arn
