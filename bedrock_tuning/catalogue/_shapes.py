"""The parts of a base model: ids, dataset limits, hyperparameters, prices; no number of its own."""

from datetime import date
from typing import Final, Literal

from bedrock_tuning.catalogue._facts import StrictStruct

CustomizationType = Literal[
    "FINE_TUNING", "CONTINUED_PRE_TRAINING", "DISTILLATION", "REINFORCEMENT_FINE_TUNING"
]
# How the ids of cross-Region inference profiles begin (Bedrock User Guide, "Supported Regions and
# models for inference profiles").
GEOGRAPHIES: Final = ("us", "us-gov", "eu", "apac", "jp", "au", "ca", "global")
Format = Literal[
    "image-caption", "prompt-completion", "input-only", "claude-messages", "converse", "rft"
]
Validation = Literal["required", "optional", "forbidden"]
Task = Literal["image-to-embedding", "multimodal-to-text", "text-to-image", "text-to-text"]
JobApi = Literal["CreateModelCustomizationJob", "OpenAI fine-tuning"]
# Kinds of content blocks of the Converse API that some model is tuned on.
Block = Literal["text", "image", "video", "document", "reasoningContent", "toolUse", "toolResult"]


class Range(StrictStruct, frozen=True):
    """Inclusive bounds of a count; None where nothing is published.

    min_warn: below this and from min on a check warns (sources disagree).
    """

    min: int | None = None
    min_warn: int | None = None
    max: int | None = None


class CaptionLimits(StrictStruct, frozen=True):
    """Length of an image's caption; tokens can only be estimated, from characters."""

    chars_min: int
    chars_max: int
    tokens_max: int | None = None
    chars_per_token: float | None = None


class ImageLimits(StrictStruct, frozen=True):
    """Limits of one image: bytes, sides in pixels, width × height, width / height.

    *_warn: above this and up to *_max a check warns (sources disagree).
    tile_*: Llama counts an image as tiles: tokens = rows × columns × tile_tokens, where rows is
    min(tiles_per_side_max, max(height // tile_pixels, 1)) and columns the same of the width.
    """

    formats: tuple[Literal["png", "jpeg", "gif", "webp"], ...]
    bytes_max: int
    bytes_warn: int | None = None
    side_min: int | None = None
    side_max: int | None = None
    pixels_max: int | None = None
    pixels_warn: int | None = None
    aspect_min: float | None = None
    aspect_max: float | None = None
    tile_pixels: int | None = None
    tiles_per_side_max: int | None = None
    tile_tokens: int | None = None


class BatchTokens(StrictStruct, frozen=True):
    """Tokens that a record may have while the batch size is at most `batch_max`."""

    batch_max: int
    tokens_max: int


class TextLimits(StrictStruct, frozen=True):
    """Length of one text record, in tokens, which can only be estimated from characters.

    prompt_tokens_max / completion_tokens_max: of each side; record_tokens_max: of their sum.
    reserved_words: strings that must not occur in any text of a record; reserved_in_any_case:
    not in other letter case either.
    line_bytes_max: of one line of the manifest.
    """

    chars_per_token: float | None = None
    prompt_tokens_max: int | None = None
    completion_tokens_max: int | None = None
    record_tokens_max: int | None = None
    record_tokens_by_batch: tuple[BatchTokens, ...] = ()
    reserved_words: tuple[str, ...] = ()
    reserved_in_any_case: bool = False
    line_bytes_max: int | None = None

    def record_tokens_max_for(self, *, batch_size: int | None) -> int | None:
        """Tokens that one record may have with this batch size; None where nothing is published.

        Beyond the largest published batch size its value is used: a larger batch never allows more.
        """
        for row in self.record_tokens_by_batch:
            if batch_size is None or batch_size <= row.batch_max:
                return row.tokens_max
        if self.record_tokens_by_batch:
            return self.record_tokens_by_batch[-1].tokens_max
        return self.record_tokens_max


