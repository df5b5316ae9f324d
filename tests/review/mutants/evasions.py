"""Flaws that look like the contract: values that vanish when they are deployed, exclusions, other
quantifiers, patterns that reach further, texts that are read in two ways.
"""

from collections.abc import Callable
from typing import Any

from bedrock_tuning.review.iam.policy import as_list
from tests.review.broken import Copy, Raw
from tests.review.mutants._mutant import Mutant, collected, flaw
from tests.review.mutants.promises import BEDROCK, SETTINGS, STARTER, WORKFLOW, _arn, function

UPLOADER, APPROVER, READER = "pets-search/Uploader", "people/Approver", "people/Reader"
OPERATOR, DEPLOYER = "people/Operator", "people/Deployer"
TRAINING, OUTPUT = "data/Training", "data/Output"
FOREIGN = "999999999999"
# CloudFormation takes a property away that is this.
NOTHING = {"Ref": "AWS::NoValue"}


def _allowing(copy: Copy, policy: str, action: str) -> Raw:
    """A statement of a policy that allows an action."""
    return next(
        each
        for each in copy.statements_of(policy)
        if each["Effect"] == "Allow" and action in as_list(each["Action"])
    )


def _refusing(copy: Copy, policy: str, sid: str = "") -> Raw:
    """A statement of a policy that refuses, the first or that of a name."""
    return next(
        each
        for each in copy.statements_of(policy)
        if each["Effect"] == "Deny" and sid in ("", each.get("Sid"))
    )


def _quantified(statement: Raw, quantifier: str) -> None:
    """A statement whose conditions are asked of every value, or only of those that are there."""
    statement["Condition"] = {
        quantifier.format(operator): keys for operator, keys in statement["Condition"].items()
    }


Found = Callable[[Copy], Raw]


def _vanishes(killer: str, name: str, found: Found, key: str, environment: str = "dev") -> Mutant:
    def change(copy: Copy) -> None:
        found(copy)[key] = NOTHING

    return Mutant(name=f"vanishes: {name}", killer=killer, change=change, environment=environment)


def _weaker(killer: str, name: str, found: Found, quantifier: str, where: str = "dev") -> Mutant:
    def change(copy: Copy) -> None:
        _quantified(found(copy), quantifier)

    return Mutant(name=name, killer=killer, change=change, environment=where)


def _of(path: str) -> Found:
    return lambda copy: copy.properties(path)


def _trust(path: str) -> Found:
    return lambda copy: copy.trust(path)


def _may(path: str, action: str) -> Found:
    return lambda copy: copy.allowing(path, action)


def _person(policy: str, action: str) -> Found:
    return lambda copy: _allowing(copy, policy, action)


def _endpoint(copy: Copy) -> Raw:
    found: Raw = copy.properties("network/Endpoint-bedrock")["PolicyDocument"]["Statement"][0]
    return found


