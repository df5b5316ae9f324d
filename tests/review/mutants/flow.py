"""Flaws of the workflow: transitions, errors, ends, and the promise that it carries."""

from collections.abc import Callable

from bedrock_tuning.contracts.contract import DISCARDED
from tests.review.broken import Copy, Raw
from tests.review.mutants._mutant import Mutant, collected


def _flow(killer: str, name: str) -> Callable[[Callable[[Raw], None]], Mutant]:
    """A flaw of the workflow's states."""

    def make(change: Callable[[Raw], None]) -> Mutant:
        def apply(copy: Copy) -> None:
            copy.definition(lambda definition: change(definition["States"]))

        return Mutant(name=f"workflow: {name}", killer=killer, change=apply)

    return make


@_flow("F700", "a dangling Next")
def dangling_next(states: Raw) -> None:
    states["Record job"]["Next"] = "Serve it"


@_flow("F700", "a dangling Catch")
def dangling_catch(states: Raw) -> None:
    states["Admit"]["Catch"][0]["Next"] = "Close"


@_flow("F700", "a dangling choice")
def dangling_choice(states: Raw) -> None:
    states["Valid?"]["Choices"][0]["Next"] = "Prepare"


@_flow("F700", "neither Next nor End")
def no_next(states: Raw) -> None:
    del states["Notify"]["Next"]


@_flow("F700", "a choice without a default")
def no_default(states: Raw) -> None:
    del states["Next step?"]["Default"]


@_flow("F700", "a misspelled field")
def misspelled(states: Raw) -> None:
    states["Admit"]["Retries"] = states["Admit"].pop("Retry")


@_flow("F700", "a null, which CloudFormation refuses")
def null(states: Raw) -> None:
    states["Notify"]["ResultPath"] = None


@_flow("F700", "an answer that is 1, and not true")
def not_quite_true(states: Raw) -> None:
    states["Valid?"]["Choices"][0]["BooleanEquals"] = 1


@_flow("F700", "a null beside the fields of a state")
def null_beside(states: Raw) -> None:
    states["Notify"]["Comment"] = None


@_flow("F704", "a state that nobody reaches")
def unreachable(states: Raw) -> None:
    states["Worth a message?"]["Choices"] = [
        {"Variable": "$.outcome.notify", "BooleanEquals": True, "Next": "Ended well?"}
    ]


@_flow("F700", "a task without Retry")
def no_retry(states: Raw) -> None:
    del states["Check manifest"]["Retry"]


@_flow("F700", "a task without Catch")
def no_catch(states: Raw) -> None:
    del states["Check manifest"]["Catch"]


@_flow("F700", "a map without Catch")
def map_without_catch(states: Raw) -> None:
    del states["Check images"]["Catch"]


@_flow("F700", "a map that gives up sooner")
def map_gives_up(states: Raw) -> None:
    del states["Check images"]["Retry"][0]["MaxAttempts"]


@_flow("F700", "a shard without Retry")
def shard_without_retry(states: Raw) -> None:
    del states["Check images"]["ItemProcessor"]["States"]["Check shard"]["Retry"]


@_flow("F700", "only some errors are caught")
def some_errors(states: Raw) -> None:
    states["Train"]["Catch"][-1]["ErrorEquals"] = ["Bedrock.ValidationException"]


@_flow("F700", "an error replaces what is known about the run")
def error_replaces(states: Raw) -> None:
    del states["Merge report"]["Catch"][0]["ResultPath"]


@_flow("F700", "retries without growing pauses")
def no_backoff(states: Raw) -> None:
    states["Admit"]["Retry"][0]["BackoffRate"] = 1


@_flow("F704", "the run ends without a message")
def silent_end(states: Raw) -> None:
    states["Close run"]["Next"] = "Ended well?"


@_flow("F704", "a rejected dataset ends in silence")
def silent_rejection(states: Raw) -> None:
    states["Valid?"]["Default"] = "Run ended"


