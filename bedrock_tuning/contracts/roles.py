"""The contract of every role, from what its function or service has to do."""

from collections.abc import Mapping

from bedrock_tuning import s3_layout
from bedrock_tuning.config.customization import Customization
from bedrock_tuning.config.settings import Settings
from bedrock_tuning.contracts import grants as g
from bedrock_tuning.contracts.constructs import PROVIDER, WORKFLOW_FUNCTIONS
from bedrock_tuning.contracts.contract import Grant, Place, Role

_DATASETS = ("{training}", "{validation}")
_OUTPUT = ("{output}",)


def roles(
    settings: Settings, customizations: Mapping[str, Customization], places: Mapping[str, Place]
) -> tuple[Role, ...]:
    """All roles of an environment; a role in the templates that is not here is a fault."""
    found = [_bedrock(settings, name, places) for name in customizations]
    functions = _functions(settings, customizations)
    found += [
        Role(
            name=f"role.{name}",
            place=places[f"role.{name}"],
            does=does,
            service="lambda.amazonaws.com",
            trust=(g.FROM_THIS_ACCOUNT,),
            grants=(*granted, g.write_logs(name)),
        )
        for name, (does, granted) in functions.items()
    ]
    found += [
        _workflow(settings, customizations, places["role.workflow"]),
        Role(
            name="role.upload-rule",
            place=places["role.upload-rule"],
            does="starts the workflow when a manifest is uploaded",
            service="events.amazonaws.com",
            trust=(g.FROM_THIS_ACCOUNT,),
            grants=(_start_workflow("start a run"),),
        ),
        Role(
            name="role.lease-schedule",
            place=places["role.lease-schedule"],
            does="calls the lease keeper every quarter of an hour",
            service="scheduler.amazonaws.com",
            trust=(g.FROM_THIS_ACCOUNT,),
            grants=(
                Grant(
                    why="call the lease keeper",
                    actions=("lambda:InvokeFunction",),
                    resources=("{function.KeepLeases}",),
                ),
                Grant(
                    why="keep calls that failed",
                    actions=("sqs:SendMessage",),
                    resources=("{dead-letters}",),
                ),
                g.key_through(
                    "sqs", "the queue is encrypted", key="{operations-key}", actions=g.WRITE_KEY
                ),
            ),
        ),
    ]
    return tuple(found)


def _bedrock(settings: Settings, name: str, places: Mapping[str, Place]) -> Role:
    """What AWS documents for a customization job (docs/facts/iam.md), per folder.

    strict leaves out reading and listing the output, which AWS's sample has.
    """
    folder, jobs = s3_layout.folder(name), s3_layout.jobs_prefix(name)
    checked = s3_layout.manifests_prefix(name)
    granted = [
        g.objects("read images", "s3:GetObject", buckets=_DATASETS, patterns=[f"{folder}*"]),
        g.objects(
            "read the checked manifests", "s3:GetObject", buckets=_OUTPUT, patterns=[f"{checked}*"]
        ),
        g.listing("list the dataset", buckets=_DATASETS, prefixes=[f"{folder}*"]),
        g.listing("list the checked manifests", buckets=_OUTPUT, prefixes=[f"{checked}*"]),
        g.objects("write metrics", "s3:PutObject", buckets=_OUTPUT, patterns=[f"{jobs}*"]),
        g.key_through("s3", "the buckets are encrypted", key="{data-key}", actions=g.WRITE_KEY),
    ]
    if settings.service_role == "documented":
        granted += [
            g.objects("read its output", "s3:GetObject", buckets=_OUTPUT, patterns=[f"{jobs}*"]),
            g.listing("list its output", buckets=_OUTPUT, prefixes=[f"{jobs}*"]),
        ]
    return Role(
        name=f"role.bedrock.{name}",
        place=places[f"role.bedrock.{name}"],
        does=f"Bedrock's customization jobs of {name}: reads the dataset, writes metrics",
        service="bedrock.amazonaws.com",
        trust=(g.FROM_THIS_ACCOUNT, g.arn_like("aws:SourceArn", g.JOBS)),
        grants=tuple(granted),
    )


def _start_workflow(why: str) -> Grant:
    return Grant(why=why, actions=("states:StartExecution",), resources=("{workflow}",))


