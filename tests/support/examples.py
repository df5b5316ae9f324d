"""What several tests of the checks need: scopes, items made of rules' examples, whole checks."""

import hashlib
import json
from typing import Any

import msgspec

from bedrock_tuning.catalogue import BaseModel, DatasetContract, catalogue
from bedrock_tuning.checking.manifest import ManifestCheck
from bedrock_tuning.checking.result import CheckResult
from bedrock_tuning.dataset.dataset import Dataset, ModelRequirements
from bedrock_tuning.dataset.fingerprints import image_hash, record_hash
from bedrock_tuning.dataset.images.header import Header
from bedrock_tuning.dataset.images.image import Image
from bedrock_tuning.dataset.json_lines import Line, parse
from bedrock_tuning.dataset.line_blocks import BLOCK_BYTES
from bedrock_tuning.dataset.record import Record
from bedrock_tuning.dataset.scope import DatasetScope, ImageRef
from bedrock_tuning.dataset.statistics import ImageStats, TextStats, ValueCounts, join_hashes
from bedrock_tuning.dataset.whole_file import WholeFile
from bedrock_tuning.rules.finding import FINDINGS_PER_RULE, Heard
from bedrock_tuning.rules.rule import Crash, Rule
from bedrock_tuning.s3_layout import KINDS, Kind

FLAGSHIP = "titan-multimodal-embeddings-g1"


def contract_of(text: str) -> tuple[BaseModel, DatasetContract]:
    """Model and contract of "key" or "key/CUSTOMIZATION_TYPE"."""
    key, _, type = text.partition("/")
    model = catalogue()[key]
    return model, model.datasets[type or next(iter(model.datasets))]


def scope_of(text: str = FLAGSHIP, *, kind: Kind = "training", **changes: Any) -> DatasetScope:
    """A scope whose images are in s3://bucket/folder/."""
    model, contract = contract_of(text)
    values: dict[str, Any] = {
        "model": model,
        "contract": contract,
        "kind": kind,
        "bucket": "bucket",
        "folders": ("folder/",),
    }
    return DatasetScope(**{**values, **changes})


def check(
    data: bytes,
    *,
    scope: DatasetScope | None = None,
    cuts: tuple[int, ...] = (),
    block_bytes: int = BLOCK_BYTES,
    by_rules_only: bool = False,
    findings_per_rule: int = FINDINGS_PER_RULE,
) -> tuple[list[ImageRef], CheckResult]:
    """References and result of a manifest that arrives in pieces."""
    running = ManifestCheck(
        scope or scope_of(), Heard(per_rule=findings_per_rule), block_bytes=block_bytes
    )
    if by_rules_only:
        running._fast = running._classes = None
    refs: list[ImageRef] = []
    start = 0
    for end in [*sorted(cut % (len(data) + 1) for cut in cuts), len(data)]:
        refs += running.feed(data[start:end])
        start = end
    last, partial = running.finish()
    return [*refs, *last], partial


def item_of(rule: Rule[Any], example: str | bytes) -> Any:
    """What the rule checks, made of one of its examples."""
    data = example.encode() if isinstance(example, str) else example
    if rule.item is WholeFile:
        return WholeFile(data)
    if rule.item is Line:
        return Line(number=1, data=data)
    if rule.item is Record:
        parsed = parse(data)
        assert not parsed.problem
        return Record(line=1, value=parsed.value, scope=scope_of(rule.model))
    seen = json.loads(example)
    if rule.item is Image:
        return image_of(seen)
    if rule.item is Crash:
        return Crash(rule=rule, error=ValueError("oops") if seen["crash"] else None)
    return dataset_of(rule.model, seen)


def image_of(seen: dict[str, Any]) -> Image:
    """An image of what the checker saw of it."""
    key = seen.pop("key", "folder/1")
    if outcome := seen.pop("outcome", ""):
        key = "x" * 1025 if outcome == "key" else key
        return Image(line=1, key=key, outcome=outcome, reason="AccessDenied")
    size = seen.pop("size", 1000)
    header = Header(**{"format": "png", "width": 512, "height": 512, **seen})
    return Image(line=1, key=key, header=header, size=size, etag="0")


def dataset_of(model: str, seen: dict[str, Any]) -> Dataset:
    """A dataset of what was seen of each kind."""
    base, contract = contract_of(model)
    partial = CheckResult()
    for kind in KINDS:
        if kind in seen:
            text, images = _stats(dict(seen[kind]))
            partial.text_stats[kind] = text
            partial.image_stats[kind] = images
    requirements = ModelRequirements(
        base_model=base, dataset=contract, hyperparameters=seen.get("hyperparameters", {})
    )
    return Dataset(
        text_stats=partial.text_stats,
        image_stats=partial.image_stats,
        requirements=requirements,
        job_region=seen.get("job_region", ""),
    )


def _stats(seen: dict[str, Any]) -> tuple[TextStats, ImageStats]:
    images = [
        image_hash(line=line, key=key, size=1, etag=hashlib.md5(content.encode()).hexdigest())  # noqa: S324
        for line, (content, key) in enumerate(seen.pop("images", ()), 1)
    ]
    records = [
        record_hash(line=line, content=content.encode())
        for line, content in enumerate(seen.pop("hashes", ()), 1)
    ]
    folders = ValueCounts(counts=seen.pop("folders", {}))
    seen["captions"] = ValueCounts(counts=seen.pop("captions", {}))
    text = msgspec.structs.replace(TextStats(hashes=join_hashes(records)), **seen)
    return text, ImageStats(hashes=join_hashes(images), folders=folders)
