"""`tuning invoke`: the published model or its base model is asked, and the answer is shown."""

import base64
import io
import json
import math
from pathlib import Path
from typing import Any

import pytest
from botocore.response import StreamingBody

from tests.cli.conftest import Run
from tests.cli.support import StubbedAws

MODEL = "arn:aws:bedrock:us-east-1:000000000000:custom-model/base/abc123def456"
ENDPOINT = "arn:aws:bedrock:us-east-1:000000000000:provisioned-model/abc123def456"
EMBEDS = "amazon.titan-embed-image-v1:0"
DRAWS = "amazon.titan-image-generator-v2:0"
WRITES = "amazon.nova-lite-v1:0:300k"


def published(aws: StubbedAws, base: str = EMBEDS, *, endpoint: str | None = ENDPOINT) -> None:
    """A model of pets-search, made from this base model."""
    aws.deployed()
    aws.points("model", MODEL)
    if endpoint is not None:
        aws.points("endpoint", endpoint)
    made_from(aws, base)


def made_from(aws: StubbedAws, base: str = EMBEDS) -> None:
    """Bedrock says which base model the published model was made from."""
    aws.answer(
        "bedrock",
        "get_custom_model",
        {
            "modelArn": MODEL,
            "modelName": "m",
            "baseModelArn": f"arn:aws:bedrock:us-east-1::foundation-model/{base}",
            "creationTime": "2026-11-21T09:00:00Z",
        },
        {"modelIdentifier": MODEL},
    )


JSON = dict.fromkeys(("contentType", "accept"), "application/json")


def answers(aws: StubbedAws, body: dict[str, Any], answer: Any, model: str = ENDPOINT) -> None:
    data = json.dumps(answer).encode()
    aws.answer(
        "bedrock_runtime",
        "invoke_model",
        {"body": StreamingBody(io.BytesIO(data), len(data)), "contentType": "application/json"},
        {"modelId": model, "body": json.dumps(body), **JSON},
    )


def test_an_embedding_is_printed_as_numbers(run: Run, aws: StubbedAws) -> None:
    published(aws)
    asked = {"inputText": "a dog", "embeddingConfig": {"outputEmbeddingLength": 256}}
    answers(aws, asked, {"embedding": [0.5, -0.5]})
    result = run("invoke", "pets-search", "a dog", "--length", "256")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout) == [0.5, -0.5]
    assert MODEL in result.stderr


def test_two_inputs_are_compared(run: Run, aws: StubbedAws, tmp_path: Path) -> None:
    image = tmp_path / "dog.jpg"
    image.write_bytes(b"a picture")
    published(aws)
    answers(aws, {"inputText": "a dog"}, {"embedding": [1.0, 0.0]})
    answers(
        aws,
        {"inputImage": base64.b64encode(b"a picture").decode()},
        {"embedding": [2.0, 2.0]},
    )
    result = run("invoke", "pets-search", "a dog", "--image", image, "--json")
    assert json.loads(result.stdout)["cosine"] == pytest.approx(math.sqrt(0.5), abs=1e-6)


def test_the_base_model_is_asked_by_its_own_id(run: Run, aws: StubbedAws) -> None:
    published(aws, endpoint=None)
    answers(aws, {"inputText": "a dog"}, {"embedding": [1.0]}, model="amazon.titan-embed-image-v1")
    assert run("invoke", "pets-search", "a dog", "--base").exit_code == 0


def test_a_picture_is_written_and_never_over_another(
    run: Run, aws: StubbedAws, tmp_path: Path
) -> None:
    file = tmp_path / "ron.png"
    for _ in range(2):
        published(aws, DRAWS)
    body = {
        "taskType": "TEXT_IMAGE",
        "textToImageParams": {"text": "Ron"},
        "imageGenerationConfig": {"numberOfImages": 1, "height": 512, "width": 512, "seed": 7},
    }
    answers(aws, body, {"images": [base64.b64encode(b"\x89PNG").decode()]})
    arguments = ("invoke", "pets-search", "Ron", "--seed", "7", "-o", file)
    assert run(*arguments).stdout == f"{file}\n"
    assert file.read_bytes() == b"\x89PNG"
    refused = run(*arguments)
    assert refused.exit_code == 2
    assert "already exists" in refused.stderr


ASKED: dict[str, Any] = {
    "modelId": ENDPOINT,
    "messages": [{"role": "user", "content": [{"text": "Where is my parcel?"}]}],
    "inferenceConfig": {"maxTokens": 200},
}


