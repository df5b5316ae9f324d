"""Merges the partial results into one report and puts it where people read it."""

import os
import tempfile
from typing import Any

import msgspec

from lambdas import _aws, _customizations, _runs
from tuning import layout, report
from tuning.environment import RunEnvironment
from tuning.report import Partial


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """event: {"run", "customization"}. Returns valid, records, errors, warnings, counts by rule,
    the report's URIs, and the fingerprint of each kind of dataset for the run key.
    """
    env = RunEnvironment.from_env(os.environ)
    run, customization = event["run"], _customizations.get(event["customization"])
    work = layout.work_prefix(run)
    texts = msgspec.json.decode(_read(env.output_bucket, f"{work}text.json"))
    partials = [msgspec.convert(text["partial"], Partial) for text in texts.values()]
    for key in _keys(env.output_bucket, f"{work}results/"):
        partials.append(msgspec.json.decode(_read(env.output_bucket, key), type=Partial))
    merged = report.merge(partials)
    concluded = report.conclude(merged, customization)
    folder = layout.report_prefix(customization.name, run)
    _write(env.output_bucket, f"{folder}report.json", concluded.to_json(), "application/json")
    _write(env.output_bucket, f"{folder}report.html", concluded.to_html().encode(), "text/html")
    _write_rejected(env.output_bucket, f"{work}findings/", f"{folder}rejected.jsonl")
    uri = layout.uri(env.output_bucket, f"{folder}report.json")
    _runs.update_run(
        env.runs_table,
        run,
        status="valid" if concluded.valid else "rejected",
        report=uri,
        records=concluded.records,
        errors=concluded.errors,
        warnings=concluded.warnings,
    )
    return {
        "valid": concluded.valid,
        "records": concluded.records,
        "errors": concluded.errors,
        "warnings": concluded.warnings,
        "counts": concluded.counts,
        "report": uri,
        "html": layout.uri(env.output_bucket, f"{folder}report.html"),
        "rejected": layout.uri(env.output_bucket, f"{folder}rejected.jsonl"),
        "fingerprints": {
            kind: f"{text['digest']}:{merged.fingerprint(kind)}" for kind, text in texts.items()
        },
        "images": {kind: merged.images(kind) for kind in texts},
    }


def _read(bucket: str, key: str) -> bytes:
    return _aws.s3().get_object(Bucket=bucket, Key=key)["Body"].read()


def _keys(bucket: str, prefix: str) -> list[str]:
    pages = _aws.s3().get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    return sorted(found["Key"] for page in pages for found in page.get("Contents", ()))


def _write(bucket: str, key: str, body: bytes, content_type: str) -> None:
    _aws.s3().put_object(Bucket=bucket, Key=key, Body=body, ContentType=content_type)


def _write_rejected(bucket: str, prefix: str, key: str) -> None:
    """Every finding of every part, one after the other; through a file, however many there are."""
    with tempfile.TemporaryFile() as whole:
        for part in _keys(bucket, prefix):
            _aws.s3().download_fileobj(bucket, part, whole)
        whole.seek(0)
        _aws.s3().upload_fileobj(whole, bucket, key)
