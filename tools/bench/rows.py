"""Rows per second of the manifest's check, beside json, pydantic and parsing alone."""

from functools import partial
from pathlib import Path

from tools.bench import measure, texts
from tools.bench.plan import BenchPlan
from tools.bench.result import BenchSection

_OURS = "ours: all rules of lines and records"
_EMOJI = "ours, an emoji in every record"
_REFERENCES = "ours, and every reference made"
_WRONG = "ours, 1 % of the lines wrong"
_JSON = "json and checks of a dict"
_PYDANTIC = "pydantic"
# Checked row by row, conversations take long enough.
_FEWER = 10
_LIMIT = "limit: msgspec decodes 4 MiB at once"
_SMALL = "limit: msgspec decodes 256 KiB at once"
_LINES = "limit: msgspec decodes line by line"


def image_rows(plan: BenchPlan) -> BenchSection:
    """Records of images and captions."""
    folder = plan.folder
    right = texts.image_records(folder / "images.jsonl", count=plan.image_records)
    wrong = texts.wrong_records(folder / "wrong.jsonl", count=plan.image_records)
    size = right.stat().st_size / plan.image_records
    section = BenchSection(
        name="image-rows",
        title="Rows: image records",
        about=f"{plan.image_records:,} records of {size:.0f} bytes from a file in the page cache, "
        "each run in a new process on one core; reading the file is timed, imports are not.",
        columns={"rows_per_s": "{:,.0f}", "mb_per_s": "{:,.0f}", "peak_mib": "{:.0f}"},
        notes=[
            "pydantic is not asked about repeated keys, blank captions, and dots in keys.",
            "The limits decode and throw the rows away. They read 4 MiB at once, as S3 brings them "
            "and our check is fed here; 256 KiB, which fit into the processor's cache, as our "
            "check cuts them; or line by line, which alone notices two records in one line.",
        ],
    )
    measurements = {
        _OURS: partial(_read, right, what="images", how="ours"),
        _REFERENCES: partial(_read, right, what="images", how="references"),
        _WRONG: partial(_read, wrong, what="images", how="ours"),
        _JSON: partial(_read, right, what="images", how="json"),
        **_pydantic(section, right, "images"),
        **_limits(right, "images"),
    }
    measure.alternate(section, measurements, rounds=plan.rounds)
    ours = section.row(_OURS).median("rows_per_s")
    section.at_least("rows/s on one core", ours, 1_000_000, "{:,.0f}")
    for what in (_LIMIT, _SMALL, _LINES):
        share = ours / section.row(what).median("rows_per_s")
        section.at_least(f"share of the {what}", share, 0.60, "{:.0%}")
    section.at_most("MiB of memory", section.row(_OURS).median("peak_mib"), 100, "{:.0f}")
    return section


_FORMATS = {
    "images": "image and caption",
    "pairs": "prompt and completion",
    "texts": "input only",
    "converse": "Converse",
    "claude": "Claude messages",
    "rft": "reinforcement fine-tuning",
}


def faulty_rows(plan: BenchPlan) -> BenchSection:
    """Manifests of which every line has the same kind of fault."""
    count = plan.image_records
    section = BenchSection(
        name="faulty-rows",
        title="Rows: if every line is wrong",
        about=f"{count:,} lines with one kind of fault each, in memory, in CPU time on one core; "
        f"of conversations {count // _FEWER:,}. Findings are listed in a file as in a run, 10,000 "
        "of each rule.",
        columns={"rows_per_s": "{:,.0f}"},
        notes=[
            "Rules check a row of which findings are still listed, which takes 20 to 60 µs; later "
            "rows that are wrong in the same way are counted. So up to half a second of each "
            "figure is that of the first 10,000 rows.",
            "Lines that are no records are judged alike in every format; image records stand for "
            "all. Long texts take the time to count the tokens of their characters.",
            "Records of conversations are checked by the rules row by row, right or wrong: what "
            "may be wrong with them is at any depth. No model for which AWS publishes a maximum "
            "takes more than 20,000 of them. Their lines that are no records are counted.",
        ],
    )
    measure.alternate(
        section,
        {
            f"{_FORMATS[what]}: {kind}": partial(
                _faulty, what, kind, count // (_FEWER if what in texts.CONVERSATION_ROWS else 1)
            )
            for what, kinds in texts.FAULTS.items()
            for kind in kinds
        },
        rounds=plan.rounds,
    )
    for name in _FORMATS.values():
        rows = [row for row in section.rows if row.what.startswith(f"{name}: ")]
        slowest = min(rows, key=lambda row: row.median("rows_per_s"))
        value = slowest.median("rows_per_s")
        section.at_least(f"rows/s, the slowest: {slowest.what}", value, 300_000, "{:,.0f}")
    return section


