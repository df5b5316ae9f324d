"""Flaws of what starts, calls and tells what."""

import json
from copy import deepcopy

from tests.review.broken import Copy
from tests.review.mutants._mutant import collected, flaw

RULE = "pipeline/ManifestUploaded"
SCHEDULE = "pipeline/KeepLeases"
ENDED = "pipeline/ExecutionEnded"
ANNOUNCEMENTS = "pipeline/Announcements"


@flaw("W521", "upload rule: every key")
def every_key(copy: Copy) -> None:
    del copy.properties(RULE)["EventPattern"]["detail"]["object"]


@flaw("W521", "upload rule: every file of the customization")
def every_file(copy: Copy) -> None:
    copy.properties(RULE)["EventPattern"]["detail"]["object"]["key"] = [{"prefix": "pets-search/"}]


@flaw("W521", "upload rule: customizations are left out")
def left_out(copy: Copy) -> None:
    copy.properties(RULE)["EventPattern"]["detail"]["object"]["key"] = ["pets/manifest.jsonl"]


@flaw("W521", "upload rule: the output bucket, too")
def output_triggers(copy: Copy) -> None:
    names = copy.properties(RULE)["EventPattern"]["detail"]["bucket"]["name"]
    substitutions = copy.properties("pipeline/Workflow")["DefinitionSubstitutions"]
    names.append(substitutions["OutputBucket"])


@flaw("W521", "upload rule: deletions, too")
def deletions(copy: Copy) -> None:
    copy.properties(RULE)["EventPattern"]["detail-type"].append("Object Deleted")


@flaw("W521", "upload rule: switched off")
def rule_off(copy: Copy) -> None:
    copy.properties(RULE)["State"] = "DISABLED"


@flaw("W521", "upload rule: no dead letters")
def no_dead_letters(copy: Copy) -> None:
    del copy.properties(RULE)["Targets"][0]["DeadLetterConfig"]


@flaw("W521", "upload rule: gives up at once")
def no_retries(copy: Copy) -> None:
    copy.properties(RULE)["Targets"][0]["RetryPolicy"] = {
        "MaximumEventAgeInSeconds": 60,
        "MaximumRetryAttempts": 0,
    }


@flaw("P305", "upload rule: its role cannot start the workflow")
def rule_cannot_start(copy: Copy) -> None:
    copy.statement("pipeline/UploadRuleRole", "StartWorkflow")["Action"] = (
        "states:DescribeExecution"
    )


@flaw("W521", "upload rule: acts as the lease schedule")
def other_role(copy: Copy) -> None:
    arn = {"Fn::GetAtt": [copy.logical_id("pipeline/LeaseScheduleRole"), "Arn"]}
    copy.properties(RULE)["Targets"][0]["RoleArn"] = arn


@flaw("W521", "upload rule: no target")
def no_target(copy: Copy) -> None:
    copy.properties(RULE)["Targets"] = []


@flaw("W521", "upload rule: sends a constant instead of the event")
def constant_input(copy: Copy) -> None:
    copy.properties(RULE)["Targets"][0]["Input"] = "{}"


@flaw("W521", "rule of ended executions: runs that time out are forgotten")
def timed_out_forgotten(copy: Copy) -> None:
    copy.properties(ENDED)["EventPattern"]["detail"]["status"].remove("TIMED_OUT")


@flaw("W521", "rule of ended executions: switched off")
def ended_off(copy: Copy) -> None:
    copy.properties(ENDED)["State"] = "DISABLED"


@flaw("W521", "rule of ended executions: calls the lease keeper")
def ended_elsewhere(copy: Copy) -> None:
    arn = {"Fn::GetAtt": [copy.logical_id("pipeline/Functions/KeepLeases/Function"), "Arn"]}
    copy.properties(ENDED)["Targets"][0]["Arn"] = arn


@flaw("W529", "announcements: those of another environment")
def announces_others(copy: Copy) -> None:
    copy.properties(ANNOUNCEMENTS)["FilterPolicy"] = {"environment": ["prod"]}


@flaw("W529", "announcements: of alarms, too")
def announces_alarms(copy: Copy) -> None:
    del copy.properties(ANNOUNCEMENTS)["FilterPolicy"]


@flaw("W529", "announcements: another function is told")
def announced_elsewhere(copy: Copy) -> None:
    arn = {"Fn::GetAtt": [copy.logical_id("pipeline/Functions/KeepLeases/Function"), "Arn"]}
    copy.properties(ANNOUNCEMENTS)["Endpoint"] = arn


@flaw("R405", "announcements: the function does not let the topic call")
def announcing_not_allowed(copy: Copy) -> None:
    del copy.stack("pipeline")["Resources"][copy.logical_id("pipeline/AnnouncementsPermission")]


