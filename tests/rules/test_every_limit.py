"""Every limit of the catalogue is used: made stricter, the report on the same dataset changes."""

import dataclasses
import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import msgspec
import pytest

from bedrock_tuning.catalogue import (
    BaseModel,
    BatchTokens,
    DatasetContract,
    Hyperparameter,
    catalogue,
)
from bedrock_tuning.checking.conclude import conclude
from bedrock_tuning.checking.images import check_images
from bedrock_tuning.checking.result import CheckResult, merge
from bedrock_tuning.dataset.dataset import ModelRequirements
from bedrock_tuning.report.report import Report
from bedrock_tuning.rules import find_rule
from bedrock_tuning.s3_layout import Kind
from tests.checking.test_boundaries import EVERY, Extremes, extreme_records, least
from tests.support.examples import check, dataset_of, scope_of

pytestmark = pytest.mark.slow

# What is published and no rule asks for, or a rule asks for in a way that this test cannot see.
WITHOUT: dict[str, str] = {
    "media.same_bucket_as_manifest": "image-in-another-bucket demands it of every model: the "
    "service role reads one bucket",
    "media.mixed_kinds": "only loosens: images-and-video-mixed has its own example",
    "media.video_formats": "unknown-media-format and media-not-supported have their own examples",
    "media.documents_per_record_max": "as videos_per_record_max",
    "conversation.schema_version_required": "schema-version-required has its own example",
    "conversation.system_prompts_max": "too-many-parts has its own example",
    "conversation.teacher_answers": "only loosens: tests/rules/test_contracts.py",
    "conversation.typed_blocks": "only loosens: tests/rules/test_contracts.py",
    "text.reserved_in_any_case": "reserved-word has its own example",
    "unknown_fields": "ignored-field and unknown-field have their own examples",
    "tokens_from": "words of a finding: tests/dataset/test_tokens.py",
    "disputes": "words of warnings; the rules about disputes have their own examples",
    "media.videos_per_record_max": "its published value 1 cannot be lowered; "
    "too-many-videos-in-record has its own example",
}
HYPERPARAMETERS_WITHOUT: dict[str, str] = {
    "name": "no limit",
    "source": "no limit",
    "note": "no limit",
    "default": "no limit: what is sent when a customization does not say",
    "type": "refused when the customization is read (bedrock_tuning.config.hyperparameters)",
    "required": "refused when the customization is read (bedrock_tuning.config.hyperparameters)",
    "choices": "refused when the customization is read (bedrock_tuning.config.hyperparameters)",
    "auto": "a spelling; steps-left-to-amazon speaks of it",
    "auto_usual_min": "no limit: a price's range (bedrock_tuning.run.cost)",
    "auto_usual_max": "no limit: a price's range (bedrock_tuning.run.cost)",
}


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every limit that a contract holds, by its path."""
    for name in value.__struct_fields__:
        inner, place = getattr(value, name), f"{path}.{name}".lstrip(".")
        if isinstance(inner, msgspec.Struct):
            yield from leaves(inner, place)
        elif inner not in (None, (), "") or isinstance(inner, bool):
            yield place, inner


@cache
def where() -> dict[str, str]:
    """Of every limit in the catalogue the contract with the fewest records."""
    found: dict[str, list[tuple[int, str]]] = {}
    for param in EVERY:
        text = str(param.values[0])
        contract = scope_of(text).contract
        for path, _ in leaves(contract):
            found.setdefault(path, []).append((sum(least(contract).values()), text))
    return {path: min(places)[1] for path, places in found.items()}


def replaced(value: Any, path: str, new: Any) -> Any:
    """A copy of a contract with another limit."""
    name, _, rest = path.partition(".")
    inner = replaced(getattr(value, name), rest, new) if rest else new
    return msgspec.structs.replace(value, **{name: inner})


def stricter(path: str, value: Any, counts: dict[Kind, int]) -> Any:
    """A value that the dataset on all limits does not keep."""
    name = path.rpartition(".")[2]
    total = sum(counts.values())
    match name, value:
        case "format", _:
            return "input-only" if value == "prompt-completion" else "prompt-completion"
        case "validation", _:
            return "forbidden" if "validation" in counts else "required"
        case "reserved_words", _:
            return (*value, "q")
        case "record_tokens_by_batch", _:
            return tuple(BatchTokens(batch_max=r.batch_max, tokens_max=10) for r in value)
        case "formats", _:
            return tuple(each for each in value if each != "png")
        case (("user_blocks" | "assistant_blocks"), _):
            return tuple(each for each in value if each != "text")
        case "schema_version", _:
            return "another"
        case "key_characters", _:
            return "A-Za-z"
        case "total_records_quota", _:
            return total - 1
        case "max", _:
            return 0
        case (("training_bytes_max" | "training_bytes_warn" | "validation_bytes_max"), _):
            return 1
        case "min", _:
            return total + 1
        case ("chars_per_token", _) | ("aspect_max", _):
            return value / 2
        case "aspect_min", _:
            return value * 2
        case (("chars_min" | "side_min"), _):
            return value + 1
    assert name.endswith(("_max", "_warn", "tile_pixels", "tile_tokens")), path
    return value - 1 if name == "images_per_record_max" else value // 2


def judged(
    text: str, contract: DatasetContract, counts: dict[Kind, int], *, videos: bool
) -> Report:
    """The report on a dataset on all limits of the model, by another contract."""
    parts: list[CheckResult] = []
    scope = scope_of(text)
    for kind, count in counts.items():
        records = extreme_records(scope.contract, kind, count, videos=videos)
        rows = [json.dumps(each) for each in records]
        judge = scope_of(text, kind=kind, contract=contract)
        refs, partial = check("\n".join(rows).encode(), scope=judge)
        parts.append(partial)
        if refs:
            parts.append(check_images(refs, Extremes(), judge))
    return conclude(merge(parts), ModelRequirements(base_model=scope.model, dataset=contract))


def findings(report: Report) -> list[tuple[str, ...]]:
    return [(f.name, f.kind, str(f.line), f.message, f.limit) for f in report.findings]


@pytest.mark.parametrize("path", sorted(set(where()) - set(WITHOUT)))
def test_a_stricter_limit_is_noticed(path: str) -> None:
    text = where()[path]
    contract = scope_of(text).contract
    counts = least(contract)
    value = dict(leaves(contract))[path]
    changed = replaced(contract, path, stricter(path, value, counts))
    new, old = (judged(text, c, counts, videos="video" in path) for c in (changed, contract))
    assert findings(new) != findings(old)


def test_the_exceptions_are_real() -> None:
    assert set(WITHOUT) <= set(where())
    assert set(HYPERPARAMETERS_WITHOUT) < set(Hyperparameter.__struct_fields__)


_STRICTER = {
    "min": ("hyperparameter-out-of-range", {"min": 9, "max": 10}),
    "max": ("hyperparameter-out-of-range", {"min": 1, "max": 2}),
    "warn": ("hyperparameter-disputed", {"warn": 2, "max": 10}),
    "multiple_of": ("hyperparameter-not-a-multiple", {"multiple_of": 2}),
    "divide_records_by": ("far-from-rule-of-thumb", {"divide_records_by": 1}),
}


@pytest.mark.parametrize(
    "field", sorted(set(Hyperparameter.__struct_fields__) - set(HYPERPARAMETERS_WITHOUT))
)
def test_every_bound_of_a_hyperparameter_is_asked_for(field: str) -> None:
    name, changes = _STRICTER[field]
    dataset = dataset_of("nova-lite", {"training": {"records": 100}})
    parameter = Hyperparameter(name="epochCount", type="integer")

    def found(**bounds: Any) -> int:
        changed = msgspec.structs.replace(parameter, **bounds)
        model: BaseModel = msgspec.structs.replace(
            catalogue()["nova-lite"], hyperparameters={"epochCount": changed}
        )
        requirements = ModelRequirements(
            base_model=model,
            dataset=dataset.requirements.dataset,
            hyperparameters={"epochCount": "3"},
        )
        whole = dataclasses.replace(dataset, requirements=requirements)
        return len(list(find_rule(name).check(whole, None)))

    assert (found(), found(**changes)) == (0, 1)
