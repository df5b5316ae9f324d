"""What a customization's job uses beside its manifest: folders, a grader, a teacher, a model."""

from collections.abc import Iterator, Mapping
from itertools import combinations, product
from typing import Any, Final, Protocol

from bedrock_tuning import s3_layout
from bedrock_tuning.catalogue import BaseModel, base_id, cite
from bedrock_tuning.config.customization_fields import TABLES
from bedrock_tuning.config.messages import shown
from bedrock_tuning.config.overlay import RegionOfEnvironment
from bedrock_tuning.config.reader import Section
from bedrock_tuning.config.sections.evaluation import Evaluation
from bedrock_tuning.config.sections.job import JobChoices

# Beside the dataset: what belongs to which type of job.
JOB_KEYS: Final[Mapping[str, str]] = {
    "grader": "REINFORCEMENT_FINE_TUNING",
    "teacher": "DISTILLATION",
    "teacher_tokens": "DISTILLATION",
}
NEEDED_KEYS: Final = ("grader", "teacher")


def check_job(
    root: Section,
    head: Mapping[str, Any],
    *,
    type_: str,
    model: BaseModel,
    regions: RegionOfEnvironment,
) -> None:
    """What a type of job needs besides a dataset, and on which model it builds."""
    for key, owner in JOB_KEYS.items():
        if key in root.refused:
            continue
        if type_ == owner and not head[key] and key in NEEDED_KEYS:
            fix = TABLES[""][key].kind.fix
            root.problem(key, f'is missing: customization_type = "{owner}" needs it; {fix}')
        elif type_ != owner and key in root:
            root.problem(key, f'has no effect: it belongs to customization_type = "{owner}"')
    teachers = model.distillation.teachers
    if head["teacher"] and teachers and head["teacher"].removeprefix("us.") not in teachers:
        fact = model.source_of("distillation.teachers")
        root.warn(
            "teacher",
            f"{shown(head['teacher'])} is not a teacher of {model.name} according to "
            f"{cite(fact.source)}: {', '.join(teachers)}",
        )
    if head["custom_model"]:
        base = base_id(head["custom_model"])
        if base not in model.ids.customization:
            root.problem(
                "custom_model",
                f"was made from {base}, not from {model.customization_id}: correct base_model",
            )
    for key in ("custom_model", "grader"):
        home = head[key].split(":")[3] if head[key] else ""
        for name, region in regions.items():
            if home and region and region != home:
                root.problem(
                    key,
                    f"is in {home}, and the environment {name} in {region}: a job uses what is in "
                    f"its own Region; set another one in [environments.{name}]",
                )


def read_folders(section: Section, policy: Mapping[str, Any]) -> tuple[str, ...]:
    """The folders of [dataset]; reports one that adds nothing to the others."""
    folders = tuple(policy.get("folders", ()))
    for folder in folders:
        outer = next((other for other in folders if folder.startswith(f"{other}/")), None)
        if outer is not None:
            section.problem("folders", f"{shown(folder)} lies in {shown(outer)}: remove it")
    return folders


class Owner(Protocol):
    """What a customization says of what it shares with nobody."""

    @property
    def name(self) -> str: ...

    @property
    def file(self) -> str: ...

    @property
    def folders(self) -> tuple[str, ...]: ...

    @property
    def media_folders(self) -> tuple[str, ...]: ...

    @property
    def output_folder(self) -> str: ...

    @property
    def job(self) -> JobChoices: ...


def shared_folders(customizations: Mapping[str, Owner]) -> Iterator[str]:
    """Why a folder belongs to two customizations of an environment, each pair once.

    A role that reads another customization's folder reads what it was never given.
    """
    owners = [owner for owner in customizations.values() if owner.folders]
    for one in owners:
        for other in customizations.values():
            if other is one or (other.folders and other.name < one.name):
                continue
            folders = {s3_layout.folder(other.name), *other.media_folders}
            for folder, its in product(one.media_folders, sorted(folders)):
                if folder.startswith(its) or its.startswith(folder):
                    yield (
                        f"{one.file}: dataset.folders: {shown(folder[:-1])} is also read by "
                        f"{other.name} ({its}): give each customization folders of its own, or "
                        "copy the images"
                    )


def read_evaluation(root: Section, *, model: BaseModel | None, mode: str) -> Evaluation:
    """[evaluation]; without the table every model that passes its smoke test is published."""
    section = root.table("evaluation")
    if not root.holds_table("evaluation"):
        return Evaluation()
    evaluation = Evaluation(**section.read(TABLES["evaluation"]))
    gates = {"min_recall", "not_worse_than_base", "not_worse_than_published"}
    if not evaluation.is_gate and not gates & section.refused:
        root.problem(
            "evaluation",
            "asks for nothing: set min_recall, not_worse_than_base = true or "
            "not_worse_than_published = true",
        )
    if model is not None and model.task != "image-to-embedding":
        root.problem(
            "evaluation",
            f"judges embedding models, which {model.name} is not: remove it; `tuning compare` "
            "shows answers of both models side by side",
        )
    if mode == "none":
        root.problem("evaluation", "needs a model that is served: set mode in [serving]")
    return evaluation


def shared_outputs(customizations: Mapping[str, Owner]) -> Iterator[str]:
    """Why two customizations of an environment would write to one folder, each pair once."""
    for one, other in combinations(customizations.values(), 2):
        folder, its = f"{one.output_folder}/", f"{other.output_folder}/"
        if folder.startswith(its) or its.startswith(folder):
            first, second = (one, other) if one.job.output_folder else (other, one)
            yield (
                f"{first.file}: job.output_folder: {shown(first.output_folder)} is also that of "
                f"{second.name} ({s3_layout.jobs_prefix(second.output_folder)}): give each "
                "customization a folder of its own"
            )


def shared_roles(customizations: Mapping[str, Owner]) -> Iterator[str]:
    """Why two customizations of an environment would have the rights of one role."""
    owners = [owner for owner in customizations.values() if owner.job.service_role]
    for one, other in combinations(owners, 2):
        if one.job.service_role == other.job.service_role:
            yield (
                f"{one.file}: job.service_role: is also that of {other.name}, whose data its jobs "
                "could read: give each customization a role of its own"
            )
