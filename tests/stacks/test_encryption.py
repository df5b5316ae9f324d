"""Our keys for all that holds data, a key of models on demand, and buckets that refuse others."""

from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest

from app import build_app
from bedrock_tuning.config.settings import Settings
from bedrock_tuning.contracts.bucket_access import DATA_ACTIONS, role_name
from tests.stacks.readable import resolved
from tools.scan.cases import OPTIONS, Case

Resource = dict[str, Any]
VIA_BEDROCK = {"StringEquals": {"kms:ViaService": "bedrock.us-east-1.amazonaws.com"}}
NOVA = """description = "Answers like our support"
base_model = "nova-micro"
[hyperparameters]
[serving]
mode = "provisioned"
model_units = 1
lease_hours = 8
smoke_text = "hello"
"""


def _all(assembly: Any, *kinds: str) -> Iterator[tuple[str, Resource]]:
    for stack in assembly.stacks:
        for name, resource in resolved(stack.template)["Resources"].items():
            if resource["Type"] in kinds:
                yield name, resource


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _statements(assembly: Any, role: str) -> dict[str, Resource]:
    # Both customizations' stacks have one of the same name: they say the same.
    found = next(r for n, r in _all(assembly, "AWS::IAM::Role") if n.startswith(role))
    (policy,) = found["Properties"]["Policies"]
    return {s["Sid"]: s for s in policy["PolicyDocument"]["Statement"]}


def _key_of(resource: Resource) -> str:
    """What a resource says about the key of its data."""
    properties = resource["Properties"]
    match resource["Type"]:
        case "AWS::S3::Bucket":
            (rule,) = properties["BucketEncryption"]["ServerSideEncryptionConfiguration"]
            return str(rule["ServerSideEncryptionByDefault"].get("KMSMasterKeyID", ""))
        case "AWS::DynamoDB::Table":
            return str(properties["SSESpecification"].get("KMSMasterKeyId", ""))
        case "AWS::Logs::LogGroup":
            return str(properties.get("KmsKeyId", ""))
    return str(properties.get("KmsMasterKeyId", ""))


@pytest.mark.parametrize("options", OPTIONS)
def test_everything_that_holds_data_is_encrypted_with_a_key_of_ours(
    synth: Any, options: str
) -> None:
    holding = (
        "AWS::DynamoDB::Table",
        "AWS::Logs::LogGroup",
        "AWS::S3::Bucket",
        "AWS::SNS::Topic",
        "AWS::SQS::Queue",
    )
    found = dict(_all(synth("dev", options), *holding))
    assert {resource["Type"] for resource in found.values()} == set(holding)
    for name, resource in found.items():
        if name.startswith("AccessLogs"):
            continue  # S3 cannot deliver its logs to a bucket with a customer key.
        assert "Key" in _key_of(resource), name


@pytest.mark.parametrize("options", OPTIONS)
def test_every_key_rotates_and_stays(synth: Any, options: str) -> None:
    keys = dict(_all(synth("dev", options), "AWS::KMS::Key"))
    assert len(keys) == 2 + (options in ("vpc", "all")) + (options in ("model-key", "all"))
    for name, key in keys.items():
        assert key["Properties"]["EnableKeyRotation"] is True, name
        assert (key["DeletionPolicy"], key["UpdateReplacePolicy"]) == (
            "RetainExceptOnCreate",
            "Retain",
        ), name


def test_who_trains_may_use_the_models_key_through_bedrock_and_make_grants(synth: Any) -> None:
    assembly = synth("dev", "model-key")
    for role in ("Starter", "BedrockRole"):
        statement = _statements(assembly, role)["EncryptModels"]
        # docs/facts/iam.md#model-key.
        assert set(statement["Action"]) == {
            "kms:CreateGrant",
            "kms:Decrypt",
            "kms:DescribeKey",
            "kms:GenerateDataKey",
        }
        assert statement["Condition"] == VIA_BEDROCK, role
        assert statement["Resource"] == "${ModelKeyArn}", role


def test_who_calls_an_encrypted_model_may_decrypt_and_no_more(synth: Any) -> None:
    statement = _statements(synth("dev", "model-key"), "FunctionsServeRole")["DecryptModels"]
    assert statement["Action"] == "kms:Decrypt"
    assert statement["Condition"] == VIA_BEDROCK


