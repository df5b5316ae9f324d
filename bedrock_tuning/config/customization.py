"""A file in customizations/ as a checked value: what to tune, how to serve it, what it may cost."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path, PurePath
from typing import cast

import msgspec

from bedrock_tuning import s3_layout
from bedrock_tuning.catalogue import (
    BaseModel,
    CustomizationType,
    DatasetContract,
    Validation,
    catalogue,
    cite,
)
from bedrock_tuning.config import customization_checks as checks
from bedrock_tuning.config import job_checks, overlay
from bedrock_tuning.config.customization_fields import (
    HOMES,
    PLACEMENT,
    SECTIONS,
    TABLES,
    Budget,
    DesiredServing,
    RuleOverride,
)
from bedrock_tuning.config.hyperparameters import check_without_model, resolve
from bedrock_tuning.config.lines import toml_lines
from bedrock_tuning.config.names import customization_problem, renaming_problems, together_problems
from bedrock_tuning.config.overlay import RegionOfEnvironment
from bedrock_tuning.config.reader import Problems, Section, ignored, parse_toml
from bedrock_tuning.config.sections.evaluation import Evaluation
from bedrock_tuning.config.sections.job import JobChoices
from bedrock_tuning.errors import CustomizationError

__all__ = [
    "Budget",
    "CustomizationSettings",
    "DesiredServing",
    "JobChoices",
    "LoadResult",
    "RuleOverride",
    "load",
    "load_all",
    "scan",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomizationSettings:
    """What one team wants tuned: a file in customizations/, checked against the catalogue.

    Texts are "" for what is not set. hyperparameters: complete, as strings. overrides: by rule
    name. warnings: what a reader should know although the file is usable. renamed_from: the name
    that it had before.
    """

    name: str
    file: str
    description: str
    base_model: BaseModel
    customization_type: CustomizationType
    custom_model: str
    grader: str
    teacher: str
    teacher_tokens: int | None
    allow_closed_model: bool
    hyperparameters: Mapping[str, str]
    validation: Validation
    folders: tuple[str, ...]
    overrides: Mapping[str, RuleOverride]
    serving: DesiredServing
    budget: Budget
    tags: Mapping[str, str]
    warnings: tuple[str, ...]
    renamed_from: str = ""
    evaluation: Evaluation = field(default_factory=Evaluation)
    job: JobChoices = field(default_factory=JobChoices)

    @property
    def dataset(self) -> DatasetContract:
        """What the dataset must look like, with this customization's validation policy."""
        contract = self.base_model.datasets[self.customization_type]
        return msgspec.structs.replace(contract, validation=self.validation)

    @property
    def output_folder(self) -> str:
        """Its folder below jobs/ in the output bucket, without slashes at its ends."""
        return self.job.output_folder or self.name

    @property
    def media_folders(self) -> tuple[str, ...]:
        """Where images and other media must lie, each with its slash at the end."""
        return tuple(f"{folder}/" for folder in self.folders) or (s3_layout.folder(self.name),)


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadResult:
    """What a folder holds, and everything that is wrong with it.

    by_environment: customizations by name, in each environment that has some; under "" as their
    files say without [environments]. retired: files of customizations that have no stack any more.
    """

    by_environment: Mapping[str, Mapping[str, CustomizationSettings]]
    files: int
    retired: tuple[str, ...]
    problems: tuple[str, ...]


def load(text: str, *, file: str) -> CustomizationSettings:
    """A customization from the text of its file, as it is without [environments].

    file: how problems call it, e.g. "customizations/pets-search.toml"; its stem is the name.
    Raises CustomizationError with every problem of the file.
    """
    result = _File.read(text, file=file, regions={})
    if result.problems:
        raise CustomizationError(result.problems)
    return result.versions[""]