@flaw("W529", "announcements: of one status only")
def announces_some(copy: Copy) -> None:
    copy.properties(ANNOUNCEMENTS)["FilterPolicy"]["status"] = ["served"]


@flaw("M832", "announcements: events of any source")
def announces_as_anybody(copy: Copy) -> None:
    statement = copy.statement("pipeline/Functions/Announce/Role", "AnnounceMessages")
    del statement["Condition"]["ForAllValues:StringEquals"]["events:source"]


@flaw("P304", "announcements: events of any kind")
def announces_anything(copy: Copy) -> None:
    statement = copy.statement("pipeline/Functions/Announce/Role", "AnnounceMessages")
    del statement["Condition"]["ForAllValues:StringEquals"]["events:detail-type"]


@flaw("R405", "rule of ended executions: the function does not let it call")
def ended_not_allowed(copy: Copy) -> None:
    resources = copy.stack("pipeline")["Resources"]
    for name, each in list(resources.items()):
        if each["Type"] == "AWS::Lambda::Permission":
            del resources[name]


@flaw("W525", "reconciler's schedule: switched off")
def reconciler_off(copy: Copy) -> None:
    copy.properties("pipeline/ReconcileRuns")["State"] = "DISABLED"


@flaw("W525", "reconciler's schedule: calls the lease keeper")
def reconciler_never_called(copy: Copy) -> None:
    arn = {"Fn::GetAtt": [copy.logical_id("pipeline/Functions/KeepLeases/Function"), "Arn"]}
    copy.properties("pipeline/ReconcileRuns")["Target"]["Arn"] = arn


@flaw("W522", "output bucket: sends events")
def output_sends(copy: Copy) -> None:
    copy.properties("data/Output")["NotificationConfiguration"] = {
        "EventBridgeConfiguration": {"EventBridgeEnabled": True}
    }


@flaw("W522", "validation bucket: sends no events")
def validation_silent(copy: Copy) -> None:
    del copy.properties("data/Validation")["NotificationConfiguration"]


@flaw("W522", "training bucket: tells a queue, too")
def tells_queue(copy: Copy) -> None:
    copy.properties("data/Training")["NotificationConfiguration"]["QueueConfigurations"] = [
        {"Event": "s3:ObjectCreated:*", "Queue": "arn:aws:sqs:us-east-1:999999999999:q"}
    ]


@flaw("W525", "lease schedule: once a day")
def once_a_day(copy: Copy) -> None:
    copy.properties(SCHEDULE)["ScheduleExpression"] = "rate(1 day)"


@flaw("W525", "lease schedule: switched off")
def schedule_off(copy: Copy) -> None:
    copy.properties(SCHEDULE)["State"] = "DISABLED"


@flaw("W525", "lease schedule: ends one day")
def schedule_ends(copy: Copy) -> None:
    copy.properties(SCHEDULE)["EndDate"] = "2027-01-01T00:00:00Z"


@flaw("W525", "lease schedule: calls another function")
def calls_other(copy: Copy) -> None:
    arn = {"Fn::GetAtt": [copy.logical_id("pipeline/Functions/Admit/Function"), "Arn"]}
    copy.properties(SCHEDULE)["Target"]["Arn"] = arn


@flaw("P305", "lease schedule: cannot encrypt its dead letters")
def schedule_without_key(copy: Copy) -> None:
    role = "pipeline/LeaseScheduleRole"
    copy.policy(role).remove(copy.statement(role, "EncryptDeadLetters"))


@flaw("A106", "no lease schedule at all")
def no_schedule(copy: Copy) -> None:
    del copy.stack("pipeline")["Resources"][copy.logical_id(SCHEDULE)]


@flaw("W518", "alarm: tells nobody")
def alarm_tells_nobody(copy: Copy) -> None:
    del copy.properties("pipeline/WorkflowFailed")["AlarmActions"]


@flaw("W518", "alarm: nobody hears that it is over")
def alarm_never_over(copy: Copy) -> None:
    del copy.properties("pipeline/WorkflowFailed")["OKActions"]


@flaw("W516", "dashboard: a text of anybody's")
def text_on_dashboard(copy: Copy) -> None:
    widget = {"type": "text", "properties": {"markdown": "[sign in](https://example.com)"}}
    body = json.dumps({"widgets": [widget]})
    copy.properties("pipeline/Dashboard")["DashboardBody"] = body


@flaw("W516", "dashboard: its body is no JSON")
def unreadable_dashboard(copy: Copy) -> None:
    copy.properties("pipeline/Dashboard")["DashboardBody"] = "widgets"


