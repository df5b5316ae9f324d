"""A file in customizations/ as a checked value: what to tune, how to serve it, what it may cost."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any, Final, cast

import msgspec

from bedrock_tuning.catalogue import (
    BaseModel,
    CustomizationType,
    DatasetContract,
    Validation,
    catalogue,
    cite,
)
from bedrock_tuning.config.customization_tables import (
    Budget,
    Override,
    ServingWish,
    read_budget,
    read_overrides,
    read_serving,
    read_tags,
)
from bedrock_tuning.config.hyperparameters import check_without_model, resolve
from bedrock_tuning.config.toml_section import (
    HOMES,
    Problems,
    Section,
    closest,
    did_you_mean,
    listed,
    shown,
)
from bedrock_tuning.errors import CustomizationError

__all__ = [
    "Budget",
    "Customization",
    "Found",
    "Override",
    "ServingWish",
    "load",
    "load_all",
    "scan",
]

# Part of every job, model and Provisioned Throughput name beside the run, within Bedrock's 63.
NAME_LENGTH_MAX: Final = 30
NAME: Final = re.compile(r"[a-z0-9](-?[a-z0-9])*")
# Jobs of the other types need a customizationConfig (a teacher model, a grader).
STARTED_TYPES: Final = ("FINE_TUNING", "CONTINUED_PRE_TRAINING")
# Endings of files that were probably meant to be customizations, and would be ignored silently.
_SLIPS: Final = (".toml.txt", ".tml", ".yaml", ".yml", ".json")


@dataclass(frozen=True, slots=True, kw_only=True)
class Customization:
    """What one team wants tuned: a file in customizations/, checked against the catalogue.

    hyperparameters: complete, as strings ready for Bedrock. overrides: by rule name.
    warnings: what a reader should know although the file is usable.
    """

    name: str
    file: str
    description: str
    base_model: BaseModel
    customization_type: CustomizationType
    allow_closed_model: bool
    hyperparameters: Mapping[str, str]
    validation: Validation
    overrides: Mapping[str, Override]
    serving: ServingWish
    budget: Budget
    tags: Mapping[str, str]
    warnings: tuple[str, ...]

    @property
    def dataset(self) -> DatasetContract:
        """What the dataset must look like, with this customization's validation policy."""
        contract = self.base_model.datasets[self.customization_type]
        return msgspec.structs.replace(contract, validation=self.validation)

    def problems_in_region(self, region: str) -> tuple[str, ...]:
        """Why this customization cannot live in a Region: one sentence each, empty if it can."""
        problems = Problems(file=self.file)
        _check_region(problems, model=self.base_model, mode=self.serving.mode, region=region)
        return tuple(problems.found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a folder holds: customizations by name, how many files, everything that is wrong."""

    customizations: Mapping[str, Customization]
    files: int
    problems: tuple[str, ...]


def load(
    text: str,
    *,
    file: str,
    models: Mapping[str, BaseModel] | None = None,
    rules: Mapping[str, str] | None = None,
    region: str | None = None,
) -> Customization:
    """A customization from the text of its file.

    file: how problems call it, e.g. "customizations/pets-search.toml"; its stem is the name.
    models: the catalogue to use instead of ours. rules: severity by rule name, instead of ours.
    region: where it shall live; None checks nothing about that.
    Raises CustomizationError with every problem of the file.
    """
    problems = Problems(file=file)
    name = PurePath(file).stem
    _check_name(name, problems=problems)
    table = _parse(text, problems=problems)
    if table is not None:
        found = read_file(
            Section(table=table, path="", problems=problems),
            name=name,
            models=catalogue() if models is None else models,
            rules=rules,
            region=region,
        )
        if found is not None and not problems.found:
            return found
    raise CustomizationError(problems.found)


def load_all(
    directory: Path,
    *,
    models: Mapping[str, BaseModel] | None = None,
    rules: Mapping[str, str] | None = None,
) -> Mapping[str, Customization]:
    """Every *.toml of a folder by name, in alphabetical order.

    Raises CustomizationError with every problem of every file, also when there is no file.
    """
    found = scan(directory, models=models, rules=rules)
    if found.problems:
        raise CustomizationError(found.problems)
    return found.customizations


def scan(
    directory: Path,
    *,
    models: Mapping[str, BaseModel] | None = None,
    rules: Mapping[str, str] | None = None,
    region: str | None = None,
) -> Found:
    """As `load_all`, for callers that have more to check: problems are returned, not raised.

    region: where the customizations shall live; None checks nothing about that.
    """
    found: dict[str, Customization] = {}
    problems: list[str] = []
    files = sorted(directory.glob("*.toml")) if directory.is_dir() else []
    if not files:
        problems.append(f"{directory.name}: has no customization: write {directory.name}/NAME.toml")
    problems += _ignored(directory)
    for path in files:
        label = f"{directory.name}/{path.name}"
        try:
            text = path.read_bytes().decode("utf-8")
            found[path.stem] = load(text, file=label, models=models, rules=rules, region=region)
        except UnicodeDecodeError as error:
            line = error.object.count(b"\n", 0, error.start) + 1
            where = f"byte {error.start} (line {line})"
            problems.append(f"{label}: {where} is not UTF-8: save it as UTF-8")
        except OSError as error:
            problems.append(f"{label}: cannot be read: {error.strerror}")
        except CustomizationError as error:
            problems.extend(error.problems)
    return Found(customizations=found, files=len(files), problems=tuple(problems))


def _ignored(directory: Path) -> list[str]:
    """What lies in the folder, was probably meant to be read, and would not be."""
    problems = []
    for path in sorted(directory.iterdir()) if directory.is_dir() else ():
        name, lower = path.name, path.name.lower()
        if path.is_dir() and any(path.glob("*.toml")):
            problems.append(
                f"{directory.name}/{name}/: folders in here are not read: move its files up"
            )
        elif lower.endswith(_SLIPS) or (lower.endswith(".toml") and not name.endswith(".toml")):
            problems.append(
                f"{directory.name}/{name}: only files that end in .toml are read: rename it, or "
                "move it away"
            )
    return problems


def _parse(text: str, *, problems: Problems) -> dict[str, Any] | None:
    """The file's table; None if it is not TOML."""
    if text.startswith("\ufeff"):
        problems.add("", "starts with a byte order mark: save it as UTF-8 without one")
    try:
        return tomllib.loads(text.removeprefix("\ufeff"))
    except RecursionError:
        problems.add("", "is not TOML: nested too deeply")
    except ValueError as error:
        problems.add("", f"is not TOML: {error}{_slip(str(error), text)}")
    return None


def _slip(message: str, text: str) -> str:
    """The line that TOML's reader stumbled over, and the commonest fix; "" if it names none."""
    fixes = {
        "Invalid value": "text stands in quotes",
        "Expected '='": "write key = value",
        "Cannot": "write each table and key once",
    }
    fix = next((fix for begin, fix in fixes.items() if message.startswith(begin)), "")
    where = re.search(r"at line (\d{1,9})", message)
    lines = text.split("\n")
    if where is None or int(where[1]) > len(lines):
        return f": {fix}" if fix else ""
    return f", in {shown(lines[int(where[1]) - 1].strip())}" + (f": {fix}" if fix else "")


def _check_name(name: str, *, problems: Problems) -> None:
    if len(name) > NAME_LENGTH_MAX or not NAME.fullmatch(name):
        problems.add(
            "",
            f"the name {shown(name)} is not possible: use lower-case letters, digits and single "
            f"hyphens between them, {NAME_LENGTH_MAX} characters at most",
        )


def read_file(
    root: Section,
    *,
    name: str,
    models: Mapping[str, BaseModel],
    rules: Mapping[str, str] | None,
    region: str | None = None,
) -> Customization | None:
    """Reads all tables even after a problem; None when model or type stay unknown."""
    description = root.text("description", default=None, most=200)
    model = _model(root, models=models)
    kind = root.text("customization_type", default="FINE_TUNING", most=60)
    allowed = root.flag("allow_closed_model", default=False)
    parameters, dataset = root.table("hyperparameters"), root.table("dataset")
    choice = dataset.choice("validation", choices=("required", "optional", "forbidden"), default="")
    dataset.close()
    serving = read_serving(root, model=model)
    budget = read_budget(root)
    overrides = read_overrides(root.table("rules"), rules=rules)
    tags = read_tags(root.table("tags"))
    names = {name for each in models.values() for name in each.hyperparameters}
    root.close(homes={**HOMES, **dict.fromkeys(names, "hyperparameters")})
    if model is None:
        check_without_model(section=parameters, models=models)
        _check_any_type(root, kind=kind, models=models)
        return None
    _check_open(root, model=model, allowed=allowed)
    if region is not None:
        _check_region(root.problems, model=model, mode=serving.mode, region=region)
    hyperparameters = resolve(section=parameters, model=model)
    if not _check_type(root, kind=kind, model=model):
        return None
    published = model.datasets[kind].validation
    if choice and choice != published:
        fact = model.source_of(f"datasets.{kind}.validation")
        dataset.warn(
            "validation",
            f'"{choice}" overrides the catalogue\'s "{published}" ({cite(fact.source)})',
        )
    return Customization(
        name=name,
        file=root.problems.file,
        description=description,
        base_model=model,
        customization_type=cast(CustomizationType, kind),
        allow_closed_model=allowed,
        hyperparameters=hyperparameters,
        validation=cast(Validation, choice or published),
        overrides=overrides,
        serving=serving,
        budget=budget,
        tags=tags,
        warnings=tuple(root.problems.warnings),
    )


def _model(root: Section, *, models: Mapping[str, BaseModel]) -> BaseModel | None:
    """The base model, or after reporting a wrong key the one that was probably meant."""
    key = root.text("base_model", default=None, most=100)
    if key in models:
        return models[key]
    if key:
        by_id = {id_: each for each, model in models.items() for id_ in model.customization_ids}
        plain = key.rpartition("/")[2]  # of an ARN
        meant = by_id.get(plain) or by_id.get(f"{plain}:0") or closest(key, models)
        fix = f"; did you mean {meant}?" if meant else f": use one of {', '.join(models)}"
        root.problem("base_model", f"{shown(key)} is not in the catalogue{fix}")
        return models.get(meant)
    return None


def _check_open(root: Section, *, model: BaseModel, allowed: bool) -> None:
    why = model.lifecycle.closed_because()
    if not why:
        if allowed:
            root.warn("allow_closed_model", f"is not needed: {model.name} is open")
        return
    cited = cite(model.source_of("lifecycle.open_for_new_jobs").source)
    if allowed:
        root.warn(
            "base_model",
            f"{model.name} is {why} ({cited}); Bedrock will refuse the job unless "
            "your account has extended access",
        )
    else:
        root.problem(
            "base_model",
            f"{model.name} is {why} ({cited}): choose an open model, or write "
            "allow_closed_model = true if your account has extended access",
        )


def _check_type(root: Section, *, kind: str, model: BaseModel) -> bool:
    possible = [each for each in model.customization_types if each in STARTED_TYPES]
    if kind in possible:
        return True
    if model.job_api != "CreateModelCustomizationJob":
        why = f"jobs of {model.name} go through another API, which this project does not call"
    elif kind in model.customization_types:
        why = f"{kind} jobs are not started by this project: use {listed(possible)}"
    else:
        why = f"{shown(kind)} is not offered for {model.name}: use {listed(possible)}"
    hint = "" if kind in model.customization_types else did_you_mean(kind, possible)
    root.problem("customization_type", f"{why}{hint}")
    return False


def _check_any_type(root: Section, *, kind: str, models: Mapping[str, BaseModel]) -> None:
    """As _check_type, while the base model is unknown."""
    known = sorted({each for model in models.values() for each in model.customization_types})
    if kind not in known:
        fix = did_you_mean(kind, known) or f": use {listed(STARTED_TYPES)}"
        root.problem("customization_type", f"{shown(kind)} is offered for no model{fix}")


def _check_region(problems: Problems, *, model: BaseModel, mode: str, region: str) -> None:
    regions = model.regions
    wanted = [("customization", "takes customization jobs", regions.customization)]
    if mode == "provisioned":
        wanted.append(("throughput", "has Provisioned Throughput", regions.throughput))
    if mode == "on-demand":
        wanted.append(("on_demand", "serves custom models on demand", regions.on_demand))
    for key, does, possible in wanted:
        if possible and region not in possible:
            cited = cite(model.source_of(f"regions.{key}").source)
            problems.add(
                "base_model",
                f"{model.name} {does} in {', '.join(possible)} ({cited}), not in {region}: "
                "deploy this environment there or choose another model",
            )