def _functions(
    settings: Settings, customizations: Mapping[str, Customization]
) -> dict[str, tuple[str, tuple[Grant, ...]]]:
    """By function: what it does, and what it needs for that beside its logs."""
    names = list(customizations)
    manifests = [s3_layout.manifest_key(name) for name in names]
    folders = [f"{s3_layout.folder(name)}*" for name in names]
    jobs = [f"{s3_layout.jobs_prefix(name)}*" for name in names]
    write_data = g.key_through(
        "s3", "the buckets are encrypted", key="{data-key}", actions=g.WRITE_KEY
    )
    find = g.listing(
        "find the newest versions of the manifests",
        action="s3:ListBucketVersions",
        buckets=_DATASETS,
        prefixes=manifests,
    )
    read_manifests = g.objects(
        "read the manifests",
        "s3:GetObject",
        "s3:GetObjectVersion",
        buckets=_DATASETS,
        patterns=manifests,
    )

    def work(why: str, action: str, *files: str) -> Grant:
        patterns = [
            f"{s3_layout.WORK}/*/{file}" if file else f"{s3_layout.WORK}/*" for file in files
        ]
        return g.objects(why, action, buckets=_OUTPUT, patterns=patterns)

    def reports(*files: str) -> Grant:
        patterns = [f"{s3_layout.REPORTS}/{name}/*/{file}" for name in names for file in files]
        return g.objects("write the report", "s3:PutObject", buckets=_OUTPUT, patterns=patterns)

    bases = tuple(
        f"arn:{{partition}}:bedrock:{{region}}::foundation-model/{base}"
        for base in sorted({c.base_model.invoke_id for c in customizations.values()})
    )
    environment = settings.name
    return {
        "Admit": (
            "decides whether an upload starts a run",
            (
                find,
                *g.runs("GetItem", "PutItem"),
                Grant(
                    why="ask whether the base model takes jobs",
                    actions=("bedrock:GetFoundationModel",),
                    resources=bases,
                ),
            ),
        ),
        "CheckManifest": (
            "checks every line of both manifests",
            (
                read_manifests,
                work("hand over images", "s3:PutObject", "text.json", "findings/*", "shards*"),
                write_data,
            ),
        ),
        "CheckImages": (
            "checks the images of one shard",
            (
                g.objects("read images", "s3:GetObject", buckets=_DATASETS, patterns=folders),
                g.listing(
                    "tell a missing image from a refused one", buckets=_DATASETS, prefixes=folders
                ),
                work("read its shard", "s3:GetObject", "shards/*"),
                work("write results", "s3:PutObject", "results/*", "findings/*"),
                write_data,
            ),
        ),
        "Merge": (
            "makes one report of all results",
            (
                work("read the results", "s3:GetObject", ""),
                g.listing("find the results", buckets=_OUTPUT, prefixes=[f"{s3_layout.WORK}/*"]),
                reports("report.json", "report.html", "rejected.jsonl"),
                write_data,
                *g.runs("UpdateItem"),
            ),
        ),
        "StartJob": (
            "prices the job, builds its request and keeps the checked manifests",
            (
                find,
                read_manifests,
                g.objects(
                    "keep the checked manifests for Bedrock",
                    "s3:PutObject",
                    buckets=_OUTPUT,
                    patterns=[f"{s3_layout.manifests_prefix(name)}*" for name in names],
                ),
                write_data,
                *g.runs("GetItem", "PutItem", "UpdateItem"),
                Grant(
                    why="ask what became of earlier work on the same data",
                    actions=("bedrock:GetModelCustomizationJob", "bedrock:GetCustomModel"),
                    resources=(g.JOBS, g.CUSTOM_MODELS),
                ),
            ),
        ),
        "RecordJob": (
            "records the job's metrics and model",
            (
                g.objects("read metrics", "s3:GetObject", buckets=_OUTPUT, patterns=jobs),
                g.listing("find metrics", buckets=_OUTPUT, prefixes=jobs),
                reports("metrics.json"),
                write_data,
                *g.runs("GetItem", "PutItem", "UpdateItem"),
            ),
        ),
        "Serve": (
            "creates, swaps, proves and rolls back endpoints",
            (
                *g.find_endpoints(),
                g.end_billing(environment),
                *_buy(environment),
                Grant(
                    why="learn a model's base",
                    actions=("bedrock:GetCustomModel",),
                    resources=(g.CUSTOM_MODELS,),
                ),
                g.pointers(environment, "GetParameter", "PutParameter", "DeleteParameter"),
            ),
        ),
        "CloseRun": (
            "writes how a run ended",
            g.runs("GetItem", "PutItem", "UpdateItem"),
        ),
        "KeepLeases": (
            "deletes Provisioned Throughput whose lease has ended",
            (
                *g.find_endpoints(),
                g.end_billing(environment),
                g.pointers(environment, "GetParameter", "DeleteParameter"),
                *g.notify(),
            ),
        ),
        PROVIDER: (
            "ties serving to deployments: hands over to the workflow, deletes with the stack",
            (
                *g.find_endpoints(),
                g.end_billing(environment),
                _start_workflow("hand over to the workflow"),
                g.pointers(environment, "GetParameter", "PutParameter", "DeleteParameter"),
            ),
        ),
    }


