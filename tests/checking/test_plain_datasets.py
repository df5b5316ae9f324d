"""An everyday dataset of each model and type has no finding at all: no error, warning or hint."""

import json
from typing import Any

import pytest

from bedrock_tuning.catalogue import DatasetContract, Range
from bedrock_tuning.checking.conclude import conclude
from bedrock_tuning.checking.images import check_images
from bedrock_tuning.checking.result import CheckResult, merge
from bedrock_tuning.dataset.dataset import ModelRequirements
from bedrock_tuning.dataset.record_formats import SCHEMA_VERSION
from bedrock_tuning.s3_layout import Kind
from tests.checking.test_boundaries import EVERY, Extremes, least
from tests.support.examples import check, scope_of


def plain(contract: DatasetContract, kind: Kind, number: int) -> dict[str, Any]:
    """A short record that nobody would object to, unlike any other."""
    name = f"{kind} {number}"
    uri = f"s3://bucket/folder/images/{kind}-{number}-1024x768-90000.png"
    match contract.format:
        case "image-caption":
            return {"image-ref": uri, "caption": f"Ron the dog on a lawn, picture {name}"}
        case "prompt-completion":
            return {"prompt": f"What is {name}?", "completion": f"It is number {number}."}
        case "input-only":
            return {"input": f"A text about {name}: größer, 犬, 🐕."}
    talk = [("user", f"What is {name}?"), ("assistant", f"It is number {number}.")]
    if contract.format != "converse":
        more = {"reference_answer": str(number)} if contract.format == "rft" else {}
        return {"messages": [{"role": r, "content": t} for r, t in talk], **more}
    messages: list[Any] = [{"role": r, "content": [{"text": t}]} for r, t in talk]
    if contract.image is not None:
        source = {"s3Location": {"uri": uri, "bucketOwner": "123456789012"}}
        messages[0]["content"].append({"image": {"format": "png", "source": source}})
    system = [{"text": "Answer shortly."}]
    return {"schemaVersion": SCHEMA_VERSION, "system": system, "messages": messages}


@pytest.mark.slow
@pytest.mark.parametrize("text", EVERY)
def test_an_everyday_dataset_has_no_finding(text: str) -> None:
    contract = scope_of(text).contract
    parts: list[CheckResult] = []
    for kind, count in least(contract).items():
        scope = scope_of(text, kind=kind, bucket_region="us-east-1")
        safe = (contract.total_records or Range()).min_warn or 8
        rows = (json.dumps(plain(contract, kind, n)) for n in range(max(count, safe)))
        refs, partial = check(("\n".join(rows) + "\n").encode(), scope=scope)
        parts.append(partial)
        if refs:
            parts.append(check_images(refs, Extremes(), scope))
    terms = ModelRequirements(base_model=scope_of(text).model, dataset=contract)
    report = conclude(merge(parts), terms, job_region="us-east-1")
    elsewhere = "us-east-1" not in terms.base_model.regions.customization
    expected = {"bucket-in-another-region"} if elsewhere else set()
    assert set(report.counts) == expected
