"""What one manifest is checked against: bucket and folder, the model's contract, exceptions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import msgspec

from bedrock_tuning.catalogue import BaseModel, DatasetContract
from bedrock_tuning.dataset.dataset import SeverityOverride
from bedrock_tuning.dataset.tokens import Tokens, tokens, tokens_most
from bedrock_tuning.s3_layout import Kind, is_bucket_name


def characters_in(tokens: int, chars_per_token: float) -> int:
    """How many characters fit into this many tokens, by a published average ratio."""
    return int(tokens * chars_per_token)


@dataclass(frozen=True, slots=True, kw_only=True)
class TextBudget:
    """How many tokens the texts of one record may have, and bytes its line.

    None: no limit is published. record: all texts together. chars_per_token: the published figure,
    without which nothing is estimated.
    """

    prompt: int | None = None
    completion: int | None = None
    record: int | None = None
    line_bytes: int | None = None
    chars_per_token: float = 1.0

    @classmethod
    def of(cls, contract: DatasetContract) -> "TextBudget":
        """The budget that a contract grants, with the smallest batch size where that matters."""
        limits = contract.text
        if limits is None:
            return cls()
        if limits.chars_per_token is None:
            return cls(line_bytes=limits.line_bytes_max)
        return cls(
            prompt=limits.prompt_tokens_max,
            completion=limits.completion_tokens_max,
            record=limits.record_tokens_max_for(batch_size=None),
            line_bytes=limits.line_bytes_max,
            chars_per_token=limits.chars_per_token,
        )

    @property
    def least(self) -> int | None:
        """The smallest of the limits in tokens: a text with fewer bytes breaks none."""
        limits = (self.prompt, self.completion, self.record)
        return min((limit for limit in limits if limit is not None), default=None)

    def of_field(self, field: str) -> int | None:
        """The limit of one field."""
        return {"prompt": self.prompt, "completion": self.completion}.get(field)

    def tokens(self, *texts: str) -> Tokens:
        """The estimated tokens of texts together."""
        parts = [tokens(text, chars_per_token=self.chars_per_token) for text in texts]
        return Tokens(sum(part.least for part in parts), sum(part.most for part in parts))

    def verdict(self, texts: Sequence[str], most: int | None) -> Literal["", "band", "over"]:
        """Whether texts surely have too many tokens, or may have."""
        if most is None or sum(map(tokens_most, texts)) <= most:
            return ""
        estimate = self.tokens(*texts)
        return "over" if estimate.least > most else "band" if estimate.most > most else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetScope:
    """One manifest and what it must satisfy.

    bucket, folders: where its images must be; each folder ends with "/", and none means any.
    bucket_region: the AWS Region of the bucket; "" if unknown.
    overrides: by rule name, from the customization's [rules]. budget: of the contract, derived.
    """

    model: BaseModel
    contract: DatasetContract
    kind: Kind
    bucket: str
    folders: tuple[str, ...]
    bucket_region: str = ""
    overrides: Mapping[str, SeverityOverride] = field(default_factory=dict)
    budget: TextBudget = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "budget", TextBudget.of(self.contract))

    @property
    def named(self) -> str:
        """The model and, for distillation, the type of job: as options of a command have them."""
        return f"{self.model.key}{' --type DISTILLATION' if self.contract.teacher_answers else ''}"

    @property
    def image_field(self) -> str:
        """The field of a record that names an image or a video."""
        return "image-ref" if self.contract.format == "image-caption" else "uri"

    @property
    def prefixes(self) -> tuple[str, ...]:
        """What image references must begin with: one of these."""
        return tuple(f"s3://{self.bucket}/{folder}" for folder in self.folders or ("",))

    def below(self, key: str) -> str:
        """A key as it is called in the dataset's folder; of several folders, with its folder."""
        return key.removeprefix(self.folders[0]) if len(self.folders) == 1 else key


class ImageRef(msgspec.Struct, frozen=True, gc=False):
    """An image that a record refers to: the record's line and the object's key in the bucket.

    text: a hash of what the record says of the image; records that differ only in it are no copies.
    """

    line: int
    key: str
    text: int = 0


ReferenceProblem = Literal["", "not-s3", "bucket", "climbs", "folder", "no-name"]
_SCHEME = "s3://"


def locate(ref: str, scope: DatasetScope) -> ReferenceProblem:
    """The first reason why the dataset may not use a reference; "" if it may.

    Keys may hold blanks, "+" and any other character; they are taken as they are, never decoded.
    """
    if not ref.startswith(_SCHEME):
        return "not-s3"
    bucket, slash, key = ref[len(_SCHEME) :].partition("/")
    if not bucket:
        return "not-s3"
    if bucket != scope.bucket:
        return "bucket" if is_bucket_name(bucket) else "not-s3"
    if not slash or not key or key in scope.folders:
        return "no-name"
    if "." in key and not {".", ".."}.isdisjoint(key.split("/")):
        return "climbs"
    if scope.folders and not key.startswith(scope.folders):
        return "folder"
    return ""


def folder_of(ref: str) -> str:
    """The folder of a reference, for a list of folders: "s3://bucket/a/b/"."""
    return ref.rpartition("/")[0] + "/"