def test_nobody_else_has_the_models_key(synth: Any) -> None:
    assembly = synth("dev", "model-key")
    users = {
        name[:-8]
        for name, role in _all(assembly, "AWS::IAM::Role")
        for statement in role["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]
        if any("ModelKey" in resource for resource in _listed(statement["Resource"]))
    }
    assert users == {"Starter", "BedrockRole", "FunctionsServeRole", "FunctionsEvaluateRole"}
    (key,) = [k for n, k in _all(assembly, "AWS::KMS::Key") if n.startswith("ModelKey")]
    (administered,) = key["Properties"]["KeyPolicy"]["Statement"]
    assert administered["Principal"] == {"AWS": "arn:aws:iam::${AWS::AccountId}:root"}


def test_jobs_are_asked_to_encrypt_with_the_models_key(synth: Any) -> None:
    ((_, machine),) = _all(synth("dev", "model-key"), "AWS::StepFunctions::StateMachine")
    train = machine["Properties"]["Definition"]["States"]["Train"]
    assert train["Parameters"]["CustomModelKmsKeyId"] == "${ModelKey}"
    filled = machine["Properties"]["DefinitionSubstitutions"]["ModelKey"]
    assert filled.startswith("${data:ModelKey")
    assert filled.endswith(".Arn}")


def test_throughput_of_a_nova_model_needs_bedrock_itself_in_the_keys_policy(
    tmp_path: Path,
) -> None:
    (tmp_path / "support.toml").write_text(NOVA, encoding="utf-8")
    context = Case(options="model-key").context()
    nova = build_app(context, outdir=str(tmp_path / "out"), customizations=tmp_path).synth()
    (key,) = [k for n, k in _all(nova, "AWS::KMS::Key") if n.startswith("ModelKey")]
    _, optimizes = key["Properties"]["KeyPolicy"]["Statement"]
    assert optimizes["Principal"] == {"Service": "bedrock.amazonaws.com"}
    assert optimizes["Action"] == ["kms:Decrypt", "kms:GenerateDataKey"]
    assert optimizes["Condition"] == {
        "ForAnyValue:StringEquals": {"kms:EncryptionContextKeys": "aws:bedrock:custom-model"}
    }
    calls = _statements(nova, "FunctionsServeRole")["DecryptModels"]
    assert calls["Action"] == ["kms:Decrypt", "kms:GenerateDataKey"]


def _refusals(assembly: Any) -> dict[str, Resource]:
    return {
        name: statement
        for name, policy in _all(assembly, "AWS::S3::BucketPolicy")
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        if statement.get("Sid") == "OnlyNamedRoles"
    }


def _admitted(statement: Resource) -> set[str]:
    (operator,) = statement["Condition"]
    assert operator == "ArnNotLike"
    names = statement["Condition"][operator]["aws:PrincipalArn"]
    prefix = "arn:aws:iam::${AWS::AccountId}:role/"
    assert all(name.startswith(prefix) for name in names)
    return {name.removeprefix(prefix) for name in names}


def test_data_is_refused_to_everybody_but_the_roles_that_need_it(synth: Any) -> None:
    assembly = synth("dev", "closed")
    needing = set()
    for _, role in _all(assembly, "AWS::IAM::Role"):
        (policy,) = role["Properties"]["Policies"]
        actions = [a for s in policy["PolicyDocument"]["Statement"] for a in _listed(s["Action"])]
        if any(action.startswith("s3:") for action in actions):
            properties = role["Properties"]
            path = properties.get("Path", "/").removeprefix("/")
            # Customizations come and go: all of their roles have this path.
            needing.add(f"{path}*" if path else properties["RoleName"])
    assert {path for path in needing if path.endswith("*")} == {
        f"tuning/dev/{who}/*" for who in ("approve", "bedrock", "check")
    }
    found = _refusals(assembly)
    assert {name[:6] for name in found} == {"Traini", "Valida", "Output"}
    for name, statement in found.items():
        assert (statement["Effect"], statement["Principal"]) == ("Deny", {"AWS": "*"}), name
        assert _admitted(statement) == needing | {"DataScientist-*"}, name
        bucket, objects = statement["Resource"]
        assert objects == f"{bucket}/*", name


def test_the_refusal_covers_all_that_touches_data_and_locks_no_administrator_out() -> None:
    def refused(action: str) -> bool:
        return any(fnmatchcase(action, pattern) for pattern in DATA_ACTIONS)

    data = ["GetObject", "GetObjectVersion", "GetObjectAttributes", "PutObject", "PutObjectAcl"]
    data += ["DeleteObject", "DeleteObjectVersion", "ListBucket", "ListBucketVersions"]
    data += ["ListBucketMultipartUploads", "GetObjectVersionForReplication", "RestoreObject"]
    assert [action for action in data if not refused(f"s3:{action}")] == []
    administration = ["PutBucketPolicy", "GetBucketPolicy", "DeleteBucketPolicy", "DeleteBucket"]
    administration += [
        "PutEncryptionConfiguration",
        "PutLifecycleConfiguration",
        "GetBucketTagging",
    ]
    administration += ["PutBucketNotification", "PutBucketVersioning", "GetBucketLocation"]
    assert [action for action in administration if refused(f"s3:{action}")] == []


def test_without_the_option_no_role_has_a_name_and_no_bucket_refuses_others(synth: Any) -> None:
    assembly = synth("dev")
    assert not _refusals(assembly)
    assert not [n for n, r in _all(assembly, "AWS::IAM::Role") if "RoleName" in r["Properties"]]


@pytest.mark.parametrize("prefix", ["", "a-prefix-that-is-demanded-"])
def test_names_of_roles_fit_and_differ(prefix: str) -> None:
    settings = Settings(name="maxleng8", region="ap-southeast-2", role_name_prefix=prefix)
    long = "a" * 29
    names = [role_name(settings, f"bedrock.{long}{end}") for end in "bc"]
    assert len(set(names)) == 2
    assert all(len(name) <= 64 and name.startswith(prefix) for name in names)
