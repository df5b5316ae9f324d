"""Flaws that break a promise, as a contract itself could bring them in by mistake."""

from copy import deepcopy
from typing import Any

from bedrock_tuning.review.assembly import identity
from tests.review.broken import Copy, Raw
from tests.review.mutants._mutant import Mutant, collected, flaw

BEDROCK = "pipeline/BedrockRole-pets-search/Role"
WORKFLOW = "pipeline/WorkflowRole"
PROVIDER = "serving/ProvisionedThroughput/Role"


def function(name: str) -> str:
    """The role of one of the run's functions."""
    return f"pipeline/Functions/{name}/Role"


def _arn(copy: Copy, path: str, tail: str = "") -> str:
    """The ARN that a resource has in the review, in whichever stack it stands."""
    stack = f"tuning-{copy.source.contracts.environment}-{path.partition('/')[0]}"
    kind = str(copy.resource(path)["Type"])
    name = identity.generated_name(stack, copy.logical_id(path), kind)
    return identity.Identity(kind=kind, name=name, region="us-east-1").arn + tail


def _granted(killer: str, name: str, role: str, action: str, resource: str = "*") -> Mutant:
    """A role that gets one action more; resource: an ARN, or a path with what follows its ARN."""

    def change(copy: Copy) -> None:
        path, _, tail = resource.partition("|")
        target: Any = resource if resource.startswith(("*", "arn:")) else _arn(copy, path, tail)
        copy.policy(role).append({"Effect": "Allow", "Action": action, "Resource": target})

    return Mutant(name=name, killer=killer, change=change)


_MORE = (
    (
        "M810",
        "Bedrock role: its dataset is open to a folder of a similar name",
        BEDROCK,
        "s3:GetObject",
        "data/Training|/pets-search-2/*",
    ),
    (
        "M810",
        "Bedrock role: writes into its own dataset",
        BEDROCK,
        "s3:PutObject",
        "data/Training|/pets-search/*",
    ),
    (
        "M810",
        "Bedrock role: changes its own checked manifests",
        BEDROCK,
        "s3:PutObject",
        "data/Output|/manifests/pets-search/*",
    ),
    (
        "M811",
        "record job: writes checked manifests",
        function("RecordJob"),
        "s3:PutObject",
        "data/Output|/manifests/*",
    ),
    (
        "M811",
        "check images: writes reports",
        function("CheckImages"),
        "s3:PutObject",
        "data/Output|/*/pets-search/*",
    ),
    (
        "M812",
        "merge: deletes versions of objects",
        function("Merge"),
        "s3:DeleteObjectVersion",
        "data/Output|/work/*",
    ),
    (
        "M812",
        "close run: deletes runs",
        function("CloseRun"),
        "dynamodb:DeleteItem",
        "pipeline/Runs",
    ),
    (
        "M812",
        "start job: lets objects expire",
        function("StartJob"),
        "s3:PutLifecycleConfiguration",
        "data/Training",
    ),
    ("M813", "serve: deletes its own log", function("Serve"), "logs:DeleteLogStream", "*"),
    ("M813", "workflow: keeps its log for a day", WORKFLOW, "logs:PutRetentionPolicy", "*"),
    (
        "M814",
        "start job: reads who read what",
        function("StartJob"),
        "s3:GetObject",
        "data/AccessLogs|/*",
    ),
    (
        "M820",
        "start job: starts the job itself",
        function("StartJob"),
        "bedrock:CreateModelCustomizationJob",
    ),
    ("M820", "workflow: imports models", WORKFLOW, "bedrock:CreateModelImportJob"),
    ("M821", "start job: passes the service role", function("StartJob"), "iam:PassRole", BEDROCK),
    (
        "M823",
        "record job: ends endpoints",
        function("RecordJob"),
        "bedrock:DeleteProvisionedModelThroughput",
    ),
    ("M823", "check images: invokes base models", function("CheckImages"), "bedrock:Invoke*"),
    ("M824", "lease keeper: takes tags off", function("KeepLeases"), "bedrock:UntagResource"),
    ("M832", "merge: changes roles", function("Merge"), "iam:PutRolePolicy"),
    ("M832", "serve: replaces its own code", function("Serve"), "lambda:UpdateFunctionCode"),
    ("M832", "workflow: grants of the data key", WORKFLOW, "kms:CreateGrant", "data/DataKey"),
    ("M832", "provider: opens a bucket", PROVIDER, "s3:PutBucketPolicy", "data/Training"),
    ("M832", "admit: becomes other roles", function("Admit"), "sts:AssumeRole"),
)


@flaw("M822", "lease keeper: buys, with the right tag")
def lease_keeper_buys(copy: Copy) -> None:
    bought = copy.allowing(function("Serve"), "bedrock:CreateProvisionedModelThroughput")
    copy.policy(function("KeepLeases")).append(deepcopy(bought))


@flaw("M822", "serve: buys with the tag or without any")
def buys_without_tag(copy: Copy) -> None:
    bought = copy.allowing(function("Serve"), "bedrock:CreateProvisionedModelThroughput")
    bought["Condition"]["StringEqualsIfExists"] = bought["Condition"].pop("StringEquals")


