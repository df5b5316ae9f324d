"""Flaws of what a deployment may take from open runs."""

from typing import Any

from tests.review.broken import Copy
from tests.review.mutants._mutant import collected, flaw
from tests.review.mutants.promises import WORKFLOW, function

GUARD, USED = "pipeline/RunGuard", "pipeline/UsedByRuns"


def _forgotten(copy: Copy, path: str) -> None:
    """What depended on the guard does not any more."""
    copy.resource(path).pop("DependsOn")


def _renamed(copy: Copy, to: str) -> None:
    """The guard with another logical id, everywhere."""
    old = copy.logical_id(GUARD)
    resources = copy.stack("pipeline")["Resources"]
    resources[to] = resources.pop(old)
    for each in resources.values():
        if each.get("DependsOn") == [old]:
            each["DependsOn"] = [to]


@flaw("M818", "guard of runs: there is none")
def no_guard(copy: Copy) -> None:
    resources: dict[str, Any] = copy.stack("pipeline")["Resources"]
    guard = copy.logical_id(GUARD)
    del resources[guard]
    for each in resources.values():
        if each.get("DependsOn") == [guard]:
            del each["DependsOn"]


@flaw("M818", "guard of runs: another function answers for it")
def answers_for_it(copy: Copy) -> None:
    arn = {"Fn::GetAtt": [copy.logical_id("pipeline/Functions/Admit/Function"), "Arn"]}
    copy.properties(GUARD)["ServiceToken"] = arn


@flaw("M818", "guard of runs: the workflow's role may change before")
def workflow_before(copy: Copy) -> None:
    _forgotten(copy, WORKFLOW)


@flaw("M818", "guard of runs: the role of a function may change before")
def function_before(copy: Copy) -> None:
    _forgotten(copy, function("StartJob"))


@flaw("M818", "guard of runs: the same one whatever runs use, so that it is asked in a rollback")
def asked_in_a_rollback(copy: Copy) -> None:
    _renamed(copy, "RunGuard")


@flaw("M818", "guard of runs: it forgets the starters")
def forgets_starters(copy: Copy) -> None:
    for path, name in ((GUARD, "Uses"), (USED, "Value")):
        properties = copy.properties(path)
        properties[name] = properties[name].replace("role/tuning/dev/start/*, ", "")


@flaw("M804", "guard of runs: it forgets a bucket")
def forgets_a_bucket(copy: Copy) -> None:
    uses = copy.properties(GUARD)["Uses"]
    copy.properties(GUARD)["Uses"] = uses.replace(", training", "")


@flaw("M818", "guard of runs: what is kept is not what it says")
def keeps_something_else(copy: Copy) -> None:
    copy.properties(USED)["Value"] = "output"


@flaw("M818", "guard of runs: what is kept is a list")
def keeps_a_list(copy: Copy) -> None:
    copy.properties(USED)["Type"] = "StringList"


@flaw("M818", "guard of runs: it reads what this deployment has written")
def reads_too_late(copy: Copy) -> None:
    _forgotten(copy, USED)


@flaw("M818", "guard of runs: it reads another parameter")
def reads_another(copy: Copy) -> None:
    variables = copy.properties("pipeline/Functions/GuardRuns/Function")["Environment"]
    variables["Variables"]["USED_PARAMETER"] = "/bedrock-tuning-used-by-runs/prod"


@flaw("M809", "serve: writes what runs use")
def writes_uses(copy: Copy) -> None:
    target = "arn:aws:ssm:us-east-1:${AWS::AccountId}:parameter/bedrock-tuning-used-by-runs/dev"
    copy.allowing(function("Serve"), "ssm:PutParameter")["Resource"] = {"Fn::Sub": target}


MUTANTS = collected(globals())
