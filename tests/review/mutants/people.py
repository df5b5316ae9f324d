"""Flaws of the policies of people, and of what keeps their parts apart."""

from collections.abc import Callable
from typing import Any

from tests.review.broken import Copy, Raw
from tests.review.mutants._mutant import Mutant, collected, flaw
from tests.review.mutants.promises import _arn

UPLOADER = "pets-search/Uploader"
APPROVER, READER = "people/Approver", "people/Reader"
OPERATOR, DEPLOYER = "people/Operator", "people/Deployer"


def _more(killer: str, name: str, policy: str, action: str, on: str = "*", **more: Any) -> Mutant:
    """A policy with one statement more. on: everything, an ARN, or a path and what follows it."""

    def change(copy: Copy) -> None:
        path, _, tail = on.partition("|")
        target = on if on.startswith(("*", "arn:")) else _arn(copy, path, tail)
        statement = {"Effect": "Allow", "Action": action, "Resource": target, **more}
        copy.statements_of(policy).append(statement)

    return Mutant(name=name, killer=killer, change=change)


def _without(killer: str, name: str, policy: str, fits: Callable[[Raw], bool]) -> Mutant:
    """A policy without the statements that fit."""

    def change(copy: Copy) -> None:
        statements = copy.statements_of(policy)
        kept = [each for each in statements if not fits(each)]
        assert kept != statements
        statements[:] = kept

    return Mutant(name=name, killer=killer, change=change)


def _denies(statement: Raw) -> bool:
    return bool(statement["Effect"] == "Deny")


_ALL = (
    _more("P304", "reader: follows executions of others", READER, "states:DescribeExecution"),
    _without("P305", "reader: does not find customizations", READER,
             lambda s: s["Action"] == "ssm:GetParametersByPath"),
    _without("P309", "uploader: may approve if another policy says so", UPLOADER, _denies),
    _without("P309", "approver: may upload if another policy says so", APPROVER, _denies),
    _without("M841", "uploader with an approver's policy: approves", UPLOADER, _denies),
    _without("M841", "approver with an uploader's policy: uploads", APPROVER, _denies),
    _more("M840", "approver: uploads datasets", APPROVER, "s3:PutObject",
          "data/Training|/pets-search/*"),
    _more("M840", "uploader: approves", UPLOADER, "lambda:InvokeFunctionUrl",
          "pipeline/Functions/Approve/Function"),
    _more("M840", "uploader: answers with a token", UPLOADER, "states:SendTaskSuccess"),
    _more("M842", "uploader: uploads for another team", UPLOADER, "s3:PutObject",
          "data/Validation|/pets-style/*"),
    _more("M842", "operator: deletes datasets", OPERATOR, "s3:DeleteObject",
          "data/Training|/pets-search/*"),
    _more("M843", "uploader: reads another team's pictures", UPLOADER, "s3:GetObject",
          "data/Training|/pets-style/*"),
    _more("M843", "uploader: lists every dataset", UPLOADER, "s3:ListBucket", "data/Training"),
    _more("M844", "operator: answers with a token", OPERATOR, "states:SendTaskSuccess"),
    _more("M844", "approver: answers with a token", APPROVER, "states:SendTask*"),
    _more("M846", "operator: approves", OPERATOR, "lambda:InvokeFunctionUrl",
          "pipeline/Functions/Approve/Function"),
    _more("M846", "approver: says itself who it is", APPROVER, "lambda:InvokeFunction",
          "pipeline/Functions/Approve/Function"),
    _more("M847", "reader: reads tokens", READER, "dynamodb:GetItem", "pipeline/Runs"),
    _more("M847", "auditor: reads every item", "people/Auditor", "dynamodb:Scan", "pipeline/Runs"),
    _more("M850", "operator: reads the history of runs", OPERATOR, "states:GetExecutionHistory",
          "arn:aws:states:us-east-1:111122223333:execution:tuning-dev-workflow:*"),
    _more("M850", "auditor: reads whatever Step Functions keeps", "people/Auditor", "states:Get*"),
    _more("M850", "uploader: reads the history of one run", UPLOADER,
          "states:GetExecutionHistory",
          "arn:aws:states:us-east-1:111122223333:execution:tuning-dev-workflow:a-run"),
    _more("M850", "deployer: has the workflow log its data", DEPLOYER,
          "states:UpdateStateMachine", "pipeline/Workflow"),
    _more("M848", "auditor: rewrites the trail", "people/Auditor", "s3:PutObject",
          "data/Output|/approvals/*"),
    _without("M849", "approver: cannot approve", APPROVER,
             lambda s: s["Action"] == "lambda:InvokeFunctionUrl"),
    _more("M845", "reader: writes runs", READER, "dynamodb:PutItem", "pipeline/Runs"),
    _more("M845", "reader: starts runs", READER, "states:StartExecution", "pipeline/Workflow"),
    _more("M832", "operator: deletes stacks", OPERATOR, "cloudformation:DeleteStack"),
    _more("M832", "deployer: becomes whom it likes", DEPLOYER, "sts:AssumeRole"),
    _more("M832", "deployer: deletes the stacks of others", DEPLOYER,
          "cloudformation:DeleteStack"),
    _more("M823", "uploader: calls the model of another team", UPLOADER, "bedrock:InvokeModel",
          "arn:aws:bedrock:us-east-1:111122223333:provisioned-model/*"),
    _more("M824", "operator: tags endpoints as another environment's", OPERATOR,
          "bedrock:TagResource", "arn:aws:bedrock:us-east-1:111122223333:provisioned-model/*"),
    _more("M812", "operator: deletes models", OPERATOR,
          "bedrock:DeleteCustomModel", "arn:aws:bedrock:us-east-1:111122223333:custom-model/*"),
    _more("M827", "operator: stops the jobs of other environments", OPERATOR,
          "bedrock:StopModelCustomizationJob",
          "arn:aws:bedrock:us-east-1:111122223333:model-customization-job/*"),
)  # fmt: skip


