"""The tables of a customization file beside the model: [serving], [budget], [rules], [tags]."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, cast

from bedrock_tuning.catalogue import BaseModel, account_facts, catalogue, cite
from bedrock_tuning.config.toml_section import Section, did_you_mean, listed, shown

# Ours, not Bedrock's: whoever needs more than a month should weigh a commitment instead.
LEASE_HOURS_MAX: Final = 30 * 24
# Ours: stops a slip of the finger; each unit is billed by the hour.
MODEL_UNITS_MAX: Final = 100
SMOKE_TEXT: Final = "a dog"
# For the tags that this project adds itself, e.g. a lease's end.
OWN_TAG_PREFIX: Final = "bedrock-tuning:"
OWN_TAGS_MAX: Final = 10

# Bedrock's patterns (botocore: TagKey, TagValue); its \s is ASCII.
_TAG_KEY: Final = re.compile(r"[a-zA-Z0-9\s._:/=+@-]{1,128}", re.ASCII)
_TAG_VALUE: Final = re.compile(r"[a-zA-Z0-9\s._:/=+@-]{0,256}", re.ASCII)
_RULE_ID: Final = re.compile(r"[A-Z][0-9]{3}")

ServingMode = Literal["provisioned", "on-demand", "none"]
Commitment = Literal["OneMonth", "SixMonths"]
OnDelete = Literal["delete", "retain"]
Approval = Literal["over-budget", "always", "never"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """A rule that this customization treats more mildly, and why."""

    severity: Literal["warning", "silent"]
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ServingWish:
    """How the custom model is to be served.

    model_units: of Provisioned Throughput; commitment: None is billed by the hour until deleted.
    lease_hours: after which a Provisioned Throughput without commitment is deleted.
    on_delete: what happens to it when the stack goes. smoke_text: what the smoke test sends.
    embedding_length: of the smoke test's vector; None for models that return no vector.
    """

    mode: ServingMode = "none"
    model_units: int = 1
    commitment: Commitment | None = None
    lease_hours: int | None = None
    on_delete: OnDelete = "delete"
    smoke_text: str = SMOKE_TEXT
    embedding_length: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What one run may cost in US dollars, and when a person has to agree before it starts."""

    max_run_usd: float | None = None
    approval: Approval = "always"


def read_serving(root: Section, *, model: BaseModel | None) -> ServingWish:
    """[serving]; without the table nothing is served and nothing is billed."""
    section = root.table("serving")
    if not root.holds_table("serving"):
        return ServingWish()
    modes = ("provisioned", "on-demand", "none")
    mode = cast(ServingMode, section.choice("mode", choices=modes, default=None))
    units = section.integer("model_units", default=1, least=1, most=MODEL_UNITS_MAX) or 1
    terms = ("OneMonth", "SixMonths")
    commitment = section.choice("commitment", choices=terms, default="") or None
    lease = section.integer("lease_hours", default=None, least=1, most=LEASE_HOURS_MAX)
    on_delete = section.choice("on_delete", choices=("delete", "retain"), default="")
    smoke_text = section.text("smoke_text", default=SMOKE_TEXT, most=10_000)
    length = section.integer("embedding_length", default=None, least=1, most=2**31 - 1)
    section.close()
    _check_mode(section, mode=mode, model=model)
    # A mode that is missing or that nobody can guess hides nothing that is wrong in every mode.
    unknown = not mode
    if mode == "provisioned" or unknown:
        _check_commitment(section, commitment=commitment, on_delete=on_delete)
    if mode == "provisioned":
        _check_lease(section, units=units, commitment=commitment)
    if mode in ("provisioned", "on-demand") or unknown:
        length = _embedding_length(section, length=length, model=model)
        if model is not None:
            _check_smoke_text(section, text=smoke_text, model=model)
    return ServingWish(
        mode=mode,
        model_units=units,
        commitment=cast("Commitment | None", commitment),
        lease_hours=lease,
        on_delete=cast(OnDelete, on_delete or ("retain" if commitment else "delete")),
        smoke_text=smoke_text,
        embedding_length=length,
    )


def _check_mode(section: Section, *, mode: str, model: BaseModel | None) -> None:
    useless = {
        "none": (
            "model_units",
            "commitment",
            "lease_hours",
            "on_delete",
            "smoke_text",
            "embedding_length",
        ),
        "on-demand": ("model_units", "commitment", "lease_hours"),
    }
    for key in useless.get(mode, ()):
        if key in section:
            section.problem(key, f'has no meaning with mode = "{mode}": remove it')
    if model is None:
        return
    possible = {
        "provisioned": model.serving.provisioned_throughput,
        "on-demand": model.serving.on_demand,
    }
    if not possible.get(mode, True):
        key = "provisioned_throughput" if mode == "provisioned" else "on_demand"
        cited = cite(model.source_of(f"serving.{key}").source)
        others = [other for other, offered in possible.items() if offered]
        section.problem(
            "mode",
            f'"{mode}" is not offered for custom models of {model.name} ({cited}): '
            f"use {listed([*others, 'none'])}",
        )


def _check_commitment(section: Section, *, commitment: str | None, on_delete: str) -> None:
    if commitment is None:
        return
    if "lease_hours" in section:
        section.problem(
            "lease_hours",
            "contradicts the commitment, which cannot be deleted before its term ends: "
            "remove one of the two",
        )
    if on_delete == "delete":
        section.problem(
            "on_delete",
            '"delete" is not possible before the commitment ends: write "retain"',
        )


