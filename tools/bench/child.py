"""One measurement in a process of its own: `python -m tools.bench.child TASK OPTIONS` prints JSON.

Imports and preparations are not timed. Memory is the high-water mark of this process alone: what
getrusage tells includes the parent's, from which it was forked.
"""

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

from bedrock_tuning.catalogue import catalogue
from bedrock_tuning.checking import ManifestCheck, check_images
from bedrock_tuning.checking.images import BATCH
from bedrock_tuning.dataset.images.source import ByteRange
from bedrock_tuning.dataset.scope import DatasetScope, ImageRef, TextBudget, characters_in
from bedrock_tuning.rules.finding import FindingsFile, Heard
from tools.bench.texts import BUCKET, FOLDER, faulty_lines

BenchFigures = dict[str, Any]
_MODELS: Final = {
    "images": ("titan-multimodal-embeddings-g1", "FINE_TUNING"),
    "pairs": ("titan-text-express", "FINE_TUNING"),
    "texts": ("titan-text-express", "CONTINUED_PRE_TRAINING"),
    "converse": ("nova-lite", "FINE_TUNING"),
    "claude": ("claude-3-haiku", "FINE_TUNING"),
    "rft": ("nova-2-lite", "REINFORCEMENT_FINE_TUNING"),
}


def rows(*, path: str, what: str, how: str) -> BenchFigures:
    """Reads a manifest of images or texts: "ours", "json", "pydantic", "parse", "references"."""
    read, file = _reader(what, how), Path(path)
    began, cpu = time.perf_counter(), time.process_time()
    records, faults = read(file)
    return {
        "seconds": time.perf_counter() - began,
        "cpu": time.process_time() - cpu,
        "records": records,
        "faults": faults,
        "bytes": file.stat().st_size,
    }


def faulty_rows(*, what: str, kind: str, count: int) -> BenchFigures:
    """Checks lines of one format that all have one kind of fault, and lists their findings."""
    pieces = faulty_lines(what, kind, count=count)
    scope = _subject(what)
    with tempfile.TemporaryFile() as file:
        check = ManifestCheck(scope, Heard(FindingsFile(file).add))
        began = time.process_time()
        for piece in pieces:
            check.feed(piece)
        _, result = check.finish()
        cpu = time.process_time() - began
    return {"cpu": cpu, "faults": sum(result.counts.values())}


def steps(*, path: str) -> BenchFigures:
    """Nanoseconds per row of each question to image records."""
    from tools.bench.profile import profile

    return {"steps": profile(Path(path))}


def images(*, keys: str, how: str, repeat: int) -> BenchFigures:
    """Looks at every image of a list of keys, so many times.

    how: "ours", "boto3", "pillow", or "fetch": what ours asks for is fetched and not checked.
    """
    from tools.bench import image_peers

    wanted: list[str] = json.loads(Path(keys).read_text("utf-8"))
    checked = _subject("images")
    refs = [ImageRef(line, key) for line, key in enumerate(wanted * repeat, 1)]
    source = _ours() if how in ("ours", "fetch") else image_peers.BotoImages()
    asked: list[ByteRange] = []
    if how == "fetch":
        recorded = image_peers.Recorded(source)
        check_images(refs, recorded, checked)
        asked = recorded.asked
    began, cpu = time.perf_counter(), time.process_time()
    if how == "fetch":
        for at in range(0, len(asked), BATCH):
            source.fetch(asked[at : at + BATCH])
        seen, faults = len(refs), 0
    elif how == "pillow":
        seen, faults = image_peers.pillow_whole([ref.key for ref in refs]), 0
    else:
        result = check_images(refs, source, checked)
        seen, faults = result.images(checked.kind), sum(result.counts.values())
    return {
        "seconds": time.perf_counter() - began,
        "cpu": time.process_time() - cpu,
        "images": seen,
        "faults": faults,
    }


