"""`tuning list`: files against what is deployed, and what deleted stacks left behind."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bedrock_tuning.config.customization import load
from bedrock_tuning.config.deployed import text, to_settings
from bedrock_tuning.config.names import RESERVED
from tests.cli.conftest import Run
from tests.cli.support import REGION, ROLES, StubbedAws

HEAD = 'description = "Pets"\nbase_model = "titan-multimodal-embeddings-g1"\n'
LOGICAL_ID = "aws:cloudformation:logical-id"
KEY = "0e3ab5a8-0000-4000-8000-000000000000"
MODEL = f"arn:aws:bedrock:{REGION}:000000000000:custom-model/amazon.titan-embed-image-v1/abc"
SINCE = datetime(2026, 11, 21, 9, tzinfo=UTC)
ENDPOINTS = f"arn:aws:bedrock:{REGION}:000000000000:provisioned-model/"
Listing = Callable[..., Any]


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A project with two customizations and two environments."""
    environments = {"dev": {"region": REGION}, "prod": {"region": REGION}}
    context = {"tuning": {"environment": "dev", "environments": environments}}
    (tmp_path / "cdk.json").write_text(json.dumps({"context": context}), "utf-8")
    folder = tmp_path / "customizations"
    folder.mkdir()
    for name in ("cats", "dogs"):
        (folder / f"{name}.toml").write_text(HEAD, "utf-8")
    return tmp_path


def _deployed(aws: StubbedAws, stacks: dict[str, str], *, settings: Sequence[str] = ()) -> None:
    """These customizations' stacks are there; settings: of those whose file says HEAD."""
    every = {**dict.fromkeys(("data", "pipeline", "serving"), "CREATE_COMPLETE"), **stacks}
    described = [
        {
            "StackName": f"tuning-dev-{name}",
            "CreationTime": "2026-11-21T09:00:00Z",
            "StackStatus": status,
        }
        for name, status in every.items()
    ]
    described.append({**described[0], "StackName": "tuning-devices-cats"})
    described.append(
        {
            **described[0],
            "StackName": "tuning-dev-x-cats",
            "Tags": [{"Key": "bedrock-tuning:environment", "Value": "dev-x"}],
        }
    )
    aws.answer("cloudformation", "describe_stacks", {"Stacks": described}, {})
    parameters = [
        {
            "Name": f"/bedrock-tuning-settings/dev/{name}",
            "Value": text(
                to_settings(load(HEAD, file=f"customizations/{name}.toml"))
                | ROLES
                | {"request": {"tags": "[", "output": f"jobs/{name}/"}}
            ),
        }
        for name in settings
    ]
    aws.answer(
        "ssm",
        "get_parameters_by_path",
        {"Parameters": parameters},
        {"Path": "/bedrock-tuning-settings/dev"},
    )


def _holds(
    aws: StubbedAws,
    *,
    platform: bool = True,
    key: str = "DataKey0D2C6A38",
    tagged: Mapping[str, str] | None = None,
    models: Sequence[tuple[str, str]] = (),
    owners: Sequence[str] = (),
    pointers: Mapping[str, str] | None = None,
    endpoints: Sequence[tuple[str, str]] = (),
) -> None:
    """key: what the key of the data stack is called in its template.

    tagged: by ARN, the ids that those had in the templates of their stacks.

    owners: environment and customization, by the tags of those models whose tags are read.

    endpoints: provisioned ones of cats, each with its id and its base model.
    """
    for part in RESERVED:
        if part == "network" or not platform:
            aws.stub("cloudformation").add_client_error(
                "list_stack_resources",
                "ValidationError",
                f"Stack with id tuning-dev-{part} does not exist",
                expected_params={"StackName": f"tuning-dev-{part}"},
            )
            continue
        resources = [
            {
                "LogicalResourceId": logical_id,
                "PhysicalResourceId": name,
                "ResourceType": kind,
                "LastUpdatedTimestamp": "2026-11-21T09:00:00Z",
                "ResourceStatus": "CREATE_COMPLETE",
            }
            for name, logical_id, kind in (
                ("used-bucket", "Training1DBE9C16", "AWS::S3::Bucket"),
                ("used-key", key, "AWS::KMS::Key"),
            )
        ]
        aws.answer(
            "cloudformation",
            "list_stack_resources",
            {"StackResourceSummaries": resources if part == "data" else []},
            {"StackName": f"tuning-dev-{part}"},
        )
    aws.answer(
        "tagging",
        "get_resources",
        {
            "ResourceTagMappingList": [
                {"ResourceARN": arn, "Tags": [{"Key": LOGICAL_ID, "Value": logical_id}]}
                for arn, logical_id in (tagged or {}).items()
            ]
        },
        {"TagFilters": [{"Key": "bedrock-tuning:environment", "Values": ["dev"]}]},
    )
    summaries = [
        {
            "modelArn": MODEL,
            "modelName": name,
            "creationTime": SINCE,
            "baseModelArn": f"arn:aws:bedrock:{REGION}::foundation-model/{base}",
            "baseModelName": "x",
        }
        for name, base in models
    ]
    aws.answer("bedrock", "list_custom_models", {"modelSummaries": summaries}, {})
    for owner in owners:
        environment, _, customization = owner.partition("/")
        whose = {"environment": environment, "customization": customization}
        tags = [{"key": f"bedrock-tuning:{key}", "value": value} for key, value in whose.items()]
        aws.answer("bedrock", "list_tags_for_resource", {"tags": tags}, {"resourceARN": MODEL})
    said = [{"Name": f"/bedrock-tuning/dev/{at}", "Value": v} for at, v in (pointers or {}).items()]
    asked = {"Path": "/bedrock-tuning/dev", "Recursive": True}
    aws.answer("ssm", "get_parameters_by_path", {"Parameters": said}, asked)
    _endpoints(aws, endpoints)
    aws.stands("data")


