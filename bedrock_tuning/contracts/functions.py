"""The functions of a run up to its job: for each, what it does, may do, is given and answers.

Also the one that guards runs from deployments. Those of endpoints are in serving.py, those of the
end of a job and of a run in ending.py. A new function needs its handler in lambdas/, its
specification, and, if it is part of a run, its state in
bedrock_tuning/contracts/states/workflow.py. Everything else is derived from these.
"""

from dataclasses import replace
from typing import Final, get_args

from bedrock_tuning import s3_layout
from bedrock_tuning.config.lambda_environment import (
    CheckEnvironment,
    GuardEnvironment,
    RunEnvironment,
    StartEnvironment,
    TurnEnvironment,
)
from bedrock_tuning.config.names import used_parameter
from bedrock_tuning.contracts import grants as g
from bedrock_tuning.contracts.contract import (
    COMMIT,
    ONE_PROCESSOR_MB,
    PLACEHOLDER,
    SETTINGS_VALUE,
    Condition,
    Contracts,
    FunctionAnswer,
    FunctionSpec,
    Grant,
    Scope,
)
from bedrock_tuning.contracts.ending import ANNOUNCE, CLOSE_RUN, DRAW_PAGE, RECONCILE, RECORD_JOB
from bedrock_tuning.contracts.serving import EVALUATE, KEEP_LEASES, PROVISIONED_THROUGHPUT, SERVE
from bedrock_tuning.run import items
from bedrock_tuning.run.decisions import (
    AdmissionDecision,
    ImagesDecision,
    StartDecision,
    TurnDecision,
)

_SETTINGS: Final = {"settings": SETTINGS_VALUE}
_RUN: Final = {"run": "$.admission.run", **_SETTINGS}
# Every finding goes through a file: 318 bytes each, several for each of 500,000 records, twice.
_FINDINGS_MB: Final = 6_144


ADMIT: Final = FunctionSpec(
    name="Admit",
    module="admit",
    does="decides whether an upload starts a run",
    variables=RunEnvironment,
    grants=lambda _: (
        g.find_manifests(),
        *g.runs("GetItem", "PutItem", keys=(items.RUN, items.CLAIM)),
        g.read_intents(),
        g.ask_lifecycle(),
    ),
    payload={
        "event": "$",
        **_SETTINGS,
        "execution": "$$.Execution.Name",
        "started": "$$.Execution.StartTime",
        "commit": COMMIT,
    },
    answer=FunctionAnswer(path="$.admission", field="decision", values=get_args(AdmissionDecision)),
)


CHECK_MANIFEST: Final = FunctionSpec(
    name="CheckManifest",
    module="check_manifest",
    does="checks every line of both manifests",
    variables=CheckEnvironment,
    grants=lambda _: (
        g.read_manifests(),
        g.work("write work", "s3:PutObject", "text.json", "findings/*", "shards*"),
        g.use_data_key(),
    ),
    payload={
        **_RUN,
        "training_version": "$.admission.training_version",
        "validation_version": "$.admission.validation_version",
    },
    answer=FunctionAnswer(path="$.check"),
    memory_mb=ONE_PROCESSOR_MB,
    disk_mb=_FINDINGS_MB,
    writes="check",
)


CHECK_IMAGES: Final = FunctionSpec(
    name="CheckImages",
    module="check_images",
    does="checks the images of one shard",
    variables=CheckEnvironment,
    grants=lambda _: (
        g.objects("read images", "s3:GetObject", buckets=g.DATASETS, patterns=g.FOLDERS),
        g.work("write work", "s3:PutObject", "results/*", "findings/*", "errors/*", "pins/*"),
        g.use_data_key(),
        g.work("read work", "s3:GetObject", "shards/*"),
        g.listing("tell missing from denied", buckets=g.DATASETS, prefixes=g.FOLDERS),
    ),
    payload={**_RUN, "shard": "$$.Map.Item.Value"},
    memory_mb=ONE_PROCESSOR_MB,
    disk_mb=_FINDINGS_MB,
    writes="check",
)


