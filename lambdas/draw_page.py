"""Draws the page of a run that has ended, with small pictures of its dataset.

The only function that decodes images, which are anybody's: it writes nothing but its page.
"""

import os
from collections.abc import Sequence
from typing import Any

import msgspec

from bedrock_tuning import s3_layout
from bedrock_tuning.config.customization import CustomizationSettings
from bedrock_tuning.config.deployed import from_settings
from bedrock_tuning.config.lambda_environment import RunEnvironment
from bedrock_tuning.dataset.sample import sampled
from bedrock_tuning.report.html import Pictures
from bedrock_tuning.report.report import Report
from bedrock_tuning.report.run_page import PICTURES_FILE, read_files, run_page
from bedrock_tuning.s3_layout import Kind
from bedrock_tuning.sources.pictures import thumbnails
from lambdas import _aws
from lambdas._data import _manifests
from lambdas._records import _runs


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """event: {"state": the workflow's whole state, "execution": its ARN}.

    Returns the page's URI under "page", "" for a run that checked no dataset.
    """
    env = RunEnvironment.from_env(os.environ)
    state = event["state"]
    run = state["outcome"]["run"]
    item = _runs.item_of(env.runs_table, run) if run else None
    if item is None or "report" not in item:
        return {"page": ""}
    customization = from_settings(state["settings"]["value"]).customization
    folder = s3_layout.report_prefix(customization.name, run)
    files = read_files(lambda name: _aws.find(env.output_bucket, f"{folder}{name}"))
    if files.pictures is None and files.report is not None:
        pictures = _pictures(env, customization, files.report, version=item["training_version"])
        files = msgspec.structs.replace(files, pictures=pictures)
        _aws.write(env.output_bucket, f"{folder}{PICTURES_FILE}", msgspec.json.encode(pictures))
    _, _, _, region, account, *_ = event["execution"].split(":")
    page = run_page(
        item,
        files,
        place=f"{env.environment} · {account} · {region}",
        command=lambda words: f"tuning {words} -e {env.environment}",
    )
    html = "text/html; charset=utf-8"
    _aws.write(env.output_bucket, f"{folder}report.html", page.encode(), html)
    return {"page": s3_layout.uri(env.output_bucket, f"{folder}report.html")}


def _pictures(
    env: RunEnvironment, customization: CustomizationSettings, report: Report, *, version: str
) -> Pictures:
    training = _manifests.scope_of(customization, "training", env)

    def piece(start: int, length: int) -> bytes:
        """Of the manifest that was checked, whatever was uploaded since."""
        return (
            _aws.s3()
            .get_object(
                Bucket=env.training_bucket,
                Key=s3_layout.manifest_key(customization.name),
                VersionId=version,
                Range=f"bytes={start}-{start + length - 1}",
            )["Body"]
            .read()
        )

    def draw(kind: Kind, keys: Sequence[str]) -> dict[str, str]:
        scope = _manifests.scope_of(customization, kind, env)
        return thumbnails(_manifests.images(scope), keys) if keys else {}

    size = report.text_stats["training"].size
    return Pictures.drawn(report, sampled(piece, size, training), draw)
