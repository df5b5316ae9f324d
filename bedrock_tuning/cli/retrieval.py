"""`tuning compare` for models of embeddings: how well they find what belongs together."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from bedrock_tuning.cli.embedding import Wanted, agree_to_embed, embed
from bedrock_tuning.cli.terminal.extras import require
from bedrock_tuning.cli.terminal.output import (
    emit,
    emit_json,
    emit_table,
    require_free,
    say,
    write_page,
)
from bedrock_tuning.client.comparing import vectors as client
from bedrock_tuning.client.comparing.pairs import PicturePair, from_folder, of_run, trained_on
from bedrock_tuning.client.comparing.vectors import Vectors
from bedrock_tuning.client.deployment import DeploymentClient
from bedrock_tuning.client.embedding import Embedder, EmbeddingInput, of_text
from bedrock_tuning.client.inference import AskedModel, pointer
from bedrock_tuning.client.reports import comparisons
from bedrock_tuning.errors import UserError
from bedrock_tuning.report.html import ShownPicture
from bedrock_tuning.report.retrieval import baseline_name, comparison_page, in_words
from bedrock_tuning.serving.classes import classes_of
from bedrock_tuning.serving.comparison import (
    CLASS_RECALL_AT,
    Comparison,
    ComparisonVerdict,
    Difference,
    DirectionFigures,
    Vector,
    compare,
    distinct,
)
from bedrock_tuning.serving.side_by_side import ModelSide
from bedrock_tuning.sources.pictures import thumbnail

_PICTURES: Final = 2_000
# Classes that a terminal shows of each direction.
_CLASSES: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class _Set:
    """What is compared. pictures: the first pair of each; captions: those that differ."""

    pairs: Sequence[PicturePair]
    pictures: Sequence[PicturePair]
    captions: Sequence[str]

    @property
    def items(self) -> list[EmbeddingInput]:
        """What models are asked: the pictures, then the captions."""
        return [*(pair.image for pair in self.pictures), *map(of_text, self.captions)]


def show(
    deployment: DeploymentClient, models: Mapping[ModelSide, AskedModel], request: Wanted
) -> ComparisonVerdict:
    """Asks what is not known yet after showing its price, and shows what both models reach."""
    require("numpy", extra="evaluation", what="comparing models")
    require_free(request.html, overwrite=request.overwrite)
    tuned = models["tuned"]
    length = request.length or tuned.base.inference.embedding_length_default
    run = pointer(deployment, request.customization, "run")
    pairs, source = _pairs(deployment, request, run)
    other_vectors = _other_vectors(deployment, request, length)
    if other_vectors is not None:
        pairs = _in_common(deployment, request, pairs, other_vectors)
    dataset = _set(pairs, request.limit or _PICTURES)
    summary = (
        f"{source}: {len(dataset.pictures):,} pictures, "
        f"{len(dataset.captions):,} different captions"
    )
    say(f"data: {summary}")
    sides = [name for name in models if name == "tuned" or other_vectors is None]
    vectors = _ask({name: models[name] for name in sides}, dataset, request)
    if run is not None:
        client.keep(
            comparisons(deployment, request.customization, run),
            length,
            model=str(tuned.tuned),
            items=dataset.items,
            vectors=vectors["tuned"],
        )
    base_vectors = vectors["base"] if other_vectors is None else other_vectors.of(dataset.items)
    comparison = _compare(dataset, base_vectors, vectors["tuned"])
    about = {
        "Customization": request.customization,
        baseline_name(request.against).capitalize(): models["base"].id
        if other_vectors is None
        else other_vectors.model,
        "Tuned model": str(tuned.tuned),
        "Data": summary,
        "Deployment": deployment.place,
    }
    if request.html is not None:
        page = comparison_page(
            comparison,
            about=about,
            pictures=_draw(comparison, dataset.pictures),
            against=request.against,
            place=deployment.place,
        )
        write_page(request.html, page)
    if request.as_json:
        document = {"about": about, "against": request.against, "verdict": comparison.verdict}
        emit_json({**document, "comparison": comparison})
    else:
        _show(comparison, request.against)
    return comparison.verdict


def _set(pairs: Sequence[PicturePair], limit: int) -> _Set:
    """At most so many pairs, evenly spread."""
    count = min(limit, len(pairs))
    sample = [pairs[place * len(pairs) // count] for place in range(count)]
    # A picture may have several captions; its number is that of its place among the pictures.
    pictures = {pair.image.identity: pair for pair in reversed(sample)}
    captions, _ = distinct([pair.caption for pair in sample])
    return _Set(pairs=sample, pictures=list(pictures.values()), captions=captions)


def _ask(
    models: Mapping[ModelSide, AskedModel], dataset: _Set, request: Wanted
) -> dict[ModelSide, list[list[float]]]:
    work = [
        (name, Embedder(model=model, length=request.length), dataset.items)
        for name, model in models.items()
    ]
    agree_to_embed(work, images=len(dataset.pictures), yes=request.yes)
    return {name: embed(name, embedder, items) for name, embedder, items in work}


def _compare(dataset: _Set, base: Sequence[Vector], tuned: Sequence[Vector]) -> Comparison:
    numbers = {pair.image.identity: number for number, pair in enumerate(dataset.pictures)}
    captions = [pair.caption for pair in dataset.pairs]
    captions_by_picture: list[set[str]] = [set() for _ in numbers]
    for pair, text in zip(dataset.pairs, distinct(captions)[1], strict=True):
        captions_by_picture[numbers[pair.image.identity]].add(dataset.captions[text])
    count = len(numbers)
    return compare(
        captions=captions,
        pictures=[numbers[pair.image.identity] for pair in dataset.pairs],
        classes=classes_of(
            [pair.name for pair in dataset.pictures], list(map(list, captions_by_picture))
        ),
        base=(base[:count], base[count:]),
        tuned=(tuned[:count], tuned[count:]),
    )


def _pairs(
    deployment: DeploymentClient, request: Wanted, run: str | None
) -> tuple[list[PicturePair], str]:
    """The pictures and where they are from; raises UserError where one was trained on.

    run: that made the published model.
    """
    customization, data = request.customization, request.data
    if data is not None:
        pairs, source = from_folder(data), str(data)
    elif run is not None:
        pairs, source = of_run(deployment, customization, run), f"validation set of run {run}"
    else:
        raise UserError(
            f"it is not known which run made the model of {customization}",
            fix="pass --data FOLDER with pictures that were not trained on",
        )
    if len(pairs) < 2:
        raise UserError(
            "one picture is not enough for a comparison", where=source, fix="pass more pictures"
        )
    for run_name in filter(None, (run, request.against)):
        overlap = trained_on(deployment, customization, run_name) & {pair.name for pair in pairs}
        if overlap:
            suffix = "" if run_name == run else f" by run {run_name}"
            raise UserError(
                f"{len(overlap):,} of these pictures were trained on{suffix}, for example "
                f"{min(overlap)}: a model finds what it has seen",
                where=source,
                fix="pass --data FOLDER with other pictures",
            )
    return pairs, source


def _other_vectors(
    deployment: DeploymentClient, request: Wanted, length: int | None
) -> Vectors | None:
    """What is kept of the other run's model; None where none is compared.

    Raises UserError where nothing is kept.
    """
    if request.against is None:
        return None
    folder = comparisons(deployment, request.customization, request.against)
    vectors = client.kept(folder, length)
    if vectors is None:
        raise UserError(
            f"no vectors of length {length} are kept of the model of run {request.against}: "
            "it was never compared while it was served",
            where=folder.uri(client.file_name(length)),
            fix=_how_to_keep(deployment, request),
        )
    return vectors


def _in_common(
    deployment: DeploymentClient, request: Wanted, pairs: Sequence[PicturePair], vectors: Vectors
) -> list[PicturePair]:
    """The pairs whose vectors the other run's model gave; raises UserError for too few.

    Of spellings of one caption a model is asked one: here that which the other was asked.
    """
    _, texts = distinct([pair.caption for pair in pairs])
    spellings: dict[int, str] = {}
    for text, pair in zip(texts, pairs, strict=True):
        if vectors.has(of_text(pair.caption)):
            spellings.setdefault(text, pair.caption)
    common = [
        replace(pair, caption=spellings[text])
        for text, pair in zip(texts, pairs, strict=True)
        if text in spellings and vectors.has(pair.image)
    ]
    common_count, all_of_them = (
        len({pair.image.identity for pair in group}) for group in (common, pairs)
    )
    summary = (
        f"{common_count:,} of {all_of_them:,} pictures have kept vectors of run {request.against}"
    )
    if common_count < 2:
        raise UserError(
            f"{summary}: its model was compared with other pictures",
            fix=_how_to_keep(deployment, request),
        )
    say(f"{summary}: {'all' if common_count == all_of_them else 'only these'} are compared")
    return common


def _how_to_keep(deployment: DeploymentClient, request: Wanted) -> str:
    """How the other run's model gets kept vectors."""
    options = "".join(
        f" {option} {shlex.quote(str(value))}"
        for option, value in (("--data", request.data), ("--length", request.length))
        if value is not None
    )
    serve = deployment.command(f"serve {request.customization} --run {request.against}")
    ask = deployment.command(f"compare {request.customization}{options}")
    return (
        f"serve it (`{serve}`), compare it with its base model (`{ask}`), then serve and compare "
        "the newer one"
    )