MERGE: Final = FunctionSpec(
    name="Merge",
    module="merge",
    does="makes one report of all results",
    variables=RunEnvironment,
    grants=lambda _: (
        g.work("read work", "s3:GetObject", ""),
        g.listing("list work", buckets=g.OUTPUT, prefixes=[f"{s3_layout.WORK}/*"]),
        g.write_reports("report.json", "report.html", "rejected.jsonl", "pins.json"),
        g.use_data_key(),
        *g.runs("UpdateItem", keys=(items.RUN,)),
    ),
    payload={**_RUN, "check": "$.check", "shards": "$.shards"},
    answer=FunctionAnswer(path="$.report", field="valid"),
    memory_mb=ONE_PROCESSOR_MB,
    disk_mb=_FINDINGS_MB,
    writes="check",
)


def _start_job(scope: Scope) -> tuple[Grant, ...]:
    return (
        g.find_manifests(),
        g.read_manifests(),
        # Whole names, none of which is the name of a file that starts a run.
        g.allow(
            "keep checked manifests",
            "s3:PutObject",
            on=(
                f"{{{kind}}}/{s3_layout.checked_manifest_key(g.ANY, g.ANY, kind)}"
                for kind in s3_layout.KINDS
            ),
            when=g.OWN_ACCOUNT,
        ),
        g.use_data_key(),
        *g.runs("GetItem", "PutItem", "UpdateItem", keys=(items.RUN, items.KEY)),
        g.allow(
            "ask what became of earlier work",
            "bedrock:GetModelCustomizationJob",
            "bedrock:GetCustomModel",
            on=(g.JOB_ARNS, g.CUSTOM_MODEL_ARNS),
        ),
        g.ask_executions("ask whether the run with the same work still runs", scope),
        *g.ask_before_paying(scope),
    )


START_JOB: Final = FunctionSpec(
    name="StartJob",
    module="start_job",
    does="prices the job, builds its request and keeps the checked manifests",
    variables=StartEnvironment,
    grants=_start_job,
    payload={
        "admission": "$.admission",
        "report": "$.report",
        **_SETTINGS,
        "execution": "$$.Execution.Id",
    },
    answer=FunctionAnswer(path="$.start", field="decision", values=get_args(StartDecision)),
    writes="check",
)


TAKE_TURN: Final = FunctionSpec(
    name="TakeTurn",
    module="take_turn",
    does="lets a run start its job, or queues it for a free slot",
    variables=TurnEnvironment,
    grants=lambda _: (
        *g.runs("GetItem", "PutItem", "UpdateItem", keys=(items.RUN, items.KEY)),
        g.open_runs(),
    ),
    payload={"state": "$"},
    answer=FunctionAnswer(path="$.turn", field="decision", values=get_args(TurnDecision)),
)


VERIFY_IMAGES: Final = FunctionSpec(
    name="VerifyImages",
    module="verify_images",
    does="says right before the job whether the images are those that were checked",
    variables=RunEnvironment,
    grants=lambda _: (
        g.objects(
            "read what was checked",
            "s3:GetObject",
            buckets=g.OUTPUT,
            patterns=[f"{s3_layout.report_prefix(g.ANY, g.ANY)}pins.json"],
        ),
        # S3 says that it is missing only to those who may list.
        g.listing(
            "tell missing from denied", buckets=g.OUTPUT, prefixes=[f"{s3_layout.REPORTS}/*"]
        ),
        g.listing("list images", buckets=g.DATASETS, prefixes=g.FOLDERS),
        g.objects(
            "compare pictures of an evaluation",
            "s3:GetObject",
            buckets=g.DATASETS,
            patterns=g.FOLDERS,
        ),
        g.objects(
            "read which pictures those are",
            "s3:GetObject",
            buckets=("{validation}",),
            patterns=[s3_layout.checked_manifest_key(g.ANY, g.ANY, "validation")],
        ),
        g.use_data_key(*g.READ_KEY),
    ),
    payload={**_RUN, "check": "$.check"},
    answer=FunctionAnswer(path="$.images", field="decision", values=get_args(ImagesDecision)),
    memory_mb=ONE_PROCESSOR_MB,
)


