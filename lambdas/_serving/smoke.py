"""The smoke test of an endpoint, whose answer is kept where people find it beside the report."""

import json
from typing import Any

from bedrock_tuning import s3_layout
from bedrock_tuning.report.run_page import SMOKE
from bedrock_tuning.serving import smoke_test
from bedrock_tuning.serving.questions import ask
from bedrock_tuning.serving.smoke_test import SmokeResult
from lambdas import _aws
from lambdas._records import _runs
from lambdas._serving.work import Work, WorkState


def smoke(work: Work) -> WorkState:
    """Asks the endpoint, keeps its answer, and publishes what passes."""
    endpoint, question = work.state["endpoint_arn"], smoke_test.question(work.customization)
    answer = ask(_aws.bedrock_runtime(), endpoint, question)
    test = smoke_test.verdict(work.customization, answer)
    _keep(work, answer, test)
    if not test.passed:
        return work.next("roll-back", f"the smoke test failed: {test.detail}")
    return work.next(
        "publish", "the smoke test passed", smoke=test.detail, embedding_length=test.length
    )


def _keep(work: Work, answer: Any, test: SmokeResult) -> None:
    folder = s3_layout.report_prefix(work.name, work.state["run"])
    text, picture, format = smoke_test.kept(answer)
    name = f"smoke.{format}" if picture else ""
    if picture:
        _aws.write(work.env.output_bucket, f"{folder}{name}", picture, f"image/{format}")
    record = {
        "asked": work.customization.serving.smoke_text,
        "passed": test.passed,
        "detail": test.detail,
        "text": text,
        "picture": name,
        "endpoint": work.state["endpoint_arn"],
        "at": _runs.now(),
    }
    _aws.write(work.env.output_bucket, f"{folder}{SMOKE}", json.dumps(record).encode())
