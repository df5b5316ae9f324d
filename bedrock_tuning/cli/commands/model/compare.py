"""`tuning compare`: is the tuned model better than its base model, or than another run's?"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bedrock_tuning.cli.embedding import Wanted, embedding_options
from bedrock_tuning.cli.options import DeploymentOption, customization_argument, deployment_options
from bedrock_tuning.cli.terminal.command import command
from bedrock_tuning.cli.terminal.errors import EXIT_NO
from bedrock_tuning.cli.terminal.output import json_option
from bedrock_tuning.errors import UserError

if TYPE_CHECKING:
    from bedrock_tuning.client.inference import AskedModel
    from bedrock_tuning.serving.side_by_side import ModelSide


@command(
    order=4,
    examples=(
        "tuning compare pets-search --html compare.html",
        "tuning compare pets-search --data out --yes --json",
        'tuning compare pets-style --prompt "Ron on a beach" --prompt "Smila in snow"',
        "tuning compare pets-search --against RUN",
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
@customization_argument("Customization whose published model is compared with its base model.")
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
    help="Compare with the model of this run, whose answers are kept, instead of the base model.",
)
@embedding_options(page="Write a page with the scores and the pictures whose rank changed most.")
@json_option
@deployment_options
@click.pass_context
def compare(
    ctx: click.Context,
    /,
    *,
    deployed: DeploymentOption,
    **options: Any,
) -> None:
    """Compare a tuned model with its base model or another run's, on what it was not trained on.

    Picture and text models answer the same prompts, pictures with the same seeds, and one page
    shows the answers side by side: there is no score. Prompts are those of the run's validation
    set, or its captions.

    Embedding models search. Both are asked for the vectors of all pictures and captions; then each
    caption searches the pictures, and each picture the captions. R@5 is the share of questions with
    a right answer among the first five. Pictures of one folder, or with the same caption, are a
    class, which has figures of its own.

    Answers are kept, those of tuned models in the output bucket, so nothing is asked or billed
    twice. So --against RUN can compare with a model that is no longer served. To compare run B
    with run A: serve A and compare it, serve B, and compare that with --against A. For embedding
    models, this compares only the pictures and captions for which A's model gave vectors.

    Exit code 1: the tuned embedding model is worse.
    """
    from bedrock_tuning.cli import retrieval, side_by_side
    from bedrock_tuning.client.inference import base_of, tuned_of

    request = Wanted(**options)
    deployment = deployed()
    models: dict[ModelSide, AskedModel] = {
        "base": base_of(deployment, request.customization),
        "tuned": tuned_of(deployment, request.customization),
    }
    if models["tuned"].base.task != "image-to-embedding":
        _refuse({"--data": request.data, "--length": request.length}, models["tuned"])
        side_by_side.show(deployment, models, request)
        return
    _refuse({"--prompt": request.prompts}, models["tuned"])
    if retrieval.show(deployment, models, request) == "worse":
        ctx.exit(EXIT_NO)


def _refuse(options: Mapping[str, object], model: "AskedModel") -> None:
    """Raises UserError for an option that means nothing to such a model."""
    for option, value in options.items():
        if value:
            raise UserError(
                f"{option} does not apply to {model.base.name}, which has another task",
                fix=f"omit {option}",
            )
