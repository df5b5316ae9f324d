"""Reads a model file: every value must name its source, every key and type must be known."""

import tomllib
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from bedrock_tuning.catalogue._facts import Alternative, Source, Sourced, cite
from bedrock_tuning.catalogue._model import BaseModel
from bedrock_tuning.catalogue._shapes import (
    CustomizationType,
    DatasetContract,
    Dispute,
    Hyperparameter,
)
from bedrock_tuning.errors import CatalogueError

# Words about the file itself; everything else is a fact and needs a source.
_PLAIN = frozenset({"name", "provider", "task", "input", "output", "note", "type"})

_Converted = TypeVar("_Converted")


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
    file_sources = _sources(file.name, document.pop("sources", {}))
    facts: dict[str, Sourced] = {}
    plain = _unwrap(document, (), file.name, facts)
    known_sources = {**sources, **file_sources}
    _check_tags(file.name, facts, known_sources)
    _check_prices(file.name, facts)
    for name in {"key", "facts"} & plain.keys():
        raise CatalogueError(f"{file.name}: Object contains unknown field `{name}`")
    _convert_tables(plain, "datasets", partial(_contract, file.name, facts, known_sources))
    for section in ("hyperparameters", "rft_hyperparameters"):
        _convert_tables(plain, section, partial(_hyperparameter, file.name, facts))
    used_sources = {tag: known_sources[tag] for tag in sorted(_tags(facts.values()))}
    plain |= {"key": file.stem, "facts": facts, "sources": used_sources}
    model = _convert(plain, BaseModel, file.name)
    _check_consistency(file.name, model)
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
            if not fact.source or not all(alternative.source for alternative in fact.alternatives):
                raise CatalogueError(f"{file}: {path}: the list of sources is empty")
        elif key in _PLAIN:
            plain[key] = entry
        else:
            raise CatalogueError(
                f"{file}: {path}: has no source; "
                f'write {key} = {{ value = {entry!r}, source = ["TAG"] }}'
            )
    return plain


def _convert(value: Any, shape: type[_Converted], file: str, path: str = "") -> _Converted:
    """path: of the value in the file; of a whole file, errors name the table that they are in."""
    try:
        return msgspec.convert(value, shape)
    except msgspec.ValidationError as error:
        words, _, place = str(error).partition(" - at `$.")
        place = place.removesuffix("`")
        if not path and isinstance(value.get(place.partition(".")[0]), dict):
            path, _, place = place.partition(".")
        where = ": ".join(filter(None, (file, path, words)))
        position = f" - at `{'.'.join(filter(None, (path, place)))}`" if place else ""
        raise CatalogueError(where + position) from error


def _convert_tables(
    plain: dict[str, Any], section: str, convert: Callable[[str, dict[str, Any]], object]
) -> None:
    """Tables whose names are free, one by one, so that errors name them; the rest is not ours."""
    if isinstance(tables := plain.get(section), dict):
        for name, table in tables.items():
            if isinstance(table, dict):
                tables[name] = convert(f"{section}.{name}", table)


def _contract(
    file: str,
    facts: Mapping[str, Sourced],
    sources: Mapping[str, Source],
    path: str,
    table: dict[str, Any],
) -> DatasetContract:
    """One contract, with the disputes that the alternatives of its values tell of."""
    disputes = tuple(
        dispute
        for place, fact in facts.items()
        if place.startswith(f"{path}.")
        for dispute in _disputes(place.removeprefix(f"{path}."), fact, sources)
    )
    contract = _convert(table, DatasetContract, file, path)
    ratio = facts.get(f"{path}.text.chars_per_token")
    return msgspec.structs.replace(
        contract, disputes=disputes, tokens_from="" if ratio is None else _ratio(ratio)
    )


def _ratio(fact: Sourced) -> str:
    return (
        f"up to {fact.value:g} characters per token ({cite(fact.source)}, confidence "
        f"{fact.confidence})"
    )


def _disputes(path: str, fact: Sourced, sources: Mapping[str, Source]) -> Iterator[Dispute]:
    for alternative in fact.alternatives:
        attribution, other_attribution = (
            _attribution(fact, sources),
            _attribution(alternative, sources),
        )
        if isinstance(fact.value, list) and isinstance(alternative.value, list):
            for value in fact.value:
                if value not in alternative.value:
                    yield Dispute(
                        path=path, value=value, ours=attribution, others=other_attribution
                    )
        elif not isinstance(alternative.value, list):
            yield Dispute(
                path=path, value=alternative.value, ours=attribution, others=other_attribution
            )


def _attribution(fact: Sourced | Alternative, sources: Mapping[str, Source]) -> str:
    """Who says something, with what is noted about it; of a page its book is enough."""
    titles = [sources[tag].title for tag in fact.source if sources[tag].ref]
    *first, last = dict.fromkeys(title.partition(": ")[0] for title in titles) or [""]
    books = f"{', '.join(first)} and {last}" if first else last
    return f"{books} ({fact.note})" if fact.note else books


def _sources(file: str, table: Any) -> dict[str, Source]:
    if not isinstance(table, dict):
        raise CatalogueError(f"{file}: sources: must be a table")
    return {tag: _convert(entry, Source, file, tag) for tag, entry in table.items()}


def _hyperparameter(
    file: str, facts: Mapping[str, Sourced], path: str, table: dict[str, Any]
) -> Hyperparameter:
    parameter_facts = (fact for place, fact in facts.items() if place.startswith(f"{path}."))
    source = tuple(dict.fromkeys(tag for fact in parameter_facts for tag in fact.source))
    name = path.partition(".")[2]
    return _convert({**table, "name": name, "source": source}, Hyperparameter, file, path)


def _tags(facts: Any) -> Iterator[str]:
    for fact in facts:
        yield from fact.source
        for alternative in fact.alternatives:
            yield from alternative.source


def _check_tags(file: str, facts: Mapping[str, Sourced], sources: Mapping[str, Source]) -> None:
    for path, fact in facts.items():
        unknown_tags = [tag for tag in _tags([fact]) if tag not in sources]
        if unknown_tags:
            raise CatalogueError(
                f"{file}: {path}: unknown source {unknown_tags[0]}; add it to _sources.toml "
                "or to this file's [sources]"
            )


def _check_prices(file: str, facts: Mapping[str, Sourced]) -> None:
    for path, fact in facts.items():
        if path.startswith("prices.") and fact.date is None:
            raise CatalogueError(f"{file}: {path}: a price needs the date on which it was seen")


def _check_consistency(file: str, model: BaseModel) -> None:
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