def _endpoints(aws: StubbedAws, endpoints: Sequence[tuple[str, str]]) -> None:
    summaries = [
        {
            "provisionedModelName": each,
            "provisionedModelArn": f"{ENDPOINTS}{each}",
            "modelArn": MODEL,
            "desiredModelArn": MODEL,
            "foundationModelArn": f"arn:aws:bedrock:{REGION}::foundation-model/{base}",
            "modelUnits": 2,
            "desiredModelUnits": 2,
            "status": "InService",
            "creationTime": SINCE,
            "lastModifiedTime": SINCE,
        }
        for each, base in endpoints
    ]
    listed = {"provisionedModelSummaries": summaries}
    aws.answer("bedrock", "list_provisioned_model_throughputs", listed, {})
    whose = {"environment": "dev", "customization": "cats", "expires": "2099-01-01T00:00:00Z"}
    tags = [{"key": f"bedrock-tuning:{key}", "value": value} for key, value in whose.items()]
    for each, _ in endpoints:
        arn = {"resourceARN": f"{ENDPOINTS}{each}"}
        aws.answer("bedrock", "list_tags_for_resource", {"tags": tags}, arn)
    aws.answer("bedrock", "list_custom_model_deployments", {"modelDeploymentSummaries": []}, {})


@pytest.fixture
def listing(run: Run, files: Path) -> Listing:
    """Runs `tuning list` in the project."""

    def runner(*args: str) -> Any:
        options = ["--settings", files / "cdk.json", "--customizations", files / "customizations"]
        return run("list", *options, *args)

    return runner


def test_what_is_deployed_as_its_file_says_is_a_yes(listing: Listing, aws: StubbedAws) -> None:
    complete = {"cats": "CREATE_COMPLETE", "dogs": "UPDATE_COMPLETE"}
    _deployed(aws, complete, settings=("cats", "dogs"))
    _holds(aws, tagged={"arn:aws:s3:::used-bucket": "Training1DBE9C16"}, pointers={"cats/run": "x"})
    result = listing()
    assert (result.exit_code, result.stderr) == (0, "")
    assert "REMAINS" not in result.stdout


def test_every_difference_is_said_with_what_to_type(
    listing: Listing, aws: StubbedAws, files: Path
) -> None:
    folder = files / "customizations"
    (folder / "birds.toml").write_text(HEAD, "utf-8")
    (folder / "dogs.toml").write_text(HEAD.replace("Pets", "Dogs"), "utf-8")
    (folder / "fish.toml").write_text(f"retired = 2026-12-01\n{HEAD}", "utf-8")
    (folder / "mice.toml").write_text(f'only = ["prod"]\n{HEAD}', "utf-8")
    (folder / "owls.toml").write_text(f'renamed_from = "birdies"\n{HEAD}', "utf-8")
    names = ("birdies", "cats", "dogs", "fish", "mice", "rats")
    stacks = dict.fromkeys(names, "CREATE_COMPLETE")
    _deployed(aws, {**stacks, "cats": "DELETE_FAILED"}, settings=tuple(stacks))
    _holds(aws)
    result = listing("--json")
    assert result.exit_code == 1
    assert result.stderr == "8 of 8 are not as they should be\n"
    found = json.loads(result.stdout)["customizations"]
    assert {each["name"]: each["differs"] for each in found} == {
        "birdies": "deployed, it is called owls now: tuning retire birdies -e dev",
        "owls": "not deployed: cdk deploy tuning-dev-owls --context environment=dev",
        "birds": "not deployed: cdk deploy tuning-dev-birds --context environment=dev",
        "cats": "the stack is DELETE_FAILED: its events in CloudFormation say why",
        "dogs": "not as its file says: cdk deploy tuning-dev-dogs --context environment=dev",
        "fish": "deployed, retired: tuning retire fish -e dev",
        "mice": "deployed, its file leaves this environment out: tuning retire mice -e dev",
        "rats": "deployed, no file: tuning retire rats -e dev",
    }


