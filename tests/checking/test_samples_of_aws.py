"""Training files that AWS publishes, rebuilt in their form with texts of our own, are valid."""

import json
from typing import Any

import pytest

from bedrock_tuning.checking.conclude import conclude
from bedrock_tuning.checking.result import merge
from bedrock_tuning.dataset.dataset import ModelRequirements
from tests.support.examples import check, scope_of


def turn(role: str, *blocks: Any) -> dict[str, Any]:
    return {"role": role, "content": list(blocks)}


def tool_use(number: int) -> dict[str, Any]:
    """amazon-bedrock-samples: nova_tooluse_customization, formatted_train_ft.jsonl."""
    tools = {"tools": [{"toolSpec": {"name": "forecast", "description": "the weather"}}]}
    question = f"\nAnswer as JSON.\n\n<tools>{json.dumps(tools)}</tools>\n\nRain in town {number}?"
    answer = json.dumps({"name": "forecast", "parameters": {"town": number}})
    return {
        "schemaVersion": "tooluse-dataset-2024",
        "system": [{"text": "You call tools."}],
        "messages": [turn("user", {"text": question}), turn("assistant", {"text": answer})],
    }


def reasoning(number: int) -> dict[str, Any]:
    """amazon-nova-samples: Nova_2.0, single-train-reasoning.json."""
    thought = {"reasoningContent": {"reasoningText": {"text": f"{number} and one more"}}}
    answer = turn("assistant", thought, {"text": str(number + 1)})
    return {
        "schemaVersion": "bedrock-conversation-2024",
        "system": [],
        "messages": [turn("user", {"text": f"What follows {number}?"}), answer],
    }


def graded(number: int) -> dict[str, Any]:
    """amazon-bedrock-samples: reinforcement fine-tuning, rft_train_data.jsonl."""
    return {
        "messages": [{"role": "user", "content": f'Add {number} and 1. End with "####".'}],
        "reference_answer": f"{number}+1 = <<{number}+1={number + 1}>>{number + 1}\n#### {number}",
        "ground_truth": str(number + 1),
    }


def pair(number: int) -> dict[str, Any]:
    """amazon-bedrock-samples: model_distillation, uber10K.jsonl."""
    context = f"<context>\nDocument {number}: revenue grew.\n</context>"
    return {"prompt": f"Answer from the context.\n\n{context}", "completion": "It grew."}


def captioned(number: int) -> dict[str, Any]:
    """multimodal-chest-x-ray-embeddings: labels as captions."""
    return {"image-ref": f"s3://bucket/folder/{number}.png", "caption": f"Finding {number}"}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("record", "model", "count"),
    [
        (tool_use, "nova-micro", 560),
        (tool_use, "nova-2-lite", 560),
        (reasoning, "nova-2-lite", 200),
        (graded, "nova-2-lite/REINFORCEMENT_FINE_TUNING", 300),
        (pair, "titan-text-lite", 200),
        (captioned, "titan-multimodal-embeddings-g1", 1_000),
    ],
)
def test_a_file_that_aws_publishes_for_a_model_is_valid(
    record: Any, model: str, count: int
) -> None:
    scope = scope_of(model)
    lines = "".join(json.dumps(record(number)) + "\n" for number in range(count))
    _, result = check(lines.encode(), scope=scope)
    report = conclude(
        merge([result]), ModelRequirements(base_model=scope.model, dataset=scope.contract)
    )
    # The set of images comes with a validation set of its own; the images are not here.
    of_files = [each for each in report.findings if each.line is not None]
    assert [each for each in of_files if each.severity == "error"] == []
    assert {each.name for each in of_files} <= {"schema-version-disputed"}
    assert report.records == count
