"""Checks one manifest as its bytes arrive."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, overload
from zlib import crc32

from bedrock_tuning.checking.fast_path_records import CleanBlock, fast_path_for
from bedrock_tuning.checking.result import CheckResult
from bedrock_tuning.checking.row_classes import ClassedRow, row_classes_for
from bedrock_tuning.dataset.fingerprints import record_hash
from bedrock_tuning.dataset.foreign import UNKNOWN
from bedrock_tuning.dataset.json_lines import Line
from bedrock_tuning.dataset.language import SAMPLE, language_of
from bedrock_tuning.dataset.line_blocks import BLOCK_BYTES, Blocks, OversizedLine, cut
from bedrock_tuning.dataset.record import Record
from bedrock_tuning.dataset.record_formats import TEXT_FIELDS
from bedrock_tuning.dataset.scope import DatasetScope, ImageRef, folder_of
from bedrock_tuning.dataset.statistics import HASH_BYTES, TextStats, bucket, join_hashes
from bedrock_tuning.dataset.whole_file import HEAD_BYTES, KEPT_BYTES, WholeFile
from bedrock_tuning.rules import BY_ID, rules_for
from bedrock_tuning.rules.finding import NOBODY_HEARS, Findings, Heard, shorten
from bedrock_tuning.rules.rule import run_rules

# A block that is not clean is cut into eighths, and so on, down to this many lines.
_SMALLER: Final = 8
_FEW_LINES: Final = 3
# If more than an eighth of a block's rows have findings, looking for clean parts is a waste.
_MOSTLY: Final = 8
_OUTSIDE_KEPT: Final = 20
_LENGTHS_KEPT: Final = 4096
_LEFT_BEHIND: Final = frozenset({"bucket", "folder"})
# Hashes of text records: the largest text dataset has 100,000 records.
_RECORD_HASHES_KEPT: Final = 1 << 17


class ImageRefs(Sequence[ImageRef]):
    """References in the order of lines; each ImageRef is made only when it is asked for."""

    def __init__(self, bucket: str) -> None:
        self._cut = len(f"s3://{bucket}/")
        self._runs: list[tuple[Sequence[int], Sequence[str], Sequence[str]]] = []
        self._made: list[ImageRef] = []
        self._length = 0

    def add_run(self, lines: Sequence[int], refs: Sequence[str], texts: Sequence[str]) -> None:
        """Adds whole references of lines in their order, with what each says of its image."""
        self._runs.append((lines, refs, texts))
        self._length += len(refs)

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[ImageRef]:
        start = self._cut
        for lines, refs, texts in self._runs:
            for line, ref, text in zip(lines, refs, texts, strict=True):
                yield ImageRef(line, ref[start:], crc32(text.encode("utf-8", "surrogatepass")))

    @overload
    def __getitem__(self, index: int) -> ImageRef: ...
    @overload
    def __getitem__(self, index: slice) -> list[ImageRef]: ...
    def __getitem__(self, index: int | slice) -> ImageRef | list[ImageRef]:
        if len(self._made) != self._length:
            self._made = list(self)
        return self._made[index]


class ManifestCheck:
    """Checks one manifest as its bytes arrive; memory does not grow with the manifest.

    Feed chunks of any size in order, then finish. The result does not depend on how the bytes were
    cut. References are held back until some hundred KiB of lines are complete.
    """

    def __init__(
        self,
        scope: DatasetScope,
        heard: Heard = NOBODY_HEARS,
        *,
        block_bytes: int = BLOCK_BYTES,
    ) -> None:
        self._scope = scope
        self._findings = Findings(scope.overrides, heard)
        self._on_error_line = heard.error_line
        self._stats = TextStats()
        self._lengths: dict[str, Counter[int]] = {}
        self._hashes = bytearray()
        self._blocks = Blocks(block_bytes=block_bytes)
        # The beginning, until it is known whether these are lines; None from then on.
        self._head: bytearray | None = bytearray()
        self._fast = fast_path_for(scope)
        self._classes = row_classes_for(scope, self._findings)
        self._line_rules = rules_for(Line)
        self._record_rules = rules_for(Record, scope.contract.format)
        self._reported: set[str] = set()
        # Whether the first record is in a format that has no name here, and so may be all others.
        self._is_foreign = False
        self._refs = ImageRefs(scope.bucket)
        self._is_caption = scope.contract.format == "image-caption"
        # Rows with findings, and whether they were many in the last block.
        self._faulty = 0
        # Whether the last line that the rules checked has an error.
        self._erred = False
        self._is_mostly_faulty = False

    @property
    def lines(self) -> int:
        """How many lines were checked so far."""
        return self._stats.lines

    def feed(self, chunk: bytes) -> Sequence[ImageRef]:
        """Takes the next bytes; returns images that completed records refer to."""
        self._stats.size += len(chunk)
        if self._head is None:
            self._cut(chunk)
        elif len(self._head) < KEPT_BYTES:
            self._head += chunk
            if len(self._head) >= HEAD_BYTES and not self._stats.foreign:
                self._begin(is_complete=False)
        return self._release()

    def finish(self) -> tuple[Sequence[ImageRef], CheckResult]:
        """The last images, and the result."""
        stats = self._stats
        if self._head is not None:
            self._begin(is_complete=len(self._head) == stats.size)
        for block in self._blocks.finish():
            self._take(block)
        for name, lengths in sorted(self._lengths.items()):
            stats.lengths[name] = dict(sorted(_round(lengths).items()))
        stats.hashes = join_hashes([bytes(self._hashes)], most=_RECORD_HASHES_KEPT)
        stats.outside = dict(sorted(stats.outside.items()))
        stats.languages = dict(sorted(stats.languages.items()))
        stats.bucket_region = self._scope.bucket_region
        result = CheckResult(
            counts=dict(sorted(self._findings.counts.items())),
            findings=self._findings.kept(),
            text_stats={self._scope.kind: stats},
        )
        return self._release(), result

    def _begin(self, *, is_complete: bool) -> None:
        """Decides whether the beginning is one of lines; if so they are checked."""
        if self._head is None:
            return
        file = WholeFile(bytes(self._head), is_complete=is_complete)
        container = file.container
        self._stats.foreign = container is not None
        if container is None:
            self._head = None
            self._cut(file.data)
        elif is_complete or self._stats.size >= KEPT_BYTES:
            self._stats.records = container.count or 0
            for rule, fault in run_rules(rules_for(WholeFile), file, self._scope):
                self._findings.add(rule, fault, kind=self._scope.kind, line=1)

    def _cut(self, chunk: bytes) -> None:
        for block in self._blocks.feed(chunk):
            self._take(block)

    def _release(self) -> ImageRefs:
        released, self._refs = self._refs, ImageRefs(self._scope.bucket)
        return released

    def _take(self, block: bytes | OversizedLine) -> None:
        if isinstance(block, OversizedLine):
            self._line(b"", block.length)
            return
        lines, faulty = self._stats.lines, self._faulty
        if self._is_mostly_faulty:
            self._rows(block)
        else:
            self._split(block)
        new = self._faulty - faulty
        self._is_mostly_faulty = new * _MOSTLY > self._stats.lines - lines

    def _split(self, block: bytes) -> None:
        """Finds the clean parts of a block; the rest is checked row by row."""
        if self._is_clean(block):
            return
        if self._fast is None or block.count(b"\n") <= _FEW_LINES:
            self._rows(block)
            return
        lines, faulty = self._stats.lines, self._faulty
        for part in cut(block, 0, len(block), most=max(1, len(block) // _SMALLER)):
            if isinstance(part, OversizedLine):
                self._line(b"", part.length)
            elif (self._faulty - faulty) * _MOSTLY > self._stats.lines - lines:
                self._rows(part)
            else:
                self._split(part)

    def _is_clean(self, block: bytes) -> bool:
        if self._fast is None or (b"\r" in block and self._awaits("L111")):
            return False
        clean = self._fast(block, first=self._stats.lines + 1)
        if clean is not None:
            self._add(clean)
        return clean is not None

    def _add(self, clean: CleanBlock) -> None:
        stats = self._stats
        stats.lines += clean.rows
        stats.records += clean.rows
        for name, lengths in clean.lengths.items():
            self._measure(name, lengths, empty=lengths[0])
        if stats.captions.counts is not None and clean.captions:
            stats.captions.add(Counter(clean.captions))
        self._judge(clean.captions)
        if clean.refs:
            lines = range(clean.first, clean.first + clean.rows)
            self._refs.add_run(lines, clean.refs, clean.captions)
        self._hash(clean.hashes)

    def _hash(self, hashes: bytes) -> None:
        self._stats.hashed += len(hashes) // HASH_BYTES
        self._hashes += hashes
        if len(self._hashes) >= 2 * HASH_BYTES * _RECORD_HASHES_KEPT:
            sample = join_hashes([bytes(self._hashes)], most=_RECORD_HASHES_KEPT)
            self._hashes = bytearray(sample)

    def _rows(self, block: bytes) -> None:
        """Checks a block row by row: by the rules, or by a row's class if that is enough."""
        lines = block[:-1].split(b"\n")
        classes = self._classes
        if classes is None:
            for line in lines:
                self._line(line, len(line))
            return
        classes.refresh()
        settled, read = classes.settled, classes.read
        values: list[Mapping[str, Any]] = []
        outside: list[str] = []
        hashes: list[bytes] = []
        run: tuple[list[int], list[str], list[str]] = [], [], []
        # Row by row, so that it is the first captions whoever checks their rows.
        judges = self._is_caption and self._stats.judged < SAMPLE
        first = self._stats.lines + 1
        for number, line in enumerate(lines, first):
            row = read(line)
            row_class = None if row is None else settled.get(row.key)
            if row is None or row_class is None or (line[-1:] == b"\r" and self._awaits("L111")):
                self._stats.lines = number - 1
                self._add_run(*run)
                self._learn(line, row)
                continue
            row_class.rows += 1
            if row_class.counts or row_class.has_error:
                self._faulty += 1
                if row_class.has_error and self._on_error_line is not None:
                    self._on_error_line(self._scope.kind, number)
            if row.value is None:
                self._stats.records += row.is_record
                continue
            values.append(row.value)
            if judges and type(caption := row.value.get("caption")) is str:
                self._judge((caption,))
            if not self._is_caption:
                hashes.append(record_hash(line=number, content=line.removesuffix(b"\r")))
            elif row.ref and not row.problem:
                run[0].append(number)
                run[1].append(row.ref)
                run[2].append(str(row.value.get("caption")))
            elif row.problem in _LEFT_BEHIND:
                outside.append(row.ref)
        self._stats.lines = first + len(lines) - 1
        self._add_run(*run)
        self._hash(b"".join(hashes))
        classes.count()
        self._count_values(values)
        self._count_outside(outside)

    def _add_run(self, lines: list[int], refs: list[str], texts: list[str]) -> None:
        """Adds the references of some lines, and empties the lists."""
        if lines:
            self._refs.add_run(lines[:], refs[:], texts[:])
            lines.clear()
            refs.clear()
            texts.clear()

    def _awaits(self, once: str) -> bool:
        """Whether a rule whose one finding must come from its function has not reported yet."""
        return once not in self._reported

    def _learn(self, line: bytes, row: ClassedRow | None) -> None:
        counts = self._findings.counts
        before = dict(counts)
        self._line(line, len(line))
        new = {
            id: count - before.get(id, 0)
            for id, count in counts.items()
            if count != before.get(id) and not BY_ID[id].once
        }
        self._faulty += bool(new) or self._erred
        if row is not None and self._classes is not None:
            self._classes.learn(row, new, has_error=self._erred)

    def _line(self, data: bytes, length: int) -> None:
        self._stats.lines += 1
        self._erred = False
        line = Line(number=self._stats.lines, data=data, length=length)
        self._run(self._line_rules, line, line.number)
        if line.blank:
            return
        self._stats.records += 1
        if line.too_long or not isinstance(line.parsed.value, dict):
            return
        is_first, value = self._stats.records == 1, line.parsed.value
        foreign = is_first or self._is_foreign
        record = Record(line=line.number, value=value, scope=self._scope, may_be_foreign=foreign)
        self._is_foreign |= is_first and record.lookalike is UNKNOWN
        self._run(self._record_rules, record, line.number)
        self._count(record)
        self._refer(record)
        if not self._is_caption:
            content = data.removesuffix(b"\r")
            self._hash(record_hash(line=line.number, content=content))

    def _run(self, rules: Sequence[Any], item: Line | Record, number: int) -> None:
        for rule, fault in run_rules(rules, item, self._scope):
            is_error = self._findings.is_error(rule)
            self._erred |= is_error
            if not (rule.once and rule.id in self._reported):
                self._reported.add(rule.id)
                self._findings.add(rule, fault, kind=self._scope.kind, line=number)
            elif is_error and self._on_error_line is not None:
                self._on_error_line(self._scope.kind, number)

    def _count(self, record: Record) -> None:
        for name, length, empty in record.measured:
            self._measure(name, {length: 1}, empty=int(empty))
        for kind in {medium.kind for medium in record.media}:
            self._stats.media[kind] = self._stats.media.get(kind, 0) + 1
        caption = record.text("caption") if self._is_caption else None
        if caption is not None:
            self._stats.captions.add({caption: 1})
            self._judge((caption,))

    def _count_values(self, values: Sequence[Mapping[str, Any]]) -> None:
        """Counts many records at once, as _count does one, but for the languages of captions."""
        self._stats.records += len(values)
        for name in TEXT_FIELDS.get(self._scope.contract.format, ()):
            texts = [value[name] for value in values if type(value.get(name)) is str]
            if not texts:
                continue
            empty = sum(not text or text.isspace() for text in texts)
            self._measure(name, Counter(map(len, texts)), empty=empty)
            if self._is_caption and self._stats.captions.counts is not None:
                self._stats.captions.add(Counter(texts))

    def _judge(self, captions: Sequence[str]) -> None:
        """Counts the languages of the first captions."""
        stats = self._stats
        for caption in captions[: SAMPLE - stats.judged]:
            stats.judged += 1
            language = language_of(caption)
            if language:
                stats.languages[language] = stats.languages.get(language, 0) + 1

    def _measure(self, name: str, lengths: Mapping[int, int], *, empty: int) -> None:
        stats = self._stats
        totals = self._lengths.get(name)
        if totals is None:
            totals = self._lengths[name] = Counter()
        for length, count in lengths.items():
            totals[length] += count
        if len(totals) > _LENGTHS_KEPT:
            self._lengths[name] = _round(totals)
        stats.characters += sum(length * count for length, count in lengths.items())
        stats.longest[name] = max(stats.longest.get(name, 0), max(lengths))
        if empty:
            stats.empty[name] = stats.empty.get(name, 0) + empty

    def _refer(self, record: Record) -> None:
        # Equal conversations are found by their own hashes.
        text = str(record.value.get("caption") if self._is_caption else record.line)
        for ref in record.refs:
            if not ref.problem and ref.kind != "document":
                self._refs.add_run((record.line,), (ref.uri,), (text,))
            elif ref.problem in _LEFT_BEHIND:
                self._count_outside((ref.uri,))

    def _count_outside(self, uris: Sequence[str]) -> None:
        outside = self._stats.outside
        for folder, count in Counter(map(folder_of, uris)).items():
            name = shorten(folder)
            outside[name] = outside.get(name, 0) + count
            if len(outside) > _OUTSIDE_KEPT:
                del outside[max(outside)]


def _round(lengths: Counter[int]) -> Counter[int]:
    rounded: Counter[int] = Counter()
    for length, count in lengths.items():
        rounded[bucket(length)] += count
    return rounded