@flaw("M823", "serve: calls anybody's endpoints")
def calls_any(copy: Copy) -> None:
    del copy.allowing(function("Serve"), "bedrock:InvokeModel")["Condition"]


@flaw("M824", "workflow: tags its jobs as another environment's")
def tags_as_other(copy: Copy) -> None:
    tagging = copy.allowing(WORKFLOW, "bedrock:TagResource")["Condition"]["StringEquals"]
    tagging["aws:RequestTag/bedrock-tuning:environment"] = "prod"


@flaw("M815", "output bucket: refuses checked manifests to Amazon Bedrock")
def manifests_refused(copy: Copy) -> None:
    copy.statements_of("data/Output/Policy").append(
        {
            "Effect": "Deny",
            "Principal": {"AWS": _arn(copy, BEDROCK)},
            "Action": "s3:GetObject",
            "Resource": _arn(copy, "data/Output", "/manifests/*"),
        }
    )


@flaw("M815", "Bedrock trust: jobs of another Region")
def other_region(copy: Copy) -> None:
    like = copy.trust(BEDROCK)["Condition"]["ArnLike"]
    text = "arn:aws:bedrock:eu-west-1:${AWS::AccountId}:model-customization-job/*"
    like["aws:SourceArn"] = {"Fn::Sub": text}


@flaw("M825", "workflow: may not pass a service role")
def cannot_pass(copy: Copy) -> None:
    passing = copy.allowing(WORKFLOW, "iam:PassRole")
    passing["Resource"] = passing["Resource"][:1]


@flaw("M826", "provider: cannot end what is billed when its stack is deleted")
def cannot_end(copy: Copy) -> None:
    ending = copy.allowing(PROVIDER, "bedrock:DeleteProvisionedModelThroughput")
    copy.policy(PROVIDER).remove(ending)


@flaw("M830", "Lambda trust: two services")
def two_services(copy: Copy) -> None:
    trust = copy.trust(function("Admit"))
    trust["Principal"]["Service"] = ["lambda.amazonaws.com", "states.amazonaws.com"]


@flaw("M831", "topic: alarms of any account")
def foreign_alarms(copy: Copy) -> None:
    for statement in copy.statements_of("pipeline/Messages/Topic/Policy"):
        if statement["Effect"] == "Allow":
            del statement["Condition"]


@flaw("M831", "queue: a rule of another account")
def foreign_rule(copy: Copy) -> None:
    for statement in copy.statements_of("pipeline/Messages/DeadLetters/Policy"):
        if statement["Effect"] == "Allow":
            arn = "arn:aws:events:us-east-1:999999999999:rule/x"
            statement["Condition"] = {"ArnEquals": {"aws:SourceArn": arn}}


@flaw("R406", "training bucket: plain HTTP is refused to one role only")
def narrowed_refusal(copy: Copy) -> None:
    for statement in copy.statements_of("data/Training/Policy"):
        statement["Principal"] = {"AWS": _arn(copy, BEDROCK)}


@flaw("R406", "output bucket: its refusals became permissions")
def refusals_allow(copy: Copy) -> None:
    for statement in copy.statements_of("data/Output/Policy"):
        statement["Effect"] = "Allow"


@flaw("R405", "topic: another service than CloudWatch may publish alarms")
def other_service(copy: Copy) -> None:
    for statement in copy.statements_of("pipeline/Messages/Topic/Policy"):
        if statement["Effect"] == "Allow":
            statement["Principal"] = {"Service": "events.amazonaws.com"}


@flaw("S606", "queue: undelivered events go on to another queue")
def redriven(copy: Copy) -> None:
    target = "arn:aws:sqs:us-east-1:999999999999:q"
    properties = copy.properties("pipeline/Messages/DeadLetters")
    properties["RedrivePolicy"] = {"deadLetterTargetArn": target, "maxReceiveCount": 1}


@flaw("S606", "queue: first in, first out")
def fifo(copy: Copy) -> None:
    copy.properties("pipeline/Messages/DeadLetters")["FifoQueue"] = True


@flaw("M803", "serving: what happens at deletion is not said")
def no_on_delete(copy: Copy) -> None:
    del copy.properties("serving/Throughput-pets-search")["OnDelete"]


@flaw("M802", "workflow: no smoke test")
def no_smoke(copy: Copy) -> None:
    def change(definition: Raw) -> None:
        for state in definition["States"].values():
            if state.get("Parameters", {}).get("action") == "smoke":
                state["Parameters"]["action"] = "wait"

    copy.definition(change)


@flaw("M801", "workflow: no state trains")
def no_training(copy: Copy) -> None:
    def change(definition: Raw) -> None:
        for state in definition["States"].values():
            if "createModelCustomizationJob" in str(state.get("Resource")):
                state["Resource"] = "arn:aws:states:::sns:publish"

    copy.definition(change)


@flaw("R401", "training bucket: a statement for nobody")
def no_principal(copy: Copy) -> None:
    for statement in copy.statements_of("data/Training/Policy"):
        del statement["Principal"]


MUTANTS = (
    *(_granted(*((*row, "*")[:5])) for row in _MORE),
    *collected(globals()),
)
