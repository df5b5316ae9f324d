"""Flaws of the workflow that make up an answer, go on after an error, or lose what is known."""

import json
from collections.abc import Callable
from typing import Any

from bedrock_tuning.contracts.contract import DISCARDED
from tests.review.broken import Copy, Raw
from tests.review.mutants._mutant import Mutant, collected, flaw

Change = Callable[[dict[str, Any]], None]


def _flaw(killer: str, name: str) -> Callable[[Change], Mutant]:
    """Makes a mutant of a function that changes the states of the workflow."""

    def make(change: Change) -> Mutant:
        def whole(copy: Copy) -> None:
            copy.definition(lambda definition: change(definition["States"]))

        return Mutant(name=f"workflow: {name}", killer=killer, change=whole)

    return make


def _inserted(states: Raw, before: str, path: str, result: Any, after: str) -> None:
    """A Pass between two states that writes a result."""
    states["Extra"] = {"Type": "Pass", "Result": result, "ResultPath": path, "Next": after}
    states[before]["Next"] = "Extra"


@_flaw("M801", "an approval that never came counts as one")
def approved_by_silence(states: Raw) -> None:
    states["Await approval"]["Catch"][0]["Next"] = "Note the approval"


@_flaw("M801", "whoever uploads says whether the report is valid")
def valid_by_admission(states: Raw) -> None:
    states["Valid?"]["Choices"][0]["Variable"] = "$.admission.valid"


@_flaw("M801", "the first check's word for the report's")
def valid_by_first_check(states: Raw) -> None:
    states["Valid?"]["Choices"][0]["Variable"] = "$.check.valid"


@_flaw("M801", "somebody else's decision about the price")
def priced_by_check(states: Raw) -> None:
    states["Price known and allowed?"]["Choices"][0]["Variable"] = "$.check.decision"


@_flaw("M801", "images that could not be checked count as none")
def unchecked_is_none(states: Raw) -> None:
    states["Check images"]["Catch"][0]["Next"] = "No images"


@_flaw("F700", "a report is made up")
def report_made_up(states: Raw) -> None:
    _inserted(states, "Merge report", "$.report", {"valid": True}, "Valid?")


@_flaw("F700", "validity is picked out of nowhere")
def report_selected(states: Raw) -> None:
    states["Merge report"]["ResultSelector"] = {"valid": True}


@_flaw("F700", "the job gets another role")
def role_made_up(states: Raw) -> None:
    arn = "arn:aws:iam::999999999999:role/x"
    path = "$.start.request.RoleArn"
    _inserted(states, "Note the approval", path, arn, "Take a turn")


@_flaw("F700", "the smoke test is made up")
def smoke_made_up(states: Raw) -> None:
    _inserted(states, "Smoke test", "$.serving.step", "publish", "Proved?")


@_flaw("F700", "an error replaces the answer it was about")
def error_as_answer(states: Raw) -> None:
    states["Serve"]["Catch"][0]["ResultPath"] = "$.serving"


@_flaw("M807", "the price is computed from less")
def input_narrowed(states: Raw) -> None:
    states["Prepare job"]["InputPath"] = "$.admission"


@_flaw("F700", "only the first shard is checked")
def one_shard(states: Raw) -> None:
    states["Check images"]["ItemReader"]["ReaderConfig"]["MaxItems"] = 1


@_flaw("F700", "shards that the upload names")
def other_shards(states: Raw) -> None:
    states["Check images"]["ItemReader"]["Parameters"]["Key.$"] = "$.admission.key"


@_flaw("F700", "results are written elsewhere")
def results_elsewhere(states: Raw) -> None:
    states["Check images"]["ResultWriter"] = {"Parameters": {"Bucket": "x", "Prefix": "y"}}


@_flaw("F700", "what was found in a shard is not handed on")
def shard_lost(states: Raw) -> None:
    states["Check images"]["ItemProcessor"]["States"]["Check shard"].update(DISCARDED)


@_flaw("F700", "every shard is the same one")
def same_shard(states: Raw) -> None:
    shard = states["Check images"]["ItemProcessor"]["States"]["Check shard"]
    shard["Parameters"] = {"shard": {"number": 1}}


@_flaw("F700", "the error of a shard that could not be checked is left empty")
def silent_shard(states: Raw) -> None:
    inner = states["Check images"]["ItemProcessor"]["States"]
    inner["Shard not checked"]["Parameters"] = {"number.$": "$.shard.number", "error": ""}


@_flaw("F700", "shards of another version of the file")
def other_version(states: Raw) -> None:
    states["Check images"]["ItemReader"]["Parameters"]["VersionId"] = "x"


