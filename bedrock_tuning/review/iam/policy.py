"""A policy document as checked data; whatever is not understood is a problem, never skipped."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from bedrock_tuning.contracts import Condition

POLICY_VERSION: Final = "2012-10-17"
_ELEMENTS: Final = frozenset(
    {
        "Sid",
        "Effect",
        "Principal",
        "NotPrincipal",
        "Action",
        "NotAction",
        "Resource",
        "NotResource",
        "Condition",
    }
)
_PRINCIPALS: Final = frozenset({"AWS", "Service", "Federated", "CanonicalUser"})

PolicyKind = Literal["identity", "resource", "trust"]
Principals = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One statement.

    where: place of the policy for a reader, such as "Policies/Policy". principals: None where the
    policy has none (identity policies); {"AWS": ("*",)} for everybody.
    """

    where: str
    sid: str
    effect: Literal["Allow", "Deny"]
    principals: Principals | None = None
    not_principals: Principals | None = None
    actions: tuple[str, ...] = ()
    not_actions: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    not_resources: tuple[str, ...] = ()
    conditions: tuple[Condition, ...] = ()

    @property
    def label(self) -> str:
        """How a message calls the statement."""
        return f"{self.where}: {self.sid}" if self.sid else self.where


@dataclass(slots=True)
class Document:
    """A parsed policy: its statements and what is wrong with its form."""

    statements: list[Statement] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def as_list(value: Any) -> list[Any]:
    """A value that may stand alone or in a list, as a list."""
    if value is None:
        return []
    return list(value) if isinstance(value, list) else [value]


def text(value: Any) -> str:
    """A condition's value as IAM reads it: true, 1.2 and "x" are all texts."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def parse_policy(document: Any, *, where: str, kind: PolicyKind = "identity") -> Document:
    """Reads a resolved policy document. Only a role's trust policy names no resource, and only
    identity policies name no principal."""
    policy = Document()
    if not isinstance(document, dict):
        policy.problems.append(f"{where}: the policy is not an object")
        return policy
    policy.problems += [
        f"{where}: unknown element {name!r}"
        for name in document
        if name not in ("Version", "Id", "Statement")
    ]
    if document.get("Version") != POLICY_VERSION:
        policy.problems.append(
            f"{where}: Version is {document.get('Version')!r}, not {POLICY_VERSION!r}: "
            "policy variables would not work"
        )
    statements = as_list(document.get("Statement"))
    if not statements:
        policy.problems.append(f"{where}: the policy has no statement")
    for number, raw in enumerate(statements):
        place = f"{where}/Statement/{number}"
        if not isinstance(raw, dict):
            policy.problems.append(f"{place}: the statement is not an object")
            continue
        policy.problems += _form(raw, place)
        for element, must_have in (
            ("Resource", kind != "trust"),
            ("Principal", kind != "identity"),
        ):
            if must_have != bool({element, f"Not{element}"} & set(raw)):
                problem = "missing" if must_have else "not allowed"
                policy.problems.append(f"{place}: {element} is {problem}")
        policy.statements.append(_statement(raw, where))
    return policy


def _form(raw: Mapping[str, Any], place: str) -> Iterator[str]:
    for name in raw:
        if name not in _ELEMENTS:
            yield f"{place}: unknown element {name!r}"
    if raw.get("Effect") not in ("Allow", "Deny"):
        yield f"{place}: Effect is {raw.get('Effect')!r}, not Allow or Deny"
    if ("Action" in raw) == ("NotAction" in raw):
        yield f"{place}: needs exactly one of Action and NotAction"
    if "Resource" in raw and "NotResource" in raw:
        yield f"{place}: has both Resource and NotResource"
    for name in ("Action", "NotAction", "Resource", "NotResource"):
        values = as_list(raw.get(name))
        if name in raw and not (
            values and all(isinstance(value, str) and value for value in values)
        ):
            yield f"{place}: {name} must be a text or a list of texts"
    principal = raw.get("Principal", raw.get("NotPrincipal"))
    if isinstance(principal, dict):
        for kind in principal:
            if kind not in _PRINCIPALS:
                yield f"{place}: unknown kind of principal {kind!r}"
    elif principal is not None and principal != "*":
        yield f"{place}: Principal must be an object or '*'"
    condition = raw.get("Condition", {})
    if not isinstance(condition, dict) or not all(
        isinstance(keys, dict) and keys for keys in condition.values()
    ):
        yield f"{place}: Condition must be operator → key → values"


def _statement(raw: Mapping[str, Any], where: str) -> Statement:
    return Statement(
        where=where,
        sid=str(raw.get("Sid", "")),
        effect="Deny" if raw.get("Effect") == "Deny" else "Allow",
        principals=_principals(raw.get("Principal")),
        not_principals=_principals(raw.get("NotPrincipal")),
        actions=_texts(raw.get("Action")),
        not_actions=_texts(raw.get("NotAction")),
        resources=_texts(raw.get("Resource")),
        not_resources=_texts(raw.get("NotResource")),
        conditions=tuple(_conditions(raw.get("Condition"))),
    )


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(str(item) for item in as_list(value))


def _principals(value: Any) -> Principals | None:
    if value is None:
        return None
    if isinstance(value, dict):
        return {str(kind): _texts(names) for kind, names in value.items()}
    return {"AWS": _texts(value)}


def _conditions(value: Any) -> Iterator[Condition]:
    if not isinstance(value, dict):
        return
    for operator, keys in value.items():
        if isinstance(keys, dict):
            for key, values in keys.items():
                yield Condition.of(
                    str(operator), str(key), *(text(item) for item in as_list(values))
                )
