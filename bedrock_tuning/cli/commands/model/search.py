"""`tuning search`: finds pictures of a folder by words or by a picture."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from bedrock_tuning.cli.embedding import embedding_options
from bedrock_tuning.cli.options import DeploymentOption, customization_argument, deployment_options
from bedrock_tuning.cli.terminal.command import command
from bedrock_tuning.cli.terminal.output import (
    emit_json,
    emit_table,
    json_option,
    require_free,
    write_page,
)
from bedrock_tuning.errors import UserError

if TYPE_CHECKING:
    from bedrock_tuning.client.embedding import EmbeddingInput

_PICTURES = frozenset({".jpg", ".jpeg", ".png"})


@command(
    order=3,
    examples=(
        'tuning search pets-search pictures "a brown dog"',
        "tuning search pets-search pictures --image dog.jpg --against-base --html found.html",
    ),
    needs=("find the deployment", "call models"),
)
@customization_argument("Customization whose model searches.")
@click.argument(
    "folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder to search, with its subfolders: JPEG and PNG.",
)
@click.argument("text", required=False, help="What to find.")
@click.option(
    "--image",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Find pictures like this one.",
)
@click.option(
    "--top", type=click.IntRange(1), default=10, show_default=True, help="How many to show."
)
@click.option("--against-base", is_flag=True, help="Show what the base model finds, too.")
@embedding_options(page="Write a page with the pictures.")
@json_option
@deployment_options
def search(
    *,
    customization: str,
    folder: Path,
    text: str | None,
    image: Path | None,
    top: int,
    against_base: bool,
    length: int | None,
    html: Path | None,
    overwrite: bool,
    yes: bool,
    deployed: DeploymentOption,
    as_json: bool,
) -> None:
    """Search the pictures of a folder with a customization's embedding model.

    The folder is embedded once: the vectors are kept, so the next search embeds only its own
    words. Nothing is uploaded or stored in AWS.
    """
    from bedrock_tuning.cli.embedding import agree_to_embed, embed, require_embeddings
    from bedrock_tuning.client.embedding import Embedder, of_file, of_text
    from bedrock_tuning.client.inference import base_of, tuned_of
    from bedrock_tuning.serving.questions import cosine

    require_free(html, overwrite=overwrite)
    question = _question(text, image)
    deployment = deployed()
    models = {"tuned": tuned_of(deployment, customization)}
    if against_base:
        models = {"base": base_of(deployment, customization), **models}
    require_embeddings(models["tuned"])
    files = sorted(file for file in folder.rglob("*") if file.suffix.lower() in _PICTURES)
    if not files:
        raise UserError("no JPEG or PNG found", where=str(folder), fix="choose another folder")
    query = of_file(image) if image is not None else of_text(str(text))
    items: list[EmbeddingInput] = [*map(of_file, files), query]
    work = [(name, Embedder(model=model, length=length), items) for name, model in models.items()]
    agree_to_embed(work, images=len(items), yes=yes)
    hits_by_model: dict[str, list[tuple[Path, float]]] = {}
    for name, embedder, _ in work:
        *vectors, target = embed(name, embedder, items)
        scored = [
            (file, cosine(vector, target)) for file, vector in zip(files, vectors, strict=True)
        ]
        hits_by_model[name] = sorted(scored, key=lambda hit: -hit[1])[:top]
    if html is not None:
        _write(html, question, customization, folder, hits_by_model)
    if as_json:
        hits = {
            name: [{"file": str(file), "cosine": round(score, 6)} for file, score in hits]
            for name, hits in hits_by_model.items()
        }
        emit_json({"question": question, "pictures": len(files), "found": hits})
        return
    emit_table(
        ("MODEL", "PLACE", "COSINE", "PICTURE"),
        (
            (name, str(place), f"{score:.4f}", str(file))
            for name, hits in hits_by_model.items()
            for place, (file, score) in enumerate(hits, 1)
        ),
    )


def _question(text: str | None, image: Path | None) -> str:
    if (text is None) == (image is None):
        raise UserError("what should be found?", fix='pass either "TEXT" or --image FILE')
    return str(image) if text is None else text


def _write(
    file: Path,
    question: str,
    customization: str,
    folder: Path,
    hits_by_model: "dict[str, list[tuple[Path, float]]]",
) -> None:
    from bedrock_tuning.report.html import ShownPicture
    from bedrock_tuning.report.retrieval import Hit, search_page
    from bedrock_tuning.sources.pictures import thumbnail

    names = {"base": "The base model finds", "tuned": "The tuned model finds"}
    columns = {
        names[name]: [
            Hit(
                picture=ShownPicture(
                    name=path.name, caption="", thumbnail=thumbnail(path.read_bytes())
                ),
                cosine=cosine,
            )
            for path, cosine in hits
        ]
        for name, hits in hits_by_model.items()
    }
    origin = {"Customization": customization, "Folder": str(folder)}
    write_page(file, search_page(question, about=origin, columns=columns))