def _check_lease(section: Section, *, units: int, commitment: str | None) -> None:
    if commitment is not None:
        return
    # A commitment that is spelled wrongly is no reason to ask for a lease.
    if "lease_hours" not in section and "commitment" not in section:
        section.problem(
            "lease_hours",
            "is missing: without a commitment the throughput is billed by the hour until it is "
            f"deleted; write lease_hours = 1 to {LEASE_HOURS_MAX}, or a commitment",
        )
    free = account_facts()["quotas.model_units_without_commitment"]
    if units > free.value:
        section.warn(
            "model_units",
            f"{units} without a commitment: {', '.join(free.source)} speaks of {free.value} per "
            "custom model; ask for the quota first",
        )


def _embedding_length(
    section: Section, *, length: int | None, model: BaseModel | None
) -> int | None:
    if model is None:
        anywhere = {n for each in catalogue().values() for n in each.inference.embedding_lengths}
        if length is not None and length not in anywhere:
            numbers = ", ".join(map(str, sorted(anywhere)))
            section.problem(
                "embedding_length",
                f"{shown(length)} is possible with no model of the catalogue: use one of {numbers}",
            )
        return None
    possible = model.inference.embedding_lengths
    if length is None:
        return model.inference.embedding_length_default
    if length in possible:
        return length
    if not possible:
        section.problem("embedding_length", f"has no meaning: {model.name} returns no vector")
    else:
        cited = cite(model.source_of("inference.embedding_lengths").source)
        numbers = ", ".join(map(str, possible))
        section.problem(
            "embedding_length",
            f"{shown(length)} is not possible ({model.name}, {cited}): use one of {numbers}",
        )
    return None


def _check_smoke_text(section: Section, *, text: str, model: BaseModel) -> None:
    limits = model.inference
    if limits.text_chars_max is not None and len(text) > limits.text_chars_max:
        cited = cite(model.source_of("inference.text_chars_max").source)
        section.problem(
            "smoke_text",
            f"has {len(text)} characters, {limits.text_chars_max} at most "
            f"({model.name}, {cited}): shorten it",
        )
    if limits.text_tokens_max is not None and limits.chars_per_token is not None:
        tokens = len(text) / limits.chars_per_token
        if tokens > limits.text_tokens_max:
            section.warn(
                "smoke_text",
                f"has about {tokens:.0f} tokens, {model.name} takes {limits.text_tokens_max}",
            )


def read_budget(root: Section) -> Budget:
    """[budget]; without the table a person has to agree to every run."""
    section = root.table("budget")
    amount = section.amount("max_run_usd")
    choices = ("over-budget", "always", "never")
    default = "over-budget" if "max_run_usd" in section else "always"
    approval = cast(Approval, section.choice("approval", choices=choices, default=default))
    section.close()
    if approval == "over-budget" and "max_run_usd" not in section:
        section.problem("approval", '"over-budget" needs a budget: add max_run_usd = 50.0')
    if approval == "never" and "max_run_usd" in section:
        section.problem(
            "approval",
            '"never" makes max_run_usd meaningless: remove it, or write approval = "over-budget"',
        )
    return Budget(max_run_usd=amount, approval=approval)


def read_overrides(section: Section, *, rules: Mapping[str, str] | None) -> Mapping[str, Override]:
    """[rules]: name = { severity = "warning" | "silent", reason = "…" }."""
    found: dict[str, Override] = {}
    names = list(section)
    known = {} if not names else _our_rules() if rules is None else rules
    for name in names:
        entry = section.table(name)
        if not section.holds_table(name):
            _check_rule(section, name=name, severity="", known=known)
            continue
        choices = ("warning", "silent")
        severity = entry.choice("severity", choices=choices, default=None)
        reason = entry.text("reason", default=None, most=300)
        entry.close()
        found[name] = Override(severity=cast(Literal["warning", "silent"], severity), reason=reason)
        _check_rule(section, name=name, severity=severity, known=known)
    return found


def _check_rule(section: Section, *, name: str, severity: str, known: Mapping[str, str]) -> None:
    if name not in known:
        hint = did_you_mean(name, known) or ": 'tuning rules' lists them"
        if _RULE_ID.fullmatch(name):
            hint = ": write the rule's name, not its id"
        section.problem(name, f"is no rule{hint}")
    elif severity == "silent" and known[name] == "error":
        section.problem(name, 'is an error: it can be lowered to "warning", it cannot be silenced')


def _our_rules() -> Mapping[str, str]:
    """Severity by rule name; imported only here, since most customizations override nothing."""
    from bedrock_tuning.rules import RULES

    return {rule.name: str(rule.severity) for rule in RULES}


def read_tags(section: Section) -> Mapping[str, str]:
    """[tags]: for every resource of this customization, in Bedrock's patterns."""
    found: dict[str, str] = {}
    most = account_facts()["quotas.tags_per_resource"].value - OWN_TAGS_MAX
    lower: set[str] = set()
    for key, value in section.entries():
        if not _TAG_KEY.fullmatch(key):
            section.problem(key, "use 1 to 128 letters, digits, spaces and . _ : / = + @ - (BC)")
        elif key.lower().startswith(("aws:", OWN_TAG_PREFIX)):
            section.problem(
                key, f"starts with a reserved prefix (aws:, {OWN_TAG_PREFIX}): rename it"
            )
        elif key.lower() in lower:
            section.problem(key, "differs from another tag only in case, which IAM refuses")
        if not isinstance(value, str):
            section.problem(key, f"must be text in quotes, not {shown(value)}")
        elif not _TAG_VALUE.fullmatch(value):
            section.problem(
                key,
                f"{shown(value)} is not possible: use at most 256 letters, digits, spaces and "
                ". _ : / = + @ - (BC)",
            )
        else:
            found[key] = value
        lower.add(key.lower())
    if len(section) > most:
        section.problem("", f"{len(section)} tags, {most} at most beside those of this project")
    return found