@_flow("F704", "closing fails in silence")
def silent_failure(states: Raw) -> None:
    states["Close run"]["Catch"][0]["Next"] = "Closing failed"


@_flow("F700", "runs are given a commit of the text's own")
def own_commit(states: Raw) -> None:
    states["Admit"]["Parameters"]["commit"] = "0" * 40


@_flow("F700", "publishes to another topic")
def other_topic(states: Raw) -> None:
    states["Notify"]["Parameters"]["TopicArn"] = "arn:aws:sns:us-east-1:999999999999:elsewhere"


@_flow("F700", "calls a function that is not here")
def other_function(states: Raw) -> None:
    states["Admit"]["Resource"] = "arn:aws:lambda:us-east-1:999999999999:function:admit"


@_flow("F700", "a task of a service that nobody expects")
def other_service(states: Raw) -> None:
    states["Notify"]["Resource"] = "arn:aws:states:::aws-sdk:ec2:runInstances"


@_flow("F700", "the approval waits for ever")
def waits_for_ever(states: Raw) -> None:
    del states["Await approval"]["TimeoutSeconds"]


@_flow("F700", "polls without a pause")
def busy_loop(states: Raw) -> None:
    states["Next step?"]["Choices"][0]["Next"] = "Serve"


@_flow("F700", "a result that is thrown away and read")
def lost_result(states: Raw) -> None:
    states["Merge report"].update(DISCARDED)


@_flow("F700", "what was discarded is read")
def discarded_read(states: Raw) -> None:
    states["Notify"]["Parameters"]["Message.$"] = "States.JsonToString($.discarded)"
    states["Close run"]["Next"] = "Notify"


@_flow("F700", "a result under another name")
def renamed_result(states: Raw) -> None:
    states["Admit"]["ResultPath"] = "$.admitted"


@_flow("F700", "an error under a name that is not there yet")
def error_too_deep(states: Raw) -> None:
    states["Admit"]["Catch"][0]["ResultPath"] = "$.serving.error"


@_flow("M801", "invalid datasets are trained, too")
def trains_invalid(states: Raw) -> None:
    states["Valid?"]["Default"] = "Prepare job"


@_flow("M801", "nobody is asked about the price")
def no_approval(states: Raw) -> None:
    states["Price known and allowed?"]["Choices"][1]["Next"] = "With configuration?"


@_flow("M801", "the price is never looked at")
def no_price(states: Raw) -> None:
    states["Prepare job"]["Next"] = "With configuration?"


@_flow("M801", "uploads that nobody admitted")
def not_admitted(states: Raw) -> None:
    states["Admitted?"]["Default"] = "Check manifest"


@_flow("M802", "published without a smoke test")
def unproved(states: Raw) -> None:
    states["Next step?"]["Choices"][1]["Next"] = "Publish endpoint"


@_flow("M802", "a failed smoke test is published")
def failed_proof(states: Raw) -> None:
    states["Proved?"]["Default"] = "Publish endpoint"


@_flow("F700", "a failed evaluation is published")
def failed_evaluation(states: Raw) -> None:
    states["Good enough?"]["Default"] = "Publish endpoint"


@_flow("F700", "an error of the evaluation is not rolled back")
def evaluation_not_rolled_back(states: Raw) -> None:
    states["Evaluate"]["Catch"][0]["Next"] = "Close run"


@_flow("M802", "an error while serving is not rolled back")
def no_roll_back(states: Raw) -> None:
    states["Smoke test"]["Catch"][0]["Next"] = "Close run"


@_flow("F700", "a function is not given the version that it must read")
def no_version(states: Raw) -> None:
    del states["Check manifest"]["Parameters"]["training_version.$"]


@_flow("F700", "a function is given another value")
def other_value(states: Raw) -> None:
    states["Merge report"]["Parameters"]["run.$"] = "$.admission.customization"


