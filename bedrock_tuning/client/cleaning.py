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
    at_work = {each["customization"] for each in open_runs(deployment) if "customization" in each}
    idle = [name for name in names if name not in at_work]
    return [
        *_models(deployment, idle, keep=keep, before=before),
        *_images(deployment, idle, before=before),
    ]


def _models(
    deployment: DeploymentClient, names: Collection[str], *, keep: int, before: datetime
) -> Iterator[Unused]:
    served = _served(deployment)
    every = list(tuned_models(deployment.aws, deployment.environment)) if names else []
    for name in names:
        published = pointer(deployment, name, "model")
        newest_first = sorted(
            (each for owner, each in every if owner == name),
            key=lambda each: each["creationTime"],
            reverse=True,
        )
        free = [each for each in newest_first if each["modelArn"] not in {published, *served}]
        for each in free[keep:]:
            if each["creationTime"] < before:
                yield Unused(
                    kind="model",
                    customization=name,
                    name=each["modelArn"],
                    why=f"of {each['creationTime']:%Y-%m-%d}, neither published nor served",
                    usd_per_month=model_left(each).usd_per_month,
                )


def _served(deployment: DeploymentClient) -> set[str]:
    """Models that answer, or soon will, through whatever anybody made of them."""
    bedrock = deployment.aws.bedrock
    served = list(throughputs(bedrock))
    found = {each[which] for each in served for which in ("modelArn", "desiredModelArn")}
    return found | {each["modelArn"] for each in deployments(bedrock)}


def _images(
    deployment: DeploymentClient, names: Collection[str], *, before: datetime
) -> Iterator[Unused]:
    for kind in s3_layout.KINDS:
        bucket = deployment.buckets.of(kind)
        # Several customizations may use the same folder.
        manifests = {name: _named(deployment, bucket, name) for name in deployment.customizations}
        named = {key for keys in manifests.values() for key in keys or ()}
        for name in names:
            if manifests[name] is None:
                # Images without a manifest are an upload that is not complete.
                continue
            for folder in deployment.customizations[name].media_folders:
                free = [
                    each
                    for each in objects(deployment.aws.s3, bucket, folder)
                    if each["LastModified"] < before
                    and each["Key"] not in named
                    and not each["Key"].endswith(s3_layout.MANIFEST_FILE)
                ]
                if free:
                    size = in_bytes(sum(each["Size"] for each in free))
                    yield Unused(
                        kind="images",
                        customization=name,
                        name=s3_layout.uri(bucket, folder),
                        why=f"{counted(len(free), 'file')} ({size}) that no manifest names",
                        keys=tuple(each["Key"] for each in free),
                    )


def _named(deployment: DeploymentClient, bucket: str, name: str) -> set[str] | None:
    """The keys that a customization's manifest names; None if there is no manifest."""
    s3 = deployment.aws.s3
    try:
        body = s3.get_object(Bucket=bucket, Key=s3_layout.manifest_key(name))["Body"]
    except s3.exceptions.NoSuchKey:
        return None
    return {key for at, key in references(body.iter_chunks(_CHUNK)) if at == bucket}


def delete(deployment: DeploymentClient, found: Unused) -> None:
    """Deletes it; raises UserError for a model that is served meanwhile, and for refused keys.

    Older versions of images stay as long as the bucket's lifecycle rule keeps them.
    """
    if found.kind == "model":
        _delete_model(deployment, found)
        return
    bucket, _ = s3_layout.split_uri(found.name)
    for start in range(0, len(found.keys), _BATCH):
        batch = found.keys[start : start + _BATCH]
        answer = deployment.aws.s3.delete_objects(
            Bucket=bucket, Delete={"Objects": [{"Key": key} for key in batch], "Quiet": True}
        )
        refused = answer.get("Errors", ())
        if refused:
            first = refused[0]
            raise UserError(
                f"{counted(len(refused), 'file')} could not be deleted: {first.get('Message')}",
                where=s3_layout.uri(bucket, first.get("Key", "")),
                fix="you need s3:DeleteObject on the bucket",
            )


def _delete_model(deployment: DeploymentClient, found: Unused) -> None:
    used = {pointer(deployment, found.customization, "model"), *_served(deployment)}
    if found.name in used:
        raise UserError(
            "this model is published or served now, and stays", where=found.name, fix="run it again"
        )
    deployment.aws.bedrock.delete_custom_model(modelIdentifier=found.name)
