"""Contracts compiled into policies: each grant becomes a statement, filled with real resources."""

import re
from collections.abc import Iterable, Mapping
from functools import partial

from aws_cdk import Fn, Names, Stack
from aws_cdk import aws_iam as iam
from constructs import Construct

from bedrock_tuning.config.settings import Settings
from bedrock_tuning.constructs.stack import export
from bedrock_tuning.contracts import Contracts, Grant, Role
from bedrock_tuning.contracts.bucket_access import ROLE_NAME_LENGTH, physical_name
from bedrock_tuning.contracts.construct_names import export_name, output_name, policy_output
from bedrock_tuning.contracts.contract import PLACEHOLDER
from bedrock_tuning.contracts.statements import (
    conditions_block,
    document,
    named,
    statement_block,
    whom,
)


class Permissions:
    """The contracts of an environment, and the resources that their placeholders stand for.

    Whatever makes a resource registers it here under its contract's name before another one's
    policy refers to it.
    """

    def __init__(self, contracts: Contracts, *, imports: bool = False) -> None:
        """imports: what is registered nowhere here is an export of the platform's stacks."""
        self.contracts = contracts
        self._imports = imports
        self._arns: dict[str, str] = {}
        self._attributes: dict[tuple[str, str], str] = {}
        self._places: dict[Construct, Mapping[str, str]] = {}

    @property
    def settings(self) -> Settings:
        """Of the environment."""
        return self.contracts.chosen

    def register(self, name: str, /, *, arn: str = "", **attributes: str) -> None:
        """What {name} and {name:attribute} stand for."""
        if arn:
            self._arns[name] = arn
        self._attributes |= {(name, key): value for key, value in attributes.items()}

    def offer(
        self,
        stacks: Mapping[str, Stack],
        names: Iterable[tuple[str, str]],
        *,
        but: set[tuple[str, str]],
    ) -> None:
        """Exports what customizations' stacks use.

        stacks: the platform's, by what they are for. names: those with attributes. but: what is
        exported already, to which this adds.
        """
        for name, attribute in names:
            if (name, attribute) in but:
                continue
            but.add((name, attribute))
            stack = stacks[self.contracts.places[name].stack]
            value = self.fill(f"{{{name}{':' if attribute else ''}{attribute}}}", stack)
            label = export_name(self.contracts.environment, name, attribute)
            export(stack, output_name(name, attribute), value, export_name=label)

    def elsewhere(self) -> "Permissions":
        """The same contracts for another stack, which imports what the platform offers."""
        return Permissions(self.contracts, imports=True)

    def fill(self, text: str, scope: Construct) -> str:
        """A contract's text with its placeholders replaced, as the stack of `scope` writes them.

        Raises KeyError for a resource that was never registered.
        """
        values = self._pseudo_parameters(scope)

        def value(match: re.Match[str]) -> str:
            name, attribute = match[1], match[2]
            token = self._attributes.get((name, attribute)) if attribute else self._arns.get(name)
            token = token or values.get(name)
            existing = self.contracts.known(name, attribute or "")
            if existing is not None:
                return self.fill(existing, scope)
            if token is None and self._imports and name in self.contracts.places:
                return Fn.import_value(
                    export_name(self.contracts.environment, name, attribute or "")
                )
            if token is None:
                raise KeyError(f"{match[0]} in {text!r}: nothing is registered under that name")
            return token

        return PLACEHOLDER.sub(value, text)

    def _pseudo_parameters(self, scope: Construct) -> Mapping[str, str]:
        """Where a construct is deployed; asked once, for each answer comes from another process."""
        if scope not in self._places:
            stack = Stack.of(scope)
            self._places[scope] = {
                "partition": stack.partition,
                "region": stack.region,
                "region-plain": stack.region.replace("-", ""),
                "account": stack.account,
            }
        return self._places[scope]

    def statements(
        self, permissions: Iterable[Grant], scope: Construct
    ) -> list[iam.PolicyStatement]:
        """Those of a resource's own policy, one for each permission."""
        fill = partial(self.fill, scope=scope)
        return [
            iam.PolicyStatement.from_json(
                {**_sid(sid, grant), "Principal": whom(grant, fill), **statement_block(grant, fill)}
            )
            for sid, grant in named(permissions)
        ]

    def document(self, permissions: Iterable[Grant], scope: Construct) -> iam.PolicyDocument:
        """A whole policy of a role or of people, as one text.

        Statement by statement, it would be a call of another process for each.
        """
        return iam.PolicyDocument.from_json(document(permissions, partial(self.fill, scope=scope)))

    def role(self, scope: Construct, name: str, *, description: str = "") -> iam.Role:
        """A role with its whole policy inside, so that it never exists without it.

        name: its contract's, without "role."; its construct is the contract's, too. description:
        what it does, if not given.
        """
        contract, boundary = self.contracts.role(name), self.settings.permissions_boundary
        construct_id = contract.place.path.rpartition("/")[2]
        document = self.document((*contract.grants, *contract.refusals), scope)
        role = iam.Role(
            scope,
            construct_id,
            assumed_by=self._principal(contract, scope),
            path=None if contract.path == "/" else contract.path,
            description=description or contract.does,
            role_name=self._role_name(scope, construct_id, contract),
            permissions_boundary=(
                iam.ManagedPolicy.from_managed_policy_arn(
                    scope, f"{construct_id}Boundary", boundary
                )
                if boundary
                else None
            ),
            inline_policies={"Policy": document} if contract.grants else None,
        )
        self.register(contract.name, arn=role.role_arn)
        return role

    def person(self, scope: Construct, name: str) -> iam.ManagedPolicy:
        """The policy of some people, to be attached to their own roles.

        name: its contract's, without "person.". Its construct and its place in a stack are the
        contract's; the output that is called like it has its ARN.
        """
        contract = self.contracts.person(name)
        construct_id = contract.place.path.rpartition("/")[2]
        policy = iam.ManagedPolicy(
            scope,
            construct_id,
            path=contract.path,
            description=f"Bedrock Tuning, {self.contracts.environment}: {contract.does}",
            document=self.document((*contract.grants, *contract.refusals), scope),
        )
        export(Stack.of(scope), policy_output(construct_id), policy.managed_policy_arn)
        return policy

    def _principal(self, contract: Role, scope: Construct) -> iam.IPrincipal:
        conditions = conditions_block(contract.trust, partial(self.fill, scope=scope))
        if contract.service:
            return iam.ServicePrincipal(contract.service, conditions=conditions)
        # Named by a condition: IAM keeps a principal's id, which is another one when the role that
        # is named is made again.
        return iam.AccountRootPrincipal().with_conditions(conditions)

    def _role_name(self, scope: Construct, construct_id: str, contract: Role) -> str | None:
        if self.settings.deny_others:
            return physical_name(self.settings, contract)
        # Only accounts that demand a prefix get physical names: they forbid some replacements.
        prefix = self.settings.role_name_prefix
        if not prefix:
            return None
        room = ROLE_NAME_LENGTH - len(prefix)
        unique = Names.unique_resource_name(scope, max_length=room - len(construct_id))
        return f"{prefix}{unique}{construct_id}"


def _sid(sid: str, grant: Grant) -> dict[str, str]:
    """None for what every key's policy says, as KMS itself writes it."""
    return {} if grant.everybody_here else {"Sid": sid}
