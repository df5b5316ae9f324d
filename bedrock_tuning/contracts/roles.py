"""The contract of every role, from what its function or service has to do."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Literal

from bedrock_tuning import s3_layout
from bedrock_tuning.catalogue import GEOGRAPHIES
from bedrock_tuning.config.customization import CustomizationSettings
from bedrock_tuning.config.tags import CUSTOMIZATION_TAG, ENVIRONMENT_TAG
from bedrock_tuning.contracts import grants as g
from bedrock_tuning.contracts.contract import (
    Condition,
    FunctionSpec,
    Grant,
    Place,
    Role,
    Scope,
    role_path,
    workflow_arn,
)
from bedrock_tuning.contracts.ending import RECONCILE
from bedrock_tuning.contracts.functions import FUNCTIONS
from bedrock_tuning.contracts.job_text import by_workflow
from bedrock_tuning.contracts.serving import KEEP_LEASES
from bedrock_tuning.run import items


def roles(scope: Scope, places: Mapping[str, Place]) -> tuple[Role, ...]:
    """All roles of an environment; a role in the templates that is not here is a fault."""
    starters = () if by_workflow(scope.settings) else scope.customizations.values()
    return (
        *(_bedrock(scope, entry, places) for entry in scope.customizations.values()),
        *(_starter(scope, entry, places) for entry in starters),
        *(function_role(spec, scope, places) for spec in FUNCTIONS),
        _workflow(scope, places),
        Role(
            name="role.upload-rule",
            place=places["role.upload-rule"],
            does="The upload rule: starts the workflow",
            service="events.amazonaws.com",
            trust=(g.FROM_THIS_ACCOUNT,),
            grants=(g.start_workflow("start workflow"),),
        ),
        _schedule("lease-schedule", "lease", KEEP_LEASES, places),
        _schedule("reconcile-schedule", "reconciling", RECONCILE, places),
    )


def function_role(spec: FunctionSpec, scope: Scope, places: Mapping[str, Place]) -> Role:
    """The role of a function: its grants and its own logs."""
    return Role(
        name=f"role.{spec.name}",
        place=places[f"role.{spec.name}"],
        does=spec.does,
        service="lambda.amazonaws.com",
        trust=(g.FROM_THIS_ACCOUNT,),
        grants=(*spec.grants(scope), g.write_logs(spec.name)),
        # The buckets' policies know by its path who may write what was checked and decided.
        path=role_path(scope.settings, spec.writes) if spec.writes else "/",
    )


def _schedule(name: str, subject: str, calls: FunctionSpec, places: Mapping[str, Place]) -> Role:
    return Role(
        name=f"role.{name}",
        place=places[f"role.{name}"],
        does=f"The {subject} schedule: calls {calls.module}",
        service="scheduler.amazonaws.com",
        trust=(g.FROM_THIS_ACCOUNT,),
        grants=(
            g.allow(
                f"call {calls.module.replace('_', ' ')}",
                "lambda:InvokeFunction",
                on=f"{{function.{calls.name}}}",
            ),
            g.allow("keep failed calls", "sqs:SendMessage", on="{dead-letters}"),
            # The queue is encrypted, and Scheduler sends to it with this role.
            g.key_through(
                "sqs", "encrypt dead letters", key="{operations-key}", actions=g.WRITE_KEY
            ),
        ),
    )


def _bedrock(
    scope: Scope, customization: CustomizationSettings, places: Mapping[str, Place]
) -> Role:
    """What AWS documents for a customization job (docs/facts/iam.md), per folder.

    strict leaves out reading and listing the output, which AWS's sample has.
    """
    name, folders = customization.name, customization.media_folders
    jobs = s3_layout.jobs_prefix(customization.output_folder)
    folder = s3_layout.manifests_prefix(name)
    grants = [
        g.objects(
            "read the dataset",
            "s3:GetObject",
            buckets=g.DATASETS,
            patterns=[f"{prefix}*" for prefix in (*folders, folder)],
        ),
        g.listing("list the dataset", buckets=g.DATASETS, prefixes=[f"{x}*" for x in folders]),
        g.listing("list checked manifests", buckets=g.DATASETS, prefixes=[f"{folder}*"]),
        g.objects("write output", "s3:PutObject", buckets=g.OUTPUT, patterns=[f"{jobs}*"]),
        g.use_data_key(),
    ]
    if scope.settings.service_role == "documented":
        grants += [
            g.objects("read output", "s3:GetObject", buckets=g.OUTPUT, patterns=[f"{jobs}*"]),
            g.listing("list output", buckets=g.OUTPUT, prefixes=[f"{jobs}*"]),
        ]
    grants += [*_grader(customization), *_teacher(customization)]
    return Role(
        name=f"role.bedrock.{name}",
        place=places[f"role.bedrock.{name}"],
        does=f"Bedrock customization jobs of {name}",
        service="bedrock.amazonaws.com",
        trust=(g.FROM_THIS_ACCOUNT, g.arn_like("aws:SourceArn", g.JOB_ARNS)),
        grants=tuple(grants),
        path=role_path(scope.settings, "bedrock"),
    )


def _arn(arn: str) -> str:
    """An ARN in the account and Region of the deployment, where jobs take such things from."""
    start, partition, service, _, _, rest = arn.split(":", 5)
    return f"{start}:{partition}:{service}:{{region}}:{{account}}:{rest}"


def _grader(customization: CustomizationSettings) -> Iterator[Grant]:
    """Calling the function that scores answers (docs/facts/iam.md#grader-and-teacher)."""
    if customization.grader:
        yield g.allow("call the grader", "lambda:InvokeFunction", on=_arn(customization.grader))


def _teacher(customization: CustomizationSettings) -> Iterator[Grant]:
    """Asking the model that answers the prompts, where its inference profile sends them, too."""
    if not customization.teacher:
        return
    geography, _, model = customization.teacher.partition(".")
    grant = g.allow(
        "ask the teacher", "bedrock:InvokeModel", on=g.foundation_models(customization.teacher)
    )
    if geography not in GEOGRAPHIES:
        yield grant
        return
    profile = (
        f"arn:{{partition}}:bedrock:{{region}}:{{account}}:inference-profile/{geography}.{model}"
    )
    yield replace(grant, resources=(profile,))
    yield replace(
        grant,
        why="ask the teacher in other Regions",
        resources=(f"arn:{{partition}}:bedrock:*::foundation-model/{model}",),
        conditions=(g.equals("bedrock:InferenceProfileArn", profile),),
    )


def _starter(
    scope: Scope, customization: CustomizationSettings, places: Mapping[str, Place]
) -> Role:
    """The only role that may start this customization's jobs, and with its own service role only.

    The workflow assumes it for the task that trains (Step Functions' `Credentials`), and sends the
    ARN of its state machine as external ID.
    """
    name, model = customization.name, customization.base_model
    # No page says by which of its ids a job's base model is authorized.
    bases = g.foundation_models(*dict.fromkeys((model.customization_id, model.invoke_id)))
    tag = g.equals(f"aws:RequestTag/{CUSTOMIZATION_TAG}", name)
    # New models have no tags yet; what another customization made is not built upon.
    nobody_elses = Condition.of(
        "StringEqualsIfExists", f"aws:ResourceTag/{CUSTOMIZATION_TAG}", name
    )
    start = g.allow(
        "start jobs",
        "bedrock:CreateModelCustomizationJob",
        on=(*bases, g.CUSTOM_MODEL_ARNS, g.JOB_ARNS),
        when=(tag, nobody_elses),
    )
    reuse = replace(
        start,
        why="build on the named model",
        resources=(_arn(customization.custom_model),) if customization.custom_model else (),
        conditions=(tag,),
    )
    return Role(
        name=f"role.start.{name}",
        place=places[f"role.start.{name}"],
        does=f"The workflow, for jobs of {name}: starts and watches them",
        service="",
        trust=(
            Condition.of("ArnEquals", "aws:PrincipalArn", "{role.workflow}"),
            g.equals("sts:ExternalId", workflow_arn(scope.settings.name)),
        ),
        grants=(
            # AWS's own pages differ in which of the three types is asked for.
            start,
            *([reuse] if customization.custom_model else []),
            replace(
                tagging := g.tag_as_own(
                    "tag jobs", scope.settings.name, resources=(g.JOB_ARNS, g.CUSTOM_MODEL_ARNS)
                ),
                conditions=(*tagging.conditions, tag),
            ),
            # Another environment may have a customization of this name.
            g.watch_jobs(
                "watch jobs",
                g.tagged_as_own(scope.settings.name),
                g.equals(f"aws:ResourceTag/{CUSTOMIZATION_TAG}", name),
            ),
            g.allow(
                "pass own service role",
                "iam:PassRole",
                on=f"{{role.bedrock.{name}}}",
                when=g.equals("iam:PassedToService", "bedrock.amazonaws.com"),
            ),
        ),
        path=role_path(scope.settings, "start"),
    )


def _all_starters(scope: Scope) -> Iterator[Grant]:
    """All starters in one, for customizations that are or will be; no permission tells them apart.

    What binds a job to its customization is the workflow's text (job_text.py).
    """
    has_tag = Condition.of("Null", f"aws:RequestTag/{CUSTOMIZATION_TAG}", "false")
    environment = scope.settings.name
    yield g.allow(
        "start jobs",
        "bedrock:CreateModelCustomizationJob",
        on=(*g.foundation_models(g.ANY), g.CUSTOM_MODEL_ARNS, g.JOB_ARNS),
        when=(g.equals(f"aws:RequestTag/{ENVIRONMENT_TAG}", environment), has_tag),
    )
    tagging = g.tag_as_own("tag jobs", environment, resources=(g.JOB_ARNS, g.CUSTOM_MODEL_ARNS))
    yield replace(tagging, conditions=(*tagging.conditions, has_tag))
    yield g.watch_jobs("watch jobs", g.tagged_as_own(environment))
    yield g.allow(
        "pass service roles",
        "iam:PassRole",
        on=_at_path(scope, "bedrock"),
        when=g.equals("iam:PassedToService", "bedrock.amazonaws.com"),
    )


def _become_starters(scope: Scope) -> Grant:
    return g.allow("become starters", "sts:AssumeRole", on=_at_path(scope, "start"))


def _at_path(scope: Scope, kind: Literal["bedrock", "start"]) -> str:
    """The roles of one kind, of customizations that are or will be."""
    return f"arn:{{partition}}:iam::{{account}}:role{role_path(scope.settings, kind)}*"


def _workflow(scope: Scope, places: Mapping[str, Place]) -> Role:
    is_starter = by_workflow(scope.settings)
    return Role(
        name="role.workflow",
        place=places["role.workflow"],
        does="The workflow: calls its functions, "
        f"{'starts and watches jobs' if is_starter else 'assumes the starter roles of jobs'}, "
        "sends messages",
        service="states.amazonaws.com",
        trust=(g.FROM_THIS_ACCOUNT,),
        grants=(
            g.allow(
                "call functions",
                "lambda:InvokeFunction",
                on=(f"{{function.{spec.name}}}" for spec in FUNCTIONS if spec.payload),
            ),
            *_shards(scope),
            g.read_settings(scope.settings.name),
            *(_all_starters(scope) if is_starter else (_become_starters(scope),)),
            *g.notify(),
            *g.runs("UpdateItem", keys=(items.RUN, items.APPROVAL)),
            # The delivery of vended logs knows no resources (Step Functions guide).
            g.allow(
                "deliver logs",
                "logs:CreateLogDelivery",
                "logs:GetLogDelivery",
                "logs:UpdateLogDelivery",
                "logs:DeleteLogDelivery",
                "logs:ListLogDeliveries",
                "logs:PutResourcePolicy",
                "logs:DescribeResourcePolicies",
                "logs:DescribeLogGroups",
                on="*",
            ),
        ),
    )


def _shards(scope: Scope) -> tuple[Grant, ...]:
    """A Distributed Map starts executions of its own state machine."""
    return (
        g.start_own_workflow("run shards", scope),
        g.allow(
            "watch shards",
            "states:DescribeExecution",
            "states:StopExecution",
            on=(g.executions(scope), g.executions(scope, "/")),
        ),
        g.work("read the shard index", "s3:GetObject", "shards.jsonl"),
        g.use_data_key(*g.READ_KEY),
    )
