"""InvokeModel: vectors and pictures that depend on their input, and the models' limits."""

import base64
import io
import json
import math
import random
from collections.abc import Iterator
from typing import Any

import pytest
from PIL import Image

from bedrock_tuning.catalogue import catalogue
from local.bedrock.data import embeddings, pictures
from local.bedrock.errors import BedrockError
from tests.local.support import Pets, eventually, picture, refused, unique

TITAN = "amazon.titan-embed-image-v1"
EMBEDDINGS = catalogue()["titan-multimodal-embeddings-g1"]
IMAGES = catalogue()["titan-image-generator-v2"]


def invoke(pets: Pets, model_id: str, body: Any) -> Any:
    answer = pets.aws.client("bedrock-runtime").invoke_model(
        modelId=model_id, body=json.dumps(body), contentType="application/json"
    )
    return json.load(answer["body"])


def embed(tuned: str | None = None, **body: Any) -> list[float]:
    vector: list[float] = embeddings.embed(body, model=EMBEDDINGS, tuned=tuned)["embedding"]
    return vector


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


def likeness(one: list[float], other: list[float]) -> float:
    return sum(a * b for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("length", [256, 384, 1024])
def test_a_vector_has_the_asked_length_and_norm_one(length: int) -> None:
    vector = embed(inputText="a dog", embeddingConfig={"outputEmbeddingLength": length})
    assert len(vector) == length
    assert math.isclose(sum(number**2 for number in vector), 1.0, abs_tol=1e-9)
    assert all(vector)


def test_the_same_input_gives_the_same_vector() -> None:
    body = {"inputText": "a dog", "inputImage": encoded(picture())}
    assert embed(**body) == embed(**body)


def test_near_texts_have_near_vectors() -> None:
    dog, big_dog, tax = (
        embed(inputText=text)
        for text in ("a brown dog", "a big brown dog", "quarterly tax statement")
    )
    assert likeness(dog, big_dog) > 0.6
    assert likeness(dog, tax) < 0.3


def test_an_images_vector_depends_on_its_pixels_not_on_its_file() -> None:
    def drawn(kind: str, size: int) -> str:
        image = Image.linear_gradient("L").convert("RGB").resize((size, size))
        file = io.BytesIO()
        image.save(file, kind)
        return encoded(file.getvalue())

    png, jpeg, small = drawn("PNG", 256), drawn("JPEG", 256), drawn("PNG", 64)
    other = encoded(picture((10, 200, 30)))
    vectors = [embed(inputImage=image) for image in (png, jpeg, small, other)]
    assert vectors[0] != vectors[1]
    assert likeness(vectors[0], vectors[1]) > 0.99
    assert likeness(vectors[0], vectors[2]) > 0.99
    assert likeness(vectors[0], vectors[3]) < 0.5


def test_text_and_image_together_give_their_average() -> None:
    text, image = embed(inputText="a cat"), embed(inputImage=encoded(picture()))
    both = embed(inputText="a cat", inputImage=encoded(picture()))
    assert math.isclose(likeness(both, text), likeness(both, image), abs_tol=1e-9)
    assert likeness(both, text) > likeness(text, image)


def test_a_tuned_model_answers_in_its_own_way() -> None:
    base, one, other = (embed(tuned, inputText="a dog") for tuned in (None, "arn:1", "arn:2"))
    assert base != one != other
    assert likeness(base, one) > 0.7
    assert one == embed("arn:1", inputText="a dog")


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ({}, "inputText or inputImage is required"),
        ({"inputText": ""}, "length >= 1 - at `$.inputText`"),
        ({"inputText": "word " * 257}, "takes at most 256"),
        ({"inputText": "x" * 1300}, "takes at most 256"),
        ({"inputText": "a", "embeddingConfig": {"outputEmbeddingLength": 512}}, "must be one of"),
        ({"inputImage": "***"}, "Invalid base64"),
        ({"inputImage": encoded(b"<html>")}, "cannot be decoded"),
        ({"inputImage": encoded(picture(kind="GIF"))}, "takes PNG and JPEG"),
        ({"inputImage": encoded(picture()[:60])}, "cannot be decoded"),
        ({"prompt": "a dog"}, "unknown field `prompt`"),
    ],
)
def test_what_the_model_does_not_take_is_refused(body: dict[str, Any], why: str) -> None:
    with pytest.raises(BedrockError) as caught:
        embeddings.embed(body, model=EMBEDDINGS, tuned=None)
    assert (caught.value.code, why in caught.value.message) == ("ValidationException", True)


