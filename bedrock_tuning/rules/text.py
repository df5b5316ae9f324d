"""R3: rules about texts: prompt and completion, input, and the length of any record."""

from collections.abc import Iterator

from bedrock_tuning.dataset.json_lines import Line
from bedrock_tuning.dataset.record import Record
from bedrock_tuning.dataset.record_formats import TALKS, TEXTS
from bedrock_tuning.dataset.scope import DatasetScope
from bedrock_tuning.rules.rule import Fault, rule

_PAIR = '{"prompt": "what is AWS", "completion": "it is Amazon Web Services"}'
_LLAMA = "llama-3-1-8b"


@rule(
    "R301",
    bad='{"prompt": " ", "completion": "it is Amazon Web Services"}',
    good=_PAIR,
    formats=TEXTS,
    fix="Write the text or remove the record.",
    model=_LLAMA,
)
def empty_text(record: Record, _: DatasetScope) -> Iterator[Fault]:
    """A prompt, a completion or an input is empty or consists of white space.

    The model learns nothing from such a record, and Amazon Bedrock may reject the job.
    """
    for name, _length, empty in record.measured:
        if empty:
            yield Fault(f"{name} is empty", name, record.text(name) or "", "at least one character")


def _over(record: Record, scope: DatasetScope, field: str, most: int | None) -> Iterator[Fault]:
    text = record.text(field)
    if text is not None and most is not None and len(text) > most:
        yield _fault(field, len(text), most, scope)


def _fault(what: str, length: int, most: int, scope: DatasetScope) -> Fault:
    ratio = scope.budget.chars_per_token or 1
    return Fault(
        f"{what} has about {length / ratio:,.0f} tokens",
        "" if what == "the record" else what,
        f"{length:,} characters",
        f"{most / ratio:,.0f} tokens, about {most:,} characters at {ratio:g} per token",
    )


@rule(
    "R302",
    bad='{"prompt": "what is AWS", "completion": "' + "word " * 20_000 + '"}',
    good=_PAIR,
    formats=TEXTS | TALKS,
    fix="Shorten the record or split it.",
    model=_LLAMA,
)
def record_over_token_limit(record: Record, scope: DatasetScope) -> Iterator[Fault]:
    """The texts of a record together have more tokens than the model accepts.

    Tokens are estimated from characters with the ratio that AWS publishes for dataset checks. Where
    the limit depends on the batch size, this rule assumes the smallest batch; the rule
    batch-too-large-for-long-records checks the actual one.
    """
    most = scope.budget.record
    if most is None:
        return
    length = sum(length for _, length, _ in record.measured)
    if length > most:
        yield _fault("the record", length, most, scope)


@rule(
    "R303",
    bad='{"prompt": "' + "word " * 6_000 + '", "completion": "yes"}',
    good=_PAIR,
    formats=TEXTS,
    fix="Shorten the prompt.",
    model="cohere-command",
)
def prompt_over_token_limit(record: Record, scope: DatasetScope) -> Iterator[Fault]:
    """A prompt has more tokens than the model accepts, estimated from its characters."""
    yield from _over(record, scope, "prompt", scope.budget.prompt)


@rule(
    "R304",
    bad='{"prompt": "count", "completion": "' + "word " * 3_000 + '"}',
    good=_PAIR,
    formats=TEXTS,
    fix="Shorten the completion.",
    model="cohere-command",
)
def completion_over_token_limit(record: Record, scope: DatasetScope) -> Iterator[Fault]:
    """A completion has more tokens than the model accepts, estimated from its characters."""
    yield from _over(record, scope, "completion", scope.budget.completion)


@rule(
    "L112",
    bad='{"messages": [{"role": "user", "content": [{"text": "' + "word " * 4_000 + '"}]}]}',
    good='{"messages": [{"role": "user", "content": [{"text": "hello"}]}]}',
    fix="Shorten the record.",
    model="nova-lite/DISTILLATION",
)
def record_too_many_bytes(line: Line, scope: DatasetScope) -> Iterator[Fault]:
    """A line has more bytes than the customization type allows for one record."""
    most = scope.budget.line_bytes
    if most is not None and not line.too_long and line.length > most:
        yield Fault(
            f"the line has {line.length:,} bytes",
            value=f"{line.length:,} bytes",
            limit=f"{most:,} bytes",
        )