def _approve(_: Scope) -> tuple[Grant, ...]:
    return (
        *g.runs("GetItem", "UpdateItem", keys=(items.RUN, items.APPROVAL)),
        replace(
            keep := g.objects(
                "keep decisions",
                "s3:PutObject",
                buckets=g.OUTPUT,
                patterns=[s3_layout.approval_key(g.ANY, g.ANY, g.ANY)],
            ),
            # Never over another one, which the bucket refuses, too.
            conditions=(
                *keep.conditions,
                Condition.of("Null", "s3:if-none-match", "false"),
            ),
        ),
        g.use_data_key(),
        # Whose task it is, its token says: these know no resources.
        g.allow("let runs go on", "states:SendTaskFailure", "states:SendTaskSuccess", on="*"),
    )


APPROVE: Final = FunctionSpec(
    name="Approve",
    module="approve",
    does="writes down who approved or declined a price, and lets the run go on",
    variables=RunEnvironment,
    grants=_approve,
    timeout_minutes=1,
    url=True,
    writes="approve",
)


GUARD_RUNS: Final = FunctionSpec(
    name="GuardRuns",
    module="guard_runs",
    does="refuses a deployment that takes from open runs what they use",
    variables=GuardEnvironment,
    grants=lambda scope: (
        g.open_runs(),
        g.use_runs_key(),
        g.allow(
            "read what runs use",
            "ssm:GetParameter",
            on=g.parameter(used_parameter(scope.settings.name)),
        ),
    ),
    timeout_minutes=2,
)


FUNCTIONS: Final = (
    ADMIT,
    CHECK_MANIFEST,
    CHECK_IMAGES,
    MERGE,
    START_JOB,
    APPROVE,
    TAKE_TURN,
    VERIFY_IMAGES,
    RECORD_JOB,
    SERVE,
    EVALUATE,
    CLOSE_RUN,
    DRAW_PAGE,
    RECONCILE,
    ANNOUNCE,
    KEEP_LEASES,
    GUARD_RUNS,
    PROVISIONED_THROUGHPUT,
)
# Where something is deployed, which a deployment does not change.
_FIXED: Final = ("partition", "region", "account")
_LENT: Final = {"iam:PassRole", "sts:AssumeRole"}


def used_by_runs(contracts: Contracts, scope: Scope) -> str:
    """What an open run goes on with, whatever is deployed beside it: "data-key, runs, topic, …".

    A run keeps the definition of the workflow with which it was started. So: all that the
    definition names, and the resources and roles that its role and its functions may use. What
    exists already has its name behind it. No customization changes this.
    """
    workflow = contracts.role("workflow").grants
    grants = (*workflow, *(use for spec in FUNCTIONS if spec.payload for use in spec.grants(scope)))
    names = set(contracts.placeholders.values())
    for text in (*names, *(resource for grant in grants for resource in grant.resources)):
        for name in dict(PLACEHOLDER.findall(text)).keys() - _FIXED:
            existing = contracts.known(name, "name")
            names.add(f"{name} {existing}" if existing else name)
    roles = {r for grant in workflow if _LENT & {*grant.actions} for r in grant.resources}
    return ", ".join(
        sorted(entry.rpartition(":")[2] for entry in names | roles if not entry.startswith("{"))
    )


def used_by_jobs(contracts: Contracts, name: str) -> str:
    """What a job of a customization uses by the roles of its stack, its own service role's and its
    starter's: "foundation-model/amazon.titan-embed-image-v1:0, output/jobs/pets-search/*, …".

    Base model, folders, grader and what else the customization's file says; what it shares with
    others is among used_by_runs.
    """
    names = {f"role.bedrock.{name}", f"role.start.{name}"}
    grants = (grant for role in contracts.roles if role.name in names for grant in role.grants)
    uses = {arn.split(":", 5)[-1] for grant in grants for arn in grant.resources}
    return ", ".join(sorted(use.replace("{", "").replace("}", "") for use in uses if "/" in use))