class MediaLimits(StrictStruct, frozen=True):
    """Images, videos and documents of conversations; sizes in bytes, lengths in seconds.

    video_seconds_warn: above this and up to video_seconds_max a check warns (sources disagree).
    mixed_kinds: whether a dataset may have images and videos.
    """

    images_per_record_max: int | None = None
    videos_per_record_max: int | None = None
    video_bytes_max: int | None = None
    video_seconds_max: int | None = None
    video_seconds_warn: int | None = None
    documents_per_record_max: int | None = None
    video_formats: tuple[str, ...] = ()
    mixed_kinds: bool = True
    same_bucket_as_manifest: bool = False
    key_characters: str = ""


class ConversationLimits(StrictStruct, frozen=True):
    """What a conversation of the format Converse may consist of.

    user_blocks, assistant_blocks: kinds of content blocks in a turn of each role.
    schema_version: the only one that is taken; "" if it may be any text.
    teacher_answers: a teacher model writes the last answer, so it may be missing.
    system_prompts_max, user_turns_max, blocks_per_turn_max: None where nothing is published.
    typed_blocks: a block may also carry "type": "text".
    """

    user_blocks: tuple[Block, ...]
    assistant_blocks: tuple[Block, ...] = ("text",)
    schema_version: str = ""
    schema_version_required: bool = False
    teacher_answers: bool = False
    system_prompts_max: int | None = None
    user_turns_max: int | None = None
    blocks_per_turn_max: int | None = None
    typed_blocks: bool = False


class Dispute(StrictStruct, frozen=True):
    """A point of a contract about which sources differ.

    path: in the contract, "image.formats". value: what the others refuse or demand: an element
    of a list, or their own value. ours, others: who says what we use, who says otherwise.
    """

    path: str
    value: str | int | float
    ours: str
    others: str


class DatasetContract(StrictStruct, frozen=True):
    """What Bedrock accepts as a dataset for one model and one customization type.

    unknown_fields: whether a field that the format does not have is an error, or is ignored.
    total_records: of training and validation together; total_records_quota: the account's default
    quota on the same sum, adjustable, so above it a check only warns.
    *_bytes_warn: above this and up to *_bytes_max a check warns. disputes: where sources differ,
    from the alternatives of the values. tokens_from: the published characters per token with its
    source and confidence, in words.
    """

    format: Format
    validation: Validation
    unknown_fields: Literal["refused", "ignored"] = "refused"
    training_records: Range = Range()
    validation_records: Range | None = None
    total_records: Range | None = None
    total_records_quota: int | None = None
    training_bytes_max: int | None = None
    training_bytes_warn: int | None = None
    validation_bytes_max: int | None = None
    caption: CaptionLimits | None = None
    image: ImageLimits | None = None
    text: TextLimits | None = None
    media: MediaLimits | None = None
    conversation: ConversationLimits | None = None
    disputes: tuple[Dispute, ...] = ()
    tokens_from: str = ""

    @property
    def teacher_answers(self) -> bool:
        """Whether a teacher model writes the last answer of a conversation."""
        return self.conversation is not None and self.conversation.teacher_answers

    def dispute(self, path: str, value: object = None) -> Dispute | None:
        """The dispute about a point, and about one value of it unless that is None."""
        return next(
            (
                dispute
                for dispute in self.disputes
                if dispute.path == path and (value is None or dispute.value == value)
            ),
            None,
        )

    def readings(self, path: str, strict: int | float, ours: int | float, unit: str = "") -> str:
        """Both readings of a limit about which sources differ, in words."""
        dispute = self.dispute(path, strict)
        strict_sources = f" ({dispute.others})" if dispute is not None else ""
        our_sources = f" ({dispute.ours})" if dispute is not None else ""
        return f"{strict:,}{unit}{strict_sources}; {ours:,}{unit}{our_sources}"


