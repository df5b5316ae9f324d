"""Decides whether an uploaded manifest starts a run: the first state of the workflow."""

import logging
import os
from typing import Any

from bedrock_tuning import s3_layout
from bedrock_tuning.config.customization import CustomizationSettings
from bedrock_tuning.config.deployed import from_settings
from bedrock_tuning.config.lambda_environment import RunEnvironment
from bedrock_tuning.run import job
from bedrock_tuning.run.decisions import AdmissionDecision
from bedrock_tuning.serving.intent import overtaken
from lambdas._data import _manifests
from lambdas._records import _intent, _runs
from lambdas._serving import _lifecycle

logger = logging.getLogger(__name__)


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """event: {"event": S3 event from EventBridge, "settings": of the customization whose folder it
    is in, "execution": its name, "started": ISO time, "commit": that was deployed}.

    Returns decision (an AdmissionDecision), a reason in words, and for every decision but "ignored"
    the customization, the run and both version ids.
    """
    env = RunEnvironment.from_env(os.environ)
    detail = event["event"]["detail"]
    bucket, key = detail["bucket"]["name"], detail["object"]["key"]
    kind = env.buckets.kind_of(bucket)
    customization = from_settings(event["settings"]).customization
    name = customization.name
    if kind is None or s3_layout.customization_of(key) != name:
        ignored: AdmissionDecision = "ignored"
        return {"decision": ignored, "reason": f"s3://{bucket}/{key} is not a known manifest"}
    versions = _manifests.current_versions(env.buckets, name)
    uploaded = detail["object"].get("version-id")
    claim = job.claim_key(name, training=versions["training"] or "-")
    run = job.run_id(event["started"], event["execution"])
    answer = {
        "customization": name,
        "run": run,
        "training_version": versions["training"],
        "validation_version": versions["validation"],
    }

    def decide(decision: AdmissionDecision, reason: str) -> dict[str, Any]:
        logger.info("admission", extra={**answer, "decision": decision, "reason": reason})
        return {**answer, "decision": decision, "reason": reason}

    if versions[kind] is None:
        return decide("superseded", f"the {kind} manifest was deleted after its upload")
    if uploaded is not None and versions[kind] != uploaded:
        return decide("superseded", f"a newer {kind} manifest was uploaded: its own run checks it")
    waiting_reason = _reason_to_wait(customization, versions)
    if waiting_reason is not None:
        return decide("waiting", waiting_reason)
    owner = _runs.claim_upload(env.runs_table, claim=claim, run=run, execution=event["execution"])
    if owner is not None:
        hint = "" if kind == "training" else "; to use a new validation set, upload it again"
        return decide("duplicate", f"run {owner} has this training manifest already{hint}")
    # At once: whatever goes wrong below, the claim names a run that people can see.
    _runs.start_run(
        env.runs_table,
        run=run,
        customization=name,
        status="checking",
        execution=event["execution"],
        training_version=versions["training"],
        validation_version=versions["validation"],
        commit=event.get("commit"),
    )
    closing_reason = _reason_of_former_name(env, name) or _lifecycle.closed(customization)
    if closing_reason is not None:
        return decide("closed", closing_reason)
    return decide(
        "run", f"checking {s3_layout.uri(env.buckets.training, s3_layout.manifest_key(name))}"
    )


def _reason_to_wait(
    customization: CustomizationSettings, versions: dict[s3_layout.Kind, str | None]
) -> str | None:
    if versions["training"] is None:
        return "the validation manifest is there; the run starts when the training manifest is too"
    if customization.validation == "required" and versions["validation"] is None:
        return (
            f"{customization.base_model.name} needs a validation dataset: the run starts when "
            f"the validation manifest is uploaded"
        )
    return None


def _reason_of_former_name(env: RunEnvironment, name: str) -> str | None:
    """Why nothing is trained under a former name; None where it is the name."""
    intent = _intent.stored(env.runs_table, name)
    if intent is None or not intent.renamed_to:
        return None
    return f"{overtaken(intent)}: upload the dataset to {s3_layout.folder(intent.renamed_to)}"
