"""Flaws of a chat: who could act from its channel, and what else would be shown there."""

from typing import Final

from tests.review.broken import Copy, Raw
from tests.review.mutants._mutant import collected, flaw

CHANNEL: Final = "pipeline/Chat/Channel"
MESSAGES: Final = "pipeline/Chat/Messages"
TOPIC: Final = "pipeline/Chat/Topic"


def _publishing(copy: Copy) -> Raw:
    statements = copy.statements_of(f"{TOPIC}/Policy")
    return next(each for each in statements if each["Effect"] == "Allow")


@flaw("W530", "chat: the guardrail that AWS sets, which is none")
def no_guardrail(copy: Copy) -> None:
    del copy.properties(CHANNEL)["GuardrailPolicies"]


@flaw("W530", "chat: people may read from the channel")
def other_guardrail(copy: Copy) -> None:
    copy.properties(CHANNEL)["GuardrailPolicies"] = [
        {"Fn::Sub": "arn:${AWS::Partition}:iam::aws:policy/ReadOnlyAccess"}
    ]


@flaw("W530", "chat: acts as a function's role")
def acts_as_function(copy: Copy) -> None:
    arn = {"Fn::GetAtt": [copy.logical_id("pipeline/Functions/Serve/Role"), "Arn"]}
    copy.properties(CHANNEL)["IamRoleArn"] = arn


@flaw("W530", "chat: another channel")
def other_channel(copy: Copy) -> None:
    copy.properties(CHANNEL)["SlackChannelId"] = "C9999999999"


@flaw("W530", "chat: another workspace")
def other_workspace(copy: Copy) -> None:
    copy.properties(CHANNEL)["SlackWorkspaceId"] = "T9999999999"


@flaw("W530", "chat: alarms are not shown")
def no_alarms(copy: Copy) -> None:
    copy.properties(CHANNEL)["SnsTopicArns"].pop(0)


@flaw("W530", "chat: another topic is shown, too")
def other_topic(copy: Copy) -> None:
    copy.properties(CHANNEL)["SnsTopicArns"].append("arn:aws:sns:us-east-1:444455556666:theirs")


@flaw("W530", "chat: what people write there is logged elsewhere")
def logs_commands(copy: Copy) -> None:
    copy.properties(CHANNEL)["LoggingLevel"] = "INFO"


@flaw("W530", "chat: actions of somebody's own")
def custom_actions(copy: Copy) -> None:
    arn = "arn:aws:chatbot::444455556666:custom-action/theirs"
    copy.properties(CHANNEL)["CustomizationResourceArns"] = [arn]


@flaw("P304", "chat: its role may read datasets")
def role_reads(copy: Copy) -> None:
    copy.properties("pipeline/Chat/Role")["Policies"] = [
        {
            "PolicyName": "Policy",
            "PolicyDocument": {
                "Version": "2012-10-17",
                "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}],
            },
        }
    ]


@flaw("T201", "chat: another service may become its role")
def role_of_another_service(copy: Copy) -> None:
    copy.trust("pipeline/Chat/Role")["Principal"] = {"Service": "lambda.amazonaws.com"}


@flaw("T201", "chat: its role for any account's channels")
def role_of_any_account(copy: Copy) -> None:
    del copy.trust("pipeline/Chat/Role")["Condition"]


@flaw("W521", "chat: messages of another environment")
def messages_of_others(copy: Copy) -> None:
    copy.properties(MESSAGES)["EventPattern"]["detail"]["environment"] = ["prod"]


@flaw("W521", "chat: anybody's events")
def events_of_anybody(copy: Copy) -> None:
    del copy.properties(MESSAGES)["EventPattern"]["source"]


@flaw("W521", "chat: switched off")
def switched_off(copy: Copy) -> None:
    copy.properties(MESSAGES)["State"] = "DISABLED"


@flaw("W521", "chat: messages go to the topic of alarms, in a circle")
def in_a_circle(copy: Copy) -> None:
    topic = {"Ref": copy.logical_id("pipeline/Messages/Topic")}
    copy.properties(MESSAGES)["Targets"][0]["Arn"] = topic


@flaw("W521", "chat: a form that is not shown")
def other_form(copy: Copy) -> None:
    target = copy.properties(MESSAGES)["Targets"][0]
    target["InputTransformer"]["InputTemplate"] = '"<message>"'


@flaw("W521", "chat: another text for the message")
def other_text(copy: Copy) -> None:
    target = copy.properties(MESSAGES)["Targets"][0]
    target["InputTransformer"]["InputPathsMap"]["message"] = "$.detail.run"


@flaw("W521", "chat: what is not delivered is lost")
def lost(copy: Copy) -> None:
    del copy.properties(MESSAGES)["Targets"][0]["DeadLetterConfig"]


@flaw("R405", "chat: its rules may not publish")
def not_allowed(copy: Copy) -> None:
    _publishing(copy)["Action"] = "sns:GetTopicAttributes"


@flaw("R404", "chat: any rule of the account may publish")
def any_rule(copy: Copy) -> None:
    del _publishing(copy)["Condition"]


@flaw("S609", "chat: its topic is not encrypted with the key of operations")
def plain_topic(copy: Copy) -> None:
    del copy.properties(TOPIC)["KmsMasterKeyId"]


MUTANTS: Final = collected(globals(), "bounded")