def _buy(environment: str) -> tuple[Grant, ...]:
    """What may cost money by the hour: only under this environment's tag."""
    ours = g.tagged_as_ours(environment)
    return (
        Grant(
            why="buy endpoints, tagged as this environment's",
            actions=(
                "bedrock:CreateProvisionedModelThroughput",
                "bedrock:CreateCustomModelDeployment",
            ),
            resources=(g.CUSTOM_MODELS,),
            conditions=(g.equals(f"aws:RequestTag/{g.ENVIRONMENT_TAG}", environment),),
        ),
        g.tag_as_ours("tag new endpoints", environment, resources=g.ENDPOINTS),
        Grant(
            why="renew leases",
            actions=("bedrock:TagResource",),
            resources=g.ENDPOINTS,
            conditions=(ours,),
        ),
        Grant(
            why="put another model behind an endpoint",
            actions=(
                "bedrock:UpdateProvisionedModelThroughput",
                "bedrock:UpdateCustomModelDeployment",
            ),
            resources=(g.CUSTOM_MODELS, *g.ENDPOINTS),
            conditions=(ours,),
        ),
        Grant(
            why="smoke-test this environment's endpoints",
            actions=("bedrock:InvokeModel",),
            resources=g.ENDPOINTS,
            conditions=(ours,),
        ),
    )


def _workflow(
    settings: Settings, customizations: Mapping[str, Customization], place: Place
) -> Role:
    bases = sorted({c.base_model.customization_id for c in customizations.values()})
    machine = f"tuning-{settings.name}-workflow"
    states = "arn:{partition}:states:{region}:{account}"
    return Role(
        name="role.workflow",
        place=place,
        does="carries a run: calls its functions, starts and watches jobs, notifies",
        service="states.amazonaws.com",
        trust=(g.FROM_THIS_ACCOUNT,),
        grants=(
            Grant(
                why="call the run's functions",
                actions=("lambda:InvokeFunction",),
                resources=tuple(f"{{function.{name}}}" for name in WORKFLOW_FUNCTIONS),
            ),
            # A Distributed Map starts executions of its own state machine.
            Grant(
                why="check image shards in executions of its own",
                actions=("states:StartExecution",),
                resources=(f"{states}:stateMachine:{machine}",),
            ),
            Grant(
                why="watch and stop those executions",
                actions=("states:DescribeExecution", "states:StopExecution"),
                resources=(
                    f"{states}:execution:{machine}:*",
                    f"{states}:execution:{machine}/*",
                ),
            ),
            g.objects(
                "read the list of shards",
                "s3:GetObject",
                buckets=_OUTPUT,
                patterns=[f"{s3_layout.WORK}/*/shards.jsonl"],
            ),
            g.key_through("s3", "the bucket is encrypted", key="{data-key}", actions=g.READ_KEY),
            # AWS's own pages differ in which of the three types is asked for.
            Grant(
                why="start customization jobs",
                actions=("bedrock:CreateModelCustomizationJob",),
                resources=(
                    *(
                        f"arn:{{partition}}:bedrock:{{region}}::foundation-model/{base}"
                        for base in bases
                    ),
                    g.CUSTOM_MODELS,
                    g.JOBS,
                ),
            ),
            g.tag_as_ours(
                "tag new jobs and models", settings.name, resources=(g.JOBS, g.CUSTOM_MODELS)
            ),
            Grant(
                why="watch and stop jobs",
                actions=("bedrock:GetModelCustomizationJob", "bedrock:StopModelCustomizationJob"),
                resources=(g.JOBS,),
            ),
            Grant(
                why="let Bedrock act as the customization's own role",
                actions=("iam:PassRole",),
                resources=tuple(f"{{role.bedrock.{name}}}" for name in customizations),
                conditions=(g.equals("iam:PassedToService", "bedrock.amazonaws.com"),),
            ),
            *g.notify(),
            *g.runs("UpdateItem"),
            # The delivery of vended logs knows no resources (Step Functions guide).
            Grant(
                why="deliver its execution log",
                actions=(
                    "logs:CreateLogDelivery",
                    "logs:GetLogDelivery",
                    "logs:UpdateLogDelivery",
                    "logs:DeleteLogDelivery",
                    "logs:ListLogDeliveries",
                    "logs:PutResourcePolicy",
                    "logs:DescribeResourcePolicies",
                    "logs:DescribeLogGroups",
                ),
                resources=("*",),
            ),
        ),
    )