def draw(tuned: str | None = None, text: str = "a dog", **config: Any) -> list[str]:
    size = {"height": 512, "width": 512}
    body = {
        "taskType": "TEXT_IMAGE",
        "textToImageParams": {"text": text},
        "imageGenerationConfig": {**size, **config},
    }
    images: list[str] = pictures.generate(body, model=IMAGES, tuned=tuned)["images"]
    return images


def test_a_picture_is_a_png_of_the_asked_size() -> None:
    (image,) = draw(height=384, width=640)
    with Image.open(io.BytesIO(base64.b64decode(image))) as opened:
        assert (opened.format, opened.size) == ("PNG", (640, 384))


def test_a_picture_depends_on_prompt_seed_and_model() -> None:
    same, again = draw(), draw()
    assert same == again
    different = [draw(text="a cat"), draw(seed=7), draw("arn:1"), draw(cfgScale=2.0)]
    assert len({images[0] for images in [same, *different]}) == 5


def test_so_many_different_pictures_as_asked() -> None:
    assert len(set(draw(numberOfImages=3))) == 3


@pytest.mark.parametrize(
    ("config", "why"),
    [
        ({"height": 500}, "not among the model's sizes"),
        ({"numberOfImages": 6}, "numberOfImages"),
        ({"seed": -1}, "seed"),
        ({"cfgScale": 11}, "cfgScale"),
        ({"quality": "best"}, "quality"),
        ({"text": "x" * 513}, "at most 512"),
    ],
)
def test_what_the_picture_model_does_not_take_is_refused(config: Any, why: str) -> None:
    with pytest.raises(BedrockError, match=why):
        draw(**config)


def in_service(pets: Pets, arn: str) -> None:
    bedrock = pets.aws.client("bedrock")
    eventually(
        lambda: (
            bedrock.get_provisioned_model_throughput(provisionedModelId=arn)["status"]
            == "InService"
        )
    )


@pytest.fixture(scope="module")
def served(pets: Pets, model: str) -> Iterator[str]:
    """The ARN of throughput that serves the model."""
    bedrock = pets.aws.client("bedrock")
    arn = bedrock.create_provisioned_model_throughput(
        provisionedModelName=unique("served"), modelId=model, modelUnits=1
    )["provisionedModelArn"]
    in_service(pets, arn)
    yield arn
    bedrock.delete_provisioned_model_throughput(provisionedModelId=arn)


def test_throughput_that_is_still_created_is_not_ready(pets: Pets, model: str) -> None:
    bedrock = pets.aws.client("bedrock")
    with pets.aws.faults.held():
        arn = bedrock.create_provisioned_model_throughput(
            provisionedModelName=unique("early"), modelId=model, modelUnits=1
        )["provisionedModelArn"]
        with refused("ModelNotReadyException"):
            invoke(pets, arn, {"inputText": "too early"})
    in_service(pets, arn)
    bedrock.delete_provisioned_model_throughput(provisionedModelId=arn)


def test_a_served_model_answers_unlike_its_base(pets: Pets, served: str) -> None:
    tuned = invoke(pets, served, {"inputText": "a dog"})
    base = invoke(pets, TITAN, {"inputText": "a dog"})
    assert tuned["inputTextTokenCount"] == base["inputTextTokenCount"] == 2
    assert tuned["embedding"] != base["embedding"]
    assert tuned["embedding"] == invoke(pets, served, {"inputText": "a dog"})["embedding"]


