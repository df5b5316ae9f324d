"""R3: rules about texts: prompt and completion, input, and the length of any record."""

from collections.abc import Iterator
from functools import partial

from bedrock_tuning.dataset.json_lines import Line
from bedrock_tuning.dataset.record import Record
from bedrock_tuning.dataset.record_formats import TALK_FORMATS, TEXTS
from bedrock_tuning.dataset.scope import DatasetScope
from bedrock_tuning.rules.rule import Fault, Severity
from bedrock_tuning.rules.rule import rule as define

_PAIR = '{"prompt": "what is AWS", "completion": "it is Amazon Web Services"}'
_LLAMA = "llama-3-1-8b"

rule = partial(define, good=_PAIR, formats=TEXTS)


@rule(
    "R301",
    bad='{"prompt": " ", "completion": "it is Amazon Web Services"}',
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


def _texts(record: Record, field: str) -> list[str]:
    """The texts of a record, or of one of its fields."""
    if field:
        text = record.text(field)
        return [] if text is None else [text]
    return record.texts


def _faults(
    record: Record, scope: DatasetScope, field: str, most: int | None, *, verdict: str
) -> Iterator[Fault]:
    """A fault if the texts have the verdict "over" or "band"."""
    budget, texts = scope.budget, _texts(record, field)
    if most is None or budget.verdict(texts, most) != verdict:
        return
    subject, estimate = field or "the record", budget.tokens(*texts)
    words = (
        f"at least {estimate.least:,.0f}"
        if verdict == "over"
        else (f"between {estimate.least:,.0f} and {estimate.most:,.0f}")
    )
    yield Fault(
        f"{subject} has {words} tokens",
        field,
        f"{sum(map(len, texts)):,} characters",
        f"{most:,} tokens; estimated by script, words at {scope.contract.tokens_from}",
    )


@rule(
    "R302",
    bad='{"prompt": "what is AWS", "completion": "' + "word " * 20_000 + '"}',
    formats=TEXTS | TALK_FORMATS,
    fix="Shorten the record or split it.",
    model=_LLAMA,
)
def record_over_token_limit(record: Record, scope: DatasetScope) -> Iterator[Fault]:
    """The texts of a record together have more tokens than the model accepts.

    Tokens are estimated from characters, by script, with the largest number of characters per token
    that is likely: for words the figure that AWS publishes, for digits 3, for Chinese and Japanese
    2. So a record that this rule reports is surely too long. Where the limit depends on the batch
    size, this rule assumes the smallest batch; the rule batch-too-large-for-long-records checks the
    actual one.
    """
    yield from _faults(record, scope, "", scope.budget.record, verdict="over")


@rule(
    "R303",
    bad='{"prompt": "' + "word " * 6_000 + '", "completion": "yes"}',
    fix="Shorten the prompt.",
    model="cohere-command",
)
def prompt_over_token_limit(record: Record, scope: DatasetScope) -> Iterator[Fault]:
    """A prompt has more tokens than the model accepts, estimated from its characters."""
    yield from _faults(record, scope, "prompt", scope.budget.prompt, verdict="over")


@rule(
    "R304",
    bad='{"prompt": "count", "completion": "' + "word " * 3_000 + '"}',
    fix="Shorten the completion.",
    model="cohere-command",
)
def completion_over_token_limit(record: Record, scope: DatasetScope) -> Iterator[Fault]:
    """A completion has more tokens than the model accepts, estimated from its characters."""
    yield from _faults(record, scope, "completion", scope.budget.completion, verdict="over")


@rule(
    "R305",
    bad='{"input": "' + "| 12.4 | (0.3) | $1,234.56 " * 350 + '"}',
    good='{"input": "' + "word " * 2_000 + '"}',
    formats=TEXTS | TALK_FORMATS,
    severity=Severity.WARNING,
    source=("UG-prep", "WS-224"),
    fix="To be safe, shorten the record or split it.",
    model="titan-text-lite/CONTINUED_PRE_TRAINING",
)
def record_may_exceed_token_limit(record: Record, scope: DatasetScope) -> Iterator[Fault]:
    """A record may have more tokens than the model accepts: the limit is within the estimate.

    AWS's figure of 6 characters per token is for planning. Tables, digits, code and scripts other
    than Latin have far fewer characters per token, down to one: 10,000 characters of a report were
    4,919 tokens, and the job failed after two hours.
    """
    budget = scope.budget
    for field, most in (
        ("prompt", budget.prompt),
        ("completion", budget.completion),
        ("", budget.record),
    ):
        yield from _faults(record, scope, field, most, verdict="band")


@rule(
    "L112",
    bad='{"messages": [{"role": "user", "content": [{"text": "' + "word " * 4_000 + '"}]}]}',
    good='{"messages": [{"role": "user", "content": [{"text": "hello"}]}]}',
    fix="Shorten the record.",
    model="nova-lite/DISTILLATION",
    formats=(),
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