def test_a_text_is_shown_as_it_is_written(run: Run, aws: StubbedAws) -> None:
    published(aws, WRITES)
    asked: list[dict[str, Any]] = []

    class Streams:
        exceptions = aws.bedrock_runtime.exceptions

        def converse_stream(self, **given: Any) -> dict[str, Any]:
            asked.append(given)
            pieces = [{"contentBlockDelta": {"delta": {"text": text}}} for text in ("So", "on.")]
            return {
                "stream": [{"messageStart": {"role": "assistant"}}, *pieces, {"messageStop": {}}]
            }

    aws.__dict__["bedrock_runtime"] = Streams()
    result = run("invoke", "pets-search", "Where is my parcel?")
    assert (result.stdout, asked) == ("Soon.\n", [ASKED])


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_a_text_that_may_not_or_need_not_be_streamed_comes_whole(
    run: Run, aws: StubbedAws, options: list[str]
) -> None:
    published(aws, WRITES)
    if not options:
        aws.stub("bedrock_runtime").add_client_error("converse_stream", "AccessDeniedException")
    aws.answer(
        "bedrock_runtime",
        "converse",
        {
            "output": {"message": {"role": "assistant", "content": [{"text": "Soon."}]}},
            "stopReason": "end_turn",
            "usage": {"inputTokens": 1, "outputTokens": 1, "totalTokens": 2},
            "metrics": {"latencyMs": 1},
        },
        ASKED,
    )
    result = run("invoke", "pets-search", "Where is my parcel?", *options)
    assert (json.loads(result.stdout)["text"] if options else result.stdout.strip()) == "Soon."


def test_the_code_that_is_shown_asks_the_same(run: Run, aws: StubbedAws) -> None:
    published(aws)
    code = run("invoke", "pets-search", "a dog", "--length", "384", "--show-code").stdout
    compile(code, "snippet", "exec")
    assert ENDPOINT in code
    assert "'outputEmbeddingLength': 384" in code


@pytest.mark.parametrize(
    ("base", "arguments", "said"),
    [
        (EMBEDS, [], "embeds one input or compares two, not 0"),
        (EMBEDS, ["a", "b", "c"], "embeds one input or compares two, not 3"),
        (EMBEDS, ["a", "--length", "512"], "use one of 256, 384, 1024"),
        (EMBEDS, ["a", "--seed", "1"], "does not take --seed"),
        (DRAWS, ["a", "--length", "256"], "does not take --length"),
        (DRAWS, [], 'pass one "TEXT" in quotes'),
        (WRITES, ["a", "b"], 'pass one "TEXT" in quotes'),
    ],
)
def test_what_a_model_does_not_take_is_refused_before_it_is_asked(
    run: Run, aws: StubbedAws, base: str, arguments: list[str], said: str
) -> None:
    published(aws, base)
    refused = run("invoke", "pets-search", *arguments)
    assert refused.exit_code == 2
    assert said in refused.stderr


def test_a_model_that_is_not_served_says_how_to_serve_it(run: Run, aws: StubbedAws) -> None:
    aws.deployed()
    aws.points("model", MODEL)
    aws.points("endpoint", None)
    refused = run("invoke", "pets-search", "a dog")
    assert refused.exit_code == 2
    assert "tuning serve pets-search" in refused.stderr


def test_a_customization_that_was_retired_is_not_to_be_served(run: Run, aws: StubbedAws) -> None:
    aws.deployed()
    prefix = "/bedrock-tuning/dev/retired"
    aws.answer("ssm", "get_parameter", {"Parameter": {"Value": MODEL}}, {"Name": f"{prefix}/model"})
    aws.stub("ssm").add_client_error(
        "get_parameter", "ParameterNotFound", expected_params={"Name": f"{prefix}/endpoint"}
    )
    refused = run("invoke", "retired", "a dog")
    assert refused.exit_code == 2
    assert "unknown customization retired in dev" in refused.stderr
    assert "tuning serve" not in refused.stderr


def test_a_customization_without_a_model_says_how_to_get_one(run: Run, aws: StubbedAws) -> None:
    aws.deployed()
    aws.points("model", None)
    assert "tuning upload DATASET -c pets-search" in run("invoke", "pets-search", "a").stderr


def test_an_endpoint_that_is_still_being_made_is_not_a_bug(run: Run, aws: StubbedAws) -> None:
    published(aws)
    aws.stub("bedrock_runtime").add_client_error("invoke_model", "ModelNotReadyException")
    refused = run("invoke", "pets-search", "a dog")
    assert refused.exit_code == 2
    assert "the endpoint is not ready" in refused.stderr
