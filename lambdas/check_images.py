"""Checks the images of one shard by their first bytes."""

import os
import tempfile
from typing import Any

import msgspec

from lambdas import _aws
from lambdas._checks import subject_of, write_finding
from sources import s3
from tuning import layout
from tuning.environment import CheckEnvironment
from tuning.report import Partial, merge
from tuning.validate import ImageRef, Subject, check_images


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """event: {"run", "customization", "shard": {"number", "key"}}. Returns {"images": number}.

    Writes results/<n>.json (the partial result) and findings/<n>.jsonl under work/<run>/.
    """
    env = CheckEnvironment.from_env(os.environ)
    prefix = layout.work_prefix(event["run"])
    number = event["shard"]["number"]
    body = _aws.s3().get_object(Bucket=env.output_bucket, Key=event["shard"]["key"])["Body"]
    refs = msgspec.json.decode(body.read(), type=list[tuple[layout.Kind, int, str]])
    partials: list[Partial] = []
    with tempfile.TemporaryFile() as findings:
        for kind in layout.KINDS:
            wanted = [ImageRef(line=line, key=key) for k, line, key in refs if k == kind]
            if wanted:
                subject = subject_of(event["customization"], kind, env)
                partials.append(
                    check_images(
                        wanted,
                        _images(subject),
                        subject,
                        on_finding=lambda f: write_finding(findings, f),
                    )
                )
        findings.seek(0)
        _aws.s3().upload_fileobj(findings, env.output_bucket, f"{prefix}findings/{number}.jsonl")
    _aws.s3().put_object(
        Bucket=env.output_bucket,
        Key=f"{prefix}results/{number}.json",
        Body=msgspec.json.encode(merge(partials)),
        ContentType="application/json",
    )
    return {"images": len(refs)}


def _images(subject: Subject) -> s3.S3Images:
    client = s3.store(subject.bucket, region=_aws.region(), credentials=_aws.credentials)
    return s3.S3Images(subject.bucket, client=client, boto=_aws.s3())