@_flaw("F700", "a shard where there are no images")
def shard_made_up(states: Raw) -> None:
    states["No images"]["Result"] = [{"number": 1}]


@_flaw("F700", "a question without a evidence, which SNS refuses")
def no_subject(states: Raw) -> None:
    states["Ask for approval"]["Parameters"]["Subject"] = ""


@_flaw("F700", "a failure that does not say why")
def no_reason(states: Raw) -> None:
    message = states["Say that closing failed"]["Parameters"]["Message"]
    message["message.$"] = "$$.Execution.Id"


@_flaw("F700", "a job that nobody records")
def not_recorded(states: Raw) -> None:
    states["Train"]["Next"] = "Close run"


@_flaw("F700", "a job that is read and not recorded")
def read_only(states: Raw) -> None:
    states["Read job"]["Next"] = "Close run"


@_flaw("F700", "another job is read than was started")
def another_job(states: Raw) -> None:
    states["Read job"]["Parameters"]["JobIdentifier.$"] = "$.start.request.JobName"


@_flaw("F700", "what is read of the job is kept where nobody records it")
def read_elsewhere(states: Raw) -> None:
    states["Read job"]["ResultPath"] = "$.report"


@_flaw("F700", "jobs in a network that the settings do not name")
def other_network(states: Raw) -> None:
    states["Train"]["Parameters"]["VpcConfig"] = {"SubnetIds": ["subnet-1"]}


@_flaw("F700", "an endpoint that is being made is forgotten, and billed")
def forgotten(states: Raw) -> None:
    states["Next step?"]["Choices"][0]["Next"] = "Close run"


@_flaw("F700", "what was begun is not rolled back")
def not_rolled_back(states: Raw) -> None:
    states["Next step?"]["Choices"][2]["Next"] = "Close run"


@_flaw("F700", "everybody has to approve, whatever it costs")
def always_asked(states: Raw) -> None:
    states["Price known and allowed?"]["Choices"][0]["Next"] = "Ask for approval"


@_flaw("F700", "what the images' checks found is thrown away")
def findings_lost(states: Raw) -> None:
    _inserted(states, "Check images", "$.shards", [], "Merge report")


@_flaw("F700", "a way round for uploads that know of it")
def way_round(states: Raw) -> None:
    rule = {"Variable": "$.admission.run", "IsPresent": True, "Next": "No images"}
    states["Any images?"]["Choices"].insert(0, rule)


@_flaw("F700", "the same question twice: the first answer leads astray")
def asked_twice(states: Raw) -> None:
    choices = states["Proved?"]["Choices"]
    choices.insert(0, {**choices[0], "Next": "Roll back"})


@_flaw("F700", "serving gives up after a second")
def serve_times_out(states: Raw) -> None:
    states["Serve"]["TimeoutSeconds"] = 1


@_flaw("F700", "an approval needs heartbeats")
def heartbeats(states: Raw) -> None:
    states["Await approval"]["HeartbeatSeconds"] = 60


@_flaw("F700", "it looks without a pause")
def no_pause(states: Raw) -> None:
    states["Wait for endpoint"].pop("SecondsPath")
    states["Wait for endpoint"]["Seconds"] = 0


@_flaw("F700", "it looks once a day")
def long_pause(states: Raw) -> None:
    states["Wait for endpoint"].pop("SecondsPath")
    states["Wait for endpoint"]["Seconds"] = 86_400


@_flaw("F700", "a run whose message was lost ends well")
def untold_ends_well(states: Raw) -> None:
    states["Notify"]["Catch"][0]["Next"] = "Run ended"


@_flaw("F700", "a run that could not be closed ends well")
def unclosed_ends_well(states: Raw) -> None:
    states["Closing failed"] = {"Type": "Succeed"}


@_flaw("F700", "people are asked to approve something else than the price")
def other_estimate(states: Raw) -> None:
    states["Ask for approval"]["Parameters"]["Message"]["estimate.$"] = "$.admission.run"


@_flaw("F700", "people are told to run another command")
def other_command(states: Raw) -> None:
    command = "States.Format('curl https://example.com/{}', $.admission.run)"
    states["Ask for approval"]["Parameters"]["Message"]["approve.$"] = command


@_flaw("F700", "the message says no more than its subject")
def empty_message(states: Raw) -> None:
    states["Notify"]["Parameters"]["Message.$"] = "$.outcome.subject"


@_flaw("F700", "a message is filed under another customization")
def another_attribute(states: Raw) -> None:
    attributes = states["Notify"]["Parameters"]["MessageAttributes"]
    attributes["customization"]["StringValue.$"] = "$.outcome.run"