@_flow("F700", "a run that is refused tries again at once")
def no_pause(states: Raw) -> None:
    states["Wait for a turn"]["Next"] = "Record job"


@_flow("F700", "a full quota is a failure")
def full_quota_fails(states: Raw) -> None:
    del states["Train"]["Catch"][0]


@_flow("F700", "a superseded run trains")
def superseded_trains(states: Raw) -> None:
    states["A turn?"]["Default"] = "With configuration?"


@_flow("F700", "nobody asks whether to wait")
def never_waits(states: Raw) -> None:
    del states["Next step?"]["Choices"][0]


@_flow("F700", "a choice asks for an answer that is never given")
def unknown_answer(states: Raw) -> None:
    states["Published?"]["Choices"][0]["StringEquals"] = "waiting"


@_flow("F700", "the job trains for another role")
def other_job_role(states: Raw) -> None:
    train = states["Train"]["Parameters"]
    del train["RoleArn.$"]
    train["RoleArn"] = "arn:aws:iam::111122223333:role/Admin"


@_flow("F700", "nobody waits for the job")
def does_not_wait(states: Raw) -> None:
    states["Train"]["Resource"] = states["Train"]["Resource"].removesuffix(".sync")


@_flow("F700", "the validation dataset is used where there is none")
def validation_inverted(states: Raw) -> None:
    states["Validated?"]["Choices"][0]["BooleanEquals"] = False


@_flow("F700", "the approval's token is thrown away")
def no_token(states: Raw) -> None:
    del states["Await approval"]["Parameters"]["ExpressionAttributeValues"][":token"]


@_flow("F700", "the approval waits longer than the settings say")
def waits_longer(states: Raw) -> None:
    states["Await approval"]["TimeoutSeconds"] *= 2


@_flow("F700", "a message without a text")
def empty_message(states: Raw) -> None:
    del states["Notify"]["Parameters"]["Message.$"]


@_flow("F700", "a message of another environment")
def another_environment(states: Raw) -> None:
    sent = states["Ask for approval"]["Parameters"]
    sent["Message"]["environment"] = "prod"
    sent["MessageAttributes"]["environment"]["StringValue"] = "prod"


@_flow("F700", "a failed run ends well")
def failure_hidden(states: Raw) -> None:
    states["Ended well?"]["Choices"][0]["BooleanEquals"] = False


@_flow("F700", "a shard that could not be checked says nothing")
def silent_shard(states: Raw) -> None:
    inner = states["Check images"]["ItemProcessor"]["States"]
    del inner["Shard not checked"]["Parameters"]["error.$"]


@_flow("F700", "an error that does not exist is repeated")
def unknown_error(states: Raw) -> None:
    states["Admit"]["Retry"][0]["ErrorEquals"].append("Lambda.ServerException")


@_flow("F700", "a value that is no path")
def no_path(states: Raw) -> None:
    states["Merge report"]["Parameters"]["run.$"] = "admission.run"


@_flow("F700", "a cause by a function that makes no text")
def no_text(states: Raw) -> None:
    states["Closing failed"]["CausePath"] = "States.StringToJson($.error.Cause)"


@_flow("F700", "any number of shards at a time")
def unbounded_map(states: Raw) -> None:
    del states["Check images"]["MaxConcurrency"]


def _machine(killer: str, name: str) -> Callable[[Callable[[Copy], None]], Mutant]:
    def make(change: Callable[[Copy], None]) -> Mutant:
        return Mutant(name=f"workflow: {name}", killer=killer, change=change)

    return make


@_machine("F700", "no time limit")
def no_timeout(copy: Copy) -> None:
    copy.definition(lambda definition: definition.pop("TimeoutSeconds"))


@_machine("F700", "starts nowhere")
def starts_nowhere(copy: Copy) -> None:
    copy.definition(lambda definition: definition.update(StartAt="Start"))


