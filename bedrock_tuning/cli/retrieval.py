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
from bedrock_tuning.report.retrieval import called, comparison_page, in_words
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
    deployment: DeploymentClient, models: Mapping[ModelSide, AskedModel], wanted: Wanted
) -> ComparisonVerdict:
    """Asks what is not known yet after showing its price, and shows what both models reach."""
    require("numpy", extra="evaluation", what="comparing models")
    require_free(wanted.html, overwrite=wanted.overwrite)
    tuned = models["tuned"]
    length = wanted.length or tuned.base.inference.embedding_length_default
    run = pointer(deployment, wanted.customization, "run")
    pairs, source = _pairs(deployment, wanted, run)
    other = _other(deployment, wanted, length)
    if other is not None:
        pairs = _in_common(deployment, wanted, pairs, other)
    whole = _set(pairs, wanted.limit or _PICTURES)
    read = f"{source}: {len(whole.pictures):,} pictures, {len(whole.captions):,} different captions"
    say(f"data: {read}")
    asked = [name for name in models if name == "tuned" or other is None]
    vectors = _ask({name: models[name] for name in asked}, whole, wanted)
    if run is not None:
        client.keep(
            comparisons(deployment, wanted.customization, run),
            length,
            model=str(tuned.tuned),
            items=whole.items,
            vectors=vectors["tuned"],
        )
    left = vectors["base"] if other is None else other.of(whole.items)
    found = _compared(whole, left, vectors["tuned"])
    about = {
        "Customization": wanted.customization,
        called(wanted.against).capitalize(): models["base"].id if other is None else other.model,
        "Tuned model": str(tuned.tuned),
        "Data": read,
        "Deployment": deployment.place,
    }
    if wanted.html is not None:
        page = comparison_page(
            found,
            about=about,
            pictures=_drawn(found, whole.pictures),
            against=wanted.against,
            place=deployment.place,
        )
        write_page(wanted.html, page)
    if wanted.as_json:
        said = {"about": about, "against": wanted.against, "verdict": found.verdict}
        emit_json({**said, "comparison": found})
    else:
        _show(found, wanted.against)
    return found.verdict