def test_an_answer_says_that_it_is_simulated(pets: Pets) -> None:
    answer = pets.aws.client("bedrock-runtime").invoke_model(
        modelId=TITAN, body=b'{"inputText":"a"}'
    )
    assert answer["ResponseMetadata"]["HTTPHeaders"]["x-bedrock-tuning-simulator"] == "1"


def test_a_custom_model_is_not_invoked_without_throughput(pets: Pets, model: str) -> None:
    with refused("ValidationException") as message:
        invoke(pets, model, {"inputText": "a dog"})
    assert "'modelId' failed to satisfy constraint" in message[0]
    name = pets.aws.client("bedrock").get_custom_model(modelIdentifier=model)["modelName"]
    with refused("ValidationException"):
        invoke(pets, name, {"inputText": "a dog"})


@pytest.mark.parametrize(
    ("model_id", "code"),
    [
        ("amazon.titan-unheard-of-v9", "ValidationException"),
        ("amazon.nova-lite-v1:0", "ValidationException"),
        ("amazon.titan-image-generator-v2:0", "ResourceNotFoundException"),
    ],
)
def test_a_model_that_cannot_answer_says_so(pets: Pets, model_id: str, code: str) -> None:
    with refused(code):
        invoke(pets, model_id, {"messages": []})


@pytest.mark.parametrize("body", [b"", b"[]", b"{"])
def test_a_body_that_is_no_object_is_refused(pets: Pets, body: bytes) -> None:
    with refused("ValidationException"):
        pets.aws.client("bedrock-runtime").invoke_model(modelId=TITAN, body=body)


COLORS = {
    "red": (220, 20, 30),
    "green": (20, 200, 40),
    "blue": (30, 40, 220),
    "gold": (230, 190, 20),
}


def painted(count: int, *, seed: int) -> list[tuple[bytes, str]]:
    """Pictures of one color with some noise, and captions that name it."""
    dice = random.Random(seed)  # noqa: S311
    pairs = []
    for _ in range(count):
        name = dice.choice(sorted(COLORS))
        shade = tuple(min(255, max(0, part + dice.randint(-25, 25))) for part in COLORS[name])
        pairs.append(
            (
                picture((shade[0], shade[1], shade[2])),
                f"a {name} wall, photograph {dice.randint(1, 999)}",
            )
        )
    return pairs


def right_answers(learned: str | None) -> int:
    """For how many new pictures the caption with the right color is nearest."""
    words = {name: embed("arn:1", inputText=f"a {name} wall") for name in COLORS}
    right = 0
    for data, caption in painted(40, seed=2):
        body = {"inputImage": encoded(data)}
        vector = embeddings.embed(body, model=EMBEDDINGS, tuned="arn:1", learned=learned)
        near = max(words, key=lambda name: likeness(vector["embedding"], words[name]))
        right += near in caption
    return right


def test_a_tuned_model_finds_what_its_captions_say_about_colors() -> None:
    learned = embeddings.learn((data, [caption]) for data, caption in painted(100, seed=1))
    assert right_answers(learned) > 30
    assert right_answers(None) < 25


def test_of_captions_that_say_nothing_about_their_pictures_nothing_is_learned() -> None:
    pairs = painted(60, seed=1)
    captions = [[caption] for _, caption in pairs]
    random.Random(3).shuffle(captions)  # noqa: S311
    assert embeddings.learn(zip([data for data, _ in pairs], captions, strict=True)) is None


def test_a_picture_with_several_captions_teaches_each_of_them() -> None:
    pairs = painted(19, seed=1)
    said = [[caption, f"the {caption}"] for _, caption in pairs]
    assert embeddings.learn(zip([data for data, _ in pairs], said, strict=True)) is not None
    assert (
        embeddings.learn((data, each[:1]) for (data, _), each in zip(pairs, said, strict=True))
        is None
    )


def test_pictures_that_cannot_be_decoded_teach_nothing() -> None:
    assert embeddings.learn([(b"\x89PNG\r\n\x1a\n", ["a wall"])] * 30) is None
