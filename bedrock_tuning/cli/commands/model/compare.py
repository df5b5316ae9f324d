"""`tuning compare`: is the tuned model better than its base model, or than another run's?"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bedrock_tuning.cli.embedding import embedding_options
from bedrock_tuning.cli.options import complete_customizations, deployment_options
from bedrock_tuning.cli.terminal.command import command
from bedrock_tuning.cli.terminal.errors import EXIT_NO
from bedrock_tuning.cli.terminal.extras import require
from bedrock_tuning.cli.terminal.output import emit, emit_json, emit_table, json_option, say
from bedrock_tuning.errors import UserError

if TYPE_CHECKING:
    from bedrock_tuning.cli.options import Deployed
    from bedrock_tuning.client.comparing.pairs import Pair
    from bedrock_tuning.client.deployment import Deployment
    from bedrock_tuning.client.inference import AskedModel
    from bedrock_tuning.serving.comparison import Comparison, Difference
    from bedrock_tuning.serving.side_by_side import Side

# Of models of embeddings.
_PICTURES = 2_000


@command(
    order=4,
    examples=(
        "tuning compare pets-search --html compare.html",
        "tuning compare pets-search --data out --yes --json",
        'tuning compare pets-style --prompt "Ron on a beach" --prompt "Smila in snow"',
        "tuning compare pets-style --against RUN",
    ),
    needs=(
        "find the deployment",
        "read runs",
        "read datasets",
        "call models",
        "read reports",
        "keep comparisons",
    ),
)
@click.argument(
    "customization",
    shell_complete=complete_customizations,
    help="Customization whose published model is compared with its base model.",
)
@click.option(
    "--data",
    metavar="PATH",
    type=click.Path(exists=True, path_type=Path),
    help="Pictures with captions that were not trained on: a manifest, or what `tuning prepare` "
    "wrote; by default the validation set of the run that made the model.",
)
@click.option(
    "--limit",
    type=click.IntRange(min=2),
    help="Use at most this many pictures (2,000) or prompts (8), evenly spread over the set.",
)
@click.option(
    "--prompt",
    "prompts",
    metavar="TEXT",
    multiple=True,
    help="For picture and text models: what to ask, instead of the run's own prompts.",
)
@click.option(
    "--against",
    metavar="RUN",
    help="For picture and text models: a run whose answers are kept, instead of the base model.",
)
@embedding_options(page="Write a page with the scores and the pictures whose rank changed most.")
@json_option
@deployment_options
@click.pass_context
def compare(
    ctx: click.Context,
    /,
    *,
    customization: str,
    data: Path | None,
    limit: int | None,
    prompts: tuple[str, ...],
    against: str | None,
    length: int | None,
    html: Path | None,
    overwrite: bool,
    yes: bool,
    deployed: "Deployed",
    as_json: bool,
) -> None:
    """Compare a tuned model with its base model, on what it was not trained on.

    Picture and text models answer the same prompts, pictures with the same seeds, and one page
    shows the answers side by side: there is no score. Prompts are those of the run's validation
    set, or its captions. Answers and page are kept in the output bucket, so --against RUN compares
    with another run's model, which was asked the same when it was served.

    Embedding models search. Both are asked for the vectors of all pictures and captions; then each
    caption searches the pictures, and each picture the captions. R@5 is the share of questions with
    a right answer among the first five. Answers are kept, so nothing is asked or billed twice.

    Exit code 1: the tuned embedding model is worse.
    """
    from bedrock_tuning.cli import side_by_side
    from bedrock_tuning.cli.embedding import agree_to_calls, embed, require_free
    from bedrock_tuning.client.embedding import Embedder, of_text
    from bedrock_tuning.client.inference import base_of, tuned_of
    from bedrock_tuning.serving import comparison

    deployment = deployed()
    models: dict[Side, AskedModel] = {
        "base": base_of(deployment, customization),
        "tuned": tuned_of(deployment, customization),
    }
    if models["tuned"].base.task != "image-to-embedding":
        _refuse({"--data": data, "--length": length}, models["tuned"])
        wanted = side_by_side.Wanted(
            customization=customization,
            prompts=prompts,
            against=against,
            limit=limit,
            html=html,
            overwrite=overwrite,
            yes=yes,
            as_json=as_json,
        )
        side_by_side.show(deployment, models, wanted)
        return
    _refuse({"--prompt": prompts, "--against": against}, models["tuned"])
    require("numpy", extra="evaluation", what="comparing models")
    require_free(html, overwrite=overwrite)
    pairs, source = _pairs(deployment, customization, data, limit or _PICTURES)
    captions, _ = comparison.distinct([pair.caption for pair in pairs])
    # A picture may have several captions; its number is that of its place among the pictures.
    pictures = {pair.image.identity: pair for pair in reversed(pairs)}
    numbers = {identity: number for number, identity in enumerate(pictures)}
    read = f"{source}: {len(pictures):,} pictures, {len(captions):,} different captions"
    say(f"data: {read}")
    items = [*(pair.image for pair in pictures.values()), *map(of_text, captions)]
    work = [(name, Embedder(model=model, length=length), items) for name, model in models.items()]
    agree_to_calls(work, images=len(pictures), yes=yes)
    vectors = {name: embed(name, embedder, items) for name, embedder, _ in work}
    found = comparison.compare(
        captions=[pair.caption for pair in pairs],
        pictures=[numbers[pair.image.identity] for pair in pairs],
        base=(vectors["base"][: len(pictures)], vectors["base"][len(pictures) :]),
        tuned=(vectors["tuned"][: len(pictures)], vectors["tuned"][len(pictures) :]),
    )
    about = {
        "Customization": customization,
        "Base model": models["base"].id,
        "Tuned model": str(models["tuned"].tuned),
        "Data": read,
    }
    if html is not None:
        _write(html, found, about, list(pictures.values()))
    if as_json:
        emit_json({"about": about, "verdict": found.verdict, "comparison": found})
    else:
        _show(found)
    if found.verdict == "worse":
        ctx.exit(EXIT_NO)


def _refuse(options: Mapping[str, object], model: "AskedModel") -> None:
    """Raises UserError for an option that means nothing to such a model."""
    for option, value in options.items():
        if value:
            raise UserError(
                f"{option} does not apply to {model.base.name}, which has another task",
                fix=f"omit {option}",
            )


def _pairs(
    deployment: "Deployment", customization: str, data: Path | None, limit: int
) -> "tuple[list[Pair], str]":
    """The pictures and where they are from; raises UserError where one was trained on."""
    from bedrock_tuning.client.comparing.pairs import from_folder, of_run, trained_on
    from bedrock_tuning.client.inference import pointer

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
    emit(f"\n{found.verdict}: {VERDICTS[found.verdict]}")


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