@_flaw("F700", "a message does not say of which kind it is")
def no_status(states: Raw) -> None:
    del states["Notify"]["Parameters"]["MessageAttributes"]["status"]


@flaw("F700", "workflow: it ends before a person could approve")
def ends_too_soon(copy: Copy) -> None:
    copy.definition(lambda definition: definition.update(TimeoutSeconds=86_400))


@flaw("F700", "workflow: paths are read in another language")
def other_language(copy: Copy) -> None:
    copy.definition(lambda definition: definition.update(QueryLanguage="JSONata"))


@flaw("F700", "workflow: its definition is text, which hides what it says twice")
def definition_as_text(copy: Copy) -> None:
    properties = copy.properties("pipeline/Workflow")
    properties["DefinitionString"] = json.dumps(properties.pop("Definition"))


@flaw("F710", "workflow: a second definition, as text")
def second_definition(copy: Copy) -> None:
    properties = copy.properties("pipeline/Workflow")
    properties["DefinitionString"] = json.dumps(properties["Definition"])


@flaw("F710", "workflow: its logs go to a second place")
def logs_elsewhere(copy: Copy) -> None:
    group = {"LogGroupArn": "arn:aws:logs:us-east-1:999999999999:log-group:x:*"}
    logging = copy.properties("pipeline/Workflow")["LoggingConfiguration"]
    logging["Destinations"].append({"CloudWatchLogsLogGroup": group})


@_flaw("F700", "a dataset of which half is missing is checked")
def half_checked(states: Raw) -> None:
    choices = states["Admitted?"]["Choices"]
    choices.append({**choices[0], "StringEquals": "waiting"})


@_flaw("F700", "a job that could not be recorded ends without closing the run")
def unclosed(states: Raw) -> None:
    states["Record job"]["Catch"][0]["Next"] = "Run ended"


@_flaw("F700", "the approval's token is kept with another run")
def token_elsewhere(states: Raw) -> None:
    states["Await approval"]["Parameters"]["Key"] = {"id": {"S.$": "$.admission.customization"}}


@_flaw("M807", "noting the approval replaces the run's data")
def approval_replaces_data(states: Raw) -> None:
    del states["Note the approval"]["ResultPath"]


@_flaw("F700", "noting the approval keeps what DynamoDB answers")
def approval_keeps_answer(states: Raw) -> None:
    del states["Note the approval"]["ResultSelector"]


@_flaw("F700", "SNS's answer replaces the run's data")
def message_replaces_data(states: Raw) -> None:
    states["Notify"]["ResultPath"] = "$.message"


@_flaw("F700", "SNS's answer is kept, selected into a result of the run")
def message_selected(states: Raw) -> None:
    states["Notify"]["ResultSelector"] = {"result.$": "$.MessageId"}


@_flaw("F700", "a result is kept where discarded ones are, whole")
def discarded_whole(states: Raw) -> None:
    del states["Draw page"]["ResultSelector"]


@_flaw("F700", "a function that gives no answer has one")
def answer_of_nothing(states: Raw) -> None:
    states["Draw page"]["ResultPath"] = "$.page"


@_flaw("F700", "the report is kept where nobody reads it")
def report_elsewhere(states: Raw) -> None:
    states["Merge report"]["ResultPath"] = "$.merged"


@_flaw("F700", "nobody records the job")
def nothing_recorded(states: Raw) -> None:
    del states["Record job"]
    states["Read job"]["Next"] = "Serve"


@_flaw("F700", "the shards' results are kept where nobody merges them")
def shards_elsewhere(states: Raw) -> None:
    states["Check images"]["ResultPath"] = "$.images"


@_flaw("F700", "the job is kept where nobody records it")
def job_elsewhere(states: Raw) -> None:
    states["Train"]["ResultPath"] = "$.trained"


@_flaw("F700", "what a deployment hands over is admitted like an upload")
def deployment_as_upload(states: Raw) -> None:
    states["Upload or deployment?"]["Choices"][0]["Next"] = "Admit"


@_flaw("F700", "a shard begins without its check")
def shard_not_checked(states: Raw) -> None:
    inner = states["Check images"]["ItemProcessor"]
    inner["StartAt"] = "Shard not checked"


@_flaw("M802", "serving gives up at the first error of an unknown name")
def serving_gives_up(states: Raw) -> None:
    states["Serve"]["Retry"] = [
        retry for retry in states["Serve"]["Retry"] if retry["ErrorEquals"] != ["States.TaskFailed"]
    ]


MUTANTS = collected(globals())