def _faulty(what: str, kind: str, count: int) -> dict[str, float]:
    got = measure.run("faulty_rows", what=what, kind=kind, count=count)
    return {"rows_per_s": count / got["cpu"]}


def long_rows(plan: BenchPlan) -> BenchSection:
    """Records of continued pre-training."""
    file = texts.long_records(plan.folder / "long-texts.jsonl", count=plan.long_records)
    emoji = texts.emoji_records(plan.folder / "long-emoji.jsonl", count=plan.long_records)
    size = file.stat().st_size
    section = BenchSection(
        name="long-rows",
        title="Rows: long records",
        about=f"{plan.long_records:,} records of continued pre-training, "
        f"{size / plan.long_records:,.0f} bytes each, {size / 1e9:.2f} GB, as above.",
        columns={"gb_per_s": "{:.2f}", "rows_per_s": "{:,.0f}", "peak_mib": "{:.0f}"},
        notes=[
            "Equal records are found by a hash; json and pydantic by Python's own hash.",
            "Accents, dashes and escapes stand in nearly every record, an emoji in one of fifty.",
        ],
    )
    measurements = {
        _OURS: partial(_read, file, what="texts", how="ours"),
        _EMOJI: partial(_read, emoji, what="texts", how="ours"),
        _JSON: partial(_read, file, what="texts", how="json"),
        **_pydantic(section, file, "texts"),
        **_limits(file, "texts"),
    }
    measure.alternate(section, measurements, rounds=plan.rounds)
    ours = section.row(_OURS)
    section.at_least("GB/s on one core", ours.median("gb_per_s"), 0.7, "{:.2f}")
    section.at_most("MiB of memory", ours.median("peak_mib"), 100, "{:.0f}")
    return section


def questions(plan: BenchPlan) -> BenchSection:
    """Where the time of an image record goes."""
    file = texts.image_records(plan.folder / "images.jsonl", count=plan.image_records)
    section = BenchSection(
        name="questions",
        title="Where a row's time goes",
        about="Each step of the proof of a block of image records, measured alone in CPU time. The "
        "first is the limit; the proof makes all the others, and so takes their sum.",
        columns={"ns_per_row": "{:.0f}"},
        notes=[
            "A question to a row costs 15 ns and more even in a loop of C, since it makes or "
            "compares Python objects, and a look at every byte costs half a nanosecond per byte: "
            "the questions take as long as decoding."
        ],
    )
    for number in range(plan.rounds):
        got = measure.run("steps", path=str(file))["steps"]
        for what, value in got.items():
            section.row(what).add({"ns_per_row": value})
        measure.say_progress(f"  {number + 1}/{plan.rounds} {sum(got.values()):.0f} ns")
    return section


def _limits(file: Path, what: str) -> dict[str, partial[dict[str, float]]]:
    return {
        _LIMIT: partial(_read, file, what=what, how="parse"),
        _SMALL: partial(_read, file, what=what, how="parse-blocks"),
        _LINES: partial(_read, file, what=what, how="parse-lines"),
    }


def _pydantic(section: BenchSection, file: Path, what: str) -> dict[str, partial[dict[str, float]]]:
    try:
        import pydantic  # noqa: F401 only whether it is there
    except ImportError:
        section.notes.append("pydantic was not measured: it is not installed.")
        return {}
    return {_PYDANTIC: partial(_read, file, what=what, how="pydantic")}


def _read(path: Path, *, what: str, how: str) -> dict[str, float]:
    got = measure.run("rows", path=str(path), what=what, how=how)
    return {
        "rows_per_s": got["records"] / got["seconds"],
        "mb_per_s": got["bytes"] / got["seconds"] / 1e6,
        "gb_per_s": got["bytes"] / got["seconds"] / 1e9,
        "peak_mib": got["peak_mib"],
    }
