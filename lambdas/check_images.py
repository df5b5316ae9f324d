"""Checks the images of one shard by their first bytes."""

import os
import tempfile
from contextlib import suppress
from typing import Any, Final

import msgspec

from bedrock_tuning import s3_layout
from bedrock_tuning.checking import ImageRef, check_images
from bedrock_tuning.checking.result import CheckResult, merge
from bedrock_tuning.config.deployed import from_settings
from bedrock_tuning.config.lambda_environment import CheckEnvironment
from bedrock_tuning.rules.finding import FindingsFile, Heard
from lambdas import _aws
from lambdas._data import _manifests
from lambdas._records import _pins

# A message's worth: SNS takes 256 KiB, a person reads a few lines.
_WORDS_MAX: Final = 2_000


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """event: {"run", "settings", "shard": {"number", "key"}}. Returns {"images": number}.

    Writes results/<n>.json (the partial result), findings/<n>.jsonl and pins/<n>.json (what each
    image was) under work/<run>/, or why it could not into errors/<n>.txt, for merge: the causes of
    all shards would not fit into a state.
    """
    env = CheckEnvironment.from_env(os.environ)
    try:
        return _check(env, event)
    except Exception as error:
        with suppress(Exception):
            _aws.s3().put_object(
                Bucket=env.output_bucket,
                Key=f"{s3_layout.work_prefix(event['run'])}errors/{event['shard']['number']}.txt",
                Body=f"{type(error).__name__}: {error}"[:_WORDS_MAX].encode(),
            )
        raise


def _check(env: CheckEnvironment, event: dict[str, Any]) -> dict[str, Any]:
    customization = from_settings(event["settings"]).customization
    prefix = s3_layout.work_prefix(event["run"])
    number = event["shard"]["number"]
    body = _aws.read(env.output_bucket, event["shard"]["key"])
    refs = msgspec.json.decode(body, type=list[tuple[s3_layout.Kind, int, str, int]])
    partials: list[CheckResult] = []
    pins: dict[s3_layout.Kind, _pins.Pins] = {}
    with tempfile.TemporaryFile() as file:
        findings = FindingsFile(file)
        for kind in s3_layout.KINDS:
            references = [ImageRef(line, key, text) for k, line, key, text in refs if k == kind]
            if references:
                scope = _manifests.scope_of(customization, kind, env)
                source = _pins.Pinning(_manifests.images(scope))
                partials.append(check_images(references, source, scope, Heard(findings.add)))
                pins[kind] = source.pins
        file.seek(0)
        _aws.s3().upload_fileobj(file, env.output_bucket, f"{prefix}findings/{number}.jsonl")
    _pins.write(env.output_bucket, event["run"], number, pins)
    result = msgspec.json.encode(merge(partials))
    _aws.write(env.output_bucket, f"{prefix}results/{number}.json", result)
    return {"images": len(refs)}