_END = "bedrock:DeleteProvisionedModelThroughput"
_VANISHING = (
    _vanishes("M830", "Bedrock trust: its conditions", _trust(BEDROCK), "Condition"),
    _vanishes("T201", "Bedrock trust: the account", lambda c: c.trust(BEDROCK)["Condition"],
              "StringEquals"),
    _vanishes("M823", "serve: which endpoints it ends", _may(function("Serve"), _END), "Condition"),
    _vanishes("M823", "serve: the tag of what it ends",
              lambda c: c.allowing(function("Serve"), _END)["Condition"], "StringEquals"),
    _vanishes("M846", "approver: the address", _person(APPROVER, "lambda:InvokeFunction"),
              "Condition"),
    _vanishes("P305", "merge: all that it may do", _of(function("Merge")), "Policies"),
    _vanishes("R406", "training bucket: its policy", _of(f"{TRAINING}/Policy"), "PolicyDocument"),
    _vanishes("S608", "training bucket: no public access", _of(TRAINING),
              "PublicAccessBlockConfiguration"),
    _vanishes("S608", "training bucket: one part of that",
              lambda c: c.properties(TRAINING)["PublicAccessBlockConfiguration"],
              "RestrictPublicBuckets"),
    _vanishes("S607", "data key: its rotation", _of("data/DataKey"), "EnableKeyRotation"),
    _vanishes("W506", "serve: its layer", _of("pipeline/Functions/Serve/Function"), "Layers"),
    _vanishes("W508", "approve: signed requests", _of("pipeline/Functions/Approve/Url"),
              "AuthType"),
    _vanishes("W525", "lease schedule: when", _of("pipeline/KeepLeases"), "ScheduleExpression"),
    _vanishes("W518", "alarm: its period", _of("pipeline/WorkflowFailed"), "Period"),
    _vanishes("P303", "bounded: the boundary", _of(function("Serve")), "PermissionsBoundary",
              "bounded"),
    _vanishes("N902", "network: whose requests get through", _endpoint, "Condition", "options"),
    _vanishes("N902", "network: the policy", _of("network/Endpoint-bedrock"), "PolicyDocument",
              "options"),
    _vanishes("M806", "budget: who is told", _of("pets-search/Budget"),
              "NotificationsWithSubscribers", "yours"),
)  # fmt: skip
_WEAKER = (
    _weaker("M846", "approver: whatever an address asks for, if it asks",
            _person(APPROVER, "lambda:InvokeFunctionUrl"), "{}IfExists"),
    _weaker("M846", "approver: every kind of address, also none",
            _person(APPROVER, "lambda:InvokeFunctionUrl"), "ForAllValues:{}"),
    _weaker("M822", "serve: buys with its tag, or without any",
            _may(function("Serve"), "bedrock:CreateProvisionedModelThroughput"),
            "ForAllValues:{}"),
    _weaker("T201", "Lambda trust: every account that is named, also none",
            _trust(function("Admit")), "ForAllValues:{}"),
    _weaker("M830", "starter trust: the workflow, or somebody without a name", _trust(STARTER),
            "{}IfExists"),
    _weaker("N902", "network: this account, or nobody's", _endpoint, "{}IfExists", "options"),
    _weaker("R406", "output: decisions are refused to some values of one name only",
            lambda c: _refusing(c, f"{OUTPUT}/Policy", "DecisionsByTheirFunctionOnly"),
            "ForAnyValue:{}"),
)  # fmt: skip


