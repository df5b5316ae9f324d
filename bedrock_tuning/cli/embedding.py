"""What commands that embed many inputs share: the price, the question, and the progress."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bedrock_tuning.cli.terminal.errors import Interrupted
from bedrock_tuning.cli.terminal.output import Command, confirm, overwrite_option, say, yes_option
from bedrock_tuning.cli.terminal.progress import ProgressBar
from bedrock_tuning.errors import UserError

if TYPE_CHECKING:
    from bedrock_tuning.client.embedding import Embedder, EmbeddingInput
    from bedrock_tuning.client.inference import AskedModel


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What was typed after `tuning compare`; the fields are its options.

    length: of a vector; None for the model's own. against: a run whose answers are kept; None for
    the base model.
    """

    customization: str
    data: Path | None
    limit: int | None
    prompts: Sequence[str]
    against: str | None
    length: int | None
    html: Path | None
    overwrite: bool
    yes: bool
    as_json: bool


def embedding_options(*, page: str) -> Callable[[Command], Command]:
    """--length, --html, --overwrite and --yes. page: what the page shows, for --help."""
    options = (
        click.option(
            "--length", type=int, help="How many numbers an embedding has: 256, 384 or 1024."
        ),
        click.option(
            "--html",
            metavar="FILE",
            type=click.Path(dir_okay=False, path_type=Path),
            help=page,
        ),
        overwrite_option,
        yes_option,
    )

    def add(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return add


def require_embeddings(model: "AskedModel") -> None:
    """Raises UserError for a model that gives no vectors."""
    if model.base.task != "image-to-embedding":
        raise UserError(
            f"{model.base.name} is not an embedding model",
            fix="`tuning invoke` asks it for texts or pictures",
        )


def agree_to_calls(
    work: "Mapping[str, tuple[AskedModel, int, int]]",
    price: "Callable[[AskedModel, int], str]",
    *,
    yes: bool,
) -> int:
    """Shows how many calls have to be paid for, and asks; how many they are.

    work: by whose name, how many calls, and how many answers are wanted. price: of calls.
    """
    total = sum(calls for _, calls, _ in work.values())
    if not total:
        say("every answer is known already: nothing is asked, nothing is billed")
        return 0
    for name, (model, calls, total_calls) in work.items():
        say(f"{name}: {calls:,} calls, {total_calls - calls:,} answers known already")
        if calls and model.tuned is not None and ":provisioned-model/" in model.id:
            say("  its Provisioned Throughput is billed by the hour, not by the call")
        elif calls:
            say(f"  {price(model, calls)}")
    confirm(
        "Ask?", yes=yes, otherwise="to accept the price", unchanged="nothing was asked or billed"
    )
    return total


def agree_to_embed(
    work: "Sequence[tuple[str, Embedder, Sequence[EmbeddingInput]]]", *, images: int, yes: bool
) -> None:
    """The same for inputs by whose name. images: how many of each are; the rest are texts."""
    agree_to_calls(
        {
            name: (embedder.model, embedder.unknown(items), len(items))
            for name, embedder, items in work
        },
        lambda model, calls: _price(model, calls, images=images),
        yes=yes,
    )


def _price(model: "AskedModel", calls: int, *, images: int) -> str:
    """At most: texts of Titan Multimodal Embeddings have up to 256 tokens."""
    prices, tokens_max = model.base.prices, model.base.inference.text_tokens_max
    per_image, per_1k = prices.on_demand_per_image, prices.on_demand_per_1k_text_tokens
    if per_image is None or per_1k is None or tokens_max is None:
        return "no price is known"
    texts = max(0, calls - images)
    usd = min(calls, images) * float(per_image) + texts * tokens_max / 1000 * float(per_1k)
    return f"at most {math.ceil(100 * usd) / 100:,.2f} USD on demand (price of the catalogue)"


def embed(name: str, embedder: "Embedder", items: "Sequence[EmbeddingInput]") -> list[list[float]]:
    """The vectors, with progress on standard error."""
    total, answered = len({item.identity for item in items}), 0
    with ProgressBar(f"asking the {name} model", "inputs") as bar:

        def done(count: int) -> None:
            nonlocal answered
            answered += count
            bar.update(share=answered / total, count=count)

        with kept_at_ctrl_c():
            return embedder.vectors(items, done=done)


@contextmanager
def kept_at_ctrl_c() -> Iterator[None]:
    """Whoever stops calls that are paid for learns that no answer is lost."""
    try:
        yield
    except KeyboardInterrupt:
        raise Interrupted(
            "every answer so far is kept", fix="the same command asks for the rest only"
        ) from None
