"""The functions at the end of a job and of a run: they record it, draw it, and tell of it."""

from typing import Final

from bedrock_tuning import s3_layout
from bedrock_tuning.config.lambda_environment import (
    LambdaEnvironment,
    ReconcileEnvironment,
    RunEnvironment,
)
from bedrock_tuning.contracts import grants as g
from bedrock_tuning.contracts.contract import (
    COMMIT,
    ONE_PROCESSOR_MB,
    FunctionAnswer,
    FunctionSpec,
    Grant,
    Scope,
)
from bedrock_tuning.run import items
from bedrock_tuning.run.messages import SOURCE, DetailType


def _record_job(_: Scope) -> tuple[Grant, ...]:
    jobs = [f"{s3_layout.JOBS}/*"]
    return (
        g.objects("read metrics", "s3:GetObject", buckets=g.OUTPUT, patterns=jobs),
        g.listing("list metrics", buckets=g.OUTPUT, prefixes=jobs),
        g.write_reports("metrics.json"),
        g.use_data_key(),
        *g.runs("GetItem", "PutItem", "UpdateItem", keys=(items.RUN, items.KEY)),
    )


RECORD_JOB: Final = FunctionSpec(
    name="RecordJob",
    module="record_job",
    does="records the job's metrics and model",
    variables=RunEnvironment,
    grants=_record_job,
    payload={"admission": "$.admission", "start": "$.start", "job": "$.job"},
    answer=FunctionAnswer(path="$.serving"),
    writes="check",
)


CLOSE_RUN: Final = FunctionSpec(
    name="CloseRun",
    module="close_run",
    does="writes how a run ended",
    variables=RunEnvironment,
    grants=lambda _: g.runs("GetItem", "PutItem", "UpdateItem", keys=(items.RUN, items.KEY)),
    payload={
        "state": "$",
        "execution": "$$.Execution.Name",
        "started": "$$.Execution.StartTime",
        "commit": COMMIT,
    },
    answer=FunctionAnswer(path="$.outcome"),
)


def _draw_page(_: Scope) -> tuple[Grant, ...]:
    reports = [
        f"{s3_layout.report_prefix(g.ANY, g.ANY)}{file}"
        for file in ("report.json", "metrics.json", "pictures.json", "smoke.*", "evaluation.json")
    ]
    return (
        g.objects("read what was found", "s3:GetObject", buckets=g.OUTPUT, patterns=reports),
        g.listing(
            "tell missing from denied", buckets=g.OUTPUT, prefixes=[f"{s3_layout.REPORTS}/*"]
        ),
        g.objects("read images", "s3:GetObject", buckets=g.DATASETS, patterns=g.FOLDERS),
        g.objects(
            "read the manifest that was checked",
            "s3:GetObjectVersion",
            buckets=("{training}",),
            patterns=[s3_layout.manifest_key(g.ANY)],
        ),
        g.write_reports("report.html", "pictures.json"),
        g.use_data_key(),
        *g.runs("GetItem", keys=(items.RUN,)),
    )


DRAW_PAGE: Final = FunctionSpec(
    name="DrawPage",
    module="draw_page",
    does="draws the page of a run that has ended",
    variables=RunEnvironment,
    grants=_draw_page,
    # A run may end before anything is known of it, so no path of its data is relied on.
    payload={"state": "$", "execution": "$$.Execution.Id"},
    memory_mb=ONE_PROCESSOR_MB,
    writes="check",
)


def _reconcile(scope: Scope) -> tuple[Grant, ...]:
    return (
        # What the workflow would have recorded.
        *_record_job(scope),
        g.read_intents(),
        g.open_runs(),
        g.ask_executions("ask how executions ended", scope),
        g.start_own_workflow("serve what was trained", scope),
        g.find_jobs("find jobs that nobody watches"),
        g.watch_jobs("watch and stop jobs whose run ended", g.tagged_as_own(scope.settings.name)),
        *g.notify(),
    )


RECONCILE: Final = FunctionSpec(
    name="Reconcile",
    module="reconcile",
    does="corrects the record of each run whose execution ended without closing it",
    variables=ReconcileEnvironment,
    grants=_reconcile,
    writes="check",
)


ANNOUNCE: Final = FunctionSpec(
    name="Announce",
    module="announce",
    does="sends an event to the account's default bus for each message",
    variables=LambdaEnvironment,
    grants=lambda _: (
        # Nobody's events but ours: rules of this account act on those of others
        # (docs/facts/workflow.md#events-of-ones-own). Both keys have several values for IAM.
        g.allow(
            "announce messages",
            "events:PutEvents",
            on="arn:{partition}:events:{region}:{account}:event-bus/default",
            when=(
                g.all_equal("events:source", SOURCE),
                g.all_equal("events:detail-type", *DetailType),
            ),
        ),
    ),
    timeout_minutes=1,
)
