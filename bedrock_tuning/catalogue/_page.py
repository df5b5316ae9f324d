"""Writes docs/models.md from the catalogue: what is open, every limit and price with its source."""

import re
from collections.abc import Iterable
from datetime import date
from typing import Any, Final

from bedrock_tuning.catalogue import (
    Alternative,
    BaseModel,
    Hyperparameter,
    Sourced,
    account_facts,
    catalogue,
    sources,
)

_HEADER: Final = """# Base models

`make docs` writes this page from `bedrock_tuning/catalogue/*.toml`: edit the file, not the page.
Adding a model is adding one file.

Every value names its source; [the list of sources](#sources) is at the end. Values without a mark
have high confidence (one clear official source, or several that agree). *medium*: official, but
disputed or old. *low*: inferred, or from one unofficial source. If sources differ, the model's
section *Where sources differ* shows the value that we use, the other values, and the value above
which a check warns. Token counts are estimated from characters. Prices are in US dollars, with the
date on which the source showed them; verify them before you rely on them. A price that is not
listed is unknown, not zero.
"""

# Facts of these sections are shown as one table each; datasets and hyperparameters have their own.
_SECTIONS: Final = (
    ("Identity", ("customization_types", "job_api", "ids", "regions", "lifecycle", "serving")),
    ("Teachers for distillation", ("distillation",)),
    ("Prices", ("prices", "price_list")),
    ("Inference and quotas", ("inference", "quotas")),
    ("Training time", ("training_time",)),
    ("Recommended steps", ("step_recommendation",)),
)
_ALSO: Final = {
    "auto": "Bedrock chooses when it reads",
    "multiple_of": "in steps of",
    "choices": "one of",
    "divide_records_by": "rule of thumb: records /",
}
_CONFIDENCES: Final = ("high", "medium", "low")


def models_page() -> str:
    """The whole page as Markdown."""
    models = list(catalogue().values())
    models.sort(
        key=lambda model: (not model.lifecycle.open_for_new_jobs, model.provider, model.key)
    )
    tags = {tag: source for model in models for tag, source in model.sources.items()}
    tags.update(sources())
    account = account_facts()
    parts = [
        _HEADER,
        "## Which models accept jobs\n",
        _overview(models),
        "\n## Account\n",
        _facts_table((path.removeprefix("quotas."), fact) for path, fact in account.items()),
        *(_model(model) for model in models),
        "\n## Sources\n",
        _table(
            ("Tag", "What", "Where"),
            (
                (f'<a id="source-{tag.lower()}"></a>{tag}', tags[tag].title, tags[tag].ref)
                for tag in sorted(tags)
            ),
        ),
    ]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(parts)).rstrip() + "\n"


def _overview(models: Iterable[BaseModel]) -> str:
    return _table(
        ("Model", "Key", "New jobs", "Jobs in", "Customization types", "Custom models served by"),
        (
            (
                f"[{model.name}](#{model.key})",
                f"`{model.key}`",
                _openness(model),
                _value(model.regions.customization),
                ", ".join(
                    _type(customization_type, model)
                    for customization_type in model.customization_types
                ),
                _serving_in_words(model),
            )
            for model in models
        ),
    )


def _type(name: str, model: BaseModel) -> str:
    words = name.replace("_", " ").lower()
    is_started_here = name in model.started_types
    return words if is_started_here else f"{words} (datasets are checked, jobs not started)"


def _openness(model: BaseModel) -> str:
    if not model.lifecycle.open_for_new_jobs:
        return f"closed: {model.lifecycle.closed_because().partition(':')[0]}"
    is_started_here = model.job_api == "CreateModelCustomizationJob"
    return "**open**" if is_started_here else f"through the {model.job_api} API only"


def _serving_in_words(model: BaseModel) -> str:
    offers = {
        "Provisioned Throughput": model.serving.provisioned_throughput,
        "on demand": model.serving.on_demand,
    }
    return ", ".join(way for way, is_offered in offers.items() if is_offered) or "unknown"


def _model(model: BaseModel) -> str:
    parts = [f'\n## <a id="{model.key}"></a>{model.name}\n']
    note = "".join(f" {text}" for text in (model.note, model.lifecycle.note) if text)
    parts.append(
        f"{model.provider}, {model.task}: {_value(model.input)} → {_value(model.output)}.{note}\n"
    )
    titles = dict(_SECTIONS)
    parts.append(_section(model, "Identity", titles["Identity"]))
    for kind, contract in model.datasets.items():
        prefix = f"datasets.{kind}."
        facts = (
            (path.removeprefix(prefix), fact)
            for path, fact in model.facts.items()
            if path.startswith(prefix)
        )
        parts += [f"\n### Dataset for {kind} ({contract.format})\n", _facts_table(facts)]
    for section in ("hyperparameters", "rft_hyperparameters"):
        parts.append(_hyperparameters(model, section))
    parts += [_section(model, title, roots) for title, roots in _SECTIONS[1:]]
    parts.append(_conflicts(model))
    return "\n".join(part for part in parts if part)