def _show(comparison: Comparison, against: str | None) -> None:
    other_name = "BASE" if against is None else "OTHER"
    rows = []
    for side in comparison.sides:
        name = side.direction.replace("-", " ")
        for rank, share in side.base.recall.items():
            rows.append(
                (
                    f"{name} R@{rank}",
                    f"{share:.1%}",
                    f"{side.tuned.recall[rank]:.1%}",
                    _points(side.recall_difference[rank]),
                    f"{side.chance[rank]:.1%}",
                )
            )
        difference = side.mrr_difference
        interval = f"{difference.value:+.3f} ({difference.low:+.3f} … {difference.high:+.3f})"
        rows.append((f"{name} MRR", f"{side.base.mrr:.3f}", f"{side.tuned.mrr:.3f}", interval, ""))
    emit_table(("MEASURE", other_name, "TUNED", "DIFFERENCE, 95 %", "BY CHANCE"), rows)
    for side in comparison.sides:
        _show_classes(comparison, side, other_name)
    emit(f"\n{comparison.verdict}: {in_words(comparison.verdict, against)}")


def _show_classes(comparison: Comparison, side: DirectionFigures, other_name: str) -> None:
    """The classes whose recall changed most. Where each is one question, there is nothing to see.

    So it is for captions that make the classes, each of which searches once.
    """
    if not any(class_.questions > 1 for class_ in side.classes):
        return
    emit(f"\n{side.direction.replace('-', ' ')} R@{CLASS_RECALL_AT}, by {comparison.classed_by}")
    rows = [
        (
            class_.name,
            f"{class_.pictures:,}",
            f"{class_.base.recall[CLASS_RECALL_AT]:.1%}",
            f"{class_.tuned.recall[CLASS_RECALL_AT]:.1%}",
            "too few to tell"
            if class_.too_few
            else _points(class_.recall_difference[CLASS_RECALL_AT]),
        )
        for class_ in side.classes[:_CLASSES]
    ]
    emit_table(("CLASS", "PICTURES", other_name, "TUNED", "CHANGE, 95 %"), rows, texts=("CLASS",))
    remainder = len(side.classes) - len(rows)
    if remainder:
        emit(f"and {remainder:,} more: --html FILE and --json show all")


def _points(difference: Difference) -> str:
    value, low, high = (
        100 * bound for bound in (difference.value, difference.low, difference.high)
    )
    return f"{value:+.1f} ({low:+.1f} … {high:+.1f}) points"


def _draw(comparison: Comparison, pairs: Sequence[PicturePair]) -> dict[int, ShownPicture]:
    """The pictures that a page shows, by number."""
    numbers: set[int] = set()
    for side in comparison.sides:
        for move in side.moved[:10]:
            if side.direction == "text-to-image":
                numbers |= {move.base_first, move.tuned_first}
            else:
                numbers.add(move.number)
    pictures = {}
    for number in sorted(numbers):
        pair = pairs[number]
        data = pair.image.load()
        pictures[number] = ShownPicture(
            name=pair.name,
            caption=pair.caption,
            thumbnail=thumbnail(data) if isinstance(data, bytes) else "",
        )
    return pictures
