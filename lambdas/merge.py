"""Merges the partial results into one report and puts it where people read it."""

import os
import tempfile
from collections.abc import Mapping
from typing import Any

from bedrock_tuning import s3_layout
from bedrock_tuning.checking import result
from bedrock_tuning.checking.conclude import conclude
from bedrock_tuning.checking.result import CheckResult
from bedrock_tuning.config.deployed import from_settings
from bedrock_tuning.config.lambda_environment import RunEnvironment
from bedrock_tuning.report.html import to_html
from bedrock_tuning.rules.finding import FindingsFile, Heard
from bedrock_tuning.rules.rule import Severity
from bedrock_tuning.sources.listing import objects
from lambdas import _aws
from lambdas._records import _pins, _runs
from lambdas._records._pins import UncheckedError


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """event: {"run", "settings", "check": what check_manifest returned, "shards": what each
    shard's check returned}.

    Returns valid, records, errors, warnings, counts by rule (all of them; to_fix: of errors;
    worth_a_look: of warnings), the report's URIs, and the fingerprint of each kind of dataset for
    the run key. Raises UncheckedError when a shard was not checked, or its result is not there.
    """
    env = RunEnvironment.from_env(os.environ)
    run, customization = event["run"], from_settings(event["settings"]).customization
    work = s3_layout.work_prefix(run)
    _demand_all_checked(env.output_bucket, work, event["check"], event["shards"])
    results = [f"{work}results/{n:05d}.json" for n in range(event["check"]["shards"])]
    _demand_results(env.output_bucket, work, results)
    keys = [f"{work}text.json", *results]
    merged = result.merge(CheckResult.from_json(_aws.read(env.output_bucket, key)) for key in keys)
    folder = s3_layout.report_prefix(customization.name, run)
    with tempfile.TemporaryFile() as file:
        findings = FindingsFile(file)
        report = conclude(merged, customization, Heard(findings.add), job_region=_aws.region())
        for part in _keys(env.output_bucket, f"{work}findings/"):
            _append(env.output_bucket, part, findings)
        file.seek(0)
        # However many findings there are, they pass through a file, never through memory.
        _aws.s3().upload_fileobj(file, env.output_bucket, f"{folder}rejected.jsonl")
    _pins.merge(env.output_bucket, run, customization.name, shards=event["check"]["shards"])
    page = to_html(report, about={"Customization": customization.name, "Run": run})
    _aws.write(env.output_bucket, f"{folder}report.json", report.to_json())
    _aws.write(env.output_bucket, f"{folder}report.html", page.encode(), "text/html")
    uri = s3_layout.uri(env.output_bucket, f"{folder}report.json")
    _runs.update_run(
        env.runs_table,
        run,
        status="valid" if report.valid else "rejected",
        report=uri,
        records=report.records,
        errors=report.errors,
        warnings=report.warnings,
    )
    return {
        "valid": report.valid,
        "records": report.records,
        "errors": report.errors,
        "warnings": report.warnings,
        "counts": report.counts,
        "to_fix": report.counts_of(Severity.ERROR),
        "worth_a_look": report.counts_of(Severity.WARNING),
        "report": uri,
        "html": s3_layout.uri(env.output_bucket, f"{folder}report.html"),
        "rejected": s3_layout.uri(env.output_bucket, f"{folder}rejected.jsonl"),
        "training_records": report.text_stats["training"].records,
        "training_characters": report.text_stats["training"].characters,
        "fingerprints": {kind: merged.fingerprint(kind) for kind in report.text_stats},
    }


def _demand_all_checked(
    bucket: str, work: str, check: Mapping[str, Any], shards: list[dict[str, Any]]
) -> None:
    failed = [shard for shard in shards if "error" in shard]
    if failed:
        number = failed[0]["number"]
        raise UncheckedError(
            f"{len(failed)} of {check['shards']} shards of images could not be checked; "
            f"number {number}: {_failure(bucket, f'{work}errors/{number}.txt', failed[0]['error'])}"
        )
    checked = sum(shard["images"] for shard in shards)
    if (len(shards), checked) != (check["shards"], check["images"]):
        raise UncheckedError(
            f"{len(shards)} of {check['shards']} shards with {checked} of {check['images']} "
            "images were checked"
        )


def _failure(bucket: str, key: str, error: str) -> str:
    """What a check wrote before it failed; only the error's name if it could not."""
    body = _aws.find(bucket, key)
    return error if body is None else body.decode()


def _demand_results(bucket: str, work: str, expected: list[str]) -> None:
    missing = sorted(set(expected) - set(_keys(bucket, f"{work}results/")))
    if missing:
        raise UncheckedError(
            f"{len(missing)} of {len(expected)} results of images are missing: "
            f"s3://{bucket}/{missing[0]}"
        )


def _append(bucket: str, key: str, findings: FindingsFile) -> None:
    # Each check listed its own findings: together they may be more than a rule may list.
    with tempfile.TemporaryFile() as part:
        _aws.s3().download_fileobj(bucket, key, part)
        part.seek(0)
        findings.copy(part)


def _keys(bucket: str, prefix: str) -> list[str]:
    return sorted(entry["Key"] for entry in objects(_aws.s3(), bucket, prefix))
