"""`tuning preflight` says what a network of yours lacks before anything is deployed to it."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from bedrock_tuning.config.customization import load_all
from bedrock_tuning.config.settings import read as settings_of
from bedrock_tuning.contracts import contracts
from bedrock_tuning.review.existing import Owned
from tests.cli.conftest import Run
from tests.cli.support import StubbedAws

SUBNETS = ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"]
GROUP = "sg-0123456789abcdef0"
INTERFACES = ("bedrock", "bedrock-runtime", "events", "kms", "monitoring", "sns", "ssm", "states")
GATEWAYS = ("dynamodb", "s3")
IN_VPC = [{"Name": "vpc-id", "Values": ["vpc-1"]}]
ENVIRONMENTS = {
    "dev": {"region": "us-east-1", "log_retention_days": 30},
    "own": {"region": "us-east-1", "log_retention_days": 30, "vpc": True},
    "prod": {
        "region": "us-east-1",
        "log_retention_days": 365,
        "vpc": True,
        "vpc_subnets": SUBNETS,
        "vpc_security_groups": [GROUP],
    },
}


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    """A cdk.json with an environment without network, with one of its own, and with yours."""
    path = tmp_path / "cdk.json"
    tuning = {"environment": "dev", "environments": ENVIRONMENTS}
    path.write_text(json.dumps({"context": {"tuning": tuning}}), "utf-8")
    return path


def _has_network(aws: StubbedAws, *, interfaces: tuple[str, ...] = INTERFACES) -> None:
    """EC2 knows two subnets in two zones, the group, and these endpoints."""
    subnets = [
        {"SubnetId": name, "VpcId": "vpc-1", "AvailabilityZoneId": f"az{n}", "CidrBlock": cidr}
        for n, (name, cidr) in enumerate(zip(SUBNETS, ("10.0.1.0/24", "10.0.2.0/24"), strict=True))
    ]
    aws.answer("ec2", "describe_subnets", {"Subnets": subnets}, {"SubnetIds": SUBNETS})
    endpoints: list[dict[str, Any]] = [
        {
            "VpcEndpointId": f"vpce-{name}",
            "VpcEndpointType": "Gateway" if name in GATEWAYS else "Interface",
            "ServiceName": f"com.amazonaws.us-east-1.{name}",
            "State": "available",
            "PrivateDnsEnabled": name not in GATEWAYS,
            "Groups": [] if name in GATEWAYS else [{"GroupId": GROUP}],
        }
        for name in (*GATEWAYS, *interfaces)
    ]
    aws.answer("ec2", "describe_vpc_endpoints", {"VpcEndpoints": endpoints}, {"Filters": IN_VPC})
    itself = {"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": GROUP}]}
    out = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    group = {"GroupId": GROUP, "VpcId": "vpc-1", "IpPermissions": [itself]}
    aws.answer(
        "ec2",
        "describe_security_groups",
        {"SecurityGroups": [{**group, "IpPermissionsEgress": [out]}]},
        {"GroupIds": [GROUP]},
    )
    routes = [{"GatewayId": "local"}, *({"GatewayId": f"vpce-{name}"} for name in GATEWAYS)]
    main = {"VpcId": "vpc-1", "Associations": [{"Main": True}], "Routes": routes}
    aws.answer("ec2", "describe_route_tables", {"RouteTables": [main]}, {"Filters": IN_VPC})
    zones = {"AvailabilityZones": [{"ZoneId": "az0"}, {"ZoneId": "az1"}]}
    aws.answer("ec2", "describe_availability_zones", zones, None)
    for name in ("EnableDnsSupport", "EnableDnsHostnames"):
        aws.answer("ec2", "describe_vpc_attribute", {name: {"Value": True}}, None)


def test_a_network_with_everything_is_good(aws: StubbedAws, run: Run, settings: Path) -> None:
    _has_network(aws)
    done = run("preflight", "-e", "prod", "--settings", settings)
    assert (done.exit_code, done.stdout) == (0, "")
    assert "what prod brings along in us-east-1 can be used: subnet-" in done.stderr


def test_what_is_missing_is_said_with_what_to_do(aws: StubbedAws, run: Run, settings: Path) -> None:
    _has_network(aws, interfaces=tuple(name for name in INTERFACES if name != "states"))
    done = run("preflight", "-e", "prod", "--settings", settings)
    assert done.exit_code == 1
    assert done.stdout == (
        "the endpoint of states is missing: functions and jobs call it; make an interface endpoint "
        "for com.amazonaws.<region>.states\n"
    )
    assert done.stderr == "what prod brings along in us-east-1 has 1 problem\n"


def test_a_program_gets_the_problems_as_a_list(aws: StubbedAws, run: Run, settings: Path) -> None:
    _has_network(aws, interfaces=())
    done = run("preflight", "-e", "prod", "--settings", settings, "--json")
    answer = json.loads(done.stdout)
    assert done.exit_code == 1
    assert answer["checked"] is True
    assert [text.split()[3] for text in answer["problems"]] == sorted(INTERFACES)


@pytest.mark.parametrize(
    ("environment", "why"), [("dev", "brings nothing along"), ("own", "creates its own network")]
)
def test_without_a_network_of_yours_there_is_nothing_to_check(
    run: Run, settings: Path, environment: str, why: str
) -> None:
    done = run("preflight", "-e", environment, "--settings", settings, "--json")
    assert done.exit_code == 0
    assert json.loads(done.stdout)["checked"] is False
    assert why in done.stderr


@pytest.mark.parametrize(
    ("code", "setting"),
    [("InvalidSubnetID.NotFound", "vpc_subnets"), ("InvalidGroup.NotFound", "vpc_security_groups")],
)
def test_an_id_that_does_not_exist_is_a_problem_of_a_setting(
    aws: StubbedAws, run: Run, settings: Path, code: str, setting: str
) -> None:
    aws.stub("ec2").add_client_error(
        "describe_subnets", code, "The ID 'subnet-0123456789abcdef0' does not exist"
    )
    done = run("preflight", "-e", "prod", "--settings", settings)
    assert done.exit_code == 1
    assert done.stdout == (
        f"The ID 'subnet-0123456789abcdef0' does not exist in us-east-1: correct {setting} in "
        "cdk.json\n"
    )


def test_who_may_not_look_is_told_who_may(aws: StubbedAws, run: Run, settings: Path) -> None:
    aws.stub("ec2").add_client_error("describe_subnets", "UnauthorizedOperation", "no")
    done = run("preflight", "-e", "prod", "--settings", settings)
    assert done.exit_code == 2
    assert "a deployer may do this: ask for that policy" in done.stderr


def test_an_unknown_environment_and_a_missing_file_say_what_to_do(
    run: Run, settings: Path, tmp_path: Path
) -> None:
    unknown = run("preflight", "-e", "stage", "--settings", settings)
    assert unknown.exit_code == 2
    assert "dev, own, prod" in unknown.stderr
    missing = run("preflight", "--settings", tmp_path / "no.json")
    assert missing.exit_code == 2
    assert "run this in the project's folder" in missing.stderr


BUCKETS = {f"{kind}_bucket": f"ml-{kind}" for kind in ("training", "validation", "output")}
KEY_ID = "0e3ab5a8-0000-4000-8000-000000000000"
KEY = f"arn:aws:kms:us-east-1:000000000000:key/{KEY_ID}"


@pytest.fixture
def yours(tmp_path: Path) -> Path:
    """A cdk.json with buckets and a key that exist."""
    path = tmp_path / "cdk.json"
    environment = {"region": "us-east-1", **BUCKETS, "data_key": KEY}
    tuning = {"environment": "prod", "environments": {"prod": environment}}
    path.write_text(json.dumps({"context": {"tuning": tuning}}), "utf-8")
    return path


def _policies(yours: Path) -> dict[str, Any]:
    context = json.loads(yours.read_text("utf-8"))["context"]["tuning"]
    owned = Owned(
        contracts=contracts(settings_of(context), {}), region="us-east-1", account="000000000000"
    )
    return {arn: dict(policy) for arn, policy in owned.policies().items()}


def _has_data(aws: StubbedAws, policies: dict[str, Any], **wrong: Any) -> None:
    """S3 and KMS know the buckets and the key, which are right but for what is wrong."""
    aws.answer("sts", "get_caller_identity", {"Arn": "arn:aws:iam::000000000000:user/somebody"}, {})
    for bucket in BUCKETS.values():
        if bucket == wrong.get("gone"):
            aws.stub("s3").add_client_error(
                "head_bucket", "404", expected_params={"Bucket": bucket}
            )
            continue
        here: dict[str, Any] = {"Bucket": bucket}
        aws.answer("s3", "head_bucket", {"BucketRegion": wrong.get("region", "us-east-1")}, here)
        policy = json.dumps(policies[f"arn:aws:s3:::{bucket}"])
        aws.answer("s3", "get_bucket_policy", {"Policy": policy}, here)
        versioned = {} if "versions" in wrong else {"Status": "Enabled"}
        aws.answer("s3", "get_bucket_versioning", versioned, here)
        by_default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": wrong.get("key", KEY_ID)}
        rules = {"Rules": [{"ApplyServerSideEncryptionByDefault": by_default}]}
        answer = {"ServerSideEncryptionConfiguration": rules}
        aws.answer("s3", "get_bucket_encryption", answer, here)
        if bucket != "ml-output":
            told = {} if "events" in wrong else {"EventBridgeConfiguration": {}}
            aws.answer("s3", "get_bucket_notification_configuration", told, here)
    state = {"KeyMetadata": {"KeyId": KEY_ID, "KeyState": wrong.get("state", "Enabled")}}
    aws.answer("kms", "describe_key", state, {"KeyId": KEY})
    answer = {"Policy": json.dumps(policies[KEY])}
    aws.answer("kms", "get_key_policy", answer, {"KeyId": KEY, "PolicyName": "default"})


def test_buckets_and_a_key_with_everything_are_good(run: Run, aws: StubbedAws, yours: Path) -> None:
    policies = _policies(yours)
    _has_data(aws, policies)
    done = run("preflight", "--settings", yours, "--json")
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert (found["problems"], found["policies"]) == ([], policies)


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        ({"gone": "ml-output"}, "arn:aws:s3:::ml-output: it does not exist"),
        ({"region": "us-west-2"}, "ml-training: it is in us-west-2: jobs read and write"),
        ({"versions": 0}, "ml-training: its versions are not kept: switch versioning on"),
        ({"key": "another"}, "ml-output: it is not encrypted with data_key: set arn:aws:kms"),
        ({"events": 0}, "ml-validation: it sends no events: switch EventBridge on"),
        ({"state": "PendingDeletion"}, f"{KEY_ID}: it is PendingDeletion: enable it"),
    ],
    ids=lambda each: next(iter(each)) if isinstance(each, dict) else "",
)
def test_each_thing_that_a_bucket_or_a_key_lacks_is_named(
    run: Run, aws: StubbedAws, yours: Path, wrong: dict[str, Any], problem: str
) -> None:
    _has_data(aws, _policies(yours), **wrong)
    done = run("preflight", "--settings", yours)
    assert done.exit_code == 1
    assert problem in done.stdout


def test_a_policy_that_lets_anybody_write_checked_manifests_is_named(
    run: Run, aws: StubbedAws, yours: Path
) -> None:
    policies = _policies(yours)
    del policies["arn:aws:s3:::ml-training"]["Statement"][-1]
    _has_data(aws, policies)
    done = run("preflight", "--settings", yours)
    assert done.exit_code == 1
    assert "arn:aws:s3:::ml-training: the Deny: " in done.stdout
    assert "s3:PutObject* on arn:aws:s3:::ml-training/_checked/*" in done.stdout


ROLE = "arn:aws:iam::000000000000:role/ml/BedrockCustomization"


@pytest.fixture
def pets(yours: Path) -> Path:
    """The same project, and a customization whose jobs run as a role that exists."""
    folder = yours.parent / "customizations"
    folder.mkdir()
    text = 'description = "x"\nbase_model = "nova-micro"\n[job]\n'
    (folder / "pets.toml").write_text(f'{text}service_role = "{ROLE}"\n', "utf-8")
    return folder


def _has_role(aws: StubbedAws, yours: Path, pets: Path, **changed: Any) -> None:
    """IAM knows the role, half of whose policy is inline and half attached. Nothing is deployed."""
    context = json.loads(yours.read_text("utf-8"))["context"]["tuning"]
    files = load_all(pets)
    owned = Owned(
        contracts=contracts(settings_of(context), files), region="us-east-1", account="000000000000"
    )
    wanted = owned.role_policies("role.bedrock.pets")
    _has_data(aws, {arn: dict(policy) for arn, policy in owned.policies().items()})
    aws.stub("cloudformation").add_client_error(
        "describe_stacks", "ValidationError", "Stack with id x does not exist"
    )
    aws.answer("cloudformation", "describe_stacks", {"Stacks": []}, {})
    aws.answer("sts", "get_caller_identity", {"Arn": "arn:aws:iam::000000000000:user/somebody"}, {})
    role = {
        "Path": "/ml/",
        "RoleName": "BedrockCustomization",
        "RoleId": "AROA0123456789ABCDEF",
        "Arn": changed.get("arn", ROLE),
        "CreateDate": "2026-11-21T09:00:00Z",
        "AssumeRolePolicyDocument": json.dumps(changed.get("trust", wanted["trust"])),
    }
    here = {"RoleName": "BedrockCustomization"}
    aws.answer("iam", "get_role", {"Role": role}, here)
    if "arn" in changed:
        return
    statements = wanted["permissions"]["Statement"]
    inline, attached = (
        json.dumps({**wanted["permissions"], "Statement": part})
        for part in (statements[:2], statements[2 + changed.get("without", 0) :])
    )
    aws.answer("iam", "list_role_policies", {"PolicyNames": ["reads"]}, here)
    policy = {**here, "PolicyName": "reads", "PolicyDocument": quote(inline)}
    aws.answer("iam", "get_role_policy", policy, {**here, "PolicyName": "reads"})
    arn = "arn:aws:iam::000000000000:policy/writes"
    listed = {"AttachedPolicies": [{"PolicyName": "writes", "PolicyArn": arn}]}
    aws.answer("iam", "list_attached_role_policies", listed, here)
    known = {"Policy": {"Arn": arn, "DefaultVersionId": "v2"}}
    aws.answer("iam", "get_policy", known, {"PolicyArn": arn})
    version = {"PolicyVersion": {"VersionId": "v2", "Document": quote(attached)}}
    aws.answer("iam", "get_policy_version", version, {"PolicyArn": arn, "VersionId": "v2"})


def test_a_role_with_just_the_policies_that_it_needs_is_good(
    run: Run, aws: StubbedAws, yours: Path, pets: Path
) -> None:
    _has_role(aws, yours, pets)
    done = run("preflight", "--settings", yours, "--customizations", pets, "--json")
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert (found["problems"], found["warnings"], list(found["roles"])) == ([], [], [ROLE])


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"arn": ROLE.replace("/ml/", "/")}, f"{ROLE}: it does not exist"),
        ({"without": 1}, f"{ROLE}: s3:ListBucket on arn:aws:s3:::ml-"),
        (
            {
                "trust": {
                    "Version": "2012-10-17",
                    "Statement": {
                        "Effect": "Allow",
                        "Principal": {"Service": "bedrock.amazonaws.com"},
                        "Action": "sts:AssumeRole",
                    },
                }
            },
            f"{ROLE}: its trust policy: sts:AssumeRole on * without conditions",
        ),
    ],
    ids=["at another path", "without a right", "for any account"],
)
def test_what_a_role_that_exists_lacks_is_named(
    run: Run, aws: StubbedAws, yours: Path, pets: Path, changed: dict[str, Any], problem: str
) -> None:
    _has_role(aws, yours, pets, **changed)
    done = run("preflight", "--settings", yours, "--customizations", pets)
    assert done.exit_code == 1
    assert problem in done.stdout
