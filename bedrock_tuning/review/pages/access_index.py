"""Who may do what in the templates, by the names that people know."""

from collections.abc import Collection, Iterator, Mapping
from functools import cached_property
from typing import Any, Final

from bedrock_tuning.contracts.contract import MACHINE
from bedrock_tuning.review.check import Evidence
from bedrock_tuning.review.iam.policy import Statement
from bedrock_tuning.review.iam.wildcards import meets
from bedrock_tuning.review.pages.labels import Labels
from bedrock_tuning.review.promises.deployment import DeploymentFacts
from bedrock_tuning.review.promises.promise import reached
from bedrock_tuning.review.workflow import graph

NOBODY: Final = "nobody"
_ITEMS: Final = (
    "dynamodb:PutItem",
    "dynamodb:UpdateItem",
    "dynamodb:DeleteItem",
    "dynamodb:Batch*",
)

# Roles by their paths, with the resources that they reach.
Allowed = list[tuple[str, frozenset[str]]]


class AccessIndex:
    """Answers from the policies of an assembly; what was asked once is kept."""

    def __init__(self, evidence: Evidence, labels: Labels) -> None:
        self.evidence, self.labels = evidence, labels
        self.deployment = DeploymentFacts(evidence=evidence)
        self._cache: dict[tuple[tuple[str, ...], str, str], Allowed] = {}

    def who(
        self,
        actions: Collection[str],
        resources: Collection[str],
        *,
        tag: str = "",
        key: str = "",
        people: bool = False,
    ) -> str:
        """Whose policies allow an action. people: only of people.

        tag, key: only of those that may change that tag, or write items with such a key.
        """
        names = [
            self.labels.path(path)
            for path, patterns in self._allowances(tuple(actions), tag, key)
            if (path in self._people or not people)
            and any(meets(resource, pattern) for resource in resources for pattern in patterns)
        ]
        return ", ".join(names) or NOBODY

    def writers(self, key: str) -> str:
        """Whose policies allow to write items of the runs table whose keys start like this."""
        return self.who(_ITEMS, self.deployment.tables, key=key)

    def _allowances(self, actions: tuple[str, ...], tag: str, key: str) -> Allowed:
        """Whose policies allow one of the actions, and to which resources."""
        question = actions, tag, key
        if question not in self._cache:
            self._cache[question] = [
                (role.path, resources)
                for role in self.evidence.permissions.roles.values()
                if (
                    resources := frozenset(
                        resource
                        for statement in role.policy
                        if statement.effect == "Allow"
                        and _changes(statement, tag)
                        and _writes(statement, key)
                        for _, resource in reached(statement, actions, ("*",))
                    )
                )
            ]
        return self._cache[question]

    @cached_property
    def _people(self) -> frozenset[str]:
        bound = self.evidence.bound
        roles = (*bound.contracts.people, *bound.contracts.roles)
        return frozenset(bound.path(role.place) for role in roles if "person." in role.name)

    def names(self, arns: Collection[str]) -> str:
        """Resources by their names."""
        return ", ".join(map(self.labels.arn, arns))

    def states(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Every state of every state machine."""
        for machine in self.evidence.assembly.of_type(MACHINE):
            for level in graph.graphs(graph.template_definition(machine)):
                yield from level.states.items()


def _changes(statement: Statement, tag: str) -> bool:
    """Whether a statement does not keep a tag as it is."""
    keys = [
        condition.values for condition in statement.conditions if condition.key == "aws:TagKeys"
    ]
    return not tag or not keys or any(tag in values for values in keys)


def _writes(statement: Statement, key: str) -> bool:
    """Whether a statement allows items whose keys start like this."""
    keys = [
        condition.values
        for condition in statement.conditions
        if condition.key == "dynamodb:LeadingKeys"
    ]
    return (
        not key or not keys or any(meets(value, f"{key}*") for values in keys for value in values)
    )