def test_what_remains_is_listed_with_its_price_and_its_command(
    listing: Listing, aws: StubbedAws
) -> None:
    """After everything was destroyed: no stack of the platform is there any more."""
    _deployed(aws, {})
    _holds(
        aws,
        platform=False,
        tagged={
            "arn:aws:s3:::old-bucket": "Training1DBE9C16",
            f"arn:aws:kms:{REGION}:000000000000:key/{KEY}": "DataKey0D2C6A38",
            f"arn:aws:dynamodb:{REGION}:000000000000:table/old-runs": "RunsE45A2291",
            f"arn:aws:lambda:{REGION}:000000000000:function:f": "DataKey0D2C6A38",
        },
        models=[
            ("dev-cats-20261121-093000-3f9a1c", "amazon.titan-image-generator-v2:0"),
            ("ron-and-smila-20261121-093000-3f9a1d", "unheard.of"),
            ("dev-somebodys-own-model", "unheard.of"),
            ("prod-dev-20261121-093000-3f9a1c", "unheard.of"),
        ],
        owners=["dev/cats", "dev/cats", "prod/dev"],
        pointers={"cats/model": MODEL},
    )
    versions = [{"Key": f"cats/{n}", "VersionId": "1", "Size": 50_000_000_000} for n in range(2)]
    aws.answer("s3", "list_object_versions", {"Versions": versions}, {"Bucket": "old-bucket"})
    result = listing("--json")
    remains = json.loads(result.stdout)["remaining"]
    model = f"aws bedrock delete-custom-model --model-identifier {MODEL}"
    assert [(each["kind"], each["usd_per_month"], each["command"]) for each in remains] == [
        ("bucket", 2.3, "aws s3api delete-bucket --bucket old-bucket, once it is empty"),
        ("key", 1.0, f"aws kms schedule-key-deletion --key-id {KEY}"),
        ("table", None, "aws dynamodb delete-table --table-name old-runs"),
        ("model", 1.95, model),
        ("model", None, model),
        ("pointer", 0.0, "aws ssm delete-parameter --name /bedrock-tuning/dev/cats/model"),
    ]
    assert {each["setting"]: each["value"] for each in remains if each["setting"]} == {
        "training_bucket": "old-bucket",
        "data_key": f"arn:aws:kms:{REGION}:000000000000:key/{KEY}",
    }


def test_what_remains_is_told_as_settings_to_go_on_with_it(
    listing: Listing, aws: StubbedAws
) -> None:
    _deployed(aws, {})
    _holds(
        aws,
        platform=False,
        tagged={
            "arn:aws:s3:::old-logs": "AccessLogs8B620ECA",
            "arn:aws:s3:::old": "OutputAB65CDDE",
            "arn:aws:s3:::one": "Training1DBE9C16",
            "arn:aws:s3:::two": "Training1DBE9C16",
        },
    )
    for bucket in ("old-logs", "old", "one", "two"):
        aws.answer("s3", "list_object_versions", {}, {"Bucket": bucket})
    said = listing().stdout
    assert "to go on with it, set in cdk.json before you deploy again:" in said
    assert '\n  "output_bucket": "old",\n' in said
    assert '"training_bucket": "one or two"' in said
    assert '"old-logs"' not in said


def test_what_outlives_its_stack_is_told_with_its_price_before_the_stack_is_deleted(
    listing: Listing, aws: StubbedAws
) -> None:
    _deployed(aws, dict.fromkeys(("cats", "dogs"), "CREATE_COMPLETE"), settings=("cats", "dogs"))
    _holds(aws, tagged={f"arn:aws:kms:{REGION}:000000000000:key/used-key": "DataKey0D2C6A38"})
    said = json.loads(listing("--json").stdout)
    assert [(each["kind"], each["name"], each["usd_per_month"]) for each in said["kept"]] == [
        ("key", "used-key", 1.0)
    ]
    assert said["remaining"] == []
    assert said["usd_per_month"] == {"usd": 1.0, "unknown": []}


