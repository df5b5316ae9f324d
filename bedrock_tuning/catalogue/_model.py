"""One base model of the catalogue, with every value traceable to its source."""

import math
from bisect import bisect_left
from collections.abc import Mapping

from bedrock_tuning.catalogue._facts import Source, Sourced, StrictStruct
from bedrock_tuning.catalogue._shapes import (
    CustomizationType,
    DatasetContract,
    Distillation,
    Hyperparameter,
    Ids,
    Inference,
    JobApi,
    Lifecycle,
    ModelRegions,
    PriceList,
    Prices,
    Quotas,
    Serving,
    StepPoint,
    Task,
    TrainingTime,
)
from bedrock_tuning.errors import CatalogueError
from bedrock_tuning.wording import did_you_mean


def base_id(identifier: str) -> str:
    """The base model's id in the ARN of a foundation or custom model; an id as it is.

    >>> base_id("arn:aws:bedrock:us-east-1:111122223333:custom-model/amazon.nova-lite-v1:0/a1")
    'amazon.nova-lite-v1:0'
    """
    _, _, path = identifier.partition("-model/")
    return (path or identifier).split("/")[0]


class StepAdvice(StrictStruct, frozen=True):
    """Recommended training steps; `interpolated` when the published table has no such row."""

    steps: int
    interpolated: bool


class StepRecommendation(StrictStruct, frozen=True):
    """A published table of training steps by number of images, and how we read between its rows.

    linear_until_images: up to here steps grow linearly from zero, beyond with the logarithm.
    """

    points: tuple[StepPoint, ...]
    linear_until_images: int
    batch_size: int
    learning_rate: float
    advice: tuple[str, ...] = ()

    def steps_for(self, *, images: int) -> StepAdvice:
        """Steps for so many images; beyond the last row the last row's steps."""
        places = [point.images for point in self.points]
        place = bisect_left(places, images)
        if place == len(places):
            return StepAdvice(steps=self.points[-1].steps, interpolated=True)
        upper = self.points[place]
        if upper.images == images:
            return StepAdvice(steps=upper.steps, interpolated=False)
        lower = self.points[place - 1] if place else StepPoint(images=0, steps=0)
        if upper.images <= self.linear_until_images:
            share = (images - lower.images) / (upper.images - lower.images)
        else:
            share = math.log(images / lower.images) / math.log(upper.images / lower.images)
        steps = lower.steps + share * (upper.steps - lower.steps)
        return StepAdvice(steps=max(1, round(steps)), interpolated=True)


class BaseModel(StrictStruct, frozen=True):
    """One base model: `key` is the file's name, `facts` has each value with its source by path."""

    key: str
    name: str
    provider: str
    task: Task
    input: tuple[str, ...]
    output: tuple[str, ...]
    ids: Ids
    regions: ModelRegions
    lifecycle: Lifecycle
    customization_types: tuple[CustomizationType, ...]
    job_api: JobApi
    serving: Serving
    datasets: Mapping[str, DatasetContract]
    facts: Mapping[str, Sourced]
    sources: Mapping[str, Source]
    hyperparameters: Mapping[str, Hyperparameter] = {}
    rft_hyperparameters: Mapping[str, Hyperparameter] = {}
    distillation: Distillation = Distillation()
    prices: Prices = Prices()
    price_list: PriceList = PriceList()
    inference: Inference = Inference()
    quotas: Quotas = Quotas()
    training_time: TrainingTime = TrainingTime()
    step_recommendation: StepRecommendation | None = None
    note: str = ""

    @property
    def started_types(self) -> tuple[CustomizationType, ...]:
        """The types of jobs that this project starts; of the others it checks datasets only."""
        is_started_here = self.job_api == "CreateModelCustomizationJob"
        return self.customization_types if is_started_here else ()

    def hyperparameters_of(self, type_: str) -> tuple[str, Mapping[str, Hyperparameter]]:
        """Those of a type of job, and the path of their facts.

        None is published for distillation, whose jobs are started without (UG-dist).
        """
        if type_ == "REINFORCEMENT_FINE_TUNING":
            return "rft_hyperparameters", self.rft_hyperparameters
        return "hyperparameters", {} if type_ == "DISTILLATION" else self.hyperparameters

    @property
    def customization_id(self) -> str:
        """The id for CreateModelCustomizationJob's baseModelIdentifier."""
        return self.ids.customization[0]

    @property
    def invoke_id(self) -> str:
        """The id of the base model itself, for InvokeModel and GetFoundationModel."""
        return self.ids.invoke[0]

    def source_of(self, path: str) -> Sourced:
        """The value at a path like "datasets.FINE_TUNING.image.bytes_max", with its source.

        Raises CatalogueError when the catalogue has no such value for this model.
        """
        try:
            return self.facts[path]
        except KeyError:
            hint = did_you_mean(path, self.facts)
            raise CatalogueError(f"{self.key}: nothing is known about {path}{hint}") from None