@flaw("P304", "uploader: all but IAM")
def all_but_iam(copy: Copy) -> None:
    statement = {"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}
    copy.statements_of(UPLOADER).append(statement)


@flaw("P304", "uploader: uploads everywhere but to its folder")
def all_but_own_folder(copy: Copy) -> None:
    statement = _allowing(copy, UPLOADER, "s3:PutObject")
    statement["NotResource"] = statement.pop("Resource")


@flaw("M842", "uploader: folders of similar names")
def similar_folders(copy: Copy) -> None:
    statement = _allowing(copy, UPLOADER, "s3:PutObject")
    statement["Resource"] = _arn(copy, TRAINING, "/pets-*/*")


@flaw("M842", "uploader: another team's folder, in other letters")
def other_letters(copy: Copy) -> None:
    target = _arn(copy, TRAINING, "/pets-style/*")
    statement = {"Effect": "Allow", "Action": "S3:pUtObJeCt", "Resource": target}
    copy.statements_of(UPLOADER).append(statement)


@flaw("M842", "uploader: an action with a gap")
def action_with_gap(copy: Copy) -> None:
    target = _arn(copy, TRAINING, "/pets-style/*")
    statement = {"Effect": "Allow", "Action": "s3:P?tObject", "Resource": target}
    copy.statements_of(UPLOADER).append(statement)


@flaw("M842", "uploader: the folder that a tag of the caller names")
def folder_by_tag(copy: Copy) -> None:
    target = _arn(copy, TRAINING, "/${aws:PrincipalTag/team}/*")
    _allowing(copy, UPLOADER, "s3:PutObject")["Resource"] = target


@flaw("P309", "uploader: may not approve until a day that is over")
def refused_until(copy: Copy) -> None:
    date = {"DateLessThan": {"aws:CurrentTime": "2026-01-01T00:00:00Z"}}
    _refusing(copy, UPLOADER)["Condition"] = date


@flaw("M841", "uploader: may not approve at one of two addresses")
def refused_one_way(copy: Copy) -> None:
    _refusing(copy, UPLOADER)["Action"] = "lambda:InvokeFunctionUrl"


@flaw("M841", "uploader: may not call anything but Approve")
def refused_elsewhere(copy: Copy) -> None:
    refusal = _refusing(copy, UPLOADER)
    refusal["NotResource"] = refusal.pop("Resource")


@flaw("M846", "approver: an address without signatures, too")
def unsigned_too(copy: Copy) -> None:
    keys = _allowing(copy, APPROVER, "lambda:InvokeFunctionUrl")["Condition"]["StringEquals"]
    keys["lambda:FunctionUrlAuthType"] = ["AWS_IAM", "NONE"]


@flaw("M846", "approver: by anything but an address")
def by_no_address(copy: Copy) -> None:
    statement = _allowing(copy, APPROVER, "lambda:InvokeFunction")
    statement["Condition"] = {"Null": {"lambda:InvokedViaFunctionUrl": "true"}}


@flaw("M824", "operator: any tag, if one of them is the end of a lease")
def any_tag_beside(copy: Copy) -> None:
    conditions = _allowing(copy, OPERATOR, "bedrock:TagResource")["Condition"]
    conditions["ForAnyValue:StringEquals"] = conditions.pop("ForAllValues:StringEquals")


@flaw("M823", "uploader: the model of any customization that has a name")
def any_customization(copy: Copy) -> None:
    statement = next(
        each
        for each in copy.statements_of(UPLOADER)
        if each["Action"] == "bedrock:InvokeModel" and "Condition" in each
    )
    tag = "aws:ResourceTag/bedrock-tuning:customization"
    statement["Condition"] = {"StringLike": {tag: "*"}}


@flaw("M847", "reader: every item, if it has a key")
def any_item(copy: Copy) -> None:
    statement = _allowing(copy, READER, "dynamodb:GetItem")
    statement["Condition"] = {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": "*"}}


@flaw("M847", "reader: every item but those with tokens, or one beside them")
def one_item_beside(copy: Copy) -> None:
    statement = _allowing(copy, READER, "dynamodb:GetItem")
    others = {"ForAnyValue:StringNotLike": {"dynamodb:LeadingKeys": "approval#*"}}
    statement["Condition"] = others


@flaw("M832", "deployer: the bootstrap's roles of every account")
def any_bootstrap(copy: Copy) -> None:
    statement = _allowing(copy, DEPLOYER, "sts:AssumeRole")
    statement["Resource"] = "arn:aws:iam::*:role/cdk-*"


@flaw("M821", "deployer: passes roles to CloudFormation")
def passes_to_cloudformation(copy: Copy) -> None:
    to = {"StringEquals": {"iam:PassedToService": "cloudformation.amazonaws.com"}}
    statement = {"Effect": "Allow", "Action": "iam:PassRole", "Resource": "*", "Condition": to}
    copy.statements_of(DEPLOYER).append(statement)


@flaw("A112", "people: who attaches the reader's policy attaches the deployer's")
def another_policy(copy: Copy) -> None:
    outputs = copy.stack("people")["Outputs"]
    outputs["ReaderPolicy"]["Value"] = outputs["DeployerPolicy"]["Value"]


@flaw("A112", "uploader: who attaches the policy attaches an administrator's")
def administrators_policy(copy: Copy) -> None:
    outputs = copy.stack("pets-search")["Outputs"]
    outputs["UploaderPolicy"]["Value"] = "arn:aws:iam::aws:policy/AdministratorAccess"


@flaw("P304", "people: two policies have changed places")
def changed_places(copy: Copy) -> None:
    one, other = copy.resource(READER), copy.resource(OPERATOR)
    one["Metadata"], other["Metadata"] = other["Metadata"], one["Metadata"]


@flaw("M830", "approver's role: whoever's name ends so, of any account", "options")
def name_that_ends_so(copy: Copy) -> None:
    trust = copy.trust("people/ApproverRole")
    trust["Condition"] = {"StringLike": {"aws:PrincipalArn": "*Finance-*"}}


@flaw("P304", "approver's role: has the operator's policy, too", "options")
def two_parts(copy: Copy) -> None:
    policy = {"Ref": copy.logical_id(OPERATOR)}
    copy.properties("people/ApproverRole")["ManagedPolicyArns"] = [policy]


@flaw("T201", "Bedrock trust: this account and another one")
def two_accounts(copy: Copy) -> None:
    here = {"Ref": "AWS::AccountId"}
    copy.trust(BEDROCK)["Condition"]["StringEquals"]["aws:SourceAccount"] = [here, FOREIGN]


@flaw("T201", "Bedrock trust: sessions with tags")
def sessions_with_tags(copy: Copy) -> None:
    copy.trust(BEDROCK)["Action"] = ["sts:AssumeRole", "sts:TagSession"]


@flaw("M830", "Bedrock trust: a second statement, for another account's role")
def second_statement(copy: Copy) -> None:
    principal = {"AWS": f"arn:aws:iam::{FOREIGN}:role/x"}
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    copy.properties(BEDROCK)["AssumeRolePolicyDocument"]["Statement"].append(statement)


@flaw("M830", "Lambda trust: an identity provider")
def federated(copy: Copy) -> None:
    provider = "oidc-provider/token.actions.githubusercontent.com"
    principal = copy.trust(function("Serve"))["Principal"]
    principal["Federated"] = {"Fn::Sub": f"arn:aws:iam::${{AWS::AccountId}}:{provider}"}


@flaw("M830", "starter trust: any external ID")
def any_external_id(copy: Copy) -> None:
    conditions = copy.trust(STARTER)["Condition"]
    conditions["StringLike"] = {"sts:ExternalId": "*"}
    del conditions["StringEquals"]


@flaw("M809", "serve: pointers by a pattern that settings fit, too")
def pattern_of_settings(copy: Copy) -> None:
    target = "arn:aws:ssm:us-east-1:${AWS::AccountId}:parameter/bedrock-tuning*/dev/*"
    copy.allowing(function("Serve"), "ssm:PutParameter")["Resource"] = {"Fn::Sub": target}


@flaw("P304", "workflow: writes intents of serving")
def writes_intents(copy: Copy) -> None:
    (keys,) = copy.statement(WORKFLOW, "UseRuns")["Condition"].values()
    keys["dynamodb:LeadingKeys"] = ["run#*", "approval#*", "intent#*"]


def _lets_in(name: str, principal: Any, **condition: Any) -> Mutant:
    def change(copy: Copy) -> None:
        copy.statements_of(f"{TRAINING}/Policy").append(
            {
                "Effect": "Allow",
                "Principal": principal,
                "Action": "s3:GetObject",
                "Resource": _arn(copy, TRAINING, "/*"),
                **({"Condition": condition} if condition else {}),
            }
        )

    return Mutant(name=f"training bucket: read by {name}", killer="M831", change=change)


_LET_IN = (
    _lets_in("everybody with a name", "*", StringLike={"aws:PrincipalArn": "*"}),
    _lets_in("everybody with TLS", {"AWS": "*"}, Bool={"aws:SecureTransport": "true"}),
    _lets_in("an organization", "*", StringEquals={"aws:PrincipalOrgID": "o-1234567890"}),
    _lets_in("a canonical user", {"CanonicalUser": "79a59d"}),
    _lets_in("a content network", {"Service": "cloudfront.amazonaws.com"}),
)


@flaw("R406", "training bucket: TLS is asked of reads only")
def reads_only(copy: Copy) -> None:
    copy.statements_of(f"{TRAINING}/Policy")[0]["Action"] = "s3:Get*"


@flaw("R406", "training bucket: one person needs no TLS")
def one_person(copy: Copy) -> None:
    condition = copy.statements_of(f"{TRAINING}/Policy")[0]["Condition"]
    condition["StringNotEquals"] = {"aws:username": "bob"}


@flaw("R406", "output: decisions by whoever has a role of the environment")
def decisions_by_any(copy: Copy) -> None:
    refusal = _refusing(copy, f"{OUTPUT}/Policy", "DecisionsByTheirFunctionOnly")
    role = {"Fn::Sub": "arn:aws:iam::${AWS::AccountId}:role/tuning/dev/*"}
    refusal["Condition"]["ArnNotLike"]["aws:PrincipalArn"] = role


@flaw("R406", "output: decisions are written over, and first ones refused")
def inverted_null(copy: Copy) -> None:
    refusal = _refusing(copy, f"{OUTPUT}/Policy", "NoDecisionIsWrittenOver")
    refusal["Condition"] = {"Null": {"s3:if-none-match": "false"}}


@flaw("M831", "data key: whoever decrypts through S3")
def through_s3(copy: Copy) -> None:
    through = {"StringEquals": {"kms:ViaService": "s3.us-east-1.amazonaws.com"}}
    copy.statements_of("data/DataKey").append(
        {
            "Effect": "Allow",
            "Principal": {"AWS": "*"},
            "Action": "kms:Decrypt",
            "Resource": "*",
            "Condition": through,
        }
    )


@flaw("R405", "data key: administered with a second factor only")
def second_factor(copy: Copy) -> None:
    second = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
    copy.statements_of("data/DataKey")[0]["Condition"] = second


@flaw("M831", "topic: whoever has an address at a company subscribes")
def subscribers(copy: Copy) -> None:
    topic = "pipeline/Messages/Topic"
    copy.statements_of(f"{topic}/Policy").append(
        {
            "Effect": "Allow",
            "Principal": "*",
            "Action": "SNS:Subscribe",
            "Resource": _arn(copy, topic),
            "Condition": {"StringLike": {"SNS:Endpoint": "*@example.com"}},
        }
    )


def _called_by_others(name: str, killer: str, **properties: str) -> Mutant:
    def change(copy: Copy) -> None:
        target = {"Fn::GetAtt": [copy.logical_id("pipeline/Functions/Approve/Function"), "Arn"]}
        action = "lambda:InvokeFunctionUrl" if "FunctionUrlAuthType" in properties else ""
        copy.add(
            "pipeline",
            "Extra",
            "AWS::Lambda::Permission",
            FunctionName=target,
            Principal="*",
            Action=action or "lambda:InvokeFunction",
            **properties,
        )

    return Mutant(name=f"approve: called by {name}", killer=killer, change=change)


def _variable(name: str) -> Mutant:
    def change(copy: Copy) -> None:
        holder = copy.properties("pipeline/Functions/Serve/Function")["Environment"]
        holder["Variables"][name] = "/tmp/x"  # noqa: S108 - what an attacker would write

    return Mutant(name=f"function: {name} in its environment", killer="W505", change=change)


_CODE = (
    _called_by_others("anybody, without a signature", "M831", FunctionUrlAuthType="NONE"),
    _called_by_others("an organization", "M831", PrincipalOrgID="o-1234567890"),
    _variable("PYTHONPATH"),
    _variable("AWS_LAMBDA_EXEC_WRAPPER"),
)


@flaw("W506", "function: a second layer from elsewhere")
def second_layer(copy: Copy) -> None:
    layers = copy.properties("pipeline/Functions/Serve/Function")["Layers"]
    layers.append(f"arn:aws:lambda:us-east-1:{FOREIGN}:layer:x:1")


@flaw("R404", "reconciler: any rule of the account calls it")
def any_rule(copy: Copy) -> None:
    for _, _, resource in copy.all():
        if resource["Type"] == "AWS::Lambda::Permission":
            rules = "arn:aws:events:us-east-1:${AWS::AccountId}:rule/*"
            resource["Properties"]["SourceArn"] = {"Fn::Sub": rules}


@flaw("M805", "settings: a budget that a second one hides")
def said_twice(copy: Copy) -> None:
    value = copy.properties(SETTINGS)["Value"]["Fn::Sub"]
    value[0] = '{"budget": {"approval": "never"}, ' + value[0].removeprefix("{")


@flaw("M805", "settings: an approval that a second one hides")
def inner_said_twice(copy: Copy) -> None:
    value = copy.properties(SETTINGS)["Value"]["Fn::Sub"]
    twice = value[0].replace('"budget": {', '"budget": {"approval": "never", ', 1)
    assert twice != value[0]
    value[0] = twice


@flaw("W521", "upload rule: folders in folders, too")
def folders_in_folders(copy: Copy) -> None:
    pattern = copy.properties("pipeline/ManifestUploaded")["EventPattern"]["detail"]["object"]
    pattern["key"] = [{"wildcard": "*manifest.jsonl"}]


@flaw("W521", "upload rule: every bucket but one")
def every_bucket_but_one(copy: Copy) -> None:
    pattern = copy.properties("pipeline/ManifestUploaded")["EventPattern"]["detail"]["bucket"]
    pattern["name"] = [{"anything-but": "x"}]


@flaw("W525", "lease schedule: some time of the day")
def flexible(copy: Copy) -> None:
    window = {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 1_440}
    copy.properties("pipeline/KeepLeases")["FlexibleTimeWindow"] = window


@flaw("M806", "budget: of a year", "yours")
def of_a_year(copy: Copy) -> None:
    copy.properties("pets-search/Budget")["Budget"]["TimeUnit"] = "ANNUALLY"


@flaw("M806", "budget: rises by itself", "yours")
def rises(copy: Copy) -> None:
    adjusted = {"AutoAdjustType": "HISTORICAL"}
    copy.properties("pets-search/Budget")["Budget"]["AutoAdjustData"] = adjusted


@flaw("N906", "network: functions send to every address of IPv6", "options")
def ipv6(copy: Copy) -> None:
    rules = copy.properties("network/FunctionsGroup")["SecurityGroupEgress"]
    rules.append({"IpProtocol": "-1", "CidrIpv6": "::/0"})


@flaw("N906", "network: a list of addresses that somebody else keeps", "options")
def prefix_list(copy: Copy) -> None:
    rules = copy.properties("network/EndpointsGroup")["SecurityGroupIngress"]
    rules.append(
        {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "SourcePrefixListId": "pl-1"}
    )


def _flow(killer: str, name: str, change: Callable[[Raw], None]) -> Mutant:
    return Mutant(
        name=f"workflow: {name}",
        killer=killer,
        change=lambda copy: copy.definition(lambda definition: change(definition["States"])),
    )


def _again(error: str) -> Callable[[Raw], None]:
    retry = {
        "ErrorEquals": [error],
        "IntervalSeconds": 5,
        "MaxAttempts": 3,
        "BackoffRate": 2,
        "MaxDelaySeconds": 60,
        "JitterStrategy": "FULL",
    }
    return lambda states: states["Train"]["Retry"].append(retry)


def _caught(state: str, head: str) -> Callable[[Raw], None]:
    way = {"ErrorEquals": ["ValueError"], "ResultPath": "$.error", "Next": head}
    return lambda states: states[state]["Catch"].insert(0, way)


def _valid_if(**rule: Any) -> Callable[[Raw], None]:
    def change(states: Raw) -> None:
        choice = states["Valid?"]["Choices"][0]
        states["Valid?"]["Choices"] = [{**rule, "Next": choice["Next"]}]

    return change


def _by_key(states: Raw) -> None:
    rule = {"Variable": "$.detail.object.key", "StringMatches": "*vip*", "Next": "Take a turn"}
    states["Price known and allowed?"]["Choices"].insert(0, rule)


_FLOWS = (
    _flow("M801", "a job that failed is paid for again", _again("States.TaskFailed")),
    _flow("M801", "a job that ran out of time is paid for again", _again("States.Timeout")),
    _flow("M801", "one error of the merge leads to the price",
          _caught("Merge report", "Prepare job")),
    _flow("M801", "one error of the images leads to the job",
          _caught("Verify images", "With configuration?")),
    _flow("M802", "one error of serving publishes", _caught("Serve", "Publish endpoint")),
    _flow("M801", "a price that nobody knows is allowed",
          lambda s: s["Price known and allowed?"].update(Default="Take a turn")),
    _flow("M801", "a question that could not be sent is an approval",
          lambda s: s["Ask for approval"]["Catch"][0].update(Next="Take a turn")),
    _flow("M801", "some uploads need no approval", _by_key),
    _flow("M801", "valid, or merely there", _valid_if(Or=[
        {"Variable": "$.report.valid", "BooleanEquals": True},
        {"Variable": "$.report", "IsPresent": True}])),
    _flow("M801", "valid as itself",
          _valid_if(Variable="$.report.valid", BooleanEqualsPath="$.report.valid")),
    _flow("M801", "valid if it is either", _valid_if(Variable="$.report.valid", IsBoolean=True)),
    _flow("F700", "unchecked data trains", lambda s: s["Train"]["Parameters"].update(
        {"TrainingDataConfig.$": "$.detail.object.key"})),
    _flow("F700", "a hundred epochs", lambda s: s["Train"]["Parameters"].update(
        HyperParameters={"epochCount": "100"})),
    _flow("F700", "all shards may fail",
          lambda s: s["Check images"].update(ToleratedFailurePercentage=100)),
    _flow("F700", "a state in another language",
          lambda s: s["Valid?"].update(QueryLanguage="JSONata")),
    _flow("F700", "a token for a queue", lambda s: s["Await approval"].update(
        Resource="arn:aws:states:::sqs:sendMessage.waitForTaskToken")),
)  # fmt: skip

MUTANTS = (*_VANISHING, *_WEAKER, *_LET_IN, *_CODE, *_FLOWS, *collected(globals()))