@pytest.mark.parametrize(
    ("own", "left"), [("DataKey0D2C6A38", ["earlier"]), ("ModelKey6F3B1D2A", [])]
)
def test_a_key_that_a_setting_may_name_is_not_left_over(
    listing: Listing, aws: StubbedAws, own: str, left: list[str]
) -> None:
    """The environment has a data key of its own, or goes on with one that was retained."""
    _deployed(aws, dict.fromkeys(("cats", "dogs"), "CREATE_COMPLETE"), settings=("cats", "dogs"))
    _holds(
        aws, key=own, tagged={f"arn:aws:kms:{REGION}:000000000000:key/earlier": "DataKey0D2C6A38"}
    )
    said = json.loads(listing("--json").stdout)
    assert [each["name"] for each in said["remaining"]] == left
    assert {each["name"] for each in (*said["remaining"], *said["kept"])} == {"earlier"}


def test_endpoints_and_models_that_are_in_use_have_their_prices_and_totals(
    listing: Listing, aws: StubbedAws
) -> None:
    _deployed(aws, dict.fromkeys(("cats", "dogs"), "CREATE_COMPLETE"), settings=("cats", "dogs"))
    image, unknown = "amazon.titan-image-generator-v2:0", "unheard.of"
    # Trained when cats were called kittens.
    names = [f"dev-{each}-20261121-093000-3f9a1c" for each in ("cats", "birds", "kittens")]
    _holds(
        aws,
        models=[(names[0], image), (names[1], unknown), (names[2], image)],
        owners=["dev/cats", "dev/birds", "dev/cats"],
        pointers={"cats/model": MODEL, "cats/endpoint": f"{ENDPOINTS}gone"},
        endpoints=[("abc", image), ("def", unknown)],
    )
    result = listing("--json")
    said = json.loads(result.stdout)
    assert [(each["name"], each["use"], each["usd_per_month"]) for each in said["models"]] == [
        (names[0], "published", 1.95),
        (names[2], "published", 1.95),
    ]
    assert [(each["name"], each["usd_per_hour"], each["ends"]) for each in said["endpoints"]] == [
        ("abc", 42.0, "2099-01-01T00:00:00Z"),
        ("def", None, "2099-01-01T00:00:00Z"),
    ]
    assert [(each["kind"], each["name"]) for each in said["remaining"]] == [
        ("model", names[1]),
        ("dangling pointer", "/bedrock-tuning/dev/cats/endpoint"),
    ]
    assert said["usd_per_hour"] == {"usd": 42.0, "unknown": ["def"]}
    assert said["usd_per_month"] == {"usd": 3.9, "unknown": [names[1]]}


def test_the_totals_end_the_list_and_say_what_is_not_known(
    listing: Listing, aws: StubbedAws
) -> None:
    _deployed(aws, dict.fromkeys(("cats", "dogs"), "CREATE_COMPLETE"), settings=("cats", "dogs"))
    image = "amazon.titan-image-generator-v2:0"
    _holds(aws, endpoints=[("abc", image), ("def", "unheard.of")])
    assert listing().stdout.splitlines()[-3:] == [
        "endpoints per hour: at least 42.00 USD, and unknown for def",
        "endpoints, if they stay for 30 days: 30,240.00 USD",
        "stored and remaining per month: 0.00 USD",
    ]


def test_nothing_of_an_older_version_is_listed_as_left_over(
    run: Run, aws: StubbedAws, files: Path
) -> None:
    """What it serves is in stacks of the platform: each pointer would seem to be nobody's."""
    pipeline = {
        "StackName": "tuning-dev-pipeline",
        "CreationTime": "2026-11-21T09:00:00Z",
        "StackStatus": "CREATE_COMPLETE",
        "Outputs": [{"OutputKey": "Workflow", "OutputValue": "arn:aws:states:x"}],
    }
    aws.answer("cloudformation", "describe_stacks", {"Stacks": [pipeline]}, {})

    given = (
        "--settings",
        str(files / "cdk.json"),
        "--customizations",
        str(files / "customizations"),
    )
    done = run("list", *given)

    assert done.exit_code == 2
    assert "an older version of this project deployed it" in done.stderr
    assert "where: tuning-dev-pipeline" in done.stderr
    assert "`tuning upgrade -e dev`, then deploy this version" in done.stderr
