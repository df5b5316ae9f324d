"""Flaws of trust policies: who can become a role."""

from tests.review.broken import Copy
from tests.review.mutants._mutant import collected, flaw

BEDROCK = "pets-search/BedrockRole"


@flaw("T201", "Bedrock trust: no source account")
def no_source_account(copy: Copy) -> None:
    del copy.trust(BEDROCK)["Condition"]["StringEquals"]


@flaw("M830", "Bedrock trust: source account of another account")
def foreign_source_account(copy: Copy) -> None:
    copy.trust(BEDROCK)["Condition"]["StringEquals"]["aws:SourceAccount"] = "999999999999"


@flaw("M830", "Bedrock trust: any source ARN")
def any_source_arn(copy: Copy) -> None:
    copy.trust(BEDROCK)["Condition"]["ArnLike"]["aws:SourceArn"] = "arn:aws:bedrock:*:*:*"


@flaw("M830", "Bedrock trust: no source ARN")
def no_source_arn(copy: Copy) -> None:
    del copy.trust(BEDROCK)["Condition"]["ArnLike"]


@flaw("M830", "Bedrock trust: no condition at all")
def no_condition(copy: Copy) -> None:
    del copy.trust(BEDROCK)["Condition"]


@flaw("T201", "Bedrock trust: IfExists")
def if_exists(copy: Copy) -> None:
    conditions = copy.trust(BEDROCK)["Condition"]
    conditions["StringEqualsIfExists"] = conditions.pop("StringEquals")


@flaw("T201", "Bedrock trust: a typo in the condition key")
def typo_in_key(copy: Copy) -> None:
    equals = copy.trust(BEDROCK)["Condition"]["StringEquals"]
    equals["aws:SourceAcount"] = equals.pop("aws:SourceAccount")


@flaw("T201", "Bedrock trust: a pattern for the source account")
def account_pattern(copy: Copy) -> None:
    conditions = copy.trust(BEDROCK)["Condition"]
    conditions["StringLike"] = {"aws:SourceAccount": "*"}
    del conditions["StringEquals"]


@flaw("M830", "Bedrock trust: a second service")
def second_service(copy: Copy) -> None:
    copy.trust(BEDROCK)["Principal"] = {"Service": ["bedrock.amazonaws.com", "ec2.amazonaws.com"]}


@flaw("M830", "Bedrock trust: everybody")
def everybody(copy: Copy) -> None:
    copy.trust(BEDROCK)["Principal"] = "*"


@flaw("T201", "Bedrock trust: own account's root")
def own_root(copy: Copy) -> None:
    statements = copy.properties(BEDROCK)["AssumeRolePolicyDocument"]["Statement"]
    root = {"Fn::Sub": "arn:aws:iam::${AWS::AccountId}:root"}
    statements.append({"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": root}})


@flaw("M830", "Bedrock trust: another account")
def another_account(copy: Copy) -> None:
    statements = copy.properties(BEDROCK)["AssumeRolePolicyDocument"]["Statement"]
    statements.append(
        {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": "999999999999"}}
    )


@flaw("T201", "Bedrock trust: NotPrincipal")
def not_principal(copy: Copy) -> None:
    trust = copy.trust(BEDROCK)
    trust["NotPrincipal"] = {"AWS": "999999999999"}
    del trust["Principal"]


@flaw("T201", "Bedrock trust: every action of STS")
def any_sts_action(copy: Copy) -> None:
    copy.trust(BEDROCK)["Action"] = "sts:*"


@flaw("T201", "Bedrock trust: other jobs of Bedrock")
def other_jobs(copy: Copy) -> None:
    like = copy.trust(BEDROCK)["Condition"]["ArnLike"]
    like["aws:SourceArn"] = {"Fn::Sub": "arn:aws:bedrock:us-east-1:${AWS::AccountId}:*"}


@flaw("T201", "Bedrock trust: another Region")
def another_region(copy: Copy) -> None:
    like = copy.trust(BEDROCK)["Condition"]["ArnLike"]
    text = "arn:aws:bedrock:eu-west-1:${AWS::AccountId}:model-customization-job/*"
    like["aws:SourceArn"] = {"Fn::Sub": text}


@flaw("M830", "Lambda trust: no source account")
def lambda_without_account(copy: Copy) -> None:
    del copy.trust("pipeline/Functions/Serve/Role")["Condition"]


@flaw("M830", "EventBridge trust: no source account")
def rule_without_account(copy: Copy) -> None:
    del copy.trust("pipeline/UploadRuleRole")["Condition"]


@flaw("M830", "Scheduler trust: no source account")
def schedule_without_account(copy: Copy) -> None:
    del copy.trust("pipeline/LeaseScheduleRole")["Condition"]


@flaw("M830", "Step Functions trust: no source account")
def workflow_without_account(copy: Copy) -> None:
    del copy.trust("pipeline/WorkflowRole")["Condition"]


@flaw("M830", "Lambda trust: a role of the app may become another")
def role_chain(copy: Copy) -> None:
    statements = copy.properties("pipeline/Functions/Serve/Role")["AssumeRolePolicyDocument"]
    arn = {"Fn::GetAtt": [copy.logical_id("pipeline/Functions/Admit/Role"), "Arn"]}
    statements["Statement"].append(
        {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": arn}}
    )


@flaw("T201", "Lambda trust: the wrong service")
def wrong_service(copy: Copy) -> None:
    copy.trust("pipeline/Functions/Serve/Role")["Principal"]["Service"] = "states.amazonaws.com"


@flaw("T201", "Lambda trust: refused to its own service")
def denied(copy: Copy) -> None:
    copy.trust("pipeline/Functions/Admit/Role")["Effect"] = "Deny"


MUTANTS = collected(globals())