@flaw("W516", "dashboard: named as another environment's")
def foreign_dashboard(copy: Copy) -> None:
    copy.properties("pipeline/Dashboard")["DashboardName"] = "tuning-prod"


@flaw("W518", "alarm: actions switched off")
def alarm_off(copy: Copy) -> None:
    copy.properties("pipeline/WorkflowFailed")["ActionsEnabled"] = False


@flaw("W518", "alarm: watches nothing that is there")
def alarm_on_nothing(copy: Copy) -> None:
    copy.properties("pipeline/WorkflowFailed")["Dimensions"][0]["Value"] = "another"


@flaw("W518", "alarm: a metric that does not exist")
def unknown_metric(copy: Copy) -> None:
    copy.properties("pipeline/WorkflowFailed")["MetricName"] = "ExecutionFailed"


@flaw("W518", "alarm of a customization: counts another's failures")
def anothers_failures(copy: Copy) -> None:
    copy.properties("pets-search/RunFailed")["Dimensions"][1]["Value"] = "pets-style"


@flaw("W518", "alarm of a customization: counts what nobody writes")
def never_counted(copy: Copy) -> None:
    copy.properties("pets-search/LeaseNotKept")["MetricName"] = "LeasesLost"


@flaw("W518", "alarm: rings at the hundredth failure")
def late_alarm(copy: Copy) -> None:
    copy.properties("pipeline/LeasesNotKept")["Threshold"] = 100


@flaw("W518", "alarm: the average of failures")
def average_alarm(copy: Copy) -> None:
    copy.properties("pipeline/LeasesNotKept")["Statistic"] = "Average"


@flaw("W518", "alarm: rings when failures are few")
def inverted_alarm(copy: Copy) -> None:
    copy.properties("pipeline/DeadLettersWaiting")["ComparisonOperator"] = (
        "LessThanOrEqualToThreshold"
    )


@flaw("A106", "nobody watches the dead letters")
def dead_letters_unwatched(copy: Copy) -> None:
    del copy.stack("pipeline")["Resources"][copy.logical_id("pipeline/DeadLettersWaiting")]


@flaw("A106", "nobody watches the custom resource")
def provider_unwatched(copy: Copy) -> None:
    resources = copy.stack("serving")["Resources"]
    del resources[copy.logical_id("serving/ProvisionedThroughput/Failed")]


@flaw("P305", "workflow: may publish, but not use the topic's key")
def publish_without_key(copy: Copy) -> None:
    role = "pipeline/WorkflowRole"
    copy.policy(role).remove(copy.statement(role, "EncryptMessages"))


@flaw("W505", "function: runs as another function's role")
def role_swapped(copy: Copy) -> None:
    arn = {"Fn::GetAtt": [copy.logical_id("pipeline/Functions/Serve/Role"), "Arn"]}
    copy.properties("pipeline/Functions/Admit/Function")["Role"] = arn


@flaw("W505", "function: another handler")
def handler_swapped(copy: Copy) -> None:
    copy.properties("pipeline/Functions/Admit/Function")["Handler"] = "lambdas.serve.handler"


@flaw("W505", "function: writes to the training bucket")
def output_is_training(copy: Copy) -> None:
    variables = copy.properties("pipeline/Functions/Merge/Function")["Environment"]["Variables"]
    variables["OUTPUT_BUCKET"] = variables["TRAINING_BUCKET"]


@flaw("W505", "function: a variable is missing")
def variable_missing(copy: Copy) -> None:
    variables = copy.properties("pipeline/Functions/Serve/Function")["Environment"]["Variables"]
    del variables["PARAMETER_PREFIX"]


@flaw("W505", "provider: reads the settings of another environment")
def other_settings(copy: Copy) -> None:
    function = copy.properties("serving/ProvisionedThroughput/Function")
    function["Environment"]["Variables"]["SETTINGS_PREFIX"] = "/bedrock-tuning-settings/prod"


@flaw("W505", "function: logs into a group that Lambda makes")
def own_log_group(copy: Copy) -> None:
    del copy.properties("pipeline/Functions/Admit/Function")["LoggingConfig"]["LogGroup"]


@flaw("A110", "a function without a contract")
def unknown_function(copy: Copy) -> None:
    found = copy.properties("pipeline/Functions/Admit/Function")
    copy.add("pipeline", "Another", "AWS::Lambda::Function", **found)


@flaw("W505", "function: an old runtime")
def old_runtime(copy: Copy) -> None:
    copy.properties("pipeline/Functions/Admit/Function")["Runtime"] = "python3.9"


@flaw("W505", "function: gives up after three seconds")
def short_timeout(copy: Copy) -> None:
    copy.properties("pipeline/Functions/Merge/Function")["Timeout"] = 3


