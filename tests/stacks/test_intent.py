"""What a reviewer must not miss by skimming a snapshot, said as properties of the templates."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from app import build_app, read_context
from bedrock_tuning.config.names import PERSONAS
from bedrock_tuning.config.sections.existing import EXISTING_SETTINGS
from bedrock_tuning.contracts.construct_names import setting_of
from bedrock_tuning.contracts.states import workflow
from tests.stacks.readable import resolved
from tools.scan.cases import ENVIRONMENTS

Resource = dict[str, Any]


def _resources(assembly: Any, kind: str) -> Iterator[tuple[str, Resource]]:
    for stack in assembly.stacks:
        for name, resource in resolved(stack.template)["Resources"].items():
            if resource["Type"] == kind:
                yield name, resource


def _role(assembly: Any, start: str, stack: str = "") -> Resource:
    """The role whose logical id begins like this, in the stack whose name ends like this."""
    (found,) = [
        resource
        for each in assembly.stacks
        if each.stack_name.endswith(stack)
        for name, resource in resolved(each.template)["Resources"].items()
        if resource["Type"] == "AWS::IAM::Role" and name.startswith(start)
    ]
    properties: Resource = found["Properties"]
    return properties


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _statements(role: Resource) -> dict[str, Resource]:
    (policy,) = role["Policies"]
    return {s["Sid"]: s for s in policy["PolicyDocument"]["Statement"]}


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_data_survives_whatever_happens_to_its_stack(synth: Any, environment: str) -> None:
    kept = {"AWS::S3::Bucket": 4, "AWS::KMS::Key": 2, "AWS::DynamoDB::Table": 1}
    for kind, count in kept.items():
        found = list(_resources(synth(environment), kind))
        assert len(found) == count, kind
        for name, resource in found:
            policies = resource["DeletionPolicy"], resource["UpdateReplacePolicy"]
            assert policies == ("RetainExceptOnCreate", "Retain"), name


def test_each_setting_for_what_exists_is_known_by_what_a_stack_retains(assembly: Any) -> None:
    retained = [
        name
        for kind in ("AWS::S3::Bucket", "AWS::KMS::Key", "AWS::DynamoDB::Table")
        for name, _ in _resources(assembly, kind)
    ]
    # A topic goes with its stack.
    assert {setting_of(name)[0] for name in retained} - {""} == {*EXISTING_SETTINGS.values()} - {
        "topic"
    }


def test_what_refuses_access_to_a_bucket_lives_as_long_as_the_bucket(assembly: Any) -> None:
    policies = [
        resource["DeletionPolicy"] for _, resource in _resources(assembly, "AWS::S3::BucketPolicy")
    ]
    assert policies == ["RetainExceptOnCreate"] * 4


def test_nothing_is_protected_until_the_settings_say_so(assembly: Any) -> None:
    """A stack that is protected before its first deployment has ended well cannot be undone."""
    assert not any(stack.termination_protection for stack in assembly.stacks)
    ((_, table),) = _resources(assembly, "AWS::DynamoDB::Table")
    assert not table["Properties"].get("DeletionProtectionEnabled")


def test_buckets_are_encrypted_versioned_closed_and_logged(assembly: Any) -> None:
    for name, resource in _resources(assembly, "AWS::S3::Bucket"):
        properties = resource["Properties"]
        (rule,) = properties["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        algorithm = rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"]
        logs = name.startswith("AccessLogs")
        assert algorithm == ("AES256" if logs else "aws:kms"), name
        assert properties["VersioningConfiguration"] == {"Status": "Enabled"}, name
        assert set(properties["PublicAccessBlockConfiguration"].values()) == {True}, name
        (owner,) = properties["OwnershipControls"]["Rules"]
        assert owner["ObjectOwnership"] == "BucketOwnerEnforced", name
        assert logs or "LoggingConfiguration" in properties, name


def test_buckets_refuse_plain_http_and_old_tls(assembly: Any) -> None:
    policies = list(_resources(assembly, "AWS::S3::BucketPolicy"))
    assert len(policies) == 4
    for name, resource in policies:
        denied = [
            statement.get("Condition")
            for statement in resource["Properties"]["PolicyDocument"]["Statement"]
            if statement["Effect"] == "Deny" and statement["Principal"] == {"AWS": "*"}
        ]
        assert {"Bool": {"aws:SecureTransport": "false"}} in denied, name
        assert {"NumericLessThan": {"s3:TlsVersion": "1.2"}} in denied, name


def test_only_dataset_buckets_send_events_so_nothing_we_write_can_start_a_run(
    assembly: Any,
) -> None:
    sending = {
        name
        for name, resource in _resources(assembly, "AWS::S3::Bucket")
        if "NotificationConfiguration" in resource["Properties"]
    }
    assert {name[:-8] for name in sending} == {"Training", "Validation"}


def test_only_the_upload_of_a_manifest_starts_a_run(assembly: Any) -> None:
    rules = [rule["Properties"] for _, rule in _resources(assembly, "AWS::Events::Rule")]
    # The other rule calls the reconciler.
    (rule,) = (each for each in rules if each["EventPattern"]["source"] == ["aws.s3"])
    pattern = rule["EventPattern"]
    assert pattern["detail"]["object"]["key"] == [{"suffix": "/manifest.jsonl"}]
    assert pattern["detail-type"] == ["Object Created"]
    for each in rules:
        (target,) = each["Targets"]
        assert target["DeadLetterConfig"]["Arn"]


def test_the_bedrock_role_is_trusted_for_jobs_of_this_account_and_region_only(
    assembly: Any,
) -> None:
    (statement,) = _role(assembly, "BedrockRole", "pets-search")["AssumeRolePolicyDocument"][
        "Statement"
    ]
    assert statement["Principal"] == {"Service": "bedrock.amazonaws.com"}
    assert statement["Condition"] == {
        "StringEquals": {"aws:SourceAccount": "${AWS::AccountId}"},
        "ArnLike": {
            "aws:SourceArn": "arn:aws:bedrock:us-east-1:${AWS::AccountId}:model-customization-job/*"
        },
    }


@pytest.mark.parametrize("bucket", ["Training", "Validation"])
def test_only_the_checker_writes_checked_manifests_however_much_of_the_bucket_others_may(
    assembly: Any, bucket: str
) -> None:
    (statement,) = (
        each
        for name, resource in _resources(assembly, "AWS::S3::BucketPolicy")
        for each in resource["Properties"]["PolicyDocument"]["Statement"]
        if name.startswith(bucket) and each.get("Sid") == "CheckedManifestsByTheirCheckerOnly"
    )
    assert statement["Effect"] == "Deny"
    assert statement["Principal"] == {"AWS": "*"}
    assert {"s3:PutObject*", "s3:DeleteObject*"} < set(statement["Action"])
    assert str(statement["Resource"]).endswith("/_checked/*")
    assert "role/tuning/dev/check/*" in str(statement["Condition"]["ArnNotLike"])
    # Of those whom the bucket lets, one may by its own policy.
    checkers = [
        name
        for name, role in _resources(assembly, "AWS::IAM::Role")
        if role["Properties"].get("Path") == "/tuning/dev/check/"
        for each in role["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]
        if "s3:PutObject" in _listed(each["Action"]) and "/_checked/" in str(each["Resource"])
    ]
    assert [name[:17] for name in checkers] == ["FunctionsStartJob"]


def test_the_bedrock_role_reads_and_writes_its_own_folders_only(assembly: Any) -> None:
    statements = _statements(_role(assembly, "BedrockRole", "pets-search"))
    reads, writes = statements["ReadDataset"]["Resource"], statements["WriteOutput"]["Resource"]
    assert sorted(resource.partition("}")[2] for resource in reads) == [
        "/_checked/pets-search/*",
        "/_checked/pets-search/*",
        "/pets-search/*",
        "/pets-search/*",
    ]
    assert writes.endswith("/jobs/pets-search/*")
    assert statements["ListDataset"]["Condition"]["StringLike"] == {"s3:prefix": "pets-search/*"}
    actions = set()
    for statement in statements.values():
        found = statement["Action"]
        actions |= {found} if isinstance(found, str) else set(found)
    assert actions == {
        "s3:GetObject",
        "s3:PutObject",
        "s3:ListBucket",
        "kms:Decrypt",
        "kms:GenerateDataKey",
    }


def test_the_strict_profile_may_not_read_what_bedrock_wrote(tmp_path: Any) -> None:
    context = {**read_context(), "environment": "dev"}
    context["tuning"]["environments"]["dev"]["service_role"] = "strict"
    strict = build_app(context, outdir=str(tmp_path)).synth()
    statements = _statements(_role(strict, "BedrockRole", "pets-search"))
    about_jobs = {sid for sid, s in statements.items() if "jobs/pets-search" in json.dumps(s)}
    assert about_jobs == {"WriteOutput"}
    assert statements["WriteOutput"]["Action"] == "s3:PutObject"


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_every_role_names_its_source_and_has_no_managed_policy(
    synth: Any, environment: str
) -> None:
    roles = list(_resources(synth(environment), "AWS::IAM::Role"))
    assert len(roles) >= 14
    for name, role in roles:
        assert "ManagedPolicyArns" not in role["Properties"], name
        for statement in role["Properties"]["AssumeRolePolicyDocument"]["Statement"]:
            equals = statement["Condition"]["StringEquals"]
            if name.startswith("Starter"):
                assert equals["sts:ExternalId"].endswith(f":tuning-{environment}-workflow"), name
                assert statement["Condition"]["ArnEquals"]["aws:PrincipalArn"], name
            else:
                assert equals["aws:SourceAccount"] == "${AWS::AccountId}", name


def test_no_permission_lies_outside_its_role(assembly: Any) -> None:
    assert list(_resources(assembly, "AWS::IAM::Policy")) == []
    people = {name[:-8] for name, _ in _resources(assembly, "AWS::IAM::ManagedPolicy")}
    assert people == {name.capitalize() for name in PERSONAS}


@pytest.mark.parametrize("name", ["pets-search", "pets-style"])
def test_a_starter_passes_exactly_its_own_bedrock_role_and_only_to_bedrock(
    name: str, assembly: Any
) -> None:
    statement = _statements(_role(assembly, "Starter", name))["PassOwnServiceRole"]
    assert statement["Resource"].startswith("${BedrockRole")
    assert statement["Condition"] == {
        "StringEquals": {"iam:PassedToService": "bedrock.amazonaws.com"}
    }


def test_the_workflow_itself_can_start_no_job_and_pass_no_role(assembly: Any) -> None:
    statements = _statements(_role(assembly, "WorkflowRole"))
    text = json.dumps(list(statements.values()))
    assert "iam:PassRole" not in text
    assert "CreateModelCustomizationJob" not in text
    assert statements["BecomeStarters"]["Resource"].endswith(":role/tuning/dev/start/*")


def test_the_workflow_is_in_the_template_as_it_is_written(assembly: Any) -> None:
    """Step Functions refuses a number that became a text, and CloudFormation a null."""
    ((_, machine),) = _resources(assembly, "AWS::StepFunctions::StateMachine")
    text = json.dumps(machine["Properties"]["Definition"])
    assert text == json.dumps(workflow.definition(environment="dev", approval_days=7))
    assert ": null" not in text


def test_alarms_really_reach_the_encrypted_topic(assembly: Any) -> None:
    ((_, policy),) = _resources(assembly, "AWS::SNS::TopicPolicy")
    publishers = [
        statement["Principal"]
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Allow" and statement["Action"] == "sns:Publish"
    ]
    assert {"Service": "cloudwatch.amazonaws.com"} in publishers
    keys = dict(_resources(assembly, "AWS::KMS::Key"))
    (operations,) = [key for name, key in keys.items() if name.startswith("Operations")]
    users = [
        statement["Principal"].get("Service")
        for statement in operations["Properties"]["KeyPolicy"]["Statement"]
    ]
    assert "cloudwatch.amazonaws.com" in users
    alarms = list(_resources(assembly, "AWS::CloudWatch::Alarm"))
    assert alarms
    for name, alarm in alarms:
        assert alarm["Properties"]["AlarmActions"], name


def test_serving_is_one_custom_resource_per_customization(assembly: Any) -> None:
    settings = {
        resource["Properties"]["Customization"]: resource["Properties"]
        for _, resource in _resources(assembly, "Custom::ProvisionedThroughput")
    }
    assert set(settings) == {"pets-search", "pets-style"}
    assert settings["pets-search"]["LeaseHours"] == "8"


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_everything_that_can_carry_a_tag_names_its_environment(
    synth: Any, environment: str
) -> None:
    tagged = 0
    for stack in synth(environment).stacks:
        for name, resource in stack.template["Resources"].items():
            tags = resource.get("Properties", {}).get("Tags")
            if isinstance(tags, dict):
                tags = [{"Key": key, "Value": value} for key, value in tags.items()]
            if tags is not None:
                tagged += 1
                assert {"Key": "bedrock-tuning:environment", "Value": environment} in tags, name
    assert tagged > 30
