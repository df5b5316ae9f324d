"""The caller: every operation is authorized on exactly the resources that AWS names for it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from local.bedrock.data.records import Tags
from local.bedrock.errors import BedrockError
from local.emulator import keys, roles

SERVICE: Final = "bedrock.amazonaws.com"


@dataclass(frozen=True, slots=True)
class Caller:
    """The signed caller of one request; its signature was checked before."""

    operation: str
    access_key: str
    region: str
    account: str

    def arn(self, kind: str, name: str) -> str:
        """An ARN of this account: `kind` is e.g. "custom-model"."""
        return f"arn:aws:bedrock:{self.region}:{self.account}:{kind}/{name}"

    def authorize(
        self,
        *resources: str,
        action: str = "",
        request_tags: Tags | None = None,
        resource_tags: Tags | None = None,
    ) -> None:
        """Raise AccessDeniedException unless the caller may do this on all of the resources.

        action: if it is not named as the operation. Tags become `aws:RequestTag/…`, `aws:TagKeys`
        and `aws:ResourceTag/…`.
        """
        context: dict[str, Any] = {}
        if request_tags:
            context |= {f"aws:RequestTag/{key}": value for key, value in request_tags.items()}
            context["aws:TagKeys"] = list(request_tags)
        if resource_tags:
            context |= {f"aws:ResourceTag/{key}": value for key, value in resource_tags.items()}
        for resource in resources:
            self._enforce(f"bedrock:{action or self.operation}", resource, context)

    def tag(self, arn: str, tags: Tags) -> None:
        """Raise AccessDeniedException unless the caller may create this with its tags."""
        if tags:
            self.authorize(arn, action="TagResource", request_tags=tags)

    def pass_role(self, role_arn: str) -> None:
        """Raise AccessDeniedException unless the caller may pass the role to Bedrock."""
        self._enforce("iam:PassRole", role_arn, {"iam:PassedToService": SERVICE})

    def use_key(self, key: str, actions: Iterable[str]) -> None:
        """Raise AccessDeniedException unless the caller may use the key through Bedrock."""
        for action in actions:
            reason = keys.refusal(
                access_key=self.access_key,
                action=action,
                key=key,
                region=self.region,
                service="bedrock",
                context={},
            )
            if reason is not None:
                raise BedrockError("AccessDeniedException", reason)

    def _enforce(self, action: str, resource: str, context: Mapping[str, Any]) -> None:
        reason = roles.refusal(
            self.access_key, action=action, resource=resource, region=self.region, context=context
        )
        if reason is not None:
            raise BedrockError("AccessDeniedException", reason)
