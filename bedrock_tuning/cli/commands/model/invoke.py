"""`tuning invoke`: asks a customization's model, or its base model, and shows the answer."""

import base64
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bedrock_tuning.cli.options import DeploymentOption, customization_argument, deployment_options
from bedrock_tuning.cli.terminal.command import command
from bedrock_tuning.cli.terminal.errors import Interrupted
from bedrock_tuning.cli.terminal.output import (
    emit,
    emit_json,
    json_option,
    overwrite_option,
    require_free,
    say,
)
from bedrock_tuning.errors import UserError

if TYPE_CHECKING:
    from bedrock_tuning.client.inference import AskedModel
    from bedrock_tuning.serving.questions import Question

_FORMATS = {".png": "png", ".jpg": "jpeg", ".jpeg": "jpeg", ".gif": "gif", ".webp": "webp"}


@command(
    order=2,
    examples=(
        'tuning invoke pets-search "a brown dog" --image dog.jpg',
        'tuning invoke pets-style "Ron the dog on a beach" -o ron.png',
        'tuning invoke support-chat "Where is my parcel?" --base',
    ),
    needs=("find the deployment", "call models"),
)
@customization_argument("Customization whose model is asked.")
@click.argument("text", nargs=-1, help="What to ask, to draw or to embed.")
@click.option(
    "--image",
    "images",
    metavar="FILE",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="An image to embed, or to ask about.",
)
@click.option("--length", type=int, help="How many numbers an embedding has: 256, 384 or 1024.")
@click.option("--seed", type=click.IntRange(0), help="For a picture: the same seed draws it again.")
@click.option("--base", is_flag=True, help="Ask the base model, without tuning.")
@click.option(
    "--output",
    "-o",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write a picture here; CUSTOMIZATION.png by default.",
)
@overwrite_option
@click.option("--show-code", is_flag=True, help="Print the same call in Python, without making it.")
@json_option
@deployment_options
def invoke(
    *,
    customization: str,
    text: tuple[str, ...],
    images: tuple[Path, ...],
    length: int | None,
    seed: int | None,
    base: bool,
    output: Path | None,
    overwrite: bool,
    show_code: bool,
    deployed: DeploymentOption,
    as_json: bool,
) -> None:
    """Ask a model: for the embedding of a text or an image, for a picture, or for a text.

    Two inputs of an embedding model are compared: their cosine is 1 for the same meaning and about
    0 for none in common. A text is shown while the model writes it. Each call is billed like any
    other call of the model.
    """
    from bedrock_tuning.client.inference import base_of, snippet, tuned_of

    deployment = deployed()
    model = (base_of if base else tuned_of)(deployment, customization)
    questions = _questions(model, text, images, length=length, seed=seed)
    if show_code:
        region = deployment.aws.region
        codes = [snippet(question, model_id=model.id, region=region) for question in questions]
        if as_json:
            emit_json({"model_id": model.id, "code": codes})
        else:
            emit("\n\n".join(codes))
        return
    file = output or Path(f"{customization}.png")
    draws = model.base.task == "text-to-image"
    if draws:
        require_free(file, overwrite=overwrite)
    say(f"asking {model.id}{'' if model.tuned is None else f', which serves {model.tuned}'}")
    if model.base.task.endswith("to-text") and not as_json:
        _stream(model, questions[0])
        return
    answers = [model.ask(question) for question in questions]
    result = _picture(answers[0], file) if draws else _result(model, answers)
    if as_json:
        emit_json({"customization": customization, "model_id": model.id, **result})
    else:
        emit(result.get("text") or result.get("file") or _numbers(result))


def _stream(model: "AskedModel", question: "Question") -> None:
    """The answer as it comes. Interrupted, with what is there, for Ctrl-C."""
    try:
        for piece in model.stream(question):
            emit(piece, whole=False)
    except KeyboardInterrupt:
        raise Interrupted("the rest of the answer was not read; it is billed") from None
    emit()


def _questions(
    model: "AskedModel",
    texts: Sequence[str],
    images: Sequence[Path],
    *,
    length: int | None,
    seed: int | None,
) -> "list[Question]":
    """One question, or two whose embeddings are compared; raises UserError for what fits none."""
    from bedrock_tuning.serving import questions

    task = model.base.task
    if task == "image-to-embedding":
        _require(seed is None, "--seed", model)
        _require_length(model, length)
        inputs = [{"text": text} for text in texts], [{"image": f.read_bytes()} for f in images]
        contents: list[dict[str, Any]] = [*inputs[0], *inputs[1]]
        if not 1 <= len(contents) <= 2:
            raise UserError(
                f"{model.base.name} embeds one input or compares two, not {len(contents)}",
                fix='pass "TEXT", --image FILE, or two of them',
            )
        return [questions.embedding(**content, length=length) for content in contents]
    _require(length is None, "--length", model)
    if len(texts) != 1:
        raise UserError("what should the model be asked?", fix='pass one "TEXT" in quotes')
    if task == "text-to-image":
        _require(not images, "--image", model)
        return [questions.picture(texts[0], seed=seed)]
    _require(seed is None, "--seed", model)
    _require(not images or "image" in model.base.input, "--image", model)
    return [questions.message(texts[0], images=[(_format(f), f.read_bytes()) for f in images])]


def _require(is_taken: bool, option: str, model: "AskedModel") -> None:
    if not is_taken:
        raise UserError(f"{model.base.name} does not take {option}", fix=f"omit {option}")


def _require_length(model: "AskedModel", length: int | None) -> None:
    lengths = model.base.inference.embedding_lengths
    if length is not None and lengths and length not in lengths:
        raise UserError(
            f"{model.base.name} has no embeddings of {length} numbers",
            fix=f"use one of {', '.join(map(str, lengths))}",
        )


def _format(file: Path) -> str:
    image_format = _FORMATS.get(file.suffix.lower())
    if image_format is None:
        raise UserError(
            "not an image that models take", where=str(file), fix=f"use {', '.join(_FORMATS)}"
        )
    return image_format


def _picture(answer: Any, file: Path) -> dict[str, Any]:
    if not answer.get("images"):
        raise UserError(f"the model drew nothing: {answer.get('error') or 'no reason given'}")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(base64.b64decode(answer["images"][0]))
    return {"file": str(file)}


def _result(model: "AskedModel", answers: Sequence[Any]) -> dict[str, Any]:
    from bedrock_tuning.serving.questions import answer_text, cosine

    if model.base.task != "image-to-embedding":
        return {"text": answer_text(answers[0]), "usage": answers[0].get("usage")}
    vectors = [answer["embedding"] for answer in answers]
    if len(vectors) == 1:
        return {"embedding": vectors[0]}
    return {"cosine": round(cosine(*vectors), 6), "embeddings": vectors}


def _numbers(result: dict[str, Any]) -> str:
    return (
        json.dumps(result["embedding"]) if "embedding" in result else f"cosine {result['cosine']}"
    )
