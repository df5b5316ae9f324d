"""ConverseStream: botocore reads the simulator's frames, and its text is Converse's."""

import pytest
from botocore.exceptions import ClientError

from tests.local.support import Pets

MODEL = "amazon.nova-micro-v1:0"
TURNS = [{"role": "user", "content": [{"text": "Where is my parcel?"}]}]


def test_the_pieces_of_a_stream_are_the_whole_answer(pets: Pets) -> None:
    runtime = pets.aws.client("bedrock-runtime")
    whole = runtime.converse(modelId=MODEL, messages=TURNS)
    events = list(runtime.converse_stream(modelId=MODEL, messages=TURNS)["stream"])
    assert [next(iter(events[0])), next(iter(events[-1]))] == ["messageStart", "metadata"]
    pieces = [
        each["contentBlockDelta"]["delta"]["text"] for each in events if "contentBlockDelta" in each
    ]
    assert len(pieces) > 3
    assert "".join(pieces) == whole["output"]["message"]["content"][0]["text"]
    (stop,) = (each["messageStop"] for each in events if "messageStop" in each)
    assert stop["stopReason"] == whole["stopReason"]
    assert events[-1]["metadata"]["usage"] == whole["usage"]


def test_a_model_of_embeddings_streams_nothing(pets: Pets) -> None:
    runtime = pets.aws.client("bedrock-runtime")
    with pytest.raises(ClientError, match="does not support Converse"):
        runtime.converse_stream(modelId="amazon.titan-embed-image-v1", messages=TURNS)
