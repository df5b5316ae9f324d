"""L: rules about one line of a manifest, whatever its record means."""

from collections.abc import Iterator
from functools import partial

from bedrock_tuning.dataset.foreign import foreign_format
from bedrock_tuning.dataset.json_lines import DEPTH_MAX, LINE_BYTES_MAX, Line
from bedrock_tuning.dataset.scope import DatasetScope
from bedrock_tuning.dataset.suggestions import EXAMPLES, syntax_hint
from bedrock_tuning.dataset.whole_file import WholeFile, conversion
from bedrock_tuning.rules._example import GOOD_ROW
from bedrock_tuning.rules.rule import Fault, Severity
from bedrock_tuning.rules.rule import rule as define
from bedrock_tuning.wording import counted, json_type

rule = partial(define, good=GOOD_ROW)


@rule(
    "L113",
    bad='[{"image-ref": "s3://bucket/folder/1.png", "caption": "a dog"}]',
    once=True,
    fix="Write one JSON object per line; the command in the finding, if any, does it.",
)
def not_json_lines(file: WholeFile, scope: DatasetScope) -> Iterator[Fault]:
    """The whole file is something else: a JSON array, a table, an archive, plain text.

    It is recognized from its first bytes. Its lines are not reported one by one, and nothing else
    is checked.
    """
    container = file.container
    if container is None:
        return
    target = scope.contract.format
    foreign = foreign_format(container.first, target)
    name = container.name
    if container.count is not None:
        name += f" of {counted(container.count, 'record')}"
    if foreign is not None and foreign.name:
        name += f" in the format {foreign.name}"
    command = conversion(container, foreign, scope)
    words = f"the file is {name}, not JSON Lines of {target}"
    yield Fault(f"{words}: {command}" if command else words, value=name, limit=EXAMPLES[target])


@rule(
    "L101",
    bad=b"\xef\xbb\xbf" + GOOD_ROW.encode(),
    source=("RFC8259",),
    fix="Save the file as UTF-8 without a BOM.",
)
def byte_order_mark(line: Line, _: DatasetScope) -> Iterator[Fault]:
    """The manifest begins with a byte order mark.

    Some Windows editors write the three bytes EF BB BF before the text. RFC 8259 forbids sending
    them, and strict parsers then fail on line 1.
    """
    if line.number == 1 and line.marked:
        yield Fault("the file begins with a byte order mark", value="EF BB BF")


@rule("L102", bad=b'{"caption": "caf\xe9"}', source=("RFC8259",), fix="Save the file as UTF-8.")
def not_utf8(line: Line, _: DatasetScope) -> Iterator[Fault]:
    """A line is not valid UTF-8.

    JSON is exchanged in UTF-8. Files in Latin-1, Windows-1252 or UTF-16 look fine in an editor, and
    then the training job fails.
    """
    if line.parsed.cause == "utf-8":
        yield Fault(f"the line is not UTF-8: {line.parsed.problem}", limit="UTF-8")


@rule("L103", bad="", source=("UG-fail",), fix="Delete the blank line.")
def blank_line(line: Line, _: DatasetScope) -> Iterator[Fault]:
    """A line is blank.

    Amazon Bedrock's troubleshooting page lists blank lines as a cause of failed jobs. A trailing
    newline is not a blank line.
    """
    if line.blank:
        yield Fault("the line is blank")


@rule("L104", bad="x" * (LINE_BYTES_MAX + 1), fix="Split the record, or trim its text.")
def line_too_long(line: Line, _: DatasetScope) -> Iterator[Fault]:
    """A line is longer than any valid record can be.

    Usually the newlines between records are missing. The rest of the line is skipped to keep memory
    bounded.
    """
    if line.too_long:
        yield Fault(
            f"the line has {line.length:,} bytes",
            value=f"{line.length:,} bytes",
            limit=f"{LINE_BYTES_MAX:,} bytes",
        )


@rule(
    "L105", bad='{"caption": "a dog",}', source=("RFC8259",), fix="Write one JSON object per line."
)
def malformed_json(line: Line, _: DatasetScope) -> Iterator[Fault]:
    """A line is not valid JSON.

    RFC 8259 applies: no trailing commas, no single quotes, no comments, no NaN or Infinity, no
    unescaped control characters inside strings, nothing after the value.
    """
    if line.parsed.cause == "syntax":
        # The cut may go through a character.
        text = line.data[:200].decode(errors="ignore")
        hint = syntax_hint(line.data, line.parsed.problem)
        words = f"{line.parsed.problem} – {hint}" if hint else line.parsed.problem
        yield Fault(f"the line is not JSON: {words}", value=text)


@rule("L106", bad="[" * 100_000, fix="Write a flat JSON object.")
def nested_too_deep(line: Line, _: DatasetScope) -> Iterator[Fault]:
    """Arrays or objects are nested too deeply.

    No record needs more than a few levels; such a line is an accident or an attack.
    """
    if line.parsed.cause == "depth":
        yield Fault(f"arrays or objects are {line.parsed.problem}", limit=f"{DEPTH_MAX} levels")


@rule("L107", bad='["a dog"]', fix="Write one JSON object per line.")
def not_an_object(line: Line, _: DatasetScope) -> Iterator[Fault]:
    """A line is valid JSON, but not an object.

    Every record is an object in braces. If the file is one JSON array, write each element on a line
    of its own, without commas between the lines.
    """
    parsed = line.parsed
    if not parsed.problem and not isinstance(parsed.value, dict):
        kind = json_type(parsed.value)
        yield Fault(f"the line is of type {kind}, not object", value=str(parsed.value))


@rule(
    "L108",
    bad='{"image-ref": "s3://b/f/1.png", "caption": "a dog", "caption": "a cat"}',
    source=("RFC8259",),
    fix="Keep one of the two.",
)
def duplicate_key(line: Line, _: DatasetScope) -> Iterator[Fault]:
    """An object has the same key twice.

    Parsers differ in which of the two values they use, so it is undefined what the model is trained
    on.
    """
    for name in line.parsed.repeated:
        yield Fault(f'the key "{name}" occurs twice', field=name, value=name)


@rule("L109", bad=b'{"caption": "a \x00dog"}', fix="Remove the NUL characters.")
def nul_character(line: Line, _: DatasetScope) -> Iterator[Fault]:
    """A line contains a NUL byte.

    Usually the file is in UTF-16, or part of it was never written to disk.
    """
    if line.parsed.cause == "nul":
        yield Fault(f"the line contains {line.parsed.problem}")


@rule("L110", bad='{"caption": "\\ud83d"}', fix="Write the whole character.")
def lone_surrogate(line: Line, _: DatasetScope) -> Iterator[Fault]:
    """An escape sequence stands for half a character.

    \\ud83d alone is not a character: a text was cut in the middle of an emoji. It cannot be encoded
    as UTF-8, and parsers handle it differently.
    """
    if line.parsed.cause == "surrogate":
        yield Fault(line.parsed.problem)


@rule(
    "L111",
    bad=GOOD_ROW + "\r",
    severity=Severity.INFO,
    once=True,
    fix="No action is needed; dos2unix makes the file smaller.",
)
def windows_line_end(line: Line, _: DatasetScope) -> Iterator[Fault]:
    """Lines end with a carriage return and a newline.

    A carriage return is white space in JSON, so it does no harm. Reported once per manifest.
    """
    if line.data.endswith(b"\r"):
        yield Fault("lines end with CR LF", value="CR LF", limit="LF")
