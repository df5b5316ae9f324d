"""Reads a model file: every value must name its source, every key and type must be known."""

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from bedrock_tuning.catalogue._facts import Alternative, Source, Sourced, cite
from bedrock_tuning.catalogue._model import BaseModel, StepRecommendation
from bedrock_tuning.catalogue._shapes import (
    CustomizationType,
    DatasetContract,
    Dispute,
    Distillation,
    Hyperparameter,
    Ids,
    Inference,
    JobApi,
    Lifecycle,
    PriceList,
    Prices,
    Quotas,
    Regions,
    Serving,
    Task,
    TrainingTime,
)
from bedrock_tuning.errors import CatalogueError

# Words about the file itself; everything else is a fact and needs a source.
_PLAIN = frozenset({"name", "provider", "task", "input", "output", "note", "type"})

_Converted = TypeVar("_Converted")


class _Head(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The top level of a model file; tables are converted one by one so that errors name keys."""

    name: str
    provider: str
    task: Task
    input: tuple[str, ...]
    output: tuple[str, ...]
    customization_types: tuple[CustomizationType, ...]
    job_api: JobApi
    ids: dict[str, Any]
    regions: dict[str, Any]
    lifecycle: dict[str, Any]
    serving: dict[str, Any]
    datasets: dict[str, dict[str, Any]]
    hyperparameters: dict[str, dict[str, Any]] = {}
    rft_hyperparameters: dict[str, dict[str, Any]] = {}
    distillation: dict[str, Any] = {}
    prices: dict[str, Any] = {}
    price_list: dict[str, Any] = {}
    inference: dict[str, Any] = {}
    quotas: dict[str, Any] = {}
    training_time: dict[str, Any] = {}
    step_recommendation: dict[str, Any] | None = None
    note: str = ""


def read_toml(file: Path) -> dict[str, Any]:
    """A TOML file as a table; raises CatalogueError naming the file."""
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise CatalogueError(f"{file.name}: cannot be read: {error}") from error


def read_sources(file: Path) -> dict[str, Source]:
    """What each source tag stands for."""
    return _sources(file.name, read_toml(file))


def read_facts(file: Path, *, sources: Mapping[str, Source]) -> dict[str, Sourced]:
    """A file of facts that belong to no single model, by path."""
    facts: dict[str, Sourced] = {}
    _unwrap(read_toml(file), (), file.name, facts)
    _check_tags(file.name, facts, sources)
    return facts


def read_model(file: Path, *, sources: Mapping[str, Source]) -> BaseModel:
    """One model from its TOML file; the file's name is the model's key.

    sources: the shared source tags; a file may add its own in [sources].
    Raises CatalogueError naming file and key for an unknown key, a wrong type, a missing source,
    an unknown source tag, a price without a date, or a part that contradicts another.
    """
    document = read_toml(file)
    own = _sources(file.name, document.pop("sources", {}))
    facts: dict[str, Sourced] = {}
    plain = _unwrap(document, (), file.name, facts)
    known = {**sources, **own}
    _check_tags(file.name, facts, known)
    _check_prices(file.name, facts)
    head = _convert(plain, _Head, file.name, "")
    model = BaseModel(
        key=file.stem,
        name=head.name,
        provider=head.provider,
        task=head.task,
        input=head.input,
        output=head.output,
        ids=_convert(head.ids, Ids, file.name, "ids"),
        regions=_convert(head.regions, Regions, file.name, "regions"),
        lifecycle=_convert(head.lifecycle, Lifecycle, file.name, "lifecycle"),
        customization_types=head.customization_types,
        job_api=head.job_api,
        serving=_convert(head.serving, Serving, file.name, "serving"),
        datasets={
            name: _contract(file.name, name, table, facts, known)
            for name, table in head.datasets.items()
        },
        hyperparameters=_hyperparameters(head, "hyperparameters", file.name, facts),
        rft_hyperparameters=_hyperparameters(head, "rft_hyperparameters", file.name, facts),
        distillation=_convert(head.distillation, Distillation, file.name, "distillation"),
        prices=_convert(head.prices, Prices, file.name, "prices"),
        price_list=_convert(head.price_list, PriceList, file.name, "price_list"),
        inference=_convert(head.inference, Inference, file.name, "inference"),
        quotas=_convert(head.quotas, Quotas, file.name, "quotas"),
        training_time=_convert(head.training_time, TrainingTime, file.name, "training_time"),
        step_recommendation=None
        if head.step_recommendation is None
        else _convert(
            head.step_recommendation, StepRecommendation, file.name, "step_recommendation"
        ),
        facts=facts,
        sources={tag: known[tag] for tag in sorted(_tags(facts.values()))},
        note=head.note,
    )
    _check_whole(file.name, model)
    return model


def _unwrap(
    table: Mapping[str, Any], place: tuple[str, ...], file: str, facts: dict[str, Sourced]
) -> dict[str, Any]:
    """The table with each `{ value = …, source = … }` replaced by its value; fills `facts`."""
    plain: dict[str, Any] = {}
    for key, entry in table.items():
        path = ".".join((*place, key))
        if isinstance(entry, dict) and "value" not in entry:
            plain[key] = _unwrap(entry, (*place, key), file, facts)
        elif isinstance(entry, dict):
            fact = facts[path] = _convert(entry, Sourced, file, path)
            plain[key] = fact.value
            if fact.warn_above is not None:
                plain[key.removesuffix("max") + "warn"] = fact.warn_above
            if fact.warn_below is not None:
                plain[f"{key}_warn"] = fact.warn_below
            if not fact.source or not all(other.source for other in fact.alternatives):
                raise CatalogueError(f"{file}: {path}: the list of sources is empty")
        elif key in _PLAIN:
            plain[key] = entry
        else:
            raise CatalogueError(
                f"{file}: {path}: has no source; "
                f'write {key} = {{ value = {entry!r}, source = ["TAG"] }}'
            )
    return plain


def _convert(value: Any, shape: type[_Converted], file: str, path: str) -> _Converted:
    try:
        return msgspec.convert(value, shape)
    except msgspec.ValidationError as error:
        message = str(error).replace("`$.", f"`{path}." if path else "`").replace("`$`", path)
        where = f"{file}: {path}" if path else file
        raise CatalogueError(f"{where}: {message}") from error


def _contract(
    file: str,
    name: str,
    table: Mapping[str, Any],
    facts: Mapping[str, Sourced],
    known: Mapping[str, Source],
) -> DatasetContract:
    """One contract, with the disputes that the alternatives of its values tell of."""
    prefix = f"datasets.{name}."
    disputes = tuple(
        dispute
        for path, fact in facts.items()
        if path.startswith(prefix)
        for dispute in _disputes(path.removeprefix(prefix), fact, known)
    )
    contract = _convert(table, DatasetContract, file, prefix.rstrip("."))
    ratio = facts.get(f"{prefix}text.chars_per_token")
    return msgspec.structs.replace(
        contract, disputes=disputes, tokens_from="" if ratio is None else _ratio(ratio)
    )


def _ratio(fact: Sourced) -> str:
    return (
        f"up to {fact.value:g} characters per token ({cite(fact.source)}, confidence "
        f"{fact.confidence})"
    )


def _disputes(path: str, fact: Sourced, known: Mapping[str, Source]) -> Iterator[Dispute]:
    for other in fact.alternatives:
        ours, others = _told(fact, known), _told(other, known)
        if isinstance(fact.value, list) and isinstance(other.value, list):
            for value in fact.value:
                if value not in other.value:
                    yield Dispute(path=path, value=value, ours=ours, others=others)
        elif not isinstance(other.value, list):
            yield Dispute(path=path, value=other.value, ours=ours, others=others)


def _told(fact: Sourced | Alternative, known: Mapping[str, Source]) -> str:
    """Who says something, with what is noted about it; of a page its book is enough."""
    titles = [known[tag].title for tag in fact.source if known[tag].ref]
    *first, last = dict.fromkeys(title.partition(": ")[0] for title in titles) or [""]
    books = f"{', '.join(first)} and {last}" if first else last
    return f"{books} ({fact.note})" if fact.note else books


def _sources(file: str, table: Any) -> dict[str, Source]:
    if not isinstance(table, dict):
        raise CatalogueError(f"{file}: sources: must be a table")
    return {tag: _convert(entry, Source, file, tag) for tag, entry in table.items()}


def _hyperparameters(
    head: _Head, section: str, file: str, facts: Mapping[str, Sourced]
) -> dict[str, Hyperparameter]:
    found: dict[str, Hyperparameter] = {}
    for name, table in getattr(head, section).items():
        path = f"{section}.{name}"
        mine = (fact for place, fact in facts.items() if place.startswith(f"{path}."))
        source = tuple(dict.fromkeys(tag for fact in mine for tag in fact.source))
        found[name] = _convert(
            {**table, "name": name, "source": source}, Hyperparameter, file, path
        )
    return found


def _tags(facts: Any) -> Iterator[str]:
    for fact in facts:
        yield from fact.source
        for other in fact.alternatives:
            yield from other.source


def _check_tags(file: str, facts: Mapping[str, Sourced], known: Mapping[str, Source]) -> None:
    for path, fact in facts.items():
        unknown = [tag for tag in _tags([fact]) if tag not in known]
        if unknown:
            raise CatalogueError(
                f"{file}: {path}: unknown source {unknown[0]}; add it to _sources.toml "
                "or to this file's [sources]"
            )


def _check_prices(file: str, facts: Mapping[str, Sourced]) -> None:
    for path, fact in facts.items():
        if path.startswith("prices.") and fact.date is None:
            raise CatalogueError(f"{file}: {path}: a price needs the date on which it was seen")


def _check_whole(file: str, model: BaseModel) -> None:
    """What no single key can show."""
    kinds: tuple[str, ...] = CustomizationType.__args__  # type: ignore[attr-defined]
    for place in ("ids.customization", "ids.invoke", "regions.customization"):
        if not model.source_of(place).value:
            raise CatalogueError(f"{file}: {place}: is empty")
    for name, contract in model.datasets.items():
        if name not in kinds:
            raise CatalogueError(f"{file}: datasets.{name}: is none of {', '.join(kinds)}")
        if contract.format == "image-caption" and not (contract.image and contract.caption):
            raise CatalogueError(f"{file}: datasets.{name}: image-caption needs image and caption")
        if (contract.format == "converse") != (contract.conversation is not None):
            raise CatalogueError(f"{file}: datasets.{name}: converse needs [.conversation]")
    for name in model.customization_types:
        if name not in model.datasets:
            raise CatalogueError(f"{file}: customization_types: {name} has no [datasets.{name}]")
    for name, parameter in model.hyperparameters.items():
        low, high, default = parameter.min, parameter.max, parameter.default
        if low is not None and high is not None and low > high:
            raise CatalogueError(f"{file}: hyperparameters.{name}: min is above max")
        if isinstance(default, str) and parameter.type != "string" and default != parameter.auto:
            raise CatalogueError(
                f"{file}: hyperparameters.{name}: default is not the auto spelling"
            )
