"""The tables of a customization file: what each key is, may be and defaults to.

To add a key, add a field to the dataclass of its table.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

from bedrock_tuning.catalogue import Validation, account_facts
from bedrock_tuning.config.fields import (
    REGION_NAME,
    Choice,
    Day,
    Field,
    Flag,
    Number,
    TextField,
    TextList,
    described,
    fields_of,
)
from bedrock_tuning.config.names import CUSTOMIZATION_LENGTH_MAX, FOLDER_NAME, NAME
from bedrock_tuning.config.sections.evaluation import Evaluation
from bedrock_tuning.config.sections.job import JobChoices

# Ours, not Bedrock's: above a month, a commitment should be weighed instead.
LEASE_HOURS_MAX: Final = 30 * 24
# Ours: stops a slip of the finger; each unit is billed by the hour.
MODEL_UNITS_MAX: Final = 100
# For the tags that this project adds itself, e.g. a lease's end.
OWN_TAGS_MAX: Final = 10
# As the API's patterns have them, in linear time.
CUSTOM_MODEL: Final = re.compile(
    r"arn:aws[a-z-]*:bedrock:[a-z0-9-]{1,20}:[0-9]{12}:custom-model/"
    r"[a-z0-9-]{1,63}[.][a-z0-9.-]{1,63}(:[a-z0-9-]{1,63}){0,2}/[a-z0-9]{12}"
)
GRADER: Final = re.compile(
    r"arn:aws[a-z-]*:lambda:[a-z]{2}(-gov)?-[a-z]+-[0-9]:[0-9]{12}:function:"
    r"[a-zA-Z0-9_-]{1,64}(:[a-zA-Z0-9_-]{1,128})?"
)
TEACHER: Final = re.compile(r"[a-z0-9-]{1,63}([.][a-z0-9-]{1,63}){1,2}(:[a-z0-9-]{1,63}){0,2}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The keys above the first table. customization_type: of the model's, or a misspelling."""

    description: str = described(
        TextField(most=200, example="Find our pets by text or picture"),
        "What the customization is for.",
    )
    base_model: str = described(
        TextField(most=100, example="titan-multimodal-embeddings-g1"),
        "The model to customize, by its key in the [catalogue](models.md).",
    )
    customization_type: str = described(
        TextField(most=60, example="FINE_TUNING"),
        "The kind of job. The [catalogue](models.md) lists those that a model offers.",
        default="FINE_TUNING",
    )
    custom_model: str = described(
        TextField(
            most=1011,
            pattern=CUSTOM_MODEL,
            what="the ARN of a custom model",
            example="arn:aws:bedrock:us-east-1:111122223333:custom-model/"
            "amazon.nova-micro-v1:0:128k/abcdefghijkl",
            optional=True,
        ),
        "The custom model to train further. `base_model` is the model that it was made from.",
        default="",
    )
    grader: str = described(
        TextField(
            most=512,
            pattern=GRADER,
            what="the ARN of a Lambda function, or of its version or alias",
            example="arn:aws:lambda:us-east-1:111122223333:function:grader",
            optional=True,
        ),
        "The function that scores answers in reinforcement fine-tuning. The service role may call "
        "it, and no other.",
        default="",
    )
    teacher: str = described(
        TextField(
            most=200,
            pattern=TEACHER,
            what="the id of a model or of a cross-Region inference profile",
            example="amazon.nova-pro-v1:0",
            optional=True,
        ),
        "The model whose answers a distillation trains on. The service role may invoke it, and no "
        "other.",
        default="",
    )
    teacher_tokens: int | None = described(
        Number(least=1, most=2**31 - 1, why_most="Bedrock's API"),
        "The maximum number of tokens in one answer of the teacher. Default: Bedrock's.",
        default=None,
    )
    allow_closed_model: bool = described(
        Flag(),
        "Deploys although the model accepts no new jobs, for accounts with extended access.",
        default=False,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """Keys above the first table about where the customization is deployed, and what it was."""

    only: tuple[str, ...] = described(
        TextList(
            pattern=NAME,
            what="the name of an environment in cdk.json",
            example="dev",
            most=100,
            why_most="cdk.json has no more",
        ),
        "The environments in which it is deployed. Default: all of them.",
        default=(),
    )
    only_regions: tuple[str, ...] = described(
        TextList(
            pattern=REGION_NAME,
            what="a Region",
            example="us-east-1",
            most=50,
            why_most="AWS has fewer",
        ),
        "The Regions in which it is deployed: environments in other Regions do not have it. "
        "Default: all of them.",
        default=(),
    )
    retired: date | None = described(
        Day(example="2026-12-01"),
        "The day on which it was retired. From then on it has no stack in any environment; the "
        "stack that is deployed stays until `tuning retire NAME` deletes it.",
        default=None,
    )
    renamed_from: str = described(
        TextField(
            pattern=NAME,
            what="the name of a customization",
            example="pets",
            most=CUSTOMIZATION_LENGTH_MAX,
            optional=True,
        ),
        "The name that it had before. Its deployment takes over the models, the endpoint with its "
        "lease, the pointers and the runs of that customization. Datasets stay in their folder.",
        default="",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetPolicy:
    """[dataset]. validation: None is what the catalogue says of the model."""

    folders: tuple[str, ...] = described(
        TextList(
            pattern=FOLDER_NAME,
            what="a folder without a slash at its ends, of letters, digits, dots, underscores "
            "and hyphens",
            example="folder1",
            most=10,
            why_most="the policy of the service role names each of them",
        ),
        "The folders of the training and the validation bucket that hold the images, for a "
        "manifest that refers to several folders, or to one that is not the customization's own. "
        "The service role reads these and no others; the manifest itself is uploaded to "
        "`NAME/manifest.jsonl` as always. No two customizations can share a folder. Default: "
        "`NAME`.",
        default=(),
    )

    validation: Validation | None = described(
        Choice(choices=("required", "optional", "forbidden")),
        "Whether a validation set must be uploaded. Default: what the catalogue says of the "
        "model. Any other value gives a warning.",
        default=None,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class DesiredServing:
    """[serving]: how the custom model is to be served.

    strategy: how a new model takes the place of the one that is served. commitment: None is billed
    by the hour until it is deleted. lease_hours: when a Provisioned Throughput without a commitment
    is deleted; idle_hours: after how many hours without a call, if earlier. on_delete: what happens
    to it when the stack is deleted. embedding_length: of the smoke test's vector; None for models
    that return none.
    """

    mode: Literal["provisioned", "on-demand", "none"] = described(
        Choice(choices=("provisioned", "on-demand", "none")),
        'How the custom model is served. Without `[serving]`, it is not. `"provisioned"` is '
        "billed by the hour until it is deleted.",
        default="none",
        required=True,
    )
    strategy: Literal["swap", "blue-green"] = described(
        Choice(choices=("swap", "blue-green")),
        'How a new model replaces the one that is served. `"swap"` changes the endpoint in place: '
        "nothing extra is billed, and callers reach the new model before its smoke test. "
        '`"blue-green"` creates a second endpoint, tests it, publishes it and deletes the first: '
        "both are billed until then, and the account needs the model units of both. Not allowed "
        "with a commitment.",
        default="swap",
    )
    model_units: int = described(
        Number(least=1, most=MODEL_UNITS_MAX, why_most="each is billed by the hour"),
        "The model units of the Provisioned Throughput.",
        default=1,
    )
    commitment: Literal["OneMonth", "SixMonths"] | None = described(
        Choice(choices=("OneMonth", "SixMonths")),
        "The commitment term of the Provisioned Throughput. It lowers the price; the "
        "throughput cannot be deleted before the term ends. Default: no commitment.",
        default=None,
    )
    lease_hours: int | None = described(
        Number(least=1, most=LEASE_HOURS_MAX, why_most="30 days; beyond that, use a commitment"),
        "After how many hours the Provisioned Throughput is deleted. Required without a "
        "commitment, not allowed with one.",
        default=None,
    )
    idle_hours: int | None = described(
        Number(least=1, most=LEASE_HOURS_MAX, why_most="the longest lease"),
        "Deletes the Provisioned Throughput before its lease ends if nobody has called it for this "
        "many whole hours, by CloudWatch's metric `Invocations`. Not allowed with a commitment. "
        "Default: it stays until its lease ends.",
        default=None,
    )
    on_delete: Literal["delete", "retain"] = described(
        Choice(choices=("delete", "retain")),
        "What happens to the Provisioned Throughput when the stack is deleted. Default with a "
        'commitment: `"retain"`.',
        default="delete",
    )
    smoke_text: str = described(
        TextField(most=10_000, example="a dog"),
        "The text that the smoke test sends to the model before it is published.",
        default="a dog",
    )
    embedding_length: int | None = described(
        Number(least=1, most=2**31 - 1),
        "The length of the smoke test's vector, for models that return one. Default: the model's.",
        default=None,
    )

    @property
    def endpoints_at_once(self) -> int:
        """How many endpoints there are while a new model replaces another."""
        return 2 if self.strategy == "blue-green" else 1


_USD: Final = Number(
    least=0.01, most=999_999_999, why_most="a billion dollars is a typing error", whole=False
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """[budget]: what a run and a month may cost in US dollars, when a run waits for approval."""

    max_run_usd: float | None = described(
        _USD,
        "The maximum price of one run, in US dollars.",
        default=None,
    )
    approval: Literal["over-budget", "always", "never"] = described(
        Choice(choices=("over-budget", "always", "never")),
        "When a run waits for approval before its job starts. Default with `max_run_usd`: "
        '`"over-budget"`, which includes runs whose price is unknown. A run whose model could not '
        "be kept or served because of a quota always waits.",
        default="always",
    )
    monthly_usd: float | None = described(
        _USD,
        "An AWS Budgets budget for what has the customization's tag: `alarm_email` gets an e-mail "
        "at 80 % and at 100 %, hours later. It stops nothing. The payer's account must have "
        "activated the cost allocation tag `bedrock-tuning:customization`.",
        default=None,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleOverride:
    """[rules.NAME]: a rule that this customization treats more leniently, and why."""

    severity: Literal["warning", "silent"] = described(
        Choice(choices=("warning", "silent")),
        "The severity of the [rule](rules.md) with this name. An error can be lowered to a "
        "warning, not silenced.",
    )
    reason: str = described(
        TextField(most=300, example="the exporter repeats captions"),
        "The reason. Every report shows it.",
    )


# What an environment cannot have a value of its own for.
PLACEMENT: Final = fields_of(Placement)
# By the path of their table; "" is the file itself.
TABLES: Final[Mapping[str, Mapping[str, Field]]] = {
    "": {**fields_of(Head), **PLACEMENT},
    "dataset": fields_of(DatasetPolicy),
    "job": fields_of(JobChoices),
    "serving": fields_of(DesiredServing),
    "budget": fields_of(Budget),
    "evaluation": fields_of(Evaluation),
    "rules.NAME": fields_of(RuleOverride),
}
SECTIONS: Final = (
    "hyperparameters",
    "dataset",
    "job",
    "serving",
    "budget",
    "evaluation",
    "rules",
    "tags",
)
# The table that each key belongs to.
HOMES: Final[Mapping[str, str]] = {
    key: table
    for table in ("", "dataset", "job", "serving", "budget", "evaluation")
    for key in TABLES[table]
}


def tags_max() -> int:
    """How many tags a customization may have beside this project's own."""
    most: int = account_facts()["quotas.tags_per_resource"].value - OWN_TAGS_MAX
    return most
