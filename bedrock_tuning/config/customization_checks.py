"""What a customization file says against the catalogue and against itself."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from bedrock_tuning.catalogue import BaseModel, account_facts, catalogue, cite, key_of
from bedrock_tuning.config import tags
from bedrock_tuning.config.customization_fields import (
    LEASE_HOURS_MAX,
    TABLES,
    Budget,
    DesiredServing,
    RuleOverride,
    tags_max,
)
from bedrock_tuning.config.messages import quoted_choices, shown
from bedrock_tuning.config.reader import Problems, Section
from bedrock_tuning.dataset.tokens import caption_tokens
from bedrock_tuning.wording import closest, or_meant

_RULE_ID: Final = re.compile(r"[A-Z][0-9]{3}")
_THROUGHPUT_ONLY: Final = ("model_units", "commitment", "lease_hours", "idle_hours")
_USELESS: Final[Mapping[str, tuple[str, ...]]] = {
    "none": tuple(key for key in TABLES["serving"] if key != "mode"),
    "on-demand": _THROUGHPUT_ONLY,
}


def read_model(root: Section, *, key: str) -> BaseModel | None:
    """The base model, or after reporting an unknown key the one that was probably meant."""
    models = catalogue()
    if key in models or not key:
        return models.get(key)
    base = key_of(key)
    guess = base or closest(key, models)
    fix = f"; did you mean {guess}?" if guess else f": use one of {', '.join(models)}"
    problem = f"{shown(key)} is not in the catalogue{fix}"
    if base and ":custom-model/" in key:
        problem = (
            f"{shown(key)} is a custom model: write base_model = {shown(base)}, and its ARN as "
            "custom_model"
        )
    root.problem("base_model", problem)
    return models.get(guess)


def check_open(root: Section, *, model: BaseModel, allowed: bool) -> None:
    """Whether the model takes new jobs; `allowed` is for accounts with extended access."""
    reason = model.lifecycle.closed_because()
    if not reason:
        if allowed:
            root.warn("allow_closed_model", f"is not needed: {model.name} is open")
        return
    cited = cite(model.source_of("lifecycle.open_for_new_jobs").source)
    if allowed:
        root.warn(
            "base_model",
            f"{model.name} is {reason} ({cited}); Bedrock will refuse the job unless "
            "your account has extended access",
        )
    else:
        root.problem(
            "base_model",
            f"{model.name} is {reason} ({cited}): choose an open model, or write "
            "allow_closed_model = true if your account has extended access",
        )


def check_type(root: Section, *, type_: str, model: BaseModel) -> bool:
    """Whether the model offers this customization type and the project starts its jobs."""
    possible = model.started_types
    if type_ in possible:
        return True
    if not possible:
        reason = f"jobs of {model.name} use another API, which this project does not call"
    else:
        hint = or_meant(type_, possible)
        reason = (
            f"{shown(type_)} is not offered for {model.name}: use {quoted_choices(possible)}{hint}"
        )
    root.problem("customization_type", reason)
    return False


def check_any_type(root: Section, *, type_: str) -> None:
    """As check_type, while the base model is unknown."""
    types = sorted({name for model in catalogue().values() for name in model.customization_types})
    if type_ not in types:
        fix = or_meant(type_, types) or f": use {quoted_choices(types)}"
        root.problem("customization_type", f"{shown(type_)} is not offered for any model{fix}")


def check_region(
    problems: Problems, *, model: BaseModel, mode: str, region: str, environments: str
) -> None:
    """Whether the model can be customized and served in a Region; environments: those there."""
    regions = model.regions
    uses = [("customization", "takes customization jobs", regions.customization)]
    if mode == "provisioned":
        uses.append(("throughput", "has Provisioned Throughput", regions.throughput))
    if mode == "on-demand":
        uses.append(("on_demand", "serves custom models on demand", regions.on_demand))
    for key, ability, possible in uses:
        if possible and region not in possible:
            cited = cite(model.source_of(f"regions.{key}").source)
            problems.add(
                ("base_model",),
                f"{model.name} {ability} in {', '.join(possible)} ({cited}), not in {region} "
                f"({environments}): leave it out there with only or only_regions, or choose "
                "another model",
            )


def read_serving(root: Section, *, model: BaseModel | None) -> DesiredServing:
    """[serving]; without the table nothing is served and nothing is billed."""
    section = root.table("serving")
    if not root.holds_table("serving"):
        return DesiredServing()
    values = section.read(TABLES["serving"])
    mode, commitment = values.get("mode", ""), values.get("commitment")
    serving = DesiredServing(**{"on_delete": "retain" if commitment else "delete", **values})
    for key in _USELESS.get(mode, ()):
        if key in section:
            section.problem(key, f'has no effect with mode = "{mode}": remove it')
    if model is not None:
        _check_mode(section, mode=mode, model=model)
    # A mode that is missing or that nobody can guess hides nothing that is wrong in every mode.
    if mode in ("provisioned", "") and commitment is not None:
        _check_commitment(
            section, on_delete=values.get("on_delete"), strategy=values.get("strategy")
        )
    if mode == "provisioned" and commitment is None:
        _check_lease(section, serving=serving)
    if mode == "none":
        return serving
    length = _embedding_length(section, length=values.get("embedding_length"), model=model)
    if model is not None:
        _check_smoke_text(section, text=serving.smoke_text, model=model)
    return replace(serving, embedding_length=length)


def _check_mode(section: Section, *, mode: str, model: BaseModel) -> None:
    offered = {
        "provisioned": model.serving.provisioned_throughput,
        "on-demand": model.serving.on_demand,
    }
    if offered.get(mode, True):
        return
    key = "provisioned_throughput" if mode == "provisioned" else "on_demand"
    cited = cite(model.source_of(f"serving.{key}").source)
    others = [other for other, is_offered in offered.items() if is_offered]
    section.problem(
        "mode",
        f'"{mode}" is not offered for custom models of {model.name} ({cited}): '
        f"use {quoted_choices([*others, 'none'])}",
    )


def _check_commitment(section: Section, *, on_delete: str | None, strategy: str | None) -> None:
    if "lease_hours" in section:
        section.problem(
            "lease_hours",
            "contradicts the commitment, which cannot be deleted before its term ends: "
            "remove one of the two",
        )
    if on_delete == "delete":
        section.problem(
            "on_delete", '"delete" is not possible before the commitment ends: write "retain"'
        )
    if "idle_hours" in section:
        section.problem(
            "idle_hours",
            "contradicts the commitment, which cannot be deleted: remove one of the two",
        )
    if strategy == "blue-green":
        section.problem(
            "strategy",
            '"blue-green" would buy another commitment for each new model, and none of them can be '
            'deleted: write "swap", or use a lease instead of the commitment',
        )


def _check_lease(section: Section, *, serving: DesiredServing) -> None:
    # A commitment that is spelled wrongly is no reason to ask for a lease.
    if "lease_hours" not in section and "commitment" not in section:
        section.problem(
            "lease_hours",
            "is missing: without a commitment the throughput is billed by the hour until it is "
            f"deleted; write lease_hours = 1 to {LEASE_HOURS_MAX}, or a commitment",
        )
    idle, lease = serving.idle_hours, serving.lease_hours
    if idle is not None and lease is not None and idle >= lease:
        section.problem(
            "idle_hours",
            f"{idle} has no effect: the lease of {lease} h ends first; write less than {lease}, or "
            "remove it",
        )
    quota = account_facts()["quotas.model_units_without_commitment"]
    if serving.model_units > quota.value:
        section.warn(
            "model_units",
            f"{serving.model_units} without a commitment: "
            f"the quota per custom model is {quota.value} "
            f"({cite(quota.source)}); request an increase first",
        )


def _embedding_length(
    section: Section, *, length: int | None, model: BaseModel | None
) -> int | None:
    if model is None:
        lengths = {n for base in catalogue().values() for n in base.inference.embedding_lengths}
        if length is not None and length not in lengths:
            numbers = ", ".join(map(str, sorted(lengths)))
            section.problem(
                "embedding_length",
                f"{shown(length)} fits no model of the catalogue: use one of {numbers}",
            )
        return None
    possible = model.inference.embedding_lengths
    if length is None:
        return model.inference.embedding_length_default
    if length in possible:
        return length
    if not possible:
        section.problem("embedding_length", f"has no effect: {model.name} returns no vector")
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
            f"has {len(text)} characters, the maximum is {limits.text_chars_max} "
            f"({model.name}, {cited}): shorten it",
        )
    if limits.text_tokens_max is not None and limits.chars_per_token is not None:
        tokens = caption_tokens(text, chars_per_token=limits.chars_per_token)
        if tokens > limits.text_tokens_max:
            section.warn(
                "smoke_text",
                f"has about {tokens:.0f} tokens, {model.name} takes {limits.text_tokens_max}",
            )


def read_budget(root: Section) -> Budget:
    """[budget]; without the table every run waits for approval."""
    section = root.table("budget")
    values = section.read(TABLES["budget"])
    has_limit = "max_run_usd" in section
    approval = values.setdefault("approval", "over-budget" if has_limit else "always")
    if approval == "over-budget" and not has_limit:
        section.problem("approval", '"over-budget" needs a budget: add max_run_usd = 50.0')
    if approval == "never" and has_limit:
        section.problem(
            "approval",
            '"never" makes max_run_usd meaningless: remove it, or write approval = "over-budget"',
        )
    if "max_run_usd" in values:
        values["max_run_usd"] = float(values["max_run_usd"])
    return Budget(**values)


def read_overrides(section: Section) -> Mapping[str, RuleOverride]:
    """[rules]: name = { severity = "warning" | "silent", reason = "…" }."""
    overrides: dict[str, RuleOverride] = {}
    levels = {} if not len(section) else rule_severities()
    for name in section:
        entry = section.table(name)
        values = entry.read(TABLES["rules.NAME"]) if section.holds_table(name) else {}
        _check_rule(section, name=name, severity=values.get("severity", ""), levels=levels)
        if set(values) == set(TABLES["rules.NAME"]):
            overrides[name] = RuleOverride(**values)
    return overrides


def _check_rule(section: Section, *, name: str, severity: str, levels: Mapping[str, str]) -> None:
    if name not in levels:
        hint = or_meant(name, levels) or ": `tuning rules` lists them"
        if _RULE_ID.fullmatch(name):
            hint = ": write the rule's name, not its id"
        section.problem(name, f"is not a rule{hint}")
    elif severity == "silent" and levels[name] == "error":
        section.problem(name, 'is an error: it can be lowered to "warning", not silenced')


def rule_severities() -> Mapping[str, str]:
    """Severity by rule name; imported only here, since most customizations override nothing."""
    from bedrock_tuning.rules import RULES

    return {rule.name: str(rule.severity) for rule in RULES}


def read_tags(section: Section) -> Mapping[str, str]:
    """[tags]: for every resource of this customization, in Bedrock's patterns."""
    for key, problem in tags.problems(dict(section.items())):
        section.problem(key, problem)
    if len(section) > tags_max():
        section.problem(
            "", f"{len(section)} tags, the maximum is {tags_max()} beside those of this project"
        )
    return dict(section.items())
