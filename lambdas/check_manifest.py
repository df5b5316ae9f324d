"""Streams both manifests through every text rule and writes the image shards."""

import hashlib
import json
import logging
import os
import tempfile
from collections.abc import Iterable
from typing import Any

import msgspec

from bedrock_tuning import s3_layout
from bedrock_tuning.checking import ImageRef, ManifestCheck
from bedrock_tuning.checking.result import CheckResult, merge
from bedrock_tuning.config.deployed import from_settings
from bedrock_tuning.config.lambda_environment import CheckEnvironment
from bedrock_tuning.rules.finding import FindingsFile, Heard
from bedrock_tuning.sources import s3
from lambdas import _aws
from lambdas._data._manifests import scope_of

logger = logging.getLogger(__name__)


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """event: {"run", "settings", "training_version", "validation_version"}.

    Returns {"images", "shards", "shards_key": the index of the shards}.

    Writes under work/<run>/: text.json (the partial result of both texts),
    findings/text.jsonl (the findings), shards/<n>.json and their index.
    """
    env = CheckEnvironment.from_env(os.environ)
    run, customization = event["run"], from_settings(event["settings"]).customization
    prefix = s3_layout.work_prefix(run)
    shards = _Shards(bucket=env.output_bucket, prefix=prefix, size=env.images_per_shard)
    partials: list[CheckResult] = []
    with tempfile.TemporaryFile() as file:
        findings = FindingsFile(file)
        for kind in s3_layout.KINDS:
            version = event[f"{kind}_version"]
            if version is None:
                continue
            scope = scope_of(customization, kind, env)
            check = ManifestCheck(scope, Heard(findings.add))
            client = s3.store(scope.bucket, region=_aws.region(), credentials=_aws.credentials)
            key = s3_layout.manifest_key(customization.name)
            digest = hashlib.sha256()
            for chunk in s3.manifest_chunks(client, key, version=version):
                digest.update(chunk)
                shards.add(kind, check.feed(chunk))
            refs, partial = check.finish()
            shards.add(kind, refs)
            # Part of the run key: without it other captions would pass for the same data.
            partial.text_stats[kind].sha256 = digest.hexdigest()
            partials.append(partial)
        shards.close()
        file.seek(0)
        _aws.s3().upload_fileobj(file, env.output_bucket, f"{prefix}findings/text.jsonl")
    _aws.write(env.output_bucket, f"{prefix}text.json", msgspec.json.encode(merge(partials)))
    logger.info("checked", extra={"run": run, "images": shards.images, "shards": shards.count})
    return {"images": shards.images, "shards": shards.count, "shards_key": shards.index_key}


class _Shards:
    """Collects image references and puts them away, so many at a time."""

    def __init__(self, *, bucket: str, prefix: str, size: int) -> None:
        self.images = 0
        self.count = 0
        self.index_key = f"{prefix}shards.jsonl"
        self._bucket, self._prefix, self._size = bucket, prefix, size
        self._waiting: list[tuple[str, int, str, int]] = []
        self._index: list[str] = []

    def add(self, kind: s3_layout.Kind, refs: Iterable[ImageRef]) -> None:
        self._waiting += [(kind, ref.line, ref.key, ref.text) for ref in refs]
        while len(self._waiting) >= self._size:
            self._put(self._waiting[: self._size])
            del self._waiting[: self._size]

    def close(self) -> None:
        if self._waiting:
            self._put(self._waiting)
        _aws.s3().put_object(
            Bucket=self._bucket, Key=self.index_key, Body="".join(self._index).encode()
        )

    def _put(self, refs: list[tuple[str, int, str, int]]) -> None:
        number = f"{self.count:05d}"
        key = f"{self._prefix}shards/{number}.json"
        _aws.write(self._bucket, key, msgspec.json.encode(refs))
        self._index.append(json.dumps({"number": number, "key": key}) + "\n")
        self.count += 1
        self.images += len(refs)
