"""Flaws of policies on resources, of keys, and of what is open to others."""

from tests.review.broken import Copy
from tests.review.mutants._mutant import collected, flaw

TOPIC = "pipeline/Messages/Topic/Policy"
QUEUE = "pipeline/Messages/DeadLetters/Policy"
KEY = "pipeline/OperationsKey"
ALLOW_ALL = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "s3:*", "Resource": "*"}


@flaw("R404", "training bucket: public")
def public_bucket(copy: Copy) -> None:
    copy.statements_of("data/Training/Policy").append(dict(ALLOW_ALL))


@flaw("M831", "training bucket: another account reads")
def foreign_reader(copy: Copy) -> None:
    objects = {"Fn::Join": ["", [{"Fn::GetAtt": [copy.logical_id("data/Training"), "Arn"]}, "/*"]]}
    copy.statements_of("data/Training/Policy").append(
        {
            "Effect": "Allow",
            "Principal": {"AWS": "arn:aws:iam::999999999999:root"},
            "Action": "s3:GetObject",
            "Resource": objects,
        }
    )


@flaw("R406", "output bucket: plain HTTP")
def plain_http(copy: Copy) -> None:
    statements = copy.statements_of("data/Output/Policy")
    statements[:] = [s for s in statements if "Bool" not in s.get("Condition", {})]


@flaw("R406", "output bucket: old TLS")
def old_tls(copy: Copy) -> None:
    statements = copy.statements_of("data/Output/Policy")
    statements[:] = [s for s in statements if "NumericLessThan" not in s.get("Condition", {})]


@flaw("R406", "validation bucket: TLS 1.0 is enough")
def lower_tls(copy: Copy) -> None:
    for statement in copy.statements_of("data/Validation/Policy"):
        if "NumericLessThan" in statement["Condition"]:
            statement["Condition"]["NumericLessThan"]["s3:TlsVersion"] = 1.0


@flaw("R406", "validation bucket: objects left out of the refusal")
def bucket_only(copy: Copy) -> None:
    for statement in copy.statements_of("data/Validation/Policy"):
        if isinstance(statement["Resource"], list):
            statement["Resource"] = statement["Resource"][0]


@flaw("R406", "training bucket: no policy at all")
def no_bucket_policy(copy: Copy) -> None:
    del copy.stack("data")["Resources"][copy.logical_id("data/Training/Policy")]


@flaw("R404", "access logs: any bucket of any account")
def logs_of_anybody(copy: Copy) -> None:
    for statement in copy.statements_of("data/AccessLogs/Policy"):
        if statement["Effect"] == "Allow":
            del statement["Condition"]


@flaw("R405", "access logs: not of the training bucket")
def logs_refused(copy: Copy) -> None:
    statements = copy.statements_of("data/AccessLogs/Policy")
    statements.remove(next(s for s in statements if s["Effect"] == "Allow"))


@flaw("R404", "data key: everybody")
def key_for_everybody(copy: Copy) -> None:
    copy.statements_of("data/DataKey").append(
        {"Effect": "Allow", "Principal": "*", "Action": "kms:Decrypt", "Resource": "*"}
    )


@flaw("M831", "data key: another account")
def key_for_stranger(copy: Copy) -> None:
    copy.statements_of("data/DataKey").append(
        {
            "Effect": "Allow",
            "Principal": {"AWS": "999999999999"},
            "Action": "kms:Decrypt",
            "Resource": "*",
        }
    )


@flaw("R405", "data key: nobody may administer it")
def key_locked(copy: Copy) -> None:
    copy.statements_of("data/DataKey")[0]["Action"] = "kms:Describe*"


@flaw("R405", "alarms to an encrypted topic: the key does not let CloudWatch in")
def alarm_without_key(copy: Copy) -> None:
    statements = copy.statements_of(KEY)
    statements[:] = [s for s in statements if s.get("Sid") != "AlarmsEncrypt"]


@flaw("R405", "alarms to an encrypted topic: the topic does not let CloudWatch in")
def alarm_without_topic(copy: Copy) -> None:
    statements = copy.statements_of(TOPIC)
    statements[:] = [s for s in statements if s.get("Sid") != "AlarmsPublish"]


@flaw("R405", "alarms to an encrypted topic: only other alarms")
def other_alarms(copy: Copy) -> None:
    for statement in copy.statements_of(KEY):
        if statement.get("Sid") == "AlarmsEncrypt":
            statement["Condition"]["ArnLike"]["aws:SourceArn"] = (
                "arn:aws:cloudwatch:eu-west-1:111122223333:alarm:*"
            )


