"""A prepared dataset as people read it: what it was, what it became, what to do next."""

from dataclasses import asdict
from shlex import quote
from typing import TYPE_CHECKING, Any, Final

from bedrock_tuning.cli.terminal.output import emit, emit_table
from bedrock_tuning.cli.terminal.verdict import show_verdict as show_verdict
from bedrock_tuning.preparing.run import Prepared
from bedrock_tuning.report.report import Report
from bedrock_tuning.wording import counted

if TYPE_CHECKING:
    from bedrock_tuning.client.deployment import DeploymentClient

_SHOWN: Final = 5
_CAPTION: Final = 70


def as_document(prepared: Prepared, report: Report | None) -> dict[str, Any]:
    """The same as one JSON document."""
    verdict = None
    if report is not None:
        verdict = {"valid": report.valid, "model": report.model, "counts": report.counts}
    return {**asdict(prepared), "dropped": round(prepared.dropped, 4), "verdict": verdict}


def show_prepared(prepared: Prepared, report: Report | None, *, dry_run: bool, texts: bool) -> None:
    """Writes what was understood, five records, what was left out, and the checker's verdict."""
    emit(f"read: {prepared.understood}")
    for sentence in prepared.said:
        emit(f"  {sentence}")
    emit()
    emit_table(
        ("PROMPT", "ANSWER", "SET") if texts else ("FOR EXAMPLE", "CAPTION", "SET"),
        ((_short(record.file), _short(record.caption), record.kind) for record in prepared.preview),
    )
    emit()
    for kind, count in prepared.records.items():
        manifest = f" in {prepared.out / kind / 'manifest.jsonl'}"
        place = ", not written: --dry-run" if dry_run else manifest
        emit(f"{kind}: {counted(count, 'record')}{place}")
    if prepared.changes:
        emit()
        emit_table(
            ("CHANGES TO RECORDS" if texts else "CHANGES TO IMAGES AND CAPTIONS", "COUNT"),
            ((kind, f"{count:>8,}") for kind, count in prepared.changes.items()),
        )
    _show_left_out(prepared)
    _show_near(prepared)
    if not dry_run:
        emit(
            f"\ndetails of every {'record' if texts else 'image'}: {prepared.out / 'changes.jsonl'}"
        )
    if report is not None:
        emit()
        show_verdict(report, places=())


def _short(caption: str) -> str:
    text = " ".join(caption.split())
    return text if len(text) <= _CAPTION else f"{text[:_CAPTION]}…"


def _show_left_out(prepared: Prepared) -> None:
    if not prepared.left_out:
        return
    emit(f"\nleft out: {len(prepared.left_out):,} ({prepared.dropped:.1%})")
    for reason, count in prepared.left_out_by.items():
        emit(f"  {count:>8,}  {reason}")
    for entry in prepared.left_out[:_SHOWN]:
        emit(f"  {entry.file}: {entry.reason}")
    if len(prepared.left_out) > _SHOWN:
        emit(f"  … and {len(prepared.left_out) - _SHOWN:,} more")


def _show_near(prepared: Prepared) -> None:
    if not prepared.near:
        return
    pairs = counted(len(prepared.near), "pair")
    emit(f"\nwarning: {pairs} of images on two sides look the same:")
    for first, second in prepared.near[:_SHOWN]:
        emit(f"  {first} and {second}")


def show_next(
    prepared: Prepared,
    option: str,
    customization: str | None,
    deployment: "DeploymentClient | None",
) -> None:
    """Writes the commands that check and upload a prepared dataset."""
    out = quote(str(prepared.out))
    manifests = [f"{out}/{kind}/manifest.jsonl" for kind in prepared.records]
    paths = " --validation ".join(manifests)
    if option:
        words = f"validate {paths} {option}"
        line = deployment.command(words) if deployment is not None else f"tuning {words}"
        emit(f"\ncheck it again:\n  {line}")
    if not prepared.upload:
        return
    if deployment is not None:
        emit("upload it, which starts the run:")
        emit(f"  {deployment.command(f'upload {out} --customization {customization}')}")
        emit("or with any S3 client, the training manifest last, because it starts the run:")
    else:
        emit("upload it, the training manifest last, because it starts the run:")
    for line in prepared.upload:
        emit(f"  {line}")