def _set(pairs: Sequence[PicturePair], limit: int) -> _Set:
    """At most so many pairs, evenly spread."""
    count = min(limit, len(pairs))
    some = [pairs[place * len(pairs) // count] for place in range(count)]
    # A picture may have several captions; its number is that of its place among the pictures.
    pictures = {pair.image.identity: pair for pair in reversed(some)}
    captions, _ = distinct([pair.caption for pair in some])
    return _Set(pairs=some, pictures=list(pictures.values()), captions=captions)


def _ask(
    models: Mapping[ModelSide, AskedModel], whole: _Set, wanted: Wanted
) -> dict[ModelSide, list[list[float]]]:
    work = [
        (name, Embedder(model=model, length=wanted.length), whole.items)
        for name, model in models.items()
    ]
    agree_to_embed(work, images=len(whole.pictures), yes=wanted.yes)
    return {name: embed(name, embedder, items) for name, embedder, items in work}


def _compared(whole: _Set, left: Sequence[Vector], right: Sequence[Vector]) -> Comparison:
    numbers = {pair.image.identity: number for number, pair in enumerate(whole.pictures)}
    captions = [pair.caption for pair in whole.pairs]
    own: list[set[str]] = [set() for _ in numbers]
    for pair, text in zip(whole.pairs, distinct(captions)[1], strict=True):
        own[numbers[pair.image.identity]].add(whole.captions[text])
    cut = len(numbers)
    return compare(
        captions=captions,
        pictures=[numbers[pair.image.identity] for pair in whole.pairs],
        classes=classes_of([pair.name for pair in whole.pictures], list(map(list, own))),
        base=(left[:cut], left[cut:]),
        tuned=(right[:cut], right[cut:]),
    )


def _pairs(
    deployment: DeploymentClient, wanted: Wanted, run: str | None
) -> tuple[list[PicturePair], str]:
    """The pictures and where they are from; raises UserError where one was trained on.

    run: that made the published model.
    """
    customization, data = wanted.customization, wanted.data
    if data is not None:
        found, source = from_folder(data), str(data)
    elif run is not None:
        found, source = of_run(deployment, customization, run), f"validation set of run {run}"
    else:
        raise UserError(
            f"it is not known which run made the model of {customization}",
            fix="pass --data FOLDER with pictures that were not trained on",
        )
    if len(found) < 2:
        raise UserError(
            "one picture is not enough for a comparison", where=source, fix="pass more pictures"
        )
    for each in filter(None, (run, wanted.against)):
        trained = trained_on(deployment, customization, each) & {pair.name for pair in found}
        if trained:
            whose = "" if each == run else f" by run {each}"
            raise UserError(
                f"{len(trained):,} of these pictures were trained on{whose}, for example "
                f"{min(trained)}: a model finds what it has seen",
                where=source,
                fix="pass --data FOLDER with other pictures",
            )
    return found, source


def _other(deployment: DeploymentClient, wanted: Wanted, length: int | None) -> Vectors | None:
    """What is kept of the other run's model; None where none is compared.

    Raises UserError where nothing is kept.
    """
    if wanted.against is None:
        return None
    folder = comparisons(deployment, wanted.customization, wanted.against)
    found = client.kept(folder, length)
    if found is None:
        raise UserError(
            f"no vectors of length {length} are kept of the model of run {wanted.against}: "
            "it was never compared while it was served",
            where=folder.uri(client.file_name(length)),
            fix=_again(deployment, wanted),
        )
    return found


def _in_common(
    deployment: DeploymentClient, wanted: Wanted, pairs: Sequence[PicturePair], other: Vectors
) -> list[PicturePair]:
    """The pairs whose vectors the other run's model gave; raises UserError for too few.

    Of spellings of one caption a model is asked one: here that which the other was asked.
    """
    _, texts = distinct([pair.caption for pair in pairs])
    spelt: dict[int, str] = {}
    for text, pair in zip(texts, pairs, strict=True):
        if other.has(of_text(pair.caption)):
            spelt.setdefault(text, pair.caption)
    found = [
        replace(pair, caption=spelt[text])
        for text, pair in zip(texts, pairs, strict=True)
        if text in spelt and other.has(pair.image)
    ]
    kept, all_of_them = (len({each.image.identity for each in some}) for some in (found, pairs))
    have = f"{kept:,} of {all_of_them:,} pictures have kept vectors of run {wanted.against}"
    if kept < 2:
        raise UserError(
            f"{have}: its model was compared with other pictures",
            fix=_again(deployment, wanted),
        )
    say(f"{have}: {'all' if kept == all_of_them else 'only these'} are compared")
    return found


def _again(deployment: DeploymentClient, wanted: Wanted) -> str:
    """How the other run's model gets kept vectors."""
    options = "".join(
        f" {option} {shlex.quote(str(value))}"
        for option, value in (("--data", wanted.data), ("--length", wanted.length))
        if value is not None
    )
    serve = deployment.command(f"serve {wanted.customization} --run {wanted.against}")
    ask = deployment.command(f"compare {wanted.customization}{options}")
    return (
        f"serve it (`{serve}`), compare it with its base model (`{ask}`), then serve and compare "
        "the newer one"
    )


def _show(found: Comparison, against: str | None) -> None:
    left = "BASE" if against is None else "OTHER"
    rows = []
    for side in found.sides:
        name = side.direction.replace("-", " ")
        for at, share in side.base.recall.items():
            rows.append(
                (
                    f"{name} R@{at}",
                    f"{share:.1%}",
                    f"{side.tuned.recall[at]:.1%}",
                    _points(side.recall_difference[at]),
                    f"{side.chance[at]:.1%}",
                )
            )
        difference = side.mrr_difference
        interval = f"{difference.value:+.3f} ({difference.low:+.3f} … {difference.high:+.3f})"
        rows.append((f"{name} MRR", f"{side.base.mrr:.3f}", f"{side.tuned.mrr:.3f}", interval, ""))
    emit_table(("MEASURE", left, "TUNED", "DIFFERENCE, 95 %", "BY CHANCE"), rows)
    for side in found.sides:
        _show_classes(found, side, left)
    emit(f"\n{found.verdict}: {in_words(found.verdict, against)}")


def _show_classes(found: Comparison, side: DirectionFigures, left: str) -> None:
    """The classes whose recall changed most. Where each is one question, there is nothing to see.

    So it is for captions that make the classes, each of which searches once.
    """
    if not any(each.questions > 1 for each in side.classes):
        return
    emit(f"\n{side.direction.replace('-', ' ')} R@{CLASS_RECALL_AT}, by {found.classed_by}")
    rows = [
        (
            each.name,
            f"{each.pictures:,}",
            f"{each.base.recall[CLASS_RECALL_AT]:.1%}",
            f"{each.tuned.recall[CLASS_RECALL_AT]:.1%}",
            "too few to tell" if each.too_few else _points(each.recall_difference[CLASS_RECALL_AT]),
        )
        for each in side.classes[:_CLASSES]
    ]
    emit_table(("CLASS", "PICTURES", left, "TUNED", "CHANGE, 95 %"), rows, texts=("CLASS",))
    rest = len(side.classes) - len(rows)
    if rest:
        emit(f"and {rest:,} more: --html FILE and --json show all")


def _points(difference: Difference) -> str:
    value, low, high = (100 * each for each in (difference.value, difference.low, difference.high))
    return f"{value:+.1f} ({low:+.1f} … {high:+.1f}) points"


def _drawn(found: Comparison, pairs: Sequence[PicturePair]) -> dict[int, ShownPicture]:
    """The pictures that a page shows, by number."""
    shown: set[int] = set()
    for side in found.sides:
        for move in side.moved[:10]:
            if side.direction == "text-to-image":
                shown |= {move.base_first, move.tuned_first}
            else:
                shown.add(move.number)
    pictures = {}
    for number in sorted(shown):
        pair = pairs[number]
        data = pair.image.load()
        pictures[number] = ShownPicture(
            name=pair.name,
            caption=pair.caption,
            thumbnail=thumbnail(data) if isinstance(data, bytes) else "",
        )
    return pictures
