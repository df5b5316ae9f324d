"""What teams add to the stacks, harmlessly and not, as an app would write it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from tests.review.broken import Copy

TOPIC: Final = "pipeline/Messages/Topic"
ADMIT: Final = "pipeline/Functions/Admit/Function"
CHECK_IMAGES: Final = "pipeline/Functions/CheckImages/Function"
ROLE: Final = "pipeline/Functions/Admit/Role"
OWN_FUNCTION: Final = "arn:aws:lambda:us-east-1:${AWS::AccountId}:function:pager"
Change = Callable[[Copy], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """kind: of the entry that permits it. at: what the entry is about. why: why nothing does."""

    name: str
    kind: str
    at: str
    change: Change
    why: str = ""

    def __str__(self) -> str:
        return self.name


def _ref(copy: Copy, path: str) -> dict[str, str]:
    return {"Ref": copy.logical_id(path)}


def _arn(copy: Copy, path: str) -> dict[str, list[str]]:
    return {"Fn::GetAtt": [copy.logical_id(path), "Arn"]}


def _subscriber(name: str, protocol: str, endpoint: Any) -> Change:
    def change(copy: Copy) -> None:
        topic = _ref(copy, TOPIC)
        given = {"TopicArn": topic, "Protocol": protocol, "Endpoint": endpoint}
        copy.add("pipeline", name, "AWS::SNS::Subscription", **given)

    return change


def _alarm(name: str, **other: Any) -> Change:
    def change(copy: Copy) -> None:
        function = _ref(copy, ADMIT)
        given = {
            "Namespace": "AWS/Lambda",
            "MetricName": "Duration",
            "Dimensions": [{"Name": "FunctionName", "Value": function}],
            "Statistic": "Maximum",
            "Threshold": 60_000,
            "ComparisonOperator": "GreaterThanThreshold",
            "EvaluationPeriods": 3,
            "Period": 300,
            "AlarmActions": [_ref(copy, TOPIC)],
            "OKActions": [_ref(copy, TOPIC)],
        }
        copy.add("pipeline", name, "AWS::CloudWatch::Alarm", **{**given, **other})

    return change


def _composite(name: str, **other: Any) -> Change:
    def change(copy: Copy) -> None:
        given = {"AlarmRule": 'ALARM("one") OR ALARM("two")', "AlarmActions": [_ref(copy, TOPIC)]}
        copy.add("pipeline", name, "AWS::CloudWatch::CompositeAlarm", **given, **other)

    return change


def _budget(name: str, kind: str) -> Change:
    told = {"EMAIL": "b@ex.io", "SNS": "arn:aws:sns:us-east-1:444455556666:t"}[kind]
    notice = {
        "Notification": {
            "ComparisonOperator": "GREATER_THAN",
            "NotificationType": "ACTUAL",
            "Threshold": 80,
        },
        "Subscribers": [{"SubscriptionType": kind, "Address": told}],
    }
    budget = {
        "BudgetLimit": {"Amount": 1_000, "Unit": "USD"},
        "BudgetType": "COST",
        "TimeUnit": "MONTHLY",
    }
    return _add(
        "pipeline",
        name,
        "AWS::Budgets::Budget",
        Budget=budget,
        NotificationsWithSubscribers=[notice],
    )


def _set(path: str, name: str, value: Any) -> Change:
    def change(copy: Copy) -> None:
        copy.properties(path)[name] = value

    return change


def _alias(name: str, called: str) -> Change:
    return lambda copy: copy.add(
        "data", name, "AWS::KMS::Alias", AliasName=called, TargetKeyId=_arn(copy, "data/DataKey")
    )


def _denied(path: str, action: str, **other: Any) -> Change:
    def change(copy: Copy) -> None:
        statement = {"Effect": "Deny", "Principal": {"AWS": "*"}, "Action": action, "Resource": "*"}
        if path.endswith("/Policy"):
            arn = _arn(copy, path.removesuffix("/Policy"))
            statement["Resource"] = {"Fn::Join": ["", [arn, "/*"]]}
        copy.statements_of(path).append({**statement, **other})

    return change


def _role(statement: dict[str, Any]) -> Change:
    return lambda copy: copy.policy(ROLE).append({"Effect": "Allow", "Resource": "*", **statement})


def _inventory(bucket: Callable[[Copy], Any]) -> Change:
    def change(copy: Copy) -> None:
        target = {"BucketArn": bucket(copy), "Format": "CSV", "Prefix": "inventory/"}
        copy.properties("data/Validation")["InventoryConfigurations"] = [
            {
                "Id": "all",
                "Enabled": True,
                "IncludedObjectVersions": "Current",
                "ScheduleFrequency": "Weekly",
                "Destination": target,
            }
        ]

    return change


def _metric_filter(group: Callable[[Copy], Any], name: str) -> Change:
    def change(copy: Copy) -> None:
        metric = {"MetricName": "e", "MetricNamespace": "n", "MetricValue": "1"}
        given = {"FilterPattern": "ERROR", "MetricTransformations": [metric]}
        copy.add("pipeline", name, "AWS::Logs::MetricFilter", LogGroupName=group(copy), **given)

    return change


def _add(part: str, name: str, kind: str, **properties: Any) -> Change:
    return lambda copy: copy.add(part, name, kind, **properties)


def _edit(name: str, kind: str, at: str, change: Change, why: str = "") -> Edit:
    return Edit(name=name, kind=kind, at=at, change=change, why=why)


_ENABLED: Final = {"Enabled": True}
_EVERYTHING: Final = "InventoryConfigurations"

HARMLESS: Final = (
    _edit("a second e-mail", "subscriber", "pipeline/Mail",
          _subscriber("Mail", "email", "b@ex.io")),
    _edit("a function of one's own is told", "subscriber", "pipeline/Pager",
          _subscriber("Pager", "lambda", {"Fn::Sub": OWN_FUNCTION})),
    _edit("a paging service is told", "subscriber", "pipeline/Duty",
          _subscriber("Duty", "https", "https://events.example.com/x")),
    _edit("an alarm that waits", "resource", "pipeline/Slow", _alarm("Slow")),
    _edit("an alarm of throttles", "resource", "pipeline/Throttles",
          _alarm("Throttles", MetricName="Throttles")),
    _edit("a dashboard", "resource", "pipeline/Board",
          _add("pipeline", "Board", "AWS::CloudWatch::Dashboard", DashboardBody="{}")),
    _edit("an alias of a key", "resource", "data/Alias", _alias("Alias", "alias/ml-data")),
    _edit("a metric of logs", "resource", "pipeline/Filter",
          _metric_filter(lambda copy: _ref(copy, "pipeline/Functions/Admit/Logs"), "Filter")),
    _edit("an alarm of alarms", "resource", "pipeline/All",
          _composite("All")),
    _edit("a budget of one's own", "resource", "pipeline/Spent", _budget("Spent", "EMAIL")),
    _edit("what is unusual", "resource", "pipeline/Unusual",
          _add("pipeline", "Unusual", "AWS::CloudWatch::AnomalyDetector",
               Namespace="AWS/Lambda", MetricName="Duration", Stat="Average")),
    _edit("a question to logs", "resource", "pipeline/Errors",
          _add("pipeline", "Errors", "AWS::Logs::QueryDefinition",
               Name="errors", QueryString="filter @message like /ERROR/")),
    _edit("a group of resources", "resource", "pipeline/Group",
          _add("pipeline", "Group", "AWS::ResourceGroups::Group", Name="tuning")),
    _edit("a group of traces", "resource", "pipeline/Traces",
          _add("pipeline", "Traces", "AWS::XRay::Group", GroupName="tuning")),
    _edit("reserved concurrency", "setting", "pipeline/Functions/Merge/Function",
          _set("pipeline/Functions/Merge/Function", "ReservedConcurrentExecutions", 100)),
    _edit("more memory", "setting", CHECK_IMAGES, _set(CHECK_IMAGES, "MemorySize", 4_096)),
    _edit("more disk", "setting", "pipeline/Functions/CheckManifest/Function",
          _set("pipeline/Functions/CheckManifest/Function", "EphemeralStorage", {"Size": 10_240})),
    _edit("an inventory of one's own", "setting", "data/Validation",
          _inventory(lambda copy: _arn(copy, "data/Output"))),
    _edit("metrics of a bucket", "setting", "data/Training",
          _set("data/Training", "MetricsConfigurations", [{"Id": "EntireBucket"}])),
    _edit("a shorter rotation", "setting", "data/DataKey",
          _set("data/DataKey", "RotationPeriodInDays", 180)),
    _edit("who uses the table most", "setting", "pipeline/Runs",
          _set("pipeline/Runs", "ContributorInsightsSpecification", _ENABLED)),
    _edit("nobody deletes versions", "deny", "data/Training/Policy",
          _denied("data/Training/Policy", "s3:DeleteObjectVersion")),
    _edit("nobody deletes the key", "deny", "data/DataKey",
          _denied("data/DataKey", "kms:ScheduleKeyDeletion")),
)  # fmt: skip

HARMFUL: Final = (
    _edit("another account is told", "subscriber", "pipeline/Evil", _subscriber(
        "Evil", "sqs", "arn:aws:sqs:us-east-1:444455556666:q"), "is not in this account"),
    _edit("told without TLS", "subscriber", "pipeline/Plain",
          _subscriber("Plain", "http", "http://example.com"), "nobody is notified by http"),
    _edit("an alarm tells another topic", "resource", "pipeline/Else",
          _alarm("Else", AlarmActions=["arn:aws:sns:us-east-1:444455556666:t"]),
          "AlarmActions notifies"),
    _edit("an alarm that silences", "resource", "pipeline/Hush",
          _composite("Hush", ActionsSuppressor="a", ActionsSuppressorWaitPeriod=60),
          "can silence it"),
    _edit("a budget tells others", "resource", "pipeline/Leak",
          _budget("Leak", "SNS"), "it notifies arn:aws:sns:us-east-1:444455556666:t"),
    _edit("an alias of AWS's", "resource", "data/Aws", _alias("Aws", "alias/aws/s3"), "AWS's"),
    _edit("a metric of foreign logs", "resource", "pipeline/Foreign",
          _metric_filter(lambda _: "prod", "Foreign"), "no log group of these stacks"),
    _edit("it never runs", "setting", ADMIT,
          _set(ADMIT, "ReservedConcurrentExecutions", 0), "only 50 to 1000"),
    _edit("less memory", "setting", CHECK_IMAGES,
          _set(CHECK_IMAGES, "MemorySize", 256), "the function needs 1769"),
    _edit("less time", "setting", CHECK_IMAGES,
          _set(CHECK_IMAGES, "Timeout", 60), "the function needs 900"),
    _edit("an inventory for others", "setting", "data/Validation",
          _inventory(lambda _: "arn:aws:s3:::elsewhere"), "which is no bucket of these stacks"),
    _edit("a rotation every seven years", "setting", "data/DataKey",
          _set("data/DataKey", "RotationPeriodInDays", 2_560), "only 90 to 365"),
    _edit("uploads are refused", "deny", "data/Training/Policy",
          _denied("data/Training/Policy", "s3:PutObject"), "also stop what is needed"),
    _edit("the key is locked", "deny", "data/DataKey",
          _denied("data/DataKey", "kms:PutKeyPolicy"), "nobody could administer"),
    _edit("all but one action is refused", "deny", "data/Output/Policy",
          lambda copy: copy.statements_of("data/Output/Policy").append({
              "Effect": "Deny", "Principal": "*", "NotAction": "s3:GetObject",
              "Resource": {"Fn::Join": ["", [_arn(copy, "data/Output"), "/*"]]}}),
          "now and later"),
)  # fmt: skip

# What no entry permits because a setting, or nothing, is for it: and the words that say so.
BY_SETTINGS: Final = (
    ("tags of one's own", "tags in cdk.json", lambda copy: copy.properties("data/Training")[
        "Tags"].append({"Key": "cost-center", "Value": "ml"})),
    ("logs for two years", "log_retention_days in cdk.json",
     _set("pipeline/Functions/Admit/Logs", "RetentionInDays", 731)),
    ("traces", "contracts/roles.py", _role({"Action": "xray:PutTraceSegments"})),
)  # fmt: skip