class Hyperparameter(StrictStruct, frozen=True):
    """One hyperparameter: bounds are inclusive, `auto` is the spelling that lets Bedrock choose.

    default: what we send when a customization does not say; None means nothing is sent.
    required: Bedrock wants it in every job; without a default the customization must give it.
    warn: above this and up to max a check warns (sources disagree).
    divide_records_by: a published rule of thumb: value ≈ training records / this.
    """

    name: str
    type: Literal["integer", "float", "string"]
    min: int | float | None = None
    max: int | float | None = None
    warn: int | float | None = None
    default: int | float | str | None = None
    required: bool = False
    auto: str | None = None
    auto_usual_min: int | None = None
    auto_usual_max: int | None = None
    multiple_of: int | None = None
    choices: tuple[str, ...] = ()
    divide_records_by: int | None = None
    source: tuple[str, ...] = ()
    note: str = ""

    def rule_of_thumb(self, *, records: int) -> float | None:
        """The published advice for so many records, within the bounds; None if there is none."""
        if not self.divide_records_by or not records:
            return None
        suggestion = records / self.divide_records_by
        return min(max(suggestion, self.min or 0), self.warn or self.max or suggestion)


class Lifecycle(StrictStruct, frozen=True):
    """Whether the model still takes new jobs; dates as published, None where not announced."""

    status: Literal["ACTIVE", "LEGACY", "EOL"]
    open_for_new_jobs: bool
    legacy_date: date | None = None
    end_of_life: date | None = None
    note: str = ""

    def closed_because(self) -> str:
        """Why no new job is possible, with the date; empty for an open model."""
        if self.open_for_new_jobs:
            return ""
        if self.status == "EOL":
            return f"past its end-of-life date, {self.end_of_life}"
        since = f" since {self.legacy_date}" if self.legacy_date else ""
        end = f", end of life {self.end_of_life}" if self.end_of_life else ""
        return f"Legacy{since}{end}: Bedrock accepts no new job"


class Serving(StrictStruct, frozen=True):
    """How a custom model of this base can be invoked."""

    provisioned_throughput: bool
    on_demand: bool
    batch: bool = False


class Prices(StrictStruct, frozen=True):
    """US dollars; None where no price is known, which is never the same as free.

    training_per_image_seen: × steps × batch size.
    training_per_1k_tokens: × epochs × tokens / 1,000.
    storage_per_month: of one custom model. throughput_*: per model unit and hour of a custom model,
    without commitment, for one month, for six months; base_throughput_one_month: of the base model.
    """

    training_per_image_seen: float | None = None
    training_per_1k_tokens: float | None = None
    storage_per_month: float | None = None
    throughput_per_unit_hour: float | None = None
    throughput_one_month: float | None = None
    throughput_six_months: float | None = None
    base_throughput_one_month: float | None = None
    on_demand_per_1k_text_tokens: float | None = None
    on_demand_per_image: float | None = None


class PriceList(StrictStruct, frozen=True):
    """What the AWS Price List API calls a model; family: the middle of its usage types."""

    family: str | None = None


class TrainingTime(StrictStruct, frozen=True):
    """How long a job took that somebody told of, in hours; no promise for another dataset."""

    hours: float | None = None


class Distillation(StrictStruct, frozen=True):
    """What is published about models that teach this one; empty where nothing is."""

    teachers: tuple[str, ...] = ()


class Inference(StrictStruct, frozen=True):
    """What an invocation may contain: enough for a smoke test."""

    text_tokens_max: int | None = None
    text_chars_max: int | None = None
    chars_per_token: float | None = None
    image_bytes_max: int | None = None
    embedding_lengths: tuple[int, ...] = ()
    embedding_length_default: int | None = None
    languages: tuple[str, ...] = ()
    restrictions: str = ""


class StepPoint(StrictStruct, frozen=True):
    """So many images, so many steps."""

    images: int
    steps: int


class Ids(StrictStruct, frozen=True):
    """Model ids; the forms differ, so none is ever derived from another.

    customization: in a customization job. invoke: on demand. throughput: under which Provisioned
    Throughput of the base model is sold.
    """

    customization: tuple[str, ...]
    invoke: tuple[str, ...]
    throughput: tuple[str, ...] = ()


class ModelRegions(StrictStruct, frozen=True):
    """Where each thing is possible; empty where nothing is published.

    customization: where jobs run; the custom model stays there.
    """

    customization: tuple[str, ...]
    throughput: tuple[str, ...] = ()
    on_demand: tuple[str, ...] = ()


class Quotas(StrictStruct, frozen=True):
    """Default account quotas of this model."""

    model_units: int | None = None
    requests_per_minute: int | None = None
