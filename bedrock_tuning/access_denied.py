"""A refusal of AWS in its own words → who may not do what to what, which policy says so, the fix.

Source of the wording: IAM User Guide, "Troubleshoot access denied error messages".
"""

import re
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Denial:
    """One refused request.

    principal: "role NAME", "user NAME", or the ARN as it came. resource: "" where the message names
    none. policy: the kind of policy that decided, "" where the message does not say.
    explicit: a policy forbids it; else none allows it.
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
        return (
            f"{what}: a {self.policy} forbids it"
            if self.explicit
            else (f"{what}: no {self.policy} allows it")
        )

    @property
    def ours(self) -> bool:
        """Whether it is about the caller, and not about one bucket, key or object alone."""
        return bool(self.policy) and not self.policy.startswith("resource-based")

    @property
    def fix(self) -> str:
        """What to do, for the policy that decided."""
        if self.principal.startswith("user "):
            return f"ask who administrates the account for {self.action}, or use another profile"
        for word, fix in _FIXES.items():
            if word in self.policy:
                return fix
        return _OWN_POLICY


_OWN_POLICY: Final = (
    "compare the role with docs/permissions.md. If somebody changed it, `cdk drift` shows that and "
    "`cdk deploy --revert-drift` puts it back; if nobody did, deploy again: code and roles belong "
    "together"
)
# By a word in the kind of the policy that decided.
_FIXES: Final = {
    "service control policy": (
        "an organization's policy decides this, and nothing in this app can allow it: ask who "
        "administrates the organization"
    ),
    "resource control policy": (
        "an organization's policy decides this, and nothing in this app can allow it: ask who "
        "administrates the organization"
    ),
    "permissions boundary": (
        "widen the policy that the setting permissions_boundary names; docs/permissions.md lists "
        "what each role must be able to do"
    ),
    "endpoint policy": (
        "the policy of the VPC endpoint must let this through: `cdk drift` shows whether that of "
        "the app was changed; docs/hardening.md says how your own are checked"
    ),
    "resource-based policy": (
        "the policy of the bucket, key or topic decides this: `cdk drift` shows whether it was "
        "changed; with the setting deny_others only the app's roles and data_roles get through"
    ),
}
_MESSAGE: Final = re.compile(
    r"(?P<principal>arn:[\w-]{1,20}:(?:sts|iam)::[0-9]{12}:[^\s\"]{1,300}) is not authorized to "
    r"perform: (?P<action>[\w-]{1,60}:\w{1,100})"
    # S3 quotes its resources, and their keys may have blanks.
    r"(?: on resource: (?:\"(?P<quoted>[^\"]{1,2048})\"|(?P<resource>[^\s\"]{1,2048})))?"
    r"(?: (?P<how>because no|with an explicit deny in an?) "
    r"(?P<policy>[a-z-]{1,20}(?: [a-z-]{1,20}){0,3}? policy|permissions boundary))?",
    re.IGNORECASE,
)


def denial(message: str) -> Denial | None:
    """The refusal that a message tells of; None when it tells of none in AWS's own words."""
    found = _MESSAGE.search(message)
    if found is None:
        return None
    return Denial(
        principal=_who(found["principal"]),
        action=found["action"],
        resource=found["quoted"] or (found["resource"] or "").rstrip(".,;"),
        policy=found["policy"] or "",
        explicit=(found["how"] or "").lower().startswith("with"),
    )


def _who(arn: str) -> str:
    kind, _, rest = arn.split(":", 5)[5].partition("/")
    if kind == "assumed-role":
        return f"role {rest.partition('/')[0]}"
    if kind in ("role", "user"):
        return f"{kind} {rest.rpartition('/')[2]}"
    return arn
