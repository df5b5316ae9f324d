"""[evaluation]: the fields of the gate before a model is published."""

from dataclasses import dataclass
from typing import Final

from bedrock_tuning.config.fields import Flag, Number, described

# A Lambda function asks for each picture, its caption, and again of the base model.
PICTURES_MAX: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """[evaluation]: how well a new model must find the pictures of its validation set.

    Without min_recall and with both flags False there is no gate.
    """

    min_recall: float | None = described(
        Number(least=0.01, most=1, why_most="a share of the questions", whole=False),
        "The minimum share of the validation set's captions whose picture must be among the first "
        "`recall_at` that the tuned model finds. Below it, the model is not published, and what "
        "was served stays.",
        default=None,
    )
    not_worse_than_base: bool = described(
        Flag(),
        "Whether the model is not published if it finds less than its base model, which is asked "
        "for the same pictures; its calls are part of the price of a run.",
        default=False,
    )
    not_worse_than_published: bool = described(
        Flag(),
        "Whether the model is not published if it finds less than the published model did in the "
        "same validation set. Another validation set, or a published model that was never "
        "evaluated, cannot be compared: then the model is not published until a person serves it.",
        default=False,
    )
    recall_at: int = described(
        Number(least=1, most=10, why_most="nobody looks further"),
        "The number of first results among which the right one must be.",
        default=5,
    )
    pictures: int = described(
        Number(
            least=20,
            most=PICTURES_MAX,
            why_most="a Lambda function asks the models for each of them within 15 minutes",
        ),
        "The maximum number of pictures of the validation set to use, evenly spread over it.",
        default=200,
    )

    @property
    def is_gate(self) -> bool:
        """Whether anything is asked of a new model."""
        flags = self.not_worse_than_base, self.not_worse_than_published
        return self.min_recall is not None or any(flags)
