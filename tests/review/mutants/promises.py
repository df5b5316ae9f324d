"""Flaws that break a promise, as a contract itself could bring them in by mistake."""

import json
import re
from collections.abc import Callable
from copy import deepcopy
from typing import Any

from bedrock_tuning.review.assembly import identity
from tests.review.broken import Copy, Raw
from tests.review.mutants._mutant import Mutant, collected, flaw

BEDROCK = "pets-search/BedrockRole"
STARTER = "pets-search/Starter"
SETTINGS = "pets-search/Settings"
WORKFLOW = "pipeline/WorkflowRole"
PROVIDER = "serving/ProvisionedThroughput/Role"


def function(name: str) -> str:
    """The role of one of the run's functions."""
    return f"pipeline/Functions/{name}/Role"


def _arn(copy: Copy, path: str, tail: str = "") -> str:
    """The ARN that a resource has in the review, in whichever stack it stands."""
    stack = f"tuning-{copy.source.contracts.environment}-{path.partition('/')[0]}"
    kind = str(copy.resource(path)["Type"])
    given = copy.properties(path).get(identity.NAMED_TYPES[kind].named_by)
    generated = identity.generated_name(stack, copy.logical_id(path), kind)
    name = given if isinstance(given, str) else generated
    path = str(copy.properties(path).get("Path", ""))
    return identity.Identity(kind=kind, name=name, region="us-east-1", path=path).arn + tail


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
        "data/Training|/_checked/pets-search/*",
    ),
    (
        "M811",
        "record job: writes checked manifests",
        function("RecordJob"),
        "s3:PutObject",
        "data/Training|/_checked/*",
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
    ("M816", "Bedrock role: calls a function", BEDROCK, "lambda:InvokeFunction"),
    ("M816", "Bedrock role: asks a model", BEDROCK, "bedrock:InvokeModel"),
    (
        "M820",
        "start job: starts the job itself",
        function("StartJob"),
        "bedrock:CreateModelCustomizationJob",
    ),
    ("M820", "starter: imports models", STARTER, "bedrock:CreateModelImportJob"),
    (
        "M820",
        "workflow: starts jobs itself",
        WORKFLOW,
        "bedrock:CreateModelCustomizationJob",
    ),
    ("M821", "start job: passes the service role", function("StartJob"), "iam:PassRole", BEDROCK),
    ("M821", "workflow: passes the service role", WORKFLOW, "iam:PassRole", BEDROCK),
    (
        "M821",
        "starter: passes another customization's service role",
        STARTER,
        "iam:PassRole",
        "pets-style/BedrockRole",
    ),
    ("M827", "workflow: stops any job", WORKFLOW, "bedrock:StopModelCustomizationJob"),
    ("M809", "serve: writes settings", function("Serve"), "ssm:PutParameter"),
    (
        "M809",
        "provider: deletes settings",
        PROVIDER,
        "ssm:DeleteParameters",
        "arn:aws:ssm:us-east-1:111122223333:parameter/bedrock-tuning*",
    ),
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


@flaw("M824", "serve: hands an endpoint to another environment, which nothing here ends then")
def hands_to_other_environment(copy: Copy) -> None:
    (renewing,) = (
        each["Condition"]
        for each in copy.policy(function("Serve"))
        if "ForAllValues:StringEquals" in each.get("Condition", {})
    )
    del renewing["ForAllValues:StringEquals"]


@flaw("M824", "starter: tags its jobs as another environment's")
def tags_as_other(copy: Copy) -> None:
    tagging = copy.allowing(STARTER, "bedrock:TagResource")["Condition"]["StringEquals"]
    tagging["aws:RequestTag/bedrock-tuning:environment"] = "prod"


@flaw("M824", "starter: tags its jobs as another customization's")
def tags_as_neighbour(copy: Copy) -> None:
    tagging = copy.allowing(STARTER, "bedrock:TagResource")["Condition"]["StringEquals"]
    tagging["aws:RequestTag/bedrock-tuning:customization"] = "pets-style"


@flaw("M824", "provider: renames what is another environment's")
def renames_any(copy: Copy) -> None:
    del copy.allowing(PROVIDER, "bedrock:TagResource")["Condition"]["StringEquals"]


@flaw("M824", "provider: changes any tag, so also when a lease ends")
def changes_any_tag(copy: Copy) -> None:
    del copy.allowing(PROVIDER, "bedrock:TagResource")["Condition"]["ForAllValues:StringEquals"]


@flaw("M820", "starter: starts jobs that bear another customization's tag, or none")
def starts_untagged(copy: Copy) -> None:
    del copy.allowing(STARTER, "bedrock:CreateModelCustomizationJob")["Condition"]


@flaw("M827", "starter: watches other customizations' jobs")
def watches_others(copy: Copy) -> None:
    del copy.allowing(STARTER, "bedrock:GetModelCustomizationJob")["Condition"]


@flaw("M830", "starter trust: everybody in the account")
def starter_of_anybody(copy: Copy) -> None:
    del copy.trust(STARTER)["Condition"]["ArnEquals"]


@flaw("M830", "starter trust: any state machine of the workflow's role")
def starter_of_any_machine(copy: Copy) -> None:
    del copy.trust(STARTER)["Condition"]["StringEquals"]


@flaw("M830", "starter trust: the role of another customization's jobs")
def starter_of_another_role(copy: Copy) -> None:
    copy.trust(STARTER)["Condition"]["ArnEquals"]["aws:PrincipalArn"] = _arn(copy, BEDROCK)


def _settings(copy: Copy, key: str, value: Any) -> None:
    """Says something else in the settings of pets-search."""
    text, refs = copy.properties(SETTINGS)["Value"]["Fn::Sub"]
    settings = {**json.loads(text), key: value}
    copy.properties(SETTINGS)["Value"] = {"Fn::Sub": [json.dumps(settings), refs]}


@flaw("M808", "settings: the service role of another customization")
def foreign_service_role(copy: Copy) -> None:
    _settings(copy, "service_role", _arn(copy, "pets-style/BedrockRole"))


@flaw("M808", "settings: the starter of another customization")
def foreign_starter(copy: Copy) -> None:
    _settings(copy, "starter_role", _arn(copy, "pets-style/Starter"))


@flaw("M808", "settings: the starter is the service role")
def swapped_roles(copy: Copy) -> None:
    _settings(copy, "starter_role", "${ServiceRole}")


@flaw("M808", "settings: two of one stack")
def settings_twice(copy: Copy) -> None:
    properties = deepcopy(copy.properties(SETTINGS))
    properties["Name"] += "-2"
    copy.add("pets-search", "Extra", "AWS::SSM::Parameter", **properties)


@flaw("M805", "settings: more model units than the file says")
def more_units_in_settings(copy: Copy) -> None:
    text = json.loads(copy.properties(SETTINGS)["Value"]["Fn::Sub"][0])
    _settings(copy, "serving", {**text["serving"], "model_units": 100})


@flaw("M805", "settings: no budget")
def no_budget(copy: Copy) -> None:
    _settings(copy, "budget", {"max_run_usd": None, "approval": "never"})


@flaw("M805", "settings: a key that nobody knows")
def unknown_setting(copy: Copy) -> None:
    _settings(copy, "endpoint", "https://example.com")


@flaw("M805", "settings: no JSON")
def no_json(copy: Copy) -> None:
    copy.properties(SETTINGS)["Value"] = "pets"


@flaw("M805", "settings: an advanced parameter, which is billed")
def advanced(copy: Copy) -> None:
    copy.properties(SETTINGS)["Tier"] = "Advanced"


@flaw("M805", "settings: of another team for the bill")
def other_tags(copy: Copy) -> None:
    copy.properties(SETTINGS)["Tags"]["bedrock-tuning:customization"] = "pets-style"


def _state(name: str, **changes: Any) -> Callable[[Copy], None]:
    def in_copy(copy: Copy) -> None:
        copy.definition(lambda definition: definition["States"][name].update(changes))

    return in_copy


@flaw("F700", "workflow: its jobs run as itself")
def jobs_as_workflow(copy: Copy) -> None:
    copy.definition(lambda definition: definition["States"]["Train"].pop("Credentials"))


@flaw("F700", "workflow: keeps settings as they were written, not what they say")
def settings_as_text(copy: Copy) -> None:
    _state("Load settings", ResultSelector={"value.$": "$.Parameter.Value"})(copy)


_RUN_FLAWS = (
    (
        "a job runs as a role that a function names",
        _state("Train", Credentials={"RoleArn.$": "$.start.starter_role"}),
    ),
    (
        "settings of a customization that the upload itself names",
        _state(
            "Load settings",
            Parameters={"Name.$": "States.Format('/bedrock-tuning-settings/dev/{}', $.name)"},
        ),
    ),
    ("a function writes the settings", _state("Merge report", ResultPath="$.settings.value")),
    ("a function replaces all data", _state("Prepare job", ResultPath="$")),
    ("uploads are admitted without settings", _state("Upload or deployment?", Default="Admit")),
    (
        "a deployment's settings lead to a job",
        _state("Load settings to serve", Next="Admit"),
    ),
)


@flaw("M825", "workflow: may not become starters")
def cannot_become(copy: Copy) -> None:
    copy.policy(WORKFLOW).remove(copy.allowing(WORKFLOW, "sts:AssumeRole"))


@flaw("M832", "workflow: becomes any role")
def becomes_any(copy: Copy) -> None:
    copy.allowing(WORKFLOW, "sts:AssumeRole")["Resource"] = "*"


@flaw("M815", "training bucket: refuses checked manifests to Amazon Bedrock")
def manifests_refused(copy: Copy) -> None:
    copy.statements_of("data/Training/Policy").append(
        {
            "Effect": "Deny",
            "Principal": {"AWS": _arn(copy, BEDROCK)},
            "Action": "s3:GetObject",
            "Resource": _arn(copy, "data/Training", "/_checked/*"),
        }
    )


@flaw("M815", "Bedrock trust: jobs of another Region")
def other_region(copy: Copy) -> None:
    like = copy.trust(BEDROCK)["Condition"]["ArnLike"]
    text = "arn:aws:bedrock:eu-west-1:${AWS::AccountId}:model-customization-job/*"
    like["aws:SourceArn"] = {"Fn::Sub": text}


@flaw("M825", "starter: may not pass its service role")
def cannot_pass(copy: Copy) -> None:
    copy.policy(STARTER).remove(copy.allowing(STARTER, "iam:PassRole"))


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
    del copy.properties("pets-search/Throughput")["OnDelete"]


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


def _named_folders(copy: Copy, customization: str, *folders: str) -> None:
    value = copy.properties(f"{customization}/Settings")["Value"]["Fn::Sub"]
    text = json.dumps(list(folders))
    value[0] = re.sub(r'"folders": \[[^]]*\]', f'"folders": {text}', value[0])


@flaw("M829", "settings: images in another customization's folder")
def folder_of_another(copy: Copy) -> None:
    _named_folders(copy, "pets-search", "pets-style")


@flaw("M829", "settings: images in a folder around another customization's images")
def folder_around(copy: Copy) -> None:
    _named_folders(copy, "pets-search", "shared/pictures")
    _named_folders(copy, "pets-style", "shared")


@flaw("M829", "settings: a job writes into another customization's folder")
def output_of_another(copy: Copy) -> None:
    text = json.loads(copy.properties(SETTINGS)["Value"]["Fn::Sub"][0])
    _settings(copy, "job", {**text["job"], "output_folder": "pets-style"})


@flaw("M810", "Bedrock role: reads a folder that its settings do not name")
def folder_left(copy: Copy) -> None:
    _named_folders(copy, "pets-search", "folder1")


@flaw("M815", "Bedrock role: cannot read the second folder of its settings")
def folder_unread(copy: Copy) -> None:
    _named_folders(copy, "pets-search", "pets-search", "folder2")


@flaw("M817", "Bedrock role: cannot call the grader of its settings")
def no_grader(copy: Copy) -> None:
    value = copy.properties("pets-search/Settings")["Value"]["Fn::Sub"]
    grader = "arn:aws:lambda:us-east-1:444455556666:function:reward"
    value[0] = value[0].replace('"grader": ""', f'"grader": "{grader}"')


@flaw("M820", "starter: builds on a model of another customization")
def builds_on_anything(copy: Copy) -> None:
    condition = copy.statement(STARTER, "StartJobs")["Condition"]
    del condition["StringEqualsIfExists"]


@flaw("M828", "money: the template shows a smaller budget than runs have")
def smaller_budget_shown(copy: Copy) -> None:
    copy.properties("pets-search/Throughput")["MaxRunUsd"] = "5.00"


@flaw("M828", "money: an unknown price shown as nothing")
def unknown_as_nothing(copy: Copy) -> None:
    copy.properties("pets-search/Throughput")["HourlyUsd"] = "0.00"


@flaw("M828", "money: no resource says what may be spent")
def nothing_shown(copy: Copy) -> None:
    del copy.stack("pets-search")["Resources"][copy.logical_id("pets-search/Throughput")]


MUTANTS = (
    *(
        Mutant(name=f"workflow: {name}", killer="M807", change=change)
        for name, change in _RUN_FLAWS
    ),
    *(_granted(*((*row, "*")[:5])) for row in _MORE),
    *collected(globals()),
)