def load_all(directory: Path) -> Mapping[str, CustomizationSettings]:
    """The customizations of a folder by name, in alphabetical order, as without [environments].

    Raises CustomizationError with every problem of every file, also when there is no file.
    """
    result = scan(directory)
    if result.problems:
        raise CustomizationError(result.problems)
    return result.by_environment.get("", {})


def in_environment(file: Path, environment: str, *, region: str) -> CustomizationSettings:
    """The customization of one file in one environment.

    Raises CustomizationError with every problem of the file, and for one that has no stack there.
    """
    label = f"{file.parent.name}/{file.name}"
    result = _File.read(
        file.read_text("utf-8"),
        file=label,
        regions={environment: region},
        every=False,
    )
    if result.problems:
        raise CustomizationError(result.problems)
    if environment not in result.versions:
        why = "it is retired" if result.retired else f"it leaves the environment {environment} out"
        raise CustomizationError([f"{label}: {why}: leave it out of the app"])
    return result.versions[environment]


def scan(directory: Path, *, regions: RegionOfEnvironment | None = None) -> LoadResult:
    """As `load_all`, for callers that have more to check: problems are returned, not raised.

    regions: of every environment; without them, each file as it is without [environments].
    """
    by_environment: dict[str, dict[str, CustomizationSettings]] = {}
    retired: list[str] = []
    problems: list[str] = []
    files = sorted(directory.glob("*.toml")) if directory.is_dir() else []
    if not files:
        problems.append(
            f"{directory.name}/: no customization found: write {directory.name}/NAME.toml"
        )
    problems += ignored(directory)
    for path in files:
        label = f"{directory.name}/{path.name}"
        try:
            text = path.read_bytes().decode("utf-8")
        except UnicodeDecodeError as error:
            line = error.object.count(b"\n", 0, error.start) + 1
            problems.append(f"{label}:{line}: byte {error.start} is not UTF-8: save it as UTF-8")
            continue
        except OSError as error:
            problems.append(f"{label}: cannot be read: {error.strerror}")
            continue
        result = _File.read(text, file=label, regions=regions or {})
        problems += result.problems
        retired += [label] if result.retired else []
        for environment, version in result.versions.items():
            by_environment.setdefault(environment, {})[version.name] = version
    for group in by_environment.values():
        former = {entry.name: entry.renamed_from for entry in group.values()}
        renamed = renaming_problems(former, directory.name)
        clashes = (
            *job_checks.shared_folders(group),
            *job_checks.shared_outputs(group),
            *job_checks.shared_roles(group),
            *renamed,
        )
        problems += [problem for problem in clashes if problem not in problems]
    return LoadResult(
        by_environment=by_environment,
        files=len(files),
        retired=tuple(retired),
        problems=tuple(problems),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _File:
    """One file: its customization in each environment, and what is wrong in any of them."""

    versions: Mapping[str, CustomizationSettings]
    problems: tuple[str, ...]
    retired: bool = False

    @classmethod
    def read(
        cls, text: str, *, file: str, regions: RegionOfEnvironment, every: bool = True
    ) -> "_File":
        """every: whether there are no environments but those of `regions`."""
        lines = cache(lambda: toml_lines(text.removeprefix("\ufeff")))
        problems = Problems(file=file, lines=lines)
        name = PurePath(file).stem
        problem = customization_problem(name)
        if problem:
            problems.add((), problem)
        table = parse_toml(text, problems=problems)
        if table is None:
            return cls(versions={}, problems=tuple(problems.found))
        if table.get("retired") and not PLACEMENT["retired"].kind.problem(table["retired"]):
            return cls(versions={}, problems=tuple(problems.found), retired=True)
        versions: dict[str, CustomizationSettings] = {}
        logs: dict[str, Problems] = {}
        for version in overlay.versions(table, problems, regions, every=every):
            names = ", ".join(version.regions)
            log = Problems(file=file, lines=lines, origin=version.origin)
            customization = _read_file(
                Section(table=version.table, path=(), problems=log),
                name=name,
                regions=version.regions,
            )
            for problem in together_problems(name, version.regions):
                log.add((), problem)
            logs[names] = log
            if customization is not None and not log.found:
                versions |= dict.fromkeys(version.regions or ("",), customization)
        # A file with a problem is refused, whatever was guessed.
        sound = {} if problems.found else versions
        return cls(versions=sound, problems=(*problems.found, *_all_problems(logs)))


def _all_problems(logs: Mapping[str, Problems]) -> Iterator[str]:
    """The problems of all versions of a file, each once; what is not wrong in all says where."""
    places = {sentence: place for log in logs.values() for sentence, place in log.places.items()}
    for sentence in dict.fromkeys(text for log in logs.values() for text in log.found):
        envs = [names for names, log in logs.items() if sentence in log.found]
        place = places.get(sentence, "")
        label = f"in {', '.join(envs)}: " if place and len(envs) < len(logs) else ""
        yield f"{place}{label}{sentence.removeprefix(place)}"


def _read_file(
    root: Section, *, name: str, regions: RegionOfEnvironment
) -> CustomizationSettings | None:
    """Reads all tables even after a problem; None when model or type stay unknown."""
    names = {name for base in catalogue().values() for name in base.hyperparameters}
    homes = {**HOMES, **dict.fromkeys(names, "hyperparameters")}
    values = root.read(TABLES[""], tables=(*SECTIONS, overlay.ENVIRONMENTS_KEY), homes=homes)
    head = {key: item.default for key, item in TABLES[""].items()} | values
    type_ = head["customization_type"]
    if head["renamed_from"] == name:
        root.problem("renamed_from", "is the name that it has: write the one before, or remove it")
    model = checks.read_model(root, key=values.get("base_model", ""))
    parameters, dataset = root.table("hyperparameters"), root.table("dataset")
    policy = dataset.read(TABLES["dataset"], homes=homes)
    validation, folders = policy.get("validation"), job_checks.read_folders(dataset, policy)
    job = JobChoices(**root.table("job").read(TABLES["job"], homes=homes))
    serving = checks.read_serving(root, model=model)
    budget = checks.read_budget(root)
    evaluation = job_checks.read_evaluation(root, model=model, mode=serving.mode)
    overrides = checks.read_overrides(root.table("rules"))
    tags = checks.read_tags(root.table("tags"))
    if model is None:
        check_without_model(section=parameters)
        checks.check_any_type(root, type_=type_)
        return None
    checks.check_open(root, model=model, allowed=head["allow_closed_model"])
    for region in dict.fromkeys(filter(None, regions.values())):
        environments = ", ".join(name for name, place in regions.items() if place == region)
        checks.check_region(
            root.problems, model=model, mode=serving.mode, region=region, environments=environments
        )
    hyperparameters = resolve(section=parameters, model=model, type_=type_)
    if not checks.check_type(root, type_=type_, model=model):
        return None
    job_checks.check_job(root, head, type_=type_, model=model, regions=regions)
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
    if evaluation.is_gate and (validation or published) != "required":
        root.problem(
            "evaluation",
            'judges a model by its validation set: set validation = "required" in [dataset]',
        )
    return CustomizationSettings(
        name=name,
        file=root.problems.file,
        description=values.get("description", ""),
        base_model=model,
        customization_type=cast(CustomizationType, type_),
        custom_model=head["custom_model"],
        grader=head["grader"],
        teacher=head["teacher"],
        teacher_tokens=head["teacher_tokens"],
        allow_closed_model=head["allow_closed_model"],
        hyperparameters=hyperparameters,
        validation=cast(Validation, validation or published),
        folders=folders,
        overrides=overrides,
        serving=serving,
        budget=budget,
        tags=tags,
        warnings=tuple(root.problems.warnings),
        renamed_from=head["renamed_from"],
        evaluation=evaluation,
        job=job,
    )