@flaw("P302", "approver: the policy is attached to a role")
def attached(copy: Copy) -> None:
    copy.properties(APPROVER)["Roles"] = ["Somebody"]


@flaw("P302", "a policy of people that no contract has")
def one_more(copy: Copy) -> None:
    stack = copy.stack("people")["Resources"]
    reader = copy.resource(READER)
    path = reader["Metadata"]["aws:cdk:path"].replace("Reader", "Other")
    stack["Other"] = {**reader, "Metadata": {"aws:cdk:path": path}}


@flaw("P303", "approver: a path at which nobody looks for it")
def elsewhere(copy: Copy) -> None:
    copy.properties(APPROVER)["Path"] = "/"


@flaw("P310", "reader: a policy that outgrows IAM")
def outgrown(copy: Copy) -> None:
    statement = copy.statements_of(READER)[0]
    statement["Resource"] = [statement["Resource"], "arn:aws:s3:::x" + "x" * 6_144]


@flaw("W508", "approve: an address that takes unsigned requests")
def unsigned(copy: Copy) -> None:
    copy.properties("pipeline/Functions/Approve/Url")["AuthType"] = "NONE"


@flaw("A110", "close run: an address of its own, which nobody asked for")
def another_address(copy: Copy) -> None:
    url = copy.resource("pipeline/Functions/Approve/Url")
    function = {"Fn::GetAtt": [copy.logical_id("pipeline/Functions/CloseRun/Function"), "Arn"]}
    path = url["Metadata"]["aws:cdk:path"].replace("Approve", "CloseRun")
    copy.stack("pipeline")["Resources"]["Other"] = {
        **url,
        "Properties": {**url["Properties"], "TargetFunctionArn": function},
        "Metadata": {"aws:cdk:path": path},
    }


@flaw("A112", "a customization that no command finds")
def found_by_nobody(copy: Copy) -> None:
    del copy.stack("pets-style")["Outputs"]["Serving"]


@flaw("A112", "approve: commands send answers elsewhere")
def sent_elsewhere(copy: Copy) -> None:
    copy.stack("pipeline")["Outputs"]["ApprovalUrl"]["Value"] = "https://example.com/"


@flaw("M847", "workflow: reads every item")
def workflow_reads(copy: Copy) -> None:
    copy.statement("pipeline/WorkflowRole", "UseRuns").pop("Condition")


@flaw("M847", "close run: may reach the tokens")
def closer_reads(copy: Copy) -> None:
    copy.statement("pipeline/Functions/CloseRun/Role", "UseRuns").pop("Condition")


@flaw("M830", "approver's role: whoever the account has may become it", "options")
def open_trust(copy: Copy) -> None:
    copy.trust("people/ApproverRole").pop("Condition")


@flaw("M830", "approver's role: every role may become it", "options")
def any_role(copy: Copy) -> None:
    condition = {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::111122223333:role/*"}}
    copy.trust("people/ApproverRole")["Condition"] = condition


@flaw("M840", "approver's role: uploads datasets", "options")
def role_uploads(copy: Copy) -> None:
    copy.policy("people/ApproverRole").append(
        {"Effect": "Allow", "Action": "s3:PutObject", "Resource": "*"}
    )


def _refused_no_more(killer: str, name: str, sid: str, path: str = "data/Output") -> Mutant:
    def change(copy: Copy) -> None:
        statements = copy.statements_of(f"{path}/Policy")
        kept = [each for each in statements if each.get("Sid") != sid]
        assert kept != statements
        statements[:] = kept

    return Mutant(name=name, killer=killer, change=change)


_TRAIL = (
    _refused_no_more("M851", "output: decisions can be removed", "NoDecisionIsRemoved"),
    _refused_no_more("M851", "output: decisions can be written over", "NoDecisionIsWrittenOver"),
    _refused_no_more("M851", "output: others write decisions", "DecisionsByTheirFunctionOnly"),
    _refused_no_more(
        "M851", "output: others write reports", "ReportsAndResultsByTheirCheckersOnly"
    ),
    _refused_no_more(
        "M851",
        "validation: others write checked manifests",
        "CheckedManifestsByTheirCheckerOnly",
        "data/Validation",
    ),
)
_TLS = (
    *(
        _refused_no_more("M852", f"{path}: without TLS", "NothingWithoutTLS", path)
        for path in ("data/AccessLogs", "pipeline/Messages/Topic", "pipeline/Messages/DeadLetters")
    ),
    _refused_no_more("M852", "output: with an old TLS", "NothingWithTLSOlderThan12"),
)
MUTANTS = (*_ALL, *_TRAIL, *_TLS, *collected(globals()))
