"""`tuning models`: the base models, what each accepts and costs, and the source of each value."""

from typing import TYPE_CHECKING, Any

import click

from bedrock_tuning.cli.options import complete_models, find_model
from bedrock_tuning.cli.terminal.command import command
from bedrock_tuning.cli.terminal.output import emit, emit_json, emit_table, json_option

if TYPE_CHECKING:
    from bedrock_tuning.catalogue import BaseModel, Sourced


@command(
    order=2,
    examples=(
        "tuning models --open",
        "tuning models titan-multimodal-embeddings-g1",
    ),
)
@click.argument(
    "model",
    required=False,
    metavar="[KEY]",
    shell_complete=complete_models,
    help="A model's key, as in the list.",
)
@click.option("--open", "only_open", is_flag=True, help="List only models that accept new jobs.")
@json_option
def models(*, model: str | None, only_open: bool, as_json: bool) -> None:
    """List the base models, or show every known value of one, with its source."""
    from bedrock_tuning.catalogue import catalogue

    if model is not None:
        base = find_model(model)
        if as_json:
            emit_json(base)
        else:
            _show(base)
        return
    listed_models = [base for base in catalogue().values() if _open(base) or not only_open]
    listed_models.sort(key=lambda base: (not _open(base), base.provider, base.key))
    if as_json:
        emit_json([_summary(base) for base in listed_models])
        return
    emit_table(
        ("KEY", "NAME", "NEW JOBS", "DATASETS", "REGIONS"),
        (
            (
                base.key,
                base.name,
                _openness(base),
                ", ".join(dict.fromkeys(c.format for c in base.datasets.values())),
                ", ".join(base.regions.customization),
            )
            for base in listed_models
        ),
        texts=("NAME", "NEW JOBS", "DATASETS"),
    )


def _open(model: "BaseModel") -> bool:
    return model.lifecycle.open_for_new_jobs


def _openness(model: "BaseModel") -> str:
    if not _open(model):
        return model.lifecycle.closed_because().partition(":")[0]
    is_startable = model.job_api == "CreateModelCustomizationJob"
    return "open" if is_startable else f"only through the {model.job_api} API"


def _summary(model: "BaseModel") -> dict[str, Any]:
    return {
        "key": model.key,
        "name": model.name,
        "provider": model.provider,
        "task": model.task,
        "open": _open(model),
        "closed_because": model.lifecycle.closed_because(),
        "customization_id": model.customization_id,
        "customization_types": model.customization_types,
        "formats": {kind: contract.format for kind, contract in model.datasets.items()},
        "regions": model.regions.customization,
    }


def _show(model: "BaseModel") -> None:
    emit(f"{model.name} ({model.key}) by {model.provider}: {model.task}")
    emit(f"New jobs: {_openness(model)}")
    check_only = [type_ for type_ in model.customization_types if type_ not in model.started_types]
    if check_only:
        emit(f"{', '.join(check_only)}: datasets are checked, jobs are not started by this project")
    for note in (model.note, model.lifecycle.note):
        if note:
            emit(note)
    section = ""
    for path, fact in model.facts.items():
        root, _, tail = path.partition(".")
        if root != section:
            emit(f"\n{root}")
            section = root
        emit(f"  {tail or root}: {_value(fact.value)}  [{_cite(fact)}]")
        for alternative in fact.alternatives:
            emit(f"      others say {_value(alternative.value)}  [{', '.join(alternative.source)}]")
    emit("\nSources and notes: docs/models.md")


def _cite(fact: "Sourced") -> str:
    words = [", ".join(fact.source)]
    if fact.confidence != "high":
        words.append(f"{fact.confidence} confidence")
    if fact.date is not None:
        words.append(f"seen {fact.date}")
    return "; ".join(words)


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, list | tuple):
        return ", ".join(map(_value, value))
    return str(value)
