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
from bedrock_tuning.config import customization_checks as checks
from bedrock_tuning.config.customization_fields import (
    HOMES,
    SECTIONS,
    TABLES,
    Budget,
    DesiredServing,
    Override,
)
from bedrock_tuning.config.hyperparameters import check_without_model, resolve
from bedrock_tuning.config.lines import toml_lines
from bedrock_tuning.config.messages import shown
from bedrock_tuning.config.reader import Problems, Section
from bedrock_tuning.errors import CustomizationError

__all__ = [
    "Budget",
    "Customization",
    "DesiredServing",
    "LoadResult",
    "Override",
    "load",
    "load_all",
    "scan",
]

# Part of every job, model and Provisioned Throughput name beside the run, within Bedrock's 63.
NAME_LENGTH_MAX: Final = 30
NAME: Final = re.compile(r"[a-z0-9](-?[a-z0-9])*")
# A customization's stack is named like the platform's stacks.
RESERVED_NAMES: Final = ("data", "network", "pipeline", "serving")
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
    serving: DesiredServing
    budget: Budget
    tags: Mapping[str, str]
    warnings: tuple[str, ...]

    @property
    def dataset(self) -> DatasetContract:
        """What the dataset must look like, with this customization's validation policy."""
        contract = self.base_model.datasets[self.customization_type]
        return msgspec.structs.replace(contract, validation=self.validation)

    def problems_in_region(self, region: str) -> tuple[str, ...]:
        """Why this customization cannot be deployed in a Region: one sentence each, or none."""
        problems = Problems(file=self.file)
        checks.check_region(problems, model=self.base_model, mode=self.serving.mode, region=region)
        return tuple(problems.found)


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadResult:
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
    region: where it is deployed; None checks nothing about that.
    Raises CustomizationError with every problem of the file.
    """
    problems = Problems(file=file, lines=lambda: toml_lines(text.removeprefix("\ufeff")))
    name = PurePath(file).stem
    _check_name(name, problems=problems)
    table = _parse(text, problems=problems)
    if table is not None:
        customization = _read_file(
            Section(table=table, path=(), problems=problems),
            name=name,
            models=catalogue() if models is None else models,
            rules=rules,
            region=region,
        )
        if customization is not None and not problems.found:
            return customization
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
    result = scan(directory, models=models, rules=rules)
    if result.problems:
        raise CustomizationError(result.problems)
    return result.customizations


def scan(
    directory: Path,
    *,
    models: Mapping[str, BaseModel] | None = None,
    rules: Mapping[str, str] | None = None,
    region: str | None = None,
) -> LoadResult:
    """As `load_all`, for callers that have more to check: problems are returned, not raised.

    region: where the customizations are deployed; None checks nothing about that.
    """
    customizations: dict[str, Customization] = {}
    problems: list[str] = []
    files = sorted(directory.glob("*.toml")) if directory.is_dir() else []
    if not files:
        problems.append(
            f"{directory.name}/: no customization found: write {directory.name}/NAME.toml"
        )
    problems += _ignored(directory)
    for path in files:
        label = f"{directory.name}/{path.name}"
        try:
            text = path.read_bytes().decode("utf-8")
            customizations[path.stem] = load(
                text, file=label, models=models, rules=rules, region=region
            )
        except UnicodeDecodeError as error:
            line = error.object.count(b"\n", 0, error.start) + 1
            problems.append(f"{label}:{line}: byte {error.start} is not UTF-8: save it as UTF-8")
        except OSError as error:
            problems.append(f"{label}: cannot be read: {error.strerror}")
        except CustomizationError as error:
            problems.extend(error.problems)
    return LoadResult(customizations=customizations, files=len(files), problems=tuple(problems))


def _ignored(directory: Path) -> list[str]:
    """What lies in the folder, was probably meant to be read, and would not be."""
    problems = []
    for path in sorted(directory.iterdir()) if directory.is_dir() else ():
        name, lower = path.name, path.name.lower()
        if path.is_dir() and any(path.glob("*.toml")):
            problems.append(f"{directory.name}/{name}/: subfolders are not read: move its files up")
        elif lower.endswith((*_SLIPS, ".toml")) and not name.endswith(".toml"):
            problems.append(
                f"{directory.name}/{name}: only files that end in .toml are read: rename it, or "
                "move it away"
            )
    return problems


def _parse(text: str, *, problems: Problems) -> dict[str, Any] | None:
    """The file's table; None if it is not TOML."""
    if text.startswith("\ufeff"):
        problems.add((), "starts with a byte order mark: save it as UTF-8 without one")
    try:
        return tomllib.loads(text.removeprefix("\ufeff"))
    except RecursionError:
        problems.add((), "is not TOML: nested too deeply")
    except ValueError as error:
        where = re.search(r"at line (\d{1,9})", str(error))
        line = int(where[1]) if where else None
        problems.add((), f"is not TOML: {error}{_line_and_fix(str(error), text, line)}", line=line)
    return None


