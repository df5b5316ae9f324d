"""Promises about people: who uploads does not approve, and each does no more than its part."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import product
from typing import Final

from bedrock_tuning import s3_layout
from bedrock_tuning.contracts import Condition
from bedrock_tuning.review.assembly import identity
from bedrock_tuning.review.check import Evidence, Violation, check, found
from bedrock_tuning.review.iam.policy import Statement
from bedrock_tuning.review.iam.simulator import EvalRequest, Policies, decide, usual_context
from bedrock_tuning.review.promises.deployment import DeploymentFacts
from bedrock_tuning.review.promises.promise import Able, But, Never, but, reached, request
from bedrock_tuning.run import items

# How a run that waits is answered: by the address of the function, or with the token of its task.
_ASK: Final = ("lambda:Invoke*",)
_ANSWER: Final = ("states:SendTask*",)
WRITING: Final = ("s3:Put*", "s3:Delete*", "s3:Replicate*", "s3:Restore*")


def _objects(deployment: DeploymentFacts) -> tuple[str, ...]:
    """Whatever lies in the buckets of datasets."""
    return tuple(f"{bucket}/*" for bucket in deployment.datasets)


def _statements_allowing(
    statements: Iterable[Statement], actions: tuple[str, ...], resources: Iterable[str]
) -> list[Statement]:
    """The statements that allow any of it."""
    return [
        statement
        for statement in statements
        if statement.effect == "Allow" and any(reached(statement, actions, resources))
    ]


@check(
    "M840",
    "Nobody may both write datasets and approve prices: no role and no policy for people allows "
    "both.",
    limit="whoever requests money does not grant it",
    fix="Take one of the two statements away",
)
def separated(evidence: Evidence) -> Iterator[Violation]:
    deployment = DeploymentFacts(evidence=evidence)
    for role in evidence.permissions.roles.values():
        uploads = _statements_allowing(role.policy, WRITING, _objects(deployment))
        approves = [
            *_statements_allowing(role.policy, _ASK, deployment.handlers("approve")),
            *_statements_allowing(role.policy, _ANSWER, ("*",)),
        ]
        if uploads and approves:
            problem = f"{uploads[0].label} writes datasets, {approves[0].label} approves"
            yield found(role, problem)


@check(
    "M841",
    "A user or role with an uploader's and an approver's policy can neither upload nor approve.",
    limit="two policies for one person must not undo the separation",
    fix="Put the Deny back that contracts/people.py says",
)
def separated_together(evidence: Evidence) -> Iterator[Violation]:
    deployment = DeploymentFacts(evidence=evidence)
    roles = evidence.permissions.roles
    for name, uploaders in deployment.uploaders.items():
        calls = [
            *_uploads(deployment, name),
            *(
                request
                for function in deployment.handlers("approve")
                for request in _approvals(function)
            ),
        ]
        for uploader, approver in product(uploaders, deployment.person("Approver")):
            policies = Policies(identity=[*roles[uploader].policy, *roles[approver].policy])
            for action, resource, context in calls:
                request = EvalRequest(
                    principal=uploader,
                    action=action,
                    resource=resource,
                    context={**usual_context(), **context},
                    account=identity.ACCOUNT,
                )
                if decide(request, policies):
                    yield found(roles[uploader], f"with the approver's policy, it may {action}")


Asked = tuple[str, str, Mapping[str, str]]


def _uploads(deployment: DeploymentFacts, name: str) -> Iterator[Asked]:
    for bucket in deployment.datasets:
        yield "s3:PutObject", f"{bucket}/{s3_layout.folder(name)}sample", {}


def _approvals(function: str) -> Iterator[Asked]:
    yield "lambda:InvokeFunctionUrl", function, {"lambda:FunctionUrlAuthType": "AWS_IAM"}
    yield "lambda:InvokeFunction", function, {"lambda:InvokedViaFunctionUrl": "true"}


def _by_address(deployment: DeploymentFacts) -> Iterator[But]:
    calls = (call for arn in deployment.handlers("approve") for call in _approvals(arn))
    for action, function, context in calls:
        ((key, value),) = context.items()
        operator = "Bool" if value == "true" else "StringEquals"
        yield but(
            deployment.person("Approver"),
            action,
            on=function,
            when=Condition.of(operator, key, value),
        )


def _items(deployment: DeploymentFacts) -> Iterator[But]:
    principals_of_tokens = deployment.function("approve") | deployment.workflow
    for principals, kinds in (
        (deployment.evidence.permissions.roles, items.RECORDS),
        (principals_of_tokens, (items.RUN, items.APPROVAL)),
    ):
        yield but(
            principals,
            "dynamodb:*",
            when=Condition.of(
                "ForAllValues:StringLike", "dynamodb:LeadingKeys", *(f"{kind}*" for kind in kinds)
            ),
        )


def _executions(deployment: DeploymentFacts) -> Iterator[str]:
    for machine in deployment.machines:
        yield f"{machine.replace(':stateMachine:', ':execution:')}*"


def _decisions(deployment: DeploymentFacts) -> tuple[str, ...]:
    return (f"{deployment.output}/{s3_layout.APPROVALS}/*",)


def _approving_requests(deployment: DeploymentFacts) -> Iterator[EvalRequest]:
    for approver in deployment.person("Approver"):
        for function in deployment.handlers("approve") or {"«no approve»": ""}:
            for action, resource, context in _approvals(function):
                yield request(approver, action, resource, context)
    for role in deployment.function("approve"):
        keys = {"dynamodb:LeadingKeys": f"{items.APPROVAL}sample"}
        for table in deployment.tables:
            for action in ("dynamodb:GetItem", "dynamodb:UpdateItem"):
                yield request(role, action, table, keys)
        decision = f"{deployment.output}/{s3_layout.approval_key('a', 'b', 'c')}"
        yield request(role, "s3:PutObject", decision, {"s3:if-none-match": "*"})
        for action in ("states:SendTaskSuccess", "states:SendTaskFailure"):
            yield request(role, action, "*")


def _own_datasets(deployment: DeploymentFacts) -> Iterator[But]:
    for name, uploader in deployment.uploaders.items():
        yield but(
            uploader,
            "s3:PutObject",
            on=(
                f"{bucket}/{folder}*"
                for bucket in deployment.datasets
                for folder in deployment.uploaded(name)
            ),
        )
    yield but(
        deployment.function("start_job"),
        "s3:PutObject",
        on=(f"{bucket}/{s3_layout.CHECKED}/*" for bucket in deployment.datasets),
    )


def _own_data(deployment: DeploymentFacts) -> Iterator[But]:
    yield from _own_datasets(deployment)
    for name, uploader in deployment.uploaders.items():
        prefixes = (*deployment.uploaded(name), s3_layout.manifests_prefix(name))
        reports = f"{deployment.output}/{s3_layout.REPORTS}/{name}/*"
        yield but(
            uploader,
            "s3:GetObject",
            on=(
                reports,
                *(f"{bucket}/{prefix}*" for bucket in deployment.datasets for prefix in prefixes),
            ),
        )
        yield but(
            uploader,
            "s3:GetObject",
            "s3:PutObject",
            on=f"{deployment.output}/{s3_layout.COMPARISONS}/{name}/*",
        )
        patterns = tuple(f"{prefix}*" for prefix in prefixes)
        yield but(
            uploader,
            "s3:ListBucket",
            on=deployment.datasets,
            when=Condition.of("StringLike", "s3:prefix", *patterns),
        )


PROMISES: Final = (
    Never(
        id="M842",
        sentence="Only the uploader of a customization writes its dataset, NAME/* and the folders "
        "that its settings name; only StartJob writes what was checked.",
        actions=WRITING,
        resources=_objects,
        but=_own_datasets,
    ),
    Never(
        id="M843",
        sentence="An uploader reaches S3 only in its own customization's folders: NAME/ and those "
        "that its settings name, _checked/NAME/, reports/NAME/ and comparisons/NAME/, and writes "
        "only to the first and the last.",
        actions=("s3:*",),
        who=lambda d: d.person("Uploader"),
        but=_own_data,
    ),
    Never(
        id="M844",
        sentence="Only Approve answers a run that waits for a person, whoever else has its token.",
        actions=_ANSWER,
        but=lambda d: [but(d.function("approve"), *_ANSWER)],
    ),
    Never(
        id="M846",
        sentence="Only approvers call Approve, and only by its address, which tells it who signed: "
        "`lambda:FunctionUrlAuthType` = AWS_IAM, `lambda:InvokedViaFunctionUrl` = true.",
        actions=_ASK,
        resources=lambda d: tuple(d.handlers("approve")),
        but=_by_address,
    ),
    Never(
        id="M847",
        sentence="In the runs table, only Approve reads the token with which a run goes on, and "
        "only the workflow writes it: everybody else reaches items of other kinds only "
        "(`dynamodb:LeadingKeys`).",
        actions=("dynamodb:*",),
        resources=lambda d: d.tables,
        but=_items,
    ),
    Never(
        id="M850",
        sentence="Nobody reads that token in Step Functions: no history of an execution, no input "
        "of a task, and nobody changes the state machine, which logs without data (F710).",
        actions=("states:GetExecutionHistory", "states:GetActivityTask", "states:Update*"),
        resources=lambda d: (*d.machines, *_executions(d)),
    ),
    Never(
        id="M848",
        sentence="Only Approve writes decisions (approvals/*), and nobody removes one.",
        actions=WRITING,
        resources=_decisions,
        but=lambda d: [but(d.function("approve"), "s3:PutObject", on=_decisions(d))],
    ),
    Able(
        id="M849",
        sentence="An approver reaches Approve, which can read the question, write the decision and "
        "let the run go on.",
        requests=_approving_requests,
    ),
    Never(
        id="M845",
        sentence="Readers, approvers and auditors change nothing: no objects, items, parameters, "
        "jobs or endpoints.",
        actions=(
            *WRITING,
            *(f"dynamodb:{verb}*" for verb in ("BatchWrite", "Delete", "PartiQL", "Put", "Update")),
            "ssm:Put*",
            "ssm:Delete*",
            *(f"bedrock:{verb}*" for verb in ("Create", "Delete", "Invoke", "Put", "Stop", "Tag")),
            "bedrock:Update*",
            "states:Start*",
            "states:Stop*",
        ),
        who=lambda d: d.person("Reader") | d.person("Approver") | d.person("Auditor"),
    ),
)
