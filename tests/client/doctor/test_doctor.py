"""Each line of `tuning doctor`: well when AWS answers well, red with its fix when it does not."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

import pytest

from bedrock_tuning.catalogue import catalogue
from bedrock_tuning.client import doctor
from bedrock_tuning.client.deployment import DeploymentClient
from bedrock_tuning.client.doctor.check import DoctorCheck, Observation, Subject, examine
from bedrock_tuning.client.doctor.every_check import DOCTOR_CHECKS
from bedrock_tuning.config.settings import Settings
from bedrock_tuning.errors import UserError
from bedrock_tuning.s3_layout import Buckets
from tests.cli.support import CALLER, REGION, WORKFLOW, StubbedAws, shipped
from tests.support import price_list

ACCOUNT = "000000000000"
SEARCH = shipped()["pets-search"]
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:topic"


@pytest.fixture
def aws() -> Iterator[StubbedAws]:
    stubbed = StubbedAws()
    yield stubbed
    stubbed.end()


def subject(aws: StubbedAws, **changes: Any) -> Subject:
    deployed = DeploymentClient(
        aws=aws,
        environment="dev",
        buckets=Buckets(training="train", validation="valid", output="out"),
        runs_table="runs",
        workflow_arn=WORKFLOW,
        approval_url="https://approve.example/",
        customizations={"pets-search": SEARCH},
    )
    values = {
        "aws": aws,
        "settings": Settings(name="dev", region=REGION),
        "customizations": {"pets-search": SEARCH},
        "deployment": deployed,
        **changes,
    }
    return Subject(**values)


def ask(id: str, found: Subject) -> tuple[Observation, ...]:
    (check,) = (each for each in DOCTOR_CHECKS if each.id == id)
    (result,) = examine(found, [check])
    return result.answers


def only(id: str, found: Subject) -> tuple[str, str, str]:
    (answer,) = ask(id, found)
    return answer.state, answer.seen, answer.fix


def called(aws: StubbedAws, account: str = ACCOUNT) -> None:
    answer = {"UserId": "x", "Account": account, "Arn": CALLER}
    aws.answer("sts", "get_caller_identity", answer, {})


def test_credentials_of_the_right_account_and_region_are_well(aws: StubbedAws) -> None:
    called(aws)
    state, seen, _ = only("identity", subject(aws))
    assert (state, seen) == ("ok", f"{CALLER} in {REGION}")


def test_another_account_than_the_environments_is_red(aws: StubbedAws) -> None:
    called(aws)
    pinned = Settings(name="dev", region=REGION, account="111122223333")
    state, seen, fix = only("identity", subject(aws, settings=pinned))
    assert state == "fail"
    assert "dev belongs to account 111122223333" in seen
    assert "AWS_PROFILE" in fix


def test_another_region_than_the_environments_is_red(aws: StubbedAws) -> None:
    called(aws)
    elsewhere = Settings(name="dev", region="us-west-2")
    state, _, fix = only("identity", subject(aws, settings=elsewhere))
    assert (state, fix) == ("fail", "--region us-west-2")


@pytest.mark.parametrize(("version", "state"), [("21", "ok"), ("6", "ok"), ("5", "fail")])
def test_an_old_bootstrap_is_red(aws: StubbedAws, version: str, state: str) -> None:
    aws.answer(
        "ssm",
        "get_parameter",
        {"Parameter": {"Value": version}},
        {"Name": "/cdk-bootstrap/hnb659fds/version"},
    )
    found = only("bootstrap", subject(aws))
    assert found[0] == state
    assert state == "ok" or found[2] == f"cdk bootstrap aws://ACCOUNT/{REGION}"


def test_a_region_without_bootstrap_is_red(aws: StubbedAws) -> None:
    aws.stub("ssm").add_client_error("get_parameter", "ParameterNotFound")
    assert only("bootstrap", subject(aws))[0] == "fail"


@pytest.mark.parametrize(
    ("policies", "length", "state"), [(9, 4_000, "ok"), (10, 10, "warn"), (1, 5_000, "warn")]
)
def test_a_full_account_of_log_policies_is_told(
    aws: StubbedAws, policies: int, length: int, state: str
) -> None:
    policy = {"policyName": "p", "policyDocument": "x" * length}
    answer = {"resourcePolicies": [policy] * policies}
    aws.answer("logs", "describe_resource_policies", answer, {})
    assert only("log-policies", subject(aws))[0] == state


@pytest.mark.parametrize(("free", "state"), [(1_000, "ok"), (10, "warn")])
def test_a_new_accounts_few_functions_are_told(aws: StubbedAws, free: int, state: str) -> None:
    limit = {"AccountLimit": {"UnreservedConcurrentExecutions": free}}
    aws.answer("lambda_", "get_account_settings", limit, {})
    found = only("lambda-concurrency", subject(aws))
    assert found[0] == state
    assert state == "ok" or "L-B99A9384" in found[2]


def details(status: str) -> dict[str, Any]:
    arn = f"arn:aws:bedrock:{REGION}::foundation-model/amazon.titan-embed-image-v1:0"
    model = {"modelArn": arn, "modelId": "amazon.titan-embed-image-v1:0"}
    return {"modelDetails": {**model, "modelLifecycle": {"status": status}}}


@pytest.mark.parametrize(
    ("status", "allowed", "state"),
    [("ACTIVE", False, "ok"), ("LEGACY", True, "warn"), ("LEGACY", False, "fail")],
)
def test_a_model_that_takes_no_jobs_is_red(
    aws: StubbedAws, status: str, allowed: bool, state: str
) -> None:
    wanted = {"modelIdentifier": SEARCH.base_model.customization_id}
    aws.answer("bedrock", "get_foundation_model", details(status), wanted)
    chosen = {"pets-search": replace(SEARCH, allow_closed_model=allowed)}
    found = only("model-open", subject(aws, customizations=chosen))
    assert found[0] == state
    assert state != "fail" or found[2] == "choose an open model: tuning models --open"


@pytest.mark.parametrize(
    ("authorization", "state"), [("AUTHORIZED", "ok"), ("NOT_AUTHORIZED", "fail")]
)
def test_a_model_without_access_is_red(aws: StubbedAws, authorization: str, state: str) -> None:
    answer = {
        "modelId": "amazon.titan-embed-image-v1",
        "agreementAvailability": {"status": "AVAILABLE"},
        "authorizationStatus": authorization,
        "entitlementAvailability": "AVAILABLE",
        "regionAvailability": "AVAILABLE",
    }
    wanted = {"modelId": "amazon.titan-embed-image-v1"}
    aws.answer("bedrock", "get_foundation_model_availability", answer, wanted)
    found = only("model-access", subject(aws))
    assert found[0] == state
    assert state == "ok" or "Model access" in found[2]


UNITS, ALL_UNITS, MODELS, JOBS = "L-32F732DE", "L-BE77399C", "L-CB5B847D", "L-0406044C"


def none_bought(aws: StubbedAws) -> None:
    aws.answer(
        "bedrock", "list_provisioned_model_throughputs", {"provisionedModelSummaries": []}, {}
    )


def test_without_model_units_nobody_should_pay_for_training(aws: StubbedAws) -> None:
    aws.has_quota(UNITS, 0.0)
    aws.has_quota(ALL_UNITS, 1.0)
    none_bought(aws)
    answer, enough = ask("quota-model-units", subject(aws))
    assert answer.state == "fail"
    assert answer.seen.startswith("pets-search: 0 model units of Titan Multimodal Embeddings G1")
    assert answer.fix.startswith("request 1 before you train")
    assert answer.fix.endswith(f"/services/bedrock/quotas/{UNITS}")
    assert answer.learned == {"model-units": "0"}
    assert enough.state == "ok"


def test_a_quota_that_was_never_changed_has_its_default(aws: StubbedAws) -> None:
    for code in (UNITS, ALL_UNITS):
        aws.stub("service_quotas").add_client_error("get_service_quota", "NoSuchResourceException")
        quota = {"Quota": {"QuotaCode": code, "Value": 0.0}}
        aws.answer("service_quotas", "get_aws_default_service_quota", quota, None)
    none_bought(aws)
    assert {each.state for each in ask("quota-model-units", subject(aws))} == {"fail"}


def test_enough_model_units_are_well_and_learned(aws: StubbedAws) -> None:
    aws.has_quota(UNITS, 2.0)
    aws.has_quota(ALL_UNITS, 2.0)
    none_bought(aws)
    answer, _ = ask("quota-model-units", subject(aws))
    assert (answer.state, answer.learned) == ("ok", {"model-units": "2"})


def test_a_model_without_a_listed_quota_is_told(aws: StubbedAws) -> None:
    for _ in (UNITS, ALL_UNITS):
        for method in ("get_service_quota", "get_aws_default_service_quota"):
            aws.stub("service_quotas").add_client_error(method, "NoSuchResourceException")
    assert {each.state for each in ask("quota-model-units", subject(aws))} == {"warn"}


def models(aws: StubbedAws, *bases: str) -> None:
    summaries = [
        {
            "modelArn": f"arn:aws:bedrock:{REGION}:{ACCOUNT}:custom-model/x/{number:012}",
            "modelName": f"m{number}",
            "creationTime": "2026-11-01T00:00:00Z",
            "baseModelArn": f"arn:aws:bedrock:{REGION}::foundation-model/{base}",
            "baseModelName": "b",
        }
        for number, base in enumerate(bases)
    ]
    aws.answer("bedrock", "list_custom_models", {"modelSummaries": summaries}, {})


def test_a_full_shelf_of_custom_models_is_red(aws: StubbedAws) -> None:
    aws.has_quota(MODELS, 2.0)
    aws.has_quota(JOBS, 2.0)
    models(aws, "a", "b")
    full, slots = ask("quota-counts", subject(aws))
    assert full.state == "fail"
    assert full.seen.startswith("2 custom models (2 in use)")
    assert full.fix.startswith("request 3 before")
    assert (slots.state, slots.learned) == ("ok", {"job-slots": "2"})


@pytest.mark.parametrize(
    ("base", "state"),
    [("amazon.titan-embed-image-v1:0", "ok"), ("amazon.titan-embed-image-v1", "fail")],
)
def test_a_base_model_that_is_spelled_differently_is_red(
    aws: StubbedAws, base: str, state: str
) -> None:
    models(aws, base, "other.model")
    (answer,) = ask("base-model-arn", subject(aws))
    assert (answer.state, answer.learned) == (state, {"base-model-arn": base})


def nova() -> dict[str, Any]:
    return {"notes": replace(SEARCH, name="notes", base_model=catalogue()["nova-micro"])}


def test_a_price_of_today_is_shown_beside_the_catalogues(aws: StubbedAws) -> None:
    for usage, unit in ((price_list.TRAINING, "1K tokens"), (price_list.STORAGE, "Month")):
        answer = {"PriceList": [price_list.product(usage, "0.002", unit=unit)]}
        aws.answer("pricing", "get_products", answer, None)
    training, storage = ask("prices", subject(aws, customizations=nova()))
    assert (training.state, storage.state) == ("ok", "ok")
    assert training.seen.startswith(
        "notes: training_per_1k_tokens: 0.002 USD on 2026-11-20, 0.00124"
    )
    assert training.learned == {"price-list": "as we assume"}


def test_a_price_list_that_may_not_be_asked_or_knows_nothing_is_told(aws: StubbedAws) -> None:
    aws.stub("pricing").add_client_error("get_products", "AccessDeniedException")
    aws.answer("pricing", "get_products", {"PriceList": []}, None)
    denied, unknown = ask("prices", subject(aws, customizations=nova()))
    assert (denied.state, unknown.state) == ("warn", "warn")
    assert "pricing:GetProducts" in denied.fix
    assert "0 prices are listed" in unknown.seen


def test_a_model_whose_name_in_the_list_is_unknown_is_not_asked_for(aws: StubbedAws) -> None:
    assert only("prices", subject(aws))[0] == "skip"


def stacks(aws: StubbedAws, **statuses: str) -> None:
    found = [
        {
            "StackName": f"tuning-{name.replace('_', '-')}",
            "CreationTime": "2026-11-21T09:00:00Z",
            "StackStatus": status,
            "Outputs": [{"OutputKey": "Topic", "OutputValue": TOPIC}],
        }
        for name, status in statuses.items()
    ]
    aws.answer("cloudformation", "describe_stacks", {"Stacks": found}, {})


def test_a_stack_that_must_be_deleted_first_is_red(aws: StubbedAws) -> None:
    stacks(aws, dev_data="ROLLBACK_COMPLETE", prod_data="ROLLBACK_COMPLETE")
    state, seen, fix = only("stacks", subject(aws))
    assert state == "fail"
    assert seen.startswith("tuning-dev-data: ROLLBACK_COMPLETE")
    assert fix.startswith("aws cloudformation delete-stack --stack-name tuning-dev-data, then cdk")


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("UPDATE_ROLLBACK_COMPLETE", "warn"),
        ("UPDATE_IN_PROGRESS", "warn"),
        ("UPDATE_COMPLETE", "ok"),
    ],
)
def test_other_states_of_a_stack_are_told(aws: StubbedAws, status: str, state: str) -> None:
    stacks(aws, dev_data=status)
    assert only("stacks", subject(aws))[0] == state


def test_before_the_first_deployment_there_is_nothing_to_repair(aws: StubbedAws) -> None:
    stacks(aws)
    state, _, fix = only("stacks", subject(aws, deployment=None))
    assert (state, fix) == ("warn", "cdk deploy --all --context environment=dev")
    for id in ("customizations", "workflow", "canary-job"):
        assert only(id, subject(aws, deployment=None))[0] == "skip"


def test_a_customization_that_is_a_file_only_is_told(aws: StubbedAws) -> None:
    both = {"pets-search": SEARCH, "cats": replace(SEARCH, name="cats")}
    missing, there = ask("customizations", subject(aws, customizations=both))
    assert (missing.state, there.state) == ("warn", "ok")
    assert missing.fix == "cdk deploy tuning-dev-cats --context environment=dev"


def test_an_environment_without_customizations_says_so(aws: StubbedAws) -> None:
    platform = subject(aws).deployment
    assert platform is not None
    empty = replace(platform, customizations={})
    (there,) = ask("customizations", subject(aws, customizations={}, deployment=empty))
    assert there.seen == "deployed: none"
    with pytest.raises(UserError) as refused:
        empty.require("cats")
    assert refused.value.fix == "create customizations/cats.toml"


def test_a_workflow_that_step_functions_refuses_is_red(aws: StubbedAws) -> None:
    machine = {
        "stateMachineArn": WORKFLOW,
        "name": "w",
        "definition": "{}",
        "roleArn": "arn:aws:iam::000000000000:role/w",
        "type": "STANDARD",
        "creationDate": "2026-11-01T00:00:00Z",
    }
    aws.answer("stepfunctions", "describe_state_machine", machine, {"stateMachineArn": WORKFLOW})
    wrong = {"severity": "ERROR", "code": "X", "message": "no StartAt", "location": "/"}
    answer = {"result": "FAIL", "diagnostics": [wrong]}
    aws.answer("stepfunctions", "validate_state_machine_definition", answer, {"definition": "{}"})
    state, seen, _ = only("workflow", subject(aws))
    assert (state, seen) == ("fail", "/: no StartAt")


RUN_ITEM = {"id": {"S": "run#1"}, "customization": {"S": "pets-search"}}


@pytest.mark.parametrize(
    ("runs", "failed", "state", "words"),
    [
        ([RUN_ITEM], None, "ok", "a run is recorded"),
        ([], [], "skip", "no run yet"),
        ([], ["arn:x:e"], "fail", "executions of the workflow failed, and no run is recorded"),
    ],
)
def test_a_table_that_functions_cannot_write_is_red(
    aws: StubbedAws, runs: list[Any], failed: list[str] | None, state: str, words: str
) -> None:
    index = {"TableName": "runs", "IndexName": "by-customization", "Limit": 1}
    aws.answer("dynamodb", "scan", {"Items": runs}, index)
    if failed is not None:
        ended = {"stateMachineArn": WORKFLOW, "name": "x", "status": "FAILED", "startDate": 0}
        aws.answer(
            "stepfunctions",
            "list_executions",
            {"executions": [{"executionArn": each, **ended} for each in failed]},
            {"stateMachineArn": WORKFLOW, "statusFilter": "FAILED", "maxResults": 1},
        )
    found = ask("runs-table", subject(aws))
    assert [(each.state, each.seen) for each in found] == [(state, words)]
    learned = [each.learned for each in found if each.learned]
    assert learned == ([{"table-key": "as we assume"}] if state == "ok" else [])


@pytest.mark.parametrize(
    ("subscriptions", "state", "words"),
    [
        ([], "warn", "nobody is notified when a run of pets-search waits"),
        ([("PendingConfirmation", "a@example.com")], "fail", "a@example.com has not confirmed"),
        ([("arn:aws:sns:x", "a@example.com")], "ok", "1 subscriber"),
    ],
)
def test_messages_that_reach_nobody_are_told(
    aws: StubbedAws, subscriptions: list[tuple[str, str]], state: str, words: str
) -> None:
    stacks(aws, dev_pipeline="CREATE_COMPLETE")
    found = [{"SubscriptionArn": arn, "Endpoint": mail} for arn, mail in subscriptions]
    aws.answer("sns", "list_subscriptions_by_topic", {"Subscriptions": found}, {"TopicArn": TOPIC})
    answer = only("messages", subject(aws))
    assert answer[0] == state
    assert words in answer[1]


@pytest.mark.parametrize(("number", "state"), [("0", "ok"), ("3", "fail")])
def test_events_that_could_not_be_delivered_are_red(
    aws: StubbedAws, number: str, state: str
) -> None:
    queue = {
        "LogicalResourceId": "MessagesDeadLetters0A1B2C3D",
        "PhysicalResourceId": "https://q",
        "ResourceType": "AWS::SQS::Queue",
        "LastUpdatedTimestamp": datetime.now(UTC),
        "ResourceStatus": "CREATE_COMPLETE",
    }
    aws.answer(
        "cloudformation",
        "list_stack_resources",
        {"StackResourceSummaries": [queue]},
        {"StackName": "tuning-dev-pipeline"},
    )
    aws.answer(
        "sqs",
        "get_queue_attributes",
        {"Attributes": {"ApproximateNumberOfMessages": number}},
        {"QueueUrl": "https://q", "AttributeNames": ["ApproximateNumberOfMessages"]},
    )
    assert only("dead-letters", subject(aws))[0] == state


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("AccessDeniedException", "you may not ask: logs:DescribeResourcePolicies"),
        ("UnknownOperationException", "this AWS does not know logs:DescribeResourcePolicies"),
        ("ThrottlingException", "logs:DescribeResourcePolicies failed: ThrottlingException"),
    ],
)
def test_what_could_not_be_asked_is_skipped_and_never_well(
    aws: StubbedAws, code: str, words: str
) -> None:
    aws.stub("logs").add_client_error("describe_resource_policies", code)
    state, seen, _ = only("log-policies", subject(aws))
    assert state == "skip"
    assert seen.startswith(words)


def test_no_module_has_a_check_that_the_doctor_does_not_make() -> None:
    for module in iter_modules(doctor.__path__, f"{doctor.__name__}."):
        defined = vars(import_module(module.name)).values()
        assert {each.id for each in defined if isinstance(each, DoctorCheck)} <= {
            each.id for each in DOCTOR_CHECKS
        }, module.name