def _section(model: BaseModel, title: str, roots: tuple[str, ...]) -> str:
    facts = [(path, fact) for path, fact in model.facts.items() if path.split(".")[0] in roots]
    if not facts:
        return f"\n### {title}\n\nNothing is known.\n" if title == "Prices" else ""
    rows = ((path.partition(".")[2] if len(roots) == 1 else path, fact) for path, fact in facts)
    return f"\n### {title}\n\n{_facts_table(rows)}"


def _facts_table(facts: Iterable[tuple[str, Sourced]]) -> str:
    return _table(
        ("What", "Value", "Source", "Note"),
        ((f"`{path}`", _fact(fact), _tags(fact.source), _note(fact)) for path, fact in facts),
    )


def _hyperparameters(model: BaseModel, section: str) -> str:
    parameters = getattr(model, section)
    if not parameters:
        return ""
    title = "Hyperparameters" if section == "hyperparameters" else "Hyperparameters of RFT jobs"
    header = ("Name", "Type", "Min", "Max", "Default", "Also", "Source", "Confidence")
    rows = (_hyperparameter(model, section, parameter) for parameter in parameters.values())
    return f"\n### {title}\n\n{_table(header, rows)}"


def _hyperparameter(model: BaseModel, section: str, parameter: Hyperparameter) -> tuple[str, ...]:
    prefix = f"{section}.{parameter.name}."
    facts = {
        path.removeprefix(prefix): fact
        for path, fact in model.facts.items()
        if path.startswith(prefix)
    }
    also = [f"{label} {_value(facts[key].value)}" for key, label in _ALSO.items() if key in facts]
    if parameter.required:
        also.append("always sent")
    also += dict.fromkeys(fact.note for fact in facts.values() if fact.note)
    if parameter.note:
        also.append(parameter.note)
    weakest = max((fact.confidence for fact in facts.values()), key=_CONFIDENCES.index)
    bounds = (facts.get(key) for key in ("min", "max", "default"))
    return (
        f"`{parameter.name}`",
        parameter.type,
        *("–" if fact is None else _value(fact.value) for fact in bounds),
        "; ".join(also),
        _tags(parameter.source),
        weakest,
    )


def _conflicts(model: BaseModel) -> str:
    rows = [
        (
            f"`{path}`",
            f"{_value(fact.value)} ({_tags(fact.source)})",
            "; ".join(map(_alternative, fact.alternatives)),
            _warns(fact),
        )
        for path, fact in model.facts.items()
        if fact.alternatives
    ]
    if not rows:
        return ""
    table = _table(("What", "We use", "Others say", "A check warns"), rows)
    return f"\n### Where sources differ\n\n{table}"


def _warns(fact: Sourced) -> str:
    if fact.warn_below is not None:
        return f"below {_value(fact.warn_below)}"
    return "" if fact.warn_above is None else f"above {_value(fact.warn_above)}"


def _alternative(alternative: Alternative) -> str:
    note = f": {alternative.note}" if alternative.note else ""
    return f"{_value(alternative.value)} ({_tags(alternative.source)}{note})"


def _fact(fact: Sourced) -> str:
    text = "any" if fact.value == "" else _value(fact.value)
    return f"{text} (“{fact.published}”)" if fact.published else text


def _note(fact: Sourced) -> str:
    parts = [
        "" if fact.confidence == "high" else f"*{fact.confidence}*",
        fact.note,
        f"quota {fact.quota_code}" if fact.quota_code else "",
        f"seen {fact.date}" if fact.date else "",
    ]
    return "; ".join(filter(None, parts))


def _tags(tags: Iterable[str]) -> str:
    return ", ".join(f"[{tag}](#source-{tag.lower()})" for tag in tags)


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, list | tuple):
        sentences = any(isinstance(item, dict) or " " in str(item) for item in value)
        return ("; " if sentences else ", ").join(map(_value, value))
    if isinstance(value, dict):
        return " ".join(f"{key.replace('_', ' ')} {_value(item)}" for key, item in value.items())
    if isinstance(value, date):
        return value.isoformat()
    return str(value).replace("\n", "\\n").replace("<", "&lt;")


def _table(header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [header, tuple("---" for _ in header), *rows]
    return "".join(
        f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |\n" for line in lines
    )
