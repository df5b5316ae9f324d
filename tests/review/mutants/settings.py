"""Flaws under other settings: strict roles, a boundary, e-mail, existing subnets, prod."""

from typing import Any

from tests.review.broken import Copy
from tests.review.mutants._mutant import collected, flaw

BEDROCK = "pets-search/BedrockRole"
TOPIC = "pipeline/Messages/Topic"
QUEUE = "pipeline/Messages/DeadLetters"


@flaw("P304", "strict Bedrock role: reads its output, as the documented one does", "strict")
def strict_reads_output(copy: Copy) -> None:
    written = copy.allowing(BEDROCK, "s3:PutObject")
    read = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": written["Resource"]}
    copy.policy(BEDROCK).append(read)


@flaw("P303", "bounded: a role without the boundary", "bounded")
def no_boundary(copy: Copy) -> None:
    del copy.properties("pipeline/WorkflowRole")["PermissionsBoundary"]


@flaw("P303", "bounded: a role whose name has another beginning", "bounded")
def another_name(copy: Copy) -> None:
    copy.properties("pipeline/WorkflowRole")["RoleName"] = "another"


@flaw("P303", "options: a person's role with another's name", "options")
def another_persons_name(copy: Copy) -> None:
    copy.properties("people/ApproverRole")["RoleName"] = "tuning-options-us-east-1-a-reader"


@flaw("P303", "options: a role whose name begins as that of the contract", "options")
def longer_name(copy: Copy) -> None:
    properties = copy.properties("pipeline/WorkflowRole")
    properties["RoleName"] = f"{properties['RoleName']}-2"


@flaw("W505", "bounded: a function that sends no traces", "bounded")
def untraced(copy: Copy) -> None:
    del copy.properties("pipeline/Functions/Merge/Function")["TracingConfig"]


@flaw("W505", "a function that sends traces where the settings do not say so")
def traced(copy: Copy) -> None:
    copy.properties("pipeline/Functions/Merge/Function")["TracingConfig"] = {"Mode": "Active"}


@flaw("F710", "bounded: a workflow that sends no traces", "bounded")
def untraced_workflow(copy: Copy) -> None:
    del copy.properties("pipeline/Workflow")["TracingConfiguration"]


@flaw("P305", "bounded: a role that may not send its traces", "bounded")
def may_not_trace(copy: Copy) -> None:
    role = "pipeline/Functions/Merge/Role"
    copy.policy(role).remove(copy.statement(role, "SendTraces"))


@flaw("P304", "a role that may send traces where the settings do not say so")
def may_trace(copy: Copy) -> None:
    sending = {"Effect": "Allow", "Action": "xray:PutTraceSegments", "Resource": "*"}
    copy.policy("pipeline/Functions/Merge/Role").append(sending)


def _subscribed(copy: Copy, protocol: str, endpoint: Any) -> None:
    copy.add(
        "pipeline",
        "Listener",
        "AWS::SNS::Subscription",
        TopicArn={"Ref": copy.logical_id(TOPIC)},
        Protocol=protocol,
        Endpoint=endpoint,
    )


@flaw("W529", "bounded: alarm_email gets no message", "bounded")
def silenced(copy: Copy) -> None:
    for each in copy.stack("pipeline")["Resources"].values():
        if each["Type"] == "AWS::SNS::Subscription" and each["Properties"]["Protocol"] == "email":
            each["Properties"]["FilterPolicy"] = {"environment": ["nobody"]}


@flaw("A110", "bounded: a subscription to a queue that does not let SNS send", "bounded")
def cannot_deliver(copy: Copy) -> None:
    _subscribed(copy, "sqs", {"Fn::GetAtt": [copy.logical_id(QUEUE), "Arn"]})


@flaw("A110", "topic: sent to somebody's web server")
def told_by_https(copy: Copy) -> None:
    _subscribed(copy, "https", "https://example.com")


@flaw("W505", "subnets: a function in one that the settings do not name", "subnets")
def another_subnet(copy: Copy) -> None:
    config = copy.properties("pipeline/Functions/Merge/Function")["VpcConfig"]
    config["SubnetIds"] = ["subnet-0123456789abcdef0", "subnet-0ffffffffffffffff"]


@flaw("W505", "a function in a network where the settings say nothing of one")
def in_a_network(copy: Copy) -> None:
    config = {"SubnetIds": ["subnet-1"], "SecurityGroupIds": ["sg-1"]}
    copy.properties("pipeline/Functions/Merge/Function")["VpcConfig"] = config


@flaw("S611", "data: no termination protection", "bounded")
def data_unprotected(copy: Copy) -> None:
    copy.protected["tuning-bounded-data"] = False


@flaw("S611", "serving: termination protection, so that it goes on billing", "bounded")
def serving_protected(copy: Copy) -> None:
    copy.protected["tuning-bounded-serving"] = True


@flaw("A113", "manifest: a stack goes to another account")
def deployed_elsewhere(copy: Copy) -> None:
    copy.differing.append(("tuning-dev-data", "it is deployed to 999999999999"))


@flaw("P303", "starter: a path at which no other role names it")
def other_path(copy: Copy) -> None:
    copy.properties("pets-search/Starter")["Path"] = "/"


@flaw("P310", "starter: a role that outgrows IAM")
def too_long(copy: Copy) -> None:
    copy.statement("pets-search/Starter", "StartJobs")["Resource"] += [
        f"arn:aws:bedrock:us-east-1::foundation-model/{number:0100}" for number in range(90)
    ]


MUTANTS = collected(globals())