def _line_and_fix(message: str, text: str, line: int | None) -> str:
    """The line that TOML's reader stopped at, if it names one, and the most common fix."""
    fixes = {
        "Invalid value": "write text in quotes",
        "Expected '='": "write key = value",
        "Cannot": "write each table and key once",
    }
    fix = next((fix for begin, fix in fixes.items() if message.startswith(begin)), "")
    lines = text.split("\n")
    quoted = f", in {shown(lines[line - 1].strip())}" if line and line <= len(lines) else ""
    return quoted + (f": {fix}" if fix else "")


def _check_name(name: str, *, problems: Problems) -> None:
    if len(name) > NAME_LENGTH_MAX or not NAME.fullmatch(name):
        problems.add(
            (),
            f"the name {shown(name)} is not allowed: use lower-case letters, digits and single "
            f"hyphens between them, at most {NAME_LENGTH_MAX} characters",
        )
    if name in RESERVED_NAMES:
        problems.add(
            (),
            f"the name {shown(name)} is taken: the stack tuning-ENVIRONMENT-{name} is one of the "
            "platform's; rename the file",
        )


def _read_file(
    root: Section,
    *,
    name: str,
    models: Mapping[str, BaseModel],
    rules: Mapping[str, str] | None,
    region: str | None = None,
) -> Customization | None:
    """Reads all tables even after a problem; None when model or type stay unknown."""
    names = {name for each in models.values() for name in each.hyperparameters}
    homes = {**HOMES, **dict.fromkeys(names, "hyperparameters")}
    head = root.read(TABLES[""], tables=SECTIONS, homes=homes)
    type_, allowed = (
        head.get(key, TABLES[""][key].default)
        for key in ("customization_type", "allow_closed_model")
    )
    model = checks.read_model(root, key=head.get("base_model", ""), models=models)
    parameters, dataset = root.table("hyperparameters"), root.table("dataset")
    validation = dataset.read(TABLES["dataset"], homes=homes).get("validation")
    serving = checks.read_serving(root, model=model)
    budget = checks.read_budget(root)
    overrides = checks.read_overrides(root.table("rules"), rules=rules)
    tags = checks.read_tags(root.table("tags"))
    if model is None:
        check_without_model(section=parameters, models=models)
        checks.check_any_type(root, type_=type_, models=models)
        return None
    checks.check_open(root, model=model, allowed=allowed)
    if region is not None:
        checks.check_region(root.problems, model=model, mode=serving.mode, region=region)
    hyperparameters = resolve(section=parameters, model=model)
    if not checks.check_type(root, type_=type_, model=model):
        return None
    published = model.datasets[type_].validation
    if validation and validation != published:
        fact = model.source_of(f"datasets.{type_}.validation")
        if published == "forbidden" and fact.confidence == "high":
            dataset.problem(
                "validation",
                f'"{validation}" is not possible: for {model.name} a validation set is {fact.note} '
                f"({cite(fact.source)}): remove the key",
            )
        else:
            dataset.warn(
                "validation",
                f'"{validation}" overrides the catalogue\'s "{published}" ({cite(fact.source)})',
            )
    return Customization(
        name=name,
        file=root.problems.file,
        description=head.get("description", ""),
        base_model=model,
        customization_type=cast(CustomizationType, type_),
        allow_closed_model=allowed,
        hyperparameters=hyperparameters,
        validation=cast(Validation, validation or published),
        overrides=overrides,
        serving=serving,
        budget=budget,
        tags=tags,
        warnings=tuple(root.problems.warnings),
    )
