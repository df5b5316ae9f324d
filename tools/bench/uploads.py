"""Many uploads at once to the local AWS, with two slots for customization jobs."""

import json
import random
import shutil
import time
from collections import Counter
from typing import TYPE_CHECKING, Final

from bedrock_tuning import s3_layout
from tools.bench import measure
from tools.bench.customizations import synthesize_apart
from tools.bench.plan import BenchPlan
from tools.bench.result import BenchSection

if TYPE_CHECKING:
    from bedrock_tuning.client.deployment import DeploymentClient

_SLOTS: Final = 2
_MINUTE: Final = 60.0
_PATIENCE: Final = 1_800.0
# Simulated seconds per second. A job then takes some twelve polls, on AWS sixty and more.
_CLOCK: Final = 300.0
_RECORDS: Final = 100
_FILE: Final = """\
description = "Answers questions"
base_model = "nova-micro"

[serving]
mode = "on-demand"

[budget]
max_run_usd = 50.0
"""


def uploads(plan: BenchPlan) -> BenchSection:
    """Uploads within a minute to customizations at random; each has to end well, and in turn."""
    from local.demo.deploy import bootstrap, deploy
    from local.emulator.layout import ENVIRONMENT
    from local.emulator.server import LocalAws

    count, several = plan.uploads
    section = BenchSection(
        name="uploads",
        title="Uploads: many within a minute",
        about=f"Datasets of {_RECORDS} records, uploaded to customizations at random on the local "
        f"AWS, where {_SLOTS} jobs run at once; until the last run has ended. The simulator is "
        f"{_CLOCK:.0f} times as fast as Bedrock, and the workflow asks each second.",
        columns=dict.fromkeys(("wall_s", "served", "superseded", "lost", "most_jobs"), "{:.0f}"),
    )
    root = plan.folder / "uploads"
    shutil.rmtree(root, ignore_errors=True)
    names = [f"answers-{number:02d}" for number in range(several)]
    files = root / "customizations"
    files.mkdir(parents=True)
    for name in names:
        (files / f"{name}.toml").write_text(_FILE, "utf-8")
    with LocalAws.start(state=root / "state", port=0, clock=_CLOCK) as aws:
        aws.faults.options(jobs=_SLOTS, deployments=several)
        bootstrap(aws, root)
        measure.say_progress(f"  deploy {several} customizations")
        out = root / "cdk.out"
        synthesize_apart(files, out, ENVIRONMENT)
        deployment = deploy(
            aws, root, say=lambda _: None, app=str(out), stacks=("--all", "--concurrency", "10")
        )
        began = time.perf_counter()
        _upload(deployment, names, count)
        most, ends = _ended(deployment, count)
        wall = time.perf_counter() - began
    well = ends["served"] + ends["superseded"]
    measure.say_progress(
        f"  {count} uploads: {dict(ends)} in {wall:.0f} s, at most {most} jobs at once"
    )
    row = section.row(f"{count} uploads to {several} customizations")
    row.add(
        {
            "wall_s": wall,
            "served": float(ends["served"]),
            "superseded": float(ends["superseded"]),
            "lost": float(count - well),
            "most_jobs": float(most),
        }
    )
    section.at_most("uploads neither served nor superseded", float(count - well), 0, "{:.0f}")
    section.at_most("jobs at once", float(most), _SLOTS, "{:.0f}")
    return section


def _upload(deployment: "DeploymentClient", names: list[str], count: int) -> None:
    chance = random.Random(0)  # noqa: S311
    moments = sorted(chance.uniform(0, _MINUTE) for _ in range(count))
    began = time.monotonic()
    for number, moment in enumerate(moments):
        time.sleep(max(0.0, began + moment - time.monotonic()))
        deployment.aws.s3.put_object(
            Bucket=deployment.buckets.training,
            Key=s3_layout.manifest_key(chance.choice(names)),
            Body=_dataset(number),
        )


def _dataset(number: int) -> bytes:
    """Records that no other upload has: the same work is not done twice."""
    records = (
        {
            "schemaVersion": "bedrock-conversation-2024",
            "messages": [
                {"role": "user", "content": [{"text": f"What is {number} plus {other}?"}]},
                {"role": "assistant", "content": [{"text": str(number + other)}]},
            ],
        }
        for other in range(_RECORDS)
    )
    return "".join(f"{json.dumps(each)}\n" for each in records).encode()


def _ended(deployment: "DeploymentClient", count: int) -> tuple[int, Counter[str]]:
    """Waits for the end of every execution: the most jobs at once, and how many runs ended how."""
    from bedrock_tuning.client import runs

    states, bedrock = deployment.aws.stepfunctions, deployment.aws.bedrock
    most, until = 0, time.monotonic() + _PATIENCE
    while time.monotonic() < until:
        jobs = bedrock.list_model_customization_jobs(statusEquals="InProgress")
        most = max(most, len(jobs["modelCustomizationJobSummaries"]))
        open_ones = states.list_executions(
            stateMachineArn=deployment.workflow_arn, statusFilter="RUNNING", maxResults=1
        )["executions"]
        rows = runs.rows(deployment, customization=None, limit=10 * count)
        if len(rows) >= count and not open_ones:
            return most, Counter(str(row["status"]) for row in rows)
        time.sleep(1.0)
    raise measure.MeasurementError(f"not ended within {_PATIENCE / 60:.0f} minutes")