@flaw("M831", "operations key: CloudWatch for any account")
def alarms_of_anybody(copy: Copy) -> None:
    for statement in copy.statements_of(KEY):
        if statement.get("Sid") == "AlarmsEncrypt":
            del statement["Condition"]


@flaw("R405", "operations key: CloudWatch Logs is left out")
def logs_without_key(copy: Copy) -> None:
    statements = copy.statements_of(KEY)
    statements[:] = [s for s in statements if s.get("Sid") != "LogsEncrypt"]


@flaw("R404", "operations key: CloudWatch Logs for every log group")
def all_log_groups(copy: Copy) -> None:
    for statement in copy.statements_of(KEY):
        if statement.get("Sid") == "LogsEncrypt":
            del statement["Condition"]


@flaw("R405", "dead letters: the key does not let EventBridge in")
def events_without_key(copy: Copy) -> None:
    statements = copy.statements_of(KEY)
    statements[:] = [s for s in statements if s.get("Sid") != "DeadLettersEncrypt"]


@flaw("R405", "dead letters: the key wants a source, which EventBridge does not name")
def events_with_a_source(copy: Copy) -> None:
    for statement in copy.statements_of(KEY):
        if statement.get("Sid") == "DeadLettersEncrypt":
            statement["Condition"] = {"StringEquals": {"aws:SourceAccount": "${AWS::AccountId}"}}


@flaw("M831", "operations key: EventBridge creates grants")
def events_grant(copy: Copy) -> None:
    for statement in copy.statements_of(KEY):
        if statement.get("Sid") == "DeadLettersEncrypt":
            statement["Action"] = "kms:CreateGrant"


@flaw("R404", "dead letters: public")
def public_queue(copy: Copy) -> None:
    copy.statements_of(QUEUE).append(
        {"Effect": "Allow", "Principal": "*", "Action": "sqs:*", "Resource": "*"}
    )


@flaw("R404", "dead letters: every rule of every account")
def any_rule(copy: Copy) -> None:
    for statement in copy.statements_of(QUEUE):
        if statement["Effect"] == "Allow":
            del statement["Condition"]


@flaw("R406", "dead letters: plain HTTP")
def queue_over_http(copy: Copy) -> None:
    statements = copy.statements_of(QUEUE)
    statements[:] = [s for s in statements if s["Effect"] == "Allow"]


@flaw("R404", "topic: the whole account of somebody else")
def foreign_publisher(copy: Copy) -> None:
    copy.statements_of(TOPIC).append(
        {
            "Effect": "Allow",
            "Principal": {"AWS": "999999999999"},
            "Action": "sns:Publish",
            "Resource": "*",
        }
    )


@flaw("R406", "topic: plain HTTP")
def topic_over_http(copy: Copy) -> None:
    statements = copy.statements_of(TOPIC)
    statements[:] = [s for s in statements if s["Effect"] == "Allow"]


@flaw("R404", "runs table: a policy of its own")
def table_policy(copy: Copy) -> None:
    copy.properties("pipeline/Runs")["ResourcePolicy"] = {
        "PolicyDocument": {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"AWS": "999999999999"},
                    "Action": "dynamodb:GetItem",
                    "Resource": "*",
                }
            ],
        }
    }


@flaw("R404", "a function that anybody may call")
def public_function(copy: Copy) -> None:
    copy.add(
        "pipeline",
        "Open",
        "AWS::Lambda::Permission",
        Action="lambda:InvokeFunction",
        Principal="*",
        FunctionName={"Ref": copy.logical_id("pipeline/Functions/Admit/Function")},
    )


@flaw("A110", "a function URL")
def function_url(copy: Copy) -> None:
    copy.add(
        "pipeline",
        "Url",
        "AWS::Lambda::Url",
        AuthType="NONE",
        TargetFunctionArn={"Ref": copy.logical_id("pipeline/Functions/Admit/Function")},
    )


@flaw("R407", "two policies for one bucket")
def two_policies(copy: Copy) -> None:
    first = copy.properties("data/Training/Policy")
    copy.add("data", "Second", "AWS::S3::BucketPolicy", **first)


@flaw("R401", "a policy for a bucket that is not here")
def unknown_bucket(copy: Copy) -> None:
    copy.properties("data/Training/Policy")["Bucket"] = "another-bucket"


@flaw("S609", "access logs: not encrypted by the bucket")
def logs_unencrypted(copy: Copy) -> None:
    del copy.properties("data/AccessLogs")["BucketEncryption"]


@flaw("A101", "training bucket: a policy that speaks of an unknown value")
def unknown_value(copy: Copy) -> None:
    statement = copy.statements_of("data/Training/Policy")[0]
    statement["Resource"] = {"Fn::GetAtt": [copy.logical_id("data/Training"), "Unknown"]}


MUTANTS = collected(globals())
