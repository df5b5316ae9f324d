"""Names that people know for ARNs, accounts and services: "Training", not its forty characters."""

import re
from collections import Counter
from collections.abc import Mapping
from itertools import takewhile
from typing import Final

from bedrock_tuning.contracts.written.customization import SERVING
from bedrock_tuning.review.assembly import identity
from bedrock_tuning.review.assembly.template import Assembly, Resource
from bedrock_tuning.review.iam.wildcards import arn_matches, is_literal

_KINDS: Final = {
    "AWS::CloudWatch::Alarm": "alarm",
    "AWS::DynamoDB::Table": "table",
    "AWS::EC2::SecurityGroup": "security group",
    "AWS::EC2::Subnet": "subnet",
    "AWS::EC2::VPC": "network",
    "AWS::EC2::VPCEndpoint": "endpoint",
    "AWS::Events::Rule": "rule",
    "AWS::IAM::Role": "role",
    "AWS::KMS::Key": "key",
    "AWS::Lambda::Function": "function",
    "AWS::Lambda::LayerVersion": "layer",
    "AWS::Logs::LogGroup": "logs",
    "AWS::S3::Bucket": "bucket",
    "AWS::SNS::Topic": "topic",
    "AWS::SQS::Queue": "queue",
    "AWS::Scheduler::Schedule": "schedule",
    "AWS::StepFunctions::StateMachine": "workflow",
}
# Resources of AWS that are not in templates, by the beginning of the ARN's last part.
_OTHERS: Final = (
    ("model-customization-job/*", "every customization job"),
    ("custom-model/*", "every custom model"),
    ("provisioned-model/*", "every Provisioned Throughput"),
    ("custom-model-deployment/*", "every on-demand deployment"),
    ("network-interface/*", "every network interface"),
    ("vpc-flow-log/*", "every flow log"),
    ("alarm:*", "every alarm"),
    ("function:*", "every function"),
    ("security-group/", "security group "),
    ("role/", "role "),
    ("foundation-model/", "base model "),
    ("parameter/", "parameters /"),
    ("stack/", "stacks "),
    ("execution:", "executions of "),
    ("log-group:", "logs "),
    ("function:", "function "),
    ("alarm:", "alarm "),
)
_ARN: Final = re.compile(r"arn:[^\s,]+")
# What a Map state of a state machine starts.
_CHILDREN: Final = re.compile(r"execution:[\w-]+/\*")
_FEW: Final = 12
# Where the name of a resource can end in a longer one.
_ENDS: Final = re.compile("[/:]")
_NOISE: Final = ("/Role", "/Function", "/Logs")


def type_label(resource: Resource) -> str:
    """One word for a resource's type."""
    return _KINDS.get(resource.type, resource.type.rpartition("::")[2].lower())


def _shared_prefix(stacks: list[str]) -> str:
    """What all names of stacks begin with, up to a hyphen; a single one shares nothing."""
    if len(stacks) < 2:
        return ""
    columns = zip(*stacks, strict=False)
    prefix = "".join(
        column[0] for column in takewhile(lambda column: len(set(column)) == 1, columns)
    )
    return prefix[: prefix.rfind("-") + 1]


class Labels:
    """The names of everything in an assembly, without what all of its stacks have in common.

    What several stacks have, and what is in a customization's, is named with its stack.
    """

    def __init__(self, assembly: Assembly) -> None:
        self.shared = _shared_prefix(list(assembly.templates))
        self._regions = set(assembly.regions.values())
        tails = Counter(resource.path.partition("/")[2] for resource in assembly.resources)
        self._in_many = {tail for tail, count in tails.items() if count > 1}
        # Also while there is only one: a second one must not rename what the first one has.
        self._customizations = {resource.stack for resource in assembly.of_type(SERVING)}
        self._known: Mapping[str, str] = {
            resource.arn.removesuffix(":*"): f"{type_label(resource)} {self.of(resource)}"
            for resource in assembly.resources
            if resource.arn
        }
        self._roles = {role.arn: self.of(role) for role in assembly.of_type("AWS::IAM::Role")}

    def of(self, resource: Resource) -> str:
        """A resource's own name: its path in its stack, without what its kind says anyway."""
        return self.path(resource.path or resource.logical_id)

    def path(self, path: str) -> str:
        """The same for a construct path."""
        stack, _, tail = path.partition("/")
        is_ambiguous = tail in self._in_many or stack in self._customizations
        name = f"{self.stack(stack)}/{tail}" if is_ambiguous else tail or path
        for noise in _NOISE:
            name = name.removesuffix(noise)
        return name

    def stack(self, name: str) -> str:
        """A stack's name without what all have in common."""
        return name.removeprefix(self.shared)

    def arn(self, arn: str) -> str:
        """What an ARN or a pattern of ARNs names."""
        if arn == "*":
            return "everything"
        for end in (len(arn), *reversed([match.start() for match in _ENDS.finditer(arn)])):
            label = self._known.get(arn[:end])
            if label is not None:
                tail = arn[end:]
                return label + (f" {tail}" if tail not in ("", ":*") else "")
        parts = arn.split(":", 5)
        if len(parts) < 6:
            return arn
        if _CHILDREN.fullmatch(parts[5]):
            return f"executions of maps of {parts[5][len('execution:') : -len('/*')]}"
        for start, words in _OTHERS:
            if parts[5].startswith(start):
                name = words + parts[5][len(start) :].removeprefix("/")
                return self._this_account(name) + self._elsewhere(parts[3], parts[4])
        return self._this_account(arn)

    def _elsewhere(self, region: str, account: str) -> str:
        """Where something is, if that is not this account and one of these Regions."""
        owner = "" if account in ("", identity.ACCOUNT) else f" of account {account}"
        place = "" if region in ("", *self._regions) else f" in {region}"
        words = (owner + place).replace("account *", "every account")
        return words.replace("in *", "in every Region")

    @staticmethod
    def _this_account(text: str) -> str:
        return re.sub(rf"\b{identity.ACCOUNT}\b", "this account", text)

    def _matching_roles(self, arn: str) -> str:
        """Which of these roles a pattern names: " (Functions/Merge, Functions/Serve)"."""
        if ":role/" not in arn or is_literal(arn):
            return ""
        names = [name for role, name in self._roles.items() if arn_matches(arn, role)]
        rest = [f"{len(names) - _FEW} more"] if len(names) > _FEW else []
        return f" ({', '.join((*names[:_FEW], *rest)) or 'none of these stacks'})"

    def principal(self, kind: str, name: str) -> str:
        """Who a policy speaks of."""
        if name == "*":
            return "everybody"
        if name in (identity.ACCOUNT, f"arn:{identity.PARTITION}:iam::{identity.ACCOUNT}:root"):
            return "this account"
        if kind == "Service":
            return name.removesuffix(".amazonaws.com")
        return self.arn(name)

    def text(self, text: str) -> str:
        """A text with names for the ARNs in it, and words for the account."""
        text = _ARN.sub(lambda match: self.arn(match[0]) + self._matching_roles(match[0]), text)
        return self._this_account(text)
