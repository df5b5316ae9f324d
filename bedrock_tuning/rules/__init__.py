"""The rule catalogue. A rule exists when it is listed here; ids are never reused.

L lines · R records · I images · D datasets · H hyperparameters · X the checker itself
"""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, Final

from bedrock_tuning.catalogue import Format
from bedrock_tuning.dataset.requirements import Override
from bedrock_tuning.rules import (
    caption,
    conversation,
    dataset,
    hyperparameter,
    image,
    line,
    media,
    quality,
    reach,
    record,
    text,
    video,
)
from bedrock_tuning.rules.crash import rule_crashed
from bedrock_tuning.rules.rule import Fault, Rule, Severity

LINE_RULES: Final[tuple[Rule[Any], ...]] = (
    line.byte_order_mark,
    line.not_utf8,
    line.blank_line,
    line.line_too_long,
    line.malformed_json,
    line.nested_too_deep,
    line.not_an_object,
    line.duplicate_key,
    line.nul_character,
    line.lone_surrogate,
    line.windows_line_end,
    text.record_too_many_bytes,
)
_ANY_RECORD: Final[tuple[Rule[Any], ...]] = (
    record.record_of_another_format,
    record.unknown_field,
    record.missing_field,
    record.wrong_type,
)
_CAPTION_RULES: Final[tuple[Rule[Any], ...]] = (
    caption.caption_too_long,
    caption.caption_too_short,
    caption.caption_over_token_limit,
    caption.blank_caption,
    caption.control_character_in_caption,
)
_REFERENCE_RULES: Final[tuple[Rule[Any], ...]] = (
    caption.image_ref_not_s3,
    caption.image_in_another_bucket,
    caption.image_path_climbs,
    caption.image_outside_folder,
    caption.image_ref_without_name,
)
_TEXT_RULES: Final[tuple[Rule[Any], ...]] = (
    text.empty_text,
    text.record_over_token_limit,
    text.prompt_over_token_limit,
    text.completion_over_token_limit,
)
_CONVERSATION_RULES: Final[tuple[Rule[Any], ...]] = (
    conversation.empty_conversation,
    conversation.unknown_role,
    conversation.first_turn_not_user,
    conversation.last_turn_not_assistant,
    conversation.turns_not_alternating,
    conversation.empty_message,
    conversation.reserved_word,
    conversation.unknown_schema_version,
    conversation.misspelt_reference_answer,
    conversation.schema_version_missing,
)
_MEDIA_RULES: Final[tuple[Rule[Any], ...]] = (
    media.media_not_supported,
    media.too_many_images_in_record,
    media.too_many_videos_in_record,
    media.images_and_video_mixed,
    media.unknown_media_format,
    media.media_key_characters,
    media.media_format_not_as_named,
    media.images_over_token_limit,
    media.images_may_exceed_token_limit,
)
RECORD_RULES: Final[tuple[Rule[Any], ...]] = (
    *_ANY_RECORD,
    *_CAPTION_RULES,
    *_REFERENCE_RULES,
    *_TEXT_RULES,
    *_CONVERSATION_RULES,
    *_MEDIA_RULES,
)
IMAGE_RULES: Final[tuple[Rule[Any], ...]] = (
    image.image_missing,
    image.image_not_readable,
    image.empty_image,
    image.image_format_not_supported,
    image.truncated_image,
    image.corrupt_image,
    image.image_changed_meanwhile,
    image.image_key_too_long,
    image.wrong_image_extension,
    image.image_too_many_bytes,
    image.image_bytes_disputed,
    image.image_side_too_small,
    image.image_side_too_large,
    image.too_many_pixels,
    image.pixels_disputed,
    image.aspect_ratio_out_of_range,
    video.video_too_long,
    video.video_length_unknown,
    image.animated_image,
    image.cmyk_image,
    image.deep_colour_image,
    image.rotated_by_exif,
    image.unusual_channels,
    reach.image_does_not_decode,
)
DATASET_RULES: Final[tuple[Rule[Any], ...]] = (
    dataset.empty_manifest,
    dataset.too_few_records,
    dataset.too_many_records,
    dataset.too_few_records_in_total,
    dataset.too_many_records_in_total,
    dataset.above_record_quota,
    dataset.manifest_too_large,
    dataset.validation_missing,
    dataset.validation_not_supported,
    dataset.bucket_in_another_region,
    quality.duplicate_record,
    quality.duplicate_image,
    quality.image_in_both_manifests,
    quality.record_in_both_manifests,
    quality.one_caption_for_all,
    quality.many_empty_captions,
    quality.unbalanced_classes,
    quality.folders_not_covered,
    quality.copies_only_sampled,
    reach.images_not_looked_at,
    hyperparameter.hyperparameter_out_of_range,
    hyperparameter.hyperparameter_not_a_multiple,
    hyperparameter.hyperparameter_disputed,
    hyperparameter.steps_far_from_recommended,
    hyperparameter.steps_left_to_amazon,
    hyperparameter.batch_larger_than_dataset,
    hyperparameter.batch_too_large_for_long_records,
    hyperparameter.far_from_rule_of_thumb,
)
RULES: Final[tuple[Rule[Any], ...]] = (
    *LINE_RULES,
    *RECORD_RULES,
    *IMAGE_RULES,
    *DATASET_RULES,
    rule_crashed,
)
BY_ID: Final[Mapping[str, Rule[Any]]] = {rule.id: rule for rule in RULES}
BY_NAME: Final[Mapping[str, Rule[Any]]] = {rule.name: rule for rule in RULES}


def record_rules(format: Format) -> tuple[Rule[Any], ...]:
    """The rules that have something to say about records of a format."""
    match format:
        case "image-caption":
            return (*_ANY_RECORD, *_CAPTION_RULES, *_REFERENCE_RULES)
        case "prompt-completion" | "input-only":
            return (*_ANY_RECORD, *_TEXT_RULES)
        case "converse":
            length = (text.record_over_token_limit,)
            talk = (*_CONVERSATION_RULES, *_MEDIA_RULES)
            return (*_ANY_RECORD, *_REFERENCE_RULES, *length, *talk)
    return (*_ANY_RECORD, text.record_over_token_limit, *_CONVERSATION_RULES)


def find_rule(text: str) -> Rule[Any]:
    """The rule of an id or a name; raises KeyError with the closest one for anything else."""
    found = BY_ID.get(text.upper()) or BY_NAME.get(text)
    if found is None:
        close = get_close_matches(text, [*BY_NAME, *BY_ID], n=1)
        hint = f'; did you mean "{close[0]}"?' if close else ""
        raise KeyError(f'there is no rule "{text}"{hint}')
    return found


__all__ = [
    "BY_ID",
    "BY_NAME",
    "DATASET_RULES",
    "IMAGE_RULES",
    "LINE_RULES",
    "RECORD_RULES",
    "RULES",
    "Fault",
    "Override",
    "Rule",
    "Severity",
    "find_rule",
    "record_rules",
]