def ranges(*, keys: str) -> BenchFigures:
    """What the check of a list of keys asks for, as wrk shall ask for it too."""
    from tools.bench.image_peers import Recorded

    wanted: list[str] = json.loads(Path(keys).read_text("utf-8"))
    source = Recorded(_ours())
    check_images(
        [ImageRef(line, key) for line, key in enumerate(wanted, 1)], source, _subject("images")
    )
    return {
        "asked": [(each.key, each.start, each.length) for each in source.asked],
        "received": source.received,
        "images": len(wanted),
    }


def cli(*, arguments: list[str]) -> BenchFigures:
    """`tuning` with these arguments, from the first import to the exit; its output is dropped."""
    began, cpu = time.perf_counter(), time.process_time()
    from bedrock_tuning.cli.__main__ import tuning

    sys.stdout = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 until the end
    code = 0
    try:
        tuning(arguments, prog_name="tuning")
    except SystemExit as end:
        code = int(end.code or 0)
    sys.stdout = sys.__stdout__
    return {
        "seconds": time.perf_counter() - began,
        "cpu": time.process_time() - cpu,
        "exit_code": code,
    }


def _subject(what: str) -> DatasetScope:
    model, type = _MODELS[what]
    base = catalogue()[model]
    return DatasetScope(
        model=base, contract=base.datasets[type], kind="training", bucket=BUCKET, folders=(FOLDER,)
    )


def _ours() -> Any:
    """The source that the deployed functions use."""
    from bedrock_tuning.sources import s3
    from tools.bench.image_peers import boto_client

    def credentials() -> dict[str, str | None]:
        return {"access_key_id": "bench", "secret_access_key": "bench", "token": None}

    client = s3.store(BUCKET, region="us-east-1", credentials=credentials)
    return s3.S3Images(BUCKET, client=client, boto=boto_client())


def _reader(what: str, how: str) -> Callable[[Path], tuple[int, int]]:
    from tools.bench import row_peers

    checked = _subject(what)
    longest = _longest(checked)
    is_text = what == "texts"
    match how:
        case "ours":
            return partial(_check, scope=checked, use=len)
        case "references":
            return partial(_check, scope=checked, use=list)
        case "json":
            return row_peers.json_reader(is_text=is_text, longest=longest)
        case "pydantic":
            return row_peers.pydantic_reader(is_text=is_text, longest=longest)
        case "parse":
            return row_peers.parser(is_text=is_text)
        case "parse-blocks":
            return row_peers.parser(is_text=is_text, chunk=row_peers.SMALL_CHUNK)
        case "parse-lines":
            return row_peers.line_parser(is_text=is_text)
    raise ValueError(how)


def _longest(scope: DatasetScope) -> int:
    """Characters that a caption, or a whole record of text, may have."""
    limits = scope.contract.caption
    if limits is None:
        budget = TextBudget.of(scope.contract)
        return int((budget.record or sys.maxsize) * budget.chars_per_token)
    tokens = characters_in(limits.tokens_max or sys.maxsize, limits.chars_per_token or 1)
    return min(limits.chars_max, tokens)


def _check(
    path: Path, *, scope: DatasetScope, use: Callable[[Sequence[ImageRef]], object]
) -> tuple[int, int]:
    """Our check; use: what becomes of the references to images."""
    from tools.bench.row_peers import CHUNK

    check = ManifestCheck(scope)
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            use(check.feed(chunk))
    refs, result = check.finish()
    use(refs)
    return result.records(scope.kind), sum(result.counts.values())


_TASKS: Final[Mapping[str, Callable[..., BenchFigures]]] = {
    "rows": rows,
    "faulty_rows": faulty_rows,
    "steps": steps,
    "images": images,
    "ranges": ranges,
    "cli": cli,
}


def _peak_mib() -> float:
    status = Path("/proc/self/status").read_text("utf-8")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def main() -> None:
    """Runs the task that the command line names."""
    task, options = sys.argv[1], json.loads(sys.argv[2])
    core = options.pop("core")
    if core is not None:
        os.sched_setaffinity(0, {core})
    figures = _TASKS[task](**options)
    sys.stdout.write(json.dumps({**figures, "peak_mib": _peak_mib()}) + "\n")


if __name__ == "__main__":
    main()