@_machine("F706", "two functions are swapped")
def functions_swapped(copy: Copy) -> None:
    found = copy.properties("pipeline/Workflow")["DefinitionSubstitutions"]
    found["Admit"], found["Merge"] = found["Merge"], found["Admit"]


@_machine("F706", "the commit of runs is another text")
def other_commit(copy: Copy) -> None:
    copy.properties("pipeline/Workflow")["DefinitionSubstitutions"]["Commit"] = "v1.2.3"


@_machine("F706", "nothing is said of the commit of runs")
def no_commit(copy: Copy) -> None:
    del copy.properties("pipeline/Workflow")["DefinitionSubstitutions"]["Commit"]


@_machine("F706", "a placeholder is not filled")
def not_filled(copy: Copy) -> None:
    del copy.properties("pipeline/Workflow")["DefinitionSubstitutions"]["Topic"]


@_machine("F710", "acts as a function's role")
def other_role(copy: Copy) -> None:
    arn = {"Fn::GetAtt": [copy.logical_id("pipeline/Functions/Serve/Role"), "Arn"]}
    copy.properties("pipeline/Workflow")["RoleArn"] = arn


@_machine("F710", "logs nothing")
def no_logs(copy: Copy) -> None:
    del copy.properties("pipeline/Workflow")["LoggingConfiguration"]


@_machine("F710", "logs the data of its executions")
def logs_data(copy: Copy) -> None:
    logging = copy.properties("pipeline/Workflow")["LoggingConfiguration"]
    logging["IncludeExecutionData"] = True


@_machine("F710", "express, which ends after five minutes")
def express(copy: Copy) -> None:
    copy.properties("pipeline/Workflow")["StateMachineType"] = "EXPRESS"


@_flow("M801", "a job whose images nobody compared")
def images_unseen(states: Raw) -> None:
    states["A turn?"]["Choices"][0]["Next"] = "With configuration?"


@_flow("M801", "changed images train all the same")
def images_changed(states: Raw) -> None:
    states["Images as checked?"]["Default"] = "With configuration?"


@_flow("M801", "the images are compared before the wait for a slot, not after it")
def images_seen_too_early(states: Raw) -> None:
    states["Verify images"]["Next"] = "Images as checked?"
    states["Images as checked?"]["Choices"][0]["Next"] = "Wait for a turn"
    states["Wait for a turn"]["Next"] = "With configuration?"


@_flow("F700", "what was approved is tested, and not served")
def approved_and_not_served(states: Raw) -> None:
    states["Note the approval to serve"]["Next"] = "Smoke test"


@_flow("M807", "the settings are read in another way")
def read_otherwise(states: Raw) -> None:
    states["Load settings"]["Parameters"]["WithDecryption"] = True


@_flow("F700", "the question is asked under a condition")
def asked_under_a_condition(states: Raw) -> None:
    states["Await approval"]["Parameters"]["ConditionExpression"] = "attribute_not_exists(id)"


@_flow("F700", "what is inside of a map speaks another language")
def another_language_inside(states: Raw) -> None:
    states["Check images"]["ItemProcessor"]["QueryLanguage"] = "JSONata"


@_flow("F700", "what is inside of a map has a time limit of its own")
def time_limit_inside(states: Raw) -> None:
    states["Check images"]["ItemProcessor"]["TimeoutSeconds"] = 1


@_flow("F700", "a state that says twice what it writes")
def writes_twice(states: Raw) -> None:
    states["No images"]["Parameters"] = {"decision": "start"}


@_flow("F700", "the token is kept where people read")
def token_in_the_run(states: Raw) -> None:
    key = states["Note the approval"]["Parameters"]["Key"]
    states["Await approval"]["Parameters"]["Key"] = key


@_flow("F700", "another question is kept than the one that was asked")
def another_question(states: Raw) -> None:
    values = states["Await approval"]["Parameters"]["ExpressionAttributeValues"]
    values[":about"] = {"S": "something cheap"}


MUTANTS = collected(globals())
