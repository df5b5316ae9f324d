"""Records what a completed job produced: metrics beside the report, the model in the runs table."""

import csv
import io
import json
import os
from collections.abc import Mapping
from typing import Any

from bedrock_tuning import s3_layout
from bedrock_tuning.config.lambda_environment import RunEnvironment
from bedrock_tuning.run.outcome import capitalized
from bedrock_tuning.sources.listing import objects
from lambdas import _aws
from lambdas._records import _runs


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """event: {"admission", "start", "job": what the .sync task returned}.

    Returns the first state of serving: customization, run, model_arn, base_arn, and the price on
    which the run was allowed, with the approval: nothing is bought without both.
    """
    env = RunEnvironment.from_env(os.environ)
    admission, details = event["admission"], capitalized(event["job"])
    name, run = admission["customization"], admission["run"]
    model_arn, job_arn = str(details["OutputModelArn"]), str(details["JobArn"])
    # First: whatever goes wrong below, this work must not be paid for a second time.
    _runs.finish_work(
        env.runs_table,
        key=event["start"]["run_key"],
        run=run,
        state="trained",
        model_arn=model_arn,
    )
    folder = capitalized(details.get("OutputDataConfig") or {}).get("S3Uri", "")
    files, unreadable = _metric_files(str(folder), job_arn)
    metrics = {
        "job_arn": job_arn,
        "model_arn": model_arn,
        "training_loss": capitalized(details.get("TrainingMetrics") or {}).get("TrainingLoss"),
        "validation_loss": [
            capitalized(metrics).get("ValidationLoss")
            for metrics in details.get("ValidationMetrics") or []
        ],
        "files": files,
        "unreadable": unreadable,
    }
    key = f"{s3_layout.report_prefix(name, run)}metrics.json"
    _aws.write(env.output_bucket, key, json.dumps(metrics).encode())
    _runs.update_run(
        env.runs_table,
        run,
        status="trained",
        job_arn=job_arn,
        model_arn=model_arn,
        metrics=s3_layout.uri(env.output_bucket, key),
    )
    return {
        "customization": name,
        "run": run,
        "model_arn": model_arn,
        "base_arn": details.get("BaseModelArn"),
        "metrics": s3_layout.uri(env.output_bucket, key),
        "price": event["start"].get("estimate", ""),
        "approval": _approval(event["start"]),
    }


def _approval(start: Mapping[str, Any]) -> str:
    """Why the price of the run could be spent."""
    reason = str(start.get("reason", ""))
    return f"approved by a person: {reason}" if start.get("decision") == "approve" else reason


def _metric_files(folder: str, job_arn: str) -> tuple[dict[str, list[dict[str, Any]]], list[str]]:
    """Every metrics CSV of the job by its path below the job's folder, row by row; and what could
    not be read, with the reason. folder: the URI to which the job wrote.

    Found by listing, not by a fixed path: published layouts differ (docs/facts/jobs.md#metrics).
    Columns may differ too and are kept by name. Values without a column are a list under the
    name "".
    """
    if not folder:
        return {}, ["Bedrock does not say where the job wrote"]
    bucket, folder_prefix = s3_layout.split_uri(folder)
    prefix = f"{folder_prefix.rstrip('/')}/model-customization-job-{job_arn.rpartition('/')[2]}/"
    files: dict[str, list[dict[str, Any]]] = {}
    unreadable: list[str] = []
    for entry in objects(_aws.s3(), bucket, prefix):
        if entry["Key"].endswith("metrics.csv"):
            path = entry["Key"].removeprefix(prefix)
            body = _aws.read(bucket, entry["Key"]).decode("utf-8-sig", "replace")
            text = io.StringIO(body, newline="")
            try:
                files[path] = list(csv.DictReader(text, restkey=""))
            except csv.Error as error:
                unreadable.append(f"{path}: {error}")
    return files, unreadable