@flaw("W506", "function: somebody else's layer")
def foreign_layer(copy: Copy) -> None:
    copy.properties("pipeline/Functions/Merge/Function")["Layers"] = [
        "arn:aws:lambda:us-east-1:999999999999:layer:handy:1"
    ]


@flaw("W506", "function: code from somebody else's bucket")
def foreign_code(copy: Copy) -> None:
    code = copy.properties("pipeline/Functions/Merge/Function")["Code"]
    code["S3Bucket"] = "cdk-hnb659fds-assets-999999999999-us-east-1"


@flaw("W505", "function: another processor than its wheels are for")
def other_processor(copy: Copy) -> None:
    copy.properties("pipeline/Functions/Merge/Function")["Architectures"] = ["x86_64"]


@flaw("M803", "serving: more units than the file says")
def more_units(copy: Copy) -> None:
    copy.properties("pets-search/Throughput")["ModelUnits"] = "10"


@flaw("M803", "serving: kept when the stack goes")
def kept_on_delete(copy: Copy) -> None:
    copy.properties("pets-search/Throughput")["OnDelete"] = "retain"


@flaw("M803", "serving: no lease")
def no_lease(copy: Copy) -> None:
    copy.properties("pets-search/Throughput")["LeaseHours"] = "none"


@flaw("M803", "serving: replaced roles are not noticed while a run needs them")
def unguarded_roles(copy: Copy) -> None:
    del copy.properties("pets-search/Throughput")["StarterRole"]


@flaw("M803", "serving: in the hands of another function")
def other_provider(copy: Copy) -> None:
    copy.properties("pets-search/Throughput")["ServiceToken"] = (
        "arn:aws:lambda:us-east-1:999999999999:function:provider"
    )


@flaw("A110", "a custom resource of another kind")
def other_custom_resource(copy: Copy) -> None:
    function = {"Fn::GetAtt": [copy.logical_id("serving/ProvisionedThroughput/Function"), "Arn"]}
    copy.add("serving", "Extra", "Custom::Extra", ServiceToken=function)


@flaw("W521", "upload rule: a schedule of its own")
def rule_with_schedule(copy: Copy) -> None:
    copy.properties(RULE)["ScheduleExpression"] = "rate(1 day)"


@flaw("W521", "upload rule: starts a function")
def rule_starts_function(copy: Copy) -> None:
    function = {"Fn::GetAtt": [copy.logical_id("pipeline/Functions/Serve/Function"), "Arn"]}
    copy.properties(RULE)["Targets"][0]["Arn"] = function


@flaw("W521", "upload rule: starts something of another account")
def rule_starts_foreign(copy: Copy) -> None:
    foreign = "arn:aws:states:us-east-1:999999999999:stateMachine:x"
    copy.properties(RULE)["Targets"][0]["Arn"] = foreign


@flaw("A110", "a second rule")
def second_rule(copy: Copy) -> None:
    copy.add("pipeline", "Extra", "AWS::Events::Rule", **deepcopy(copy.properties(RULE)))


@flaw("A110", "a second alarm, which waits")
def second_alarm(copy: Copy) -> None:
    first = copy.properties("pipeline/WorkflowFailed")
    copy.add("pipeline", "Second", "AWS::CloudWatch::Alarm", **{**first, "Threshold": 100})


@flaw("A110", "a second schedule")
def second_schedule(copy: Copy) -> None:
    copy.add("pipeline", "Extra", "AWS::Scheduler::Schedule", **deepcopy(copy.properties(SCHEDULE)))


@flaw("W505", "function: one call at a time")
def one_at_a_time(copy: Copy) -> None:
    copy.properties("pipeline/Functions/Serve/Function")["ReservedConcurrentExecutions"] = 1


@flaw("A108", "the bootstrap's version is whatever a parameter says")
def version_by_parameter(copy: Copy) -> None:
    copy.stack("pipeline")["Parameters"]["BootstrapVersion"]["Type"] = "String"


@flaw("M803", "serving: changed before the settings are")
def before_its_settings(copy: Copy) -> None:
    del copy.resource("pets-style/Throughput")["DependsOn"]


@flaw("M803", "serving: CloudFormation waits for an hour")
def waits_for_an_hour(copy: Copy) -> None:
    del copy.properties("pets-search/Throughput")["ServiceTimeout"]


@flaw("A110", "serving: one more endpoint, of no customization")
def endpoint_of_nobody(copy: Copy) -> None:
    served = copy.resource("pets-search/Throughput")
    copy.add("pets-search", "Extra", served["Type"], **deepcopy(served["Properties"]))


MUTANTS = collected(globals())
