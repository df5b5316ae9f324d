"""What a deployment keeps that nobody uses any more, by rule, and its deletion.

What is served, published or at work is never unused, and what cannot be asked counts as used.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from bedrock_tuning import s3_layout
from bedrock_tuning.client.deployment import DeploymentClient
from bedrock_tuning.client.inference import pointer
from bedrock_tuning.client.inventory import model_left, tuned_models
from bedrock_tuning.client.runs import open_runs
from bedrock_tuning.errors import UserError
from bedrock_tuning.sources.listing import deployments, objects, throughputs
from bedrock_tuning.sources.locations import references
from bedrock_tuning.wording import counted, in_bytes

# S3 deletes as many in one request.
_BATCH: Final = 1_000
_CHUNK: Final = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Unused:
    """A model, or the images of one dataset bucket that no manifest names.

    name: an ARN, or s3://bucket/folder/. keys: of the images. usd_per_month: None if not known.
    """

    kind: Literal["model", "images"]
    customization: str
    name: str
    why: str
    usd_per_month: float | None = None
    keys: tuple[str, ...] = ()


def unused(
    deployment: DeploymentClient, *, only: str | None, keep: int, before: datetime
) -> list[Unused]:
    """Everything that the rule takes, models first.

    only: a customization. keep: how many of each customization's newest models stay beside what is
    published. before: what is newer stays.
    """
    names = [name for name in deployment.customizations if only in (None, name)]
    # What a run uses is not known before it has ended.
    at_work = {run["customization"] for run in open_runs(deployment) if "customization" in run}
    idle = [name for name in names if name not in at_work]
    return [
        *_models(deployment, idle, keep=keep, before=before),
        *_images(deployment, idle, before=before),
    ]


def _models(
    deployment: DeploymentClient, names: Collection[str], *, keep: int, before: datetime
) -> Iterator[Unused]:
    served_models = _served_models(deployment)
    models = list(tuned_models(deployment.aws, deployment.environment)) if names else []
    for name in names:
        published_arn = pointer(deployment, name, "model")
        newest_first = sorted(
            (model for owner, model in models if owner == name),
            key=lambda model: model["creationTime"],
            reverse=True,
        )
        free = [
            model
            for model in newest_first
            if model["modelArn"] not in {published_arn, *served_models}
        ]
        for model in free[keep:]:
            if model["creationTime"] < before:
                yield Unused(
                    kind="model",
                    customization=name,
                    name=model["modelArn"],
                    why=f"of {model['creationTime']:%Y-%m-%d}, neither published nor served",
                    usd_per_month=model_left(model).usd_per_month,
                )


def _served_models(deployment: DeploymentClient) -> set[str]:
    """Models that answer, or soon will, through whatever anybody made of them."""
    bedrock = deployment.aws.bedrock
    summaries = list(throughputs(bedrock))
    arns = {summary[key] for summary in summaries for key in ("modelArn", "desiredModelArn")}
    return arns | {summary["modelArn"] for summary in deployments(bedrock)}


def _images(
    deployment: DeploymentClient, names: Collection[str], *, before: datetime
) -> Iterator[Unused]:
    for kind in s3_layout.KINDS:
        bucket = deployment.buckets.of(kind)
        # Several customizations may use the same folder.
        manifests = {
            name: _named_keys(deployment, bucket, name) for name in deployment.customizations
        }
        named_keys = {key for keys in manifests.values() for key in keys or ()}
        for name in names:
            if manifests[name] is None:
                # Images without a manifest are an upload that is not complete.
                continue
            for folder in deployment.customizations[name].media_folders:
                free = [
                    entry
                    for entry in objects(deployment.aws.s3, bucket, folder)
                    if entry["LastModified"] < before
                    and entry["Key"] not in named_keys
                    and not entry["Key"].endswith(s3_layout.MANIFEST_FILE)
                ]
                if free:
                    size = in_bytes(sum(entry["Size"] for entry in free))
                    yield Unused(
                        kind="images",
                        customization=name,
                        name=s3_layout.uri(bucket, folder),
                        why=f"{counted(len(free), 'file')} ({size}) that no manifest names",
                        keys=tuple(entry["Key"] for entry in free),
                    )


def _named_keys(deployment: DeploymentClient, bucket: str, name: str) -> set[str] | None:
    """The keys that a customization's manifest names; None if there is no manifest."""
    s3 = deployment.aws.s3
    try:
        body = s3.get_object(Bucket=bucket, Key=s3_layout.manifest_key(name))["Body"]
    except s3.exceptions.NoSuchKey:
        return None
    return {key for place, key in references(body.iter_chunks(_CHUNK)) if place == bucket}


def delete(deployment: DeploymentClient, leftover: Unused) -> None:
    """Deletes it; raises UserError for a model that is served meanwhile, and for refused keys.

    Older versions of images stay as long as the bucket's lifecycle rule keeps them.
    """
    if leftover.kind == "model":
        _delete_model(deployment, leftover)
        return
    bucket, _ = s3_layout.split_uri(leftover.name)
    for start in range(0, len(leftover.keys), _BATCH):
        batch = leftover.keys[start : start + _BATCH]
        answer = deployment.aws.s3.delete_objects(
            Bucket=bucket, Delete={"Objects": [{"Key": key} for key in batch], "Quiet": True}
        )
        errors = answer.get("Errors", ())
        if errors:
            error = errors[0]
            raise UserError(
                f"{counted(len(errors), 'file')} could not be deleted: {error.get('Message')}",
                where=s3_layout.uri(bucket, error.get("Key", "")),
                fix="you need s3:DeleteObject on the bucket",
            )


def _delete_model(deployment: DeploymentClient, leftover: Unused) -> None:
    in_use = {pointer(deployment, leftover.customization, "model"), *_served_models(deployment)}
    if leftover.name in in_use:
        raise UserError(
            "this model is published or served now, and stays",
            where=leftover.name,
            fix="run it again",
        )
    deployment.aws.bedrock.delete_custom_model(modelIdentifier=leftover.name)
