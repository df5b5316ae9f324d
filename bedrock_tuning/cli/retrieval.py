"""`tuning compare` for models of embeddings: how well they find what belongs together."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bedrock_tuning.cli.embedding import agree_to_calls, embed, require_free
from bedrock_tuning.cli.terminal.extras import require
from bedrock_tuning.cli.terminal.output import emit, emit_json, emit_table, say
from bedrock_tuning.errors import UserError

if TYPE_CHECKING:
    from bedrock_tuning.client.comparing.pairs import Pair
    from bedrock_tuning.client.deployment import Deployment
    from bedrock_tuning.client.inference import AskedModel
    from bedrock_tuning.serving.comparison import Comparison, Difference, Side, Verdict
    from bedrock_tuning.serving.side_by_side import Side as Name

_PICTURES: Final = 2_000
# Classes that a terminal shows of each direction.
_CLASSES: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What was typed. length: of a vector; None for the model's own."""

    customization: str
    data: Path | None
    limit: int | None
    length: int | None
    html: Path | None
    overwrite: bool
    yes: bool
    as_json: bool


def show(
    deployment: "Deployment", models: "Mapping[Name, AskedModel]", wanted: Wanted
) -> "Verdict":
    """Asks what is not known yet after showing its price, and shows what both models reach."""
    from bedrock_tuning.client.embedding import Embedder, of_text
    from bedrock_tuning.serving.classes import classes_of
    from bedrock_tuning.serving.comparison import compare, distinct

    require("numpy", extra="evaluation", what="comparing models")
    require_free(wanted.html, overwrite=wanted.overwrite)
    pairs, source = _pairs(deployment, wanted)
    captions, texts = distinct([pair.caption for pair in pairs])
    # A picture may have several captions; its number is that of its place among the pictures.
    pictures = {pair.image.identity: pair for pair in reversed(pairs)}
    numbers = {identity: number for number, identity in enumerate(pictures)}
    read = f"{source}: {len(pictures):,} pictures, {len(captions):,} different captions"
    say(f"data: {read}")
    items = [*(pair.image for pair in pictures.values()), *map(of_text, captions)]
    work = [
        (name, Embedder(model=model, length=wanted.length), items) for name, model in models.items()
    ]
    agree_to_calls(work, images=len(pictures), yes=wanted.yes)
    vectors = {name: embed(name, embedder, items) for name, embedder, _ in work}
    own: dict[str, set[str]] = {identity: set() for identity in pictures}
    for pair, text in zip(pairs, texts, strict=True):
        own[pair.image.identity].add(captions[text])
    found = compare(
        captions=[pair.caption for pair in pairs],
        pictures=[numbers[pair.image.identity] for pair in pairs],
        classes=classes_of(
            [pair.name for pair in pictures.values()], list(map(list, own.values()))
        ),
        base=(vectors["base"][: len(pictures)], vectors["base"][len(pictures) :]),
        tuned=(vectors["tuned"][: len(pictures)], vectors["tuned"][len(pictures) :]),
    )
    about = {
        "Customization": wanted.customization,
        "Base model": models["base"].id,
        "Tuned model": str(models["tuned"].tuned),
        "Data": read,
    }
    if wanted.html is not None:
        _write(wanted.html, found, about, list(pictures.values()))
    if wanted.as_json:
        emit_json({"about": about, "verdict": found.verdict, "comparison": found})
    else:
        _show(found)
    return found.verdict


def _pairs(deployment: "Deployment", wanted: Wanted) -> "tuple[list[Pair], str]":
    """The pictures and where they are from; raises UserError where one was trained on."""
    from bedrock_tuning.client.comparing.pairs import from_folder, of_run, trained_on
    from bedrock_tuning.client.inference import pointer

    customization, data = wanted.customization, wanted.data
    limit = wanted.limit or _PICTURES
    run = pointer(deployment, customization, "run")
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
        raise UserError("one picture is no comparison", where=source, fix="pass more pictures")
    if run is not None:
        trained = trained_on(deployment, customization, run) & {pair.name for pair in found}
        if trained:
            raise UserError(
                f"{len(trained):,} of these pictures were trained on, for example {min(trained)}: "
                "a model finds what it has seen",
                where=source,
                fix="pass --data FOLDER with other pictures",
            )
    if len(found) > limit:
        found = [found[place * len(found) // limit] for place in range(limit)]
    return found, source


def _show(found: "Comparison") -> None:
    from bedrock_tuning.report.retrieval import VERDICTS

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
    emit_table(("MEASURE", "BASE", "TUNED", "DIFFERENCE, 95 %", "BY CHANCE"), rows)
    for side in found.sides:
        _show_classes(found, side)
    emit(f"\n{found.verdict}: {VERDICTS[found.verdict]}")


def _show_classes(found: "Comparison", side: "Side") -> None:
    """The classes whose recall changed most. Where each is one question, there is nothing to see.

    So it is for captions that make the classes, each of which searches once.
    """
    from bedrock_tuning.serving.comparison import CLASS_RECALL_AT as AT

    if not any(each.questions > 1 for each in side.classes):
        return
    emit(f"\n{side.direction.replace('-', ' ')} R@{AT}, by {found.classed_by}")
    rows = [
        (
            each.name,
            f"{each.pictures:,}",
            f"{each.base.recall[AT]:.1%}",
            f"{each.tuned.recall[AT]:.1%}",
            "too few to tell" if each.too_few else _points(each.recall_difference[AT]),
        )
        for each in side.classes[:_CLASSES]
    ]
    emit_table(("CLASS", "PICTURES", "BASE", "TUNED", "CHANGE, 95 %"), rows, texts=("CLASS",))
    rest = len(side.classes) - len(rows)
    if rest:
        emit(f"and {rest:,} more: --html FILE and --json show all")


def _points(difference: "Difference") -> str:
    value, low, high = (100 * each for each in (difference.value, difference.low, difference.high))
    return f"{value:+.1f} ({low:+.1f} … {high:+.1f}) points"


def _write(file: Path, found: "Comparison", about: Mapping[str, str], pairs: "list[Pair]") -> None:
    from bedrock_tuning.report.html import ShownPicture
    from bedrock_tuning.report.retrieval import comparison_page
    from bedrock_tuning.sources.pictures import thumbnail

    shown: set[int] = set()
    for side in found.sides:
        for move in side.moved[:10]:
            if side.direction == "text-to-image":
                shown |= {move.base_first, move.tuned_first}
            else:
                shown.add(move.number)
    pictures: dict[int, ShownPicture] = {}
    for number in sorted(shown):
        pair = pairs[number]
        data = pair.image.load()
        pictures[number] = ShownPicture(
            name=pair.name,
            caption=pair.caption,
            thumbnail=thumbnail(data) if isinstance(data, bytes) else "",
        )
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(comparison_page(found, about=about, pictures=pictures), "utf-8")
    say(f"wrote {file}")
