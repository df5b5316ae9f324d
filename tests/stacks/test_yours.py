"""What you bring along: buckets, keys and a topic that exist, role path, tags, another account."""

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from app import ROOT, build_app, read_context
from bedrock_tuning.config.settings import check
from bedrock_tuning.contracts import contracts, project
from bedrock_tuning.errors import ConfigurationError
from bedrock_tuning.review.existing import Owned
from bedrock_tuning.review.iam.containment import beyond
from bedrock_tuning.review.iam.policy import parse_policy

# The first is that of the documentation, and of the review, whose templates have none.
HERE, THERE = "111122223333", "444455556666"
KEY = "0e3ab5a8-0000-4000-8000-000000000000"
BUCKETS = {f"{kind}_bucket": f"ml-{kind}" for kind in ("training", "validation", "output")}
YOURS: dict[str, Any] = {
    **BUCKETS,
    "data_key": f"arn:aws:kms:us-east-1:{HERE}:key/{KEY}",
    "operations_key": f"arn:aws:kms:us-east-1:{HERE}:key/1{KEY[1:]}",
    "topic": f"arn:aws:sns:us-east-1:{HERE}:ml-platform",
    "role_path": "/ml-platform/",
    "tags": {"cost-center": "1234"},
    "alarm_email": "ml-platform@example.com",
}
ANOTHERS: dict[str, Any] = {
    **BUCKETS,
    "data_key": f"arn:aws:kms:us-east-1:{THERE}:key/{KEY}",
    "data_account": THERE,
}
MONTHLY = "[budget]\nmonthly_usd = 400.0\n"
PAGE = ROOT / "docs" / "own-resources.md"


def _tuning(settings: dict[str, Any]) -> dict[str, Any]:
    environments = {"dev": {"region": "us-east-1", **settings}}
    return {"environment": "dev", "environments": environments}


@pytest.fixture(scope="module")
def synthesized(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], dict[str, Any]]:
    """The templates of one of the two, by the part of the app; the proof ran inside."""
    wanted = {"yours": YOURS, "anothers": ANOTHERS}

    @cache
    def synthesize(name: str) -> dict[str, Any]:
        folder = tmp_path_factory.mktemp(name)
        files = folder / "customizations"
        files.mkdir()
        text = (ROOT / "customizations" / "pets-search.toml").read_text("utf-8")
        (files / "pets.toml").write_text(text.replace("[budget]\n", MONTHLY), "utf-8")
        context = {**read_context(), "tuning": _tuning(wanted[name])}
        build_app(context, outdir=str(folder / "cdk.out"), customizations=files).synth()
        return {
            file.name.split(".")[0].removeprefix("tuning-dev-"): json.loads(file.read_text("utf-8"))
            for file in (folder / "cdk.out").glob("*.template.json")
        }

    return synthesize


def _of_type(template: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [each["Properties"] for each in template["Resources"].values() if each["Type"] == kind]


@pytest.mark.parametrize("name", ["yours", "anothers"])
def test_no_bucket_and_no_key_is_made_beside_yours(synthesized: Any, name: str) -> None:
    found = synthesized(name)
    made = {each["Type"] for stack in found.values() for each in stack["Resources"].values()}
    assert "AWS::S3::Bucket" not in made
    # In another account is the data, not what operates on it.
    assert ("AWS::KMS::Key" in made) == ("AWS::SNS::Topic" in made) == (name == "anothers")
    outputs = {key: each["Value"] for key, each in found["data"]["Outputs"].items()}
    named = {outputs[f"{kind}Bucket"] for kind in ("Training", "Validation", "Output")}
    assert named == set(BUCKETS.values())
    (rule,) = (
        each
        for each in _of_type(found["pipeline"], "AWS::Events::Rule")
        if each["EventPattern"]["source"] == ["aws.s3"]
    )
    assert rule["EventPattern"]["detail"]["bucket"]["name"] == ["ml-training", "ml-validation"]


def test_every_role_is_below_your_path_and_everything_has_your_tags(synthesized: Any) -> None:
    found = synthesized("yours")
    roles = [each for name in found for each in _of_type(found[name], "AWS::IAM::Role")]
    assert {each["Path"][:13] for each in roles} == {"/ml-platform/"}
    (settings,) = _of_type(found["pets"], "AWS::SSM::Parameter")
    tags = {"cost-center": "1234", "team": "pets"}
    assert tags.items() <= settings["Tags"].items()
    # So have the job, the model and the endpoint.
    assert json.loads(settings["Value"]["Fn::Sub"][0])["tags"] == tags


def test_a_customization_has_its_own_monthly_budget(synthesized: Any) -> None:
    (yours,) = _of_type(synthesized("yours")["pets"], "AWS::Budgets::Budget")
    assert yours["Budget"]["BudgetLimit"] == {"Amount": 400, "Unit": "USD"}
    assert yours["Budget"]["CostFilters"] == {
        "TagKeyValue": ["user:bedrock-tuning:customization$pets"]
    }
    told = [each["Subscribers"][0]["Address"] for each in yours["NotificationsWithSubscribers"]]
    assert told == ["ml-platform@example.com"] * 2
    (anothers,) = _of_type(synthesized("anothers")["pets"], "AWS::Budgets::Budget")
    assert "NotificationsWithSubscribers" not in anothers


def test_roles_use_the_data_of_one_other_account_only(synthesized: Any) -> None:
    (bedrock,) = (
        each
        for each in _of_type(synthesized("anothers")["pets"], "AWS::IAM::Role")
        if each["Path"].endswith("/bedrock/")
    )
    statements = bedrock["Policies"][0]["PolicyDocument"]["Statement"]
    owners = [
        each["Condition"]["StringEquals"]["aws:ResourceAccount"]
        for each in statements
        if "s3:" in str(each["Action"])
    ]
    assert set(owners) == {THERE}


def _owned(settings: dict[str, Any]) -> Owned:
    chosen = check(_tuning(settings)).settings
    assert chosen is not None
    return Owned(contracts=contracts(chosen, {}), region="us-east-1", account=HERE)


@pytest.mark.parametrize("name", ["training", "output", "data-key"])
def test_the_documented_policy_of_another_account_is_what_is_needed_and_no_more(
    name: str,
) -> None:
    blocks = PAGE.read_text("utf-8").split("```json\n")[1:]
    texts = [block.partition("```")[0] for block in blocks]
    documented = dict(zip(("training", "output", "data-key"), texts, strict=True))[name]
    owned = _owned(ANOTHERS)
    arn = owned.arns()[name]

    assert owned.problems(arn, documented) == []
    wanted = parse_policy(owned.policies()[arn], where="wanted", kind="resource").statements
    written = parse_policy(json.loads(documented), where="page", kind="resource")
    assert written.problems == []
    for effect in ("Allow", "Deny"):
        said = [each for each in written.statements if each.effect == effect]
        # The account that owns a key administers it.
        others = [each for each in said if each.sid != "ItsAccountAdministersIt"]
        promised = [each for each in wanted if each.effect == effect]
        assert list(beyond(others, promised)) == []


@pytest.mark.parametrize("settings", [YOURS, ANOTHERS], ids=["yours", "anothers"])
def test_a_policy_without_one_of_its_statements_is_a_problem(settings: dict[str, Any]) -> None:
    owned = _owned(settings)
    tried = 0
    for arn, policy in owned.policies().items():
        assert owned.problems(arn, json.dumps(policy)) == []
        for number in range(len(policy["Statement"])):
            others = policy["Statement"][:number] + policy["Statement"][number + 1 :]
            assert owned.problems(arn, json.dumps({**policy, "Statement": others})), arn
            tried += 1
    assert tried > 10


@pytest.mark.parametrize(
    ("settings", "key", "problem"),
    [
        ({"training_bucket": "a-bucket"}, "data_key", "is missing: the key that encrypts"),
        ({"topic": YOURS["topic"]}, "operations_key", "is missing: the key that encrypts topic"),
        ({**YOURS, "output_bucket": "ml-training"}, "training_bucket", '"ml-training" is named tw'),
        ({"data_account": THERE, "data_key": YOURS["data_key"]}, "training_bucket", "is missing"),
        ({**ANOTHERS, "data_key": YOURS["data_key"]}, "data_key", "is of another account than"),
        ({**ANOTHERS, "deny_others": True, "data_roles": ["A-*"]}, "deny_others", "has no effect"),
        ({"data_key": YOURS["data_key"].replace("east", "west")}, "data_key", "is in us-west-1"),
        ({"account": THERE, "data_key": YOURS["data_key"]}, "data_key", "is of the account 1111"),
    ],
)
def test_what_does_not_fit_together_is_refused(
    settings: dict[str, Any], key: str, problem: str
) -> None:
    found = check(_tuning(settings)).problems
    where = f"cdk.json: context.tuning.environments.dev.{key}: {problem}"
    assert [each for each in found if each.startswith(where)], found


def test_tags_of_environment_and_customization_together_fit_on_a_job(tmp_path: Path) -> None:
    files = tmp_path / "customizations"
    files.mkdir()
    head = 'description = "x"\nbase_model = "titan-multimodal-embeddings-g1"\n[tags]\n'
    tags = "".join(f'key{number} = "x"\n' for number in range(40))
    (files / "pets.toml").write_text(head + tags, "utf-8")
    with pytest.raises(ConfigurationError) as caught:
        project.read(_tuning({"tags": {"a": "b"}}), environment="dev", customizations=files)
    assert "together with those of customizations/pets.toml they are 41" in str(caught.value)


ROLE = f"arn:aws:iam::{THERE}:role/ml/BedrockCustomization"


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        (
            {"account": HERE},
            f"customizations/pets.toml: job.service_role: is of the account {THERE}",
        ),
        (
            {"deny_others": True, "data_roles": ["DataScientist-*"]},
            "cdk.json: context.tuning.environments.dev.data_roles: does not name the role "
            "ml/BedrockCustomization of customizations/pets.toml",
        ),
        ({"account": THERE}, ""),
        ({"deny_others": True, "data_roles": ["ml/*"]}, ""),
    ],
)
def test_a_role_that_its_jobs_could_not_use_is_refused(
    tmp_path: Path, settings: dict[str, Any], problem: str
) -> None:
    files = tmp_path / "customizations"
    files.mkdir()
    head = 'description = "x"\nbase_model = "nova-micro"\n[job]\n'
    (files / "pets.toml").write_text(f'{head}service_role = "{ROLE}"\n', "utf-8")
    found: list[str] = []
    try:
        project.read(_tuning(settings), environment="dev", customizations=files)
    except ConfigurationError as error:
        found = list(error.problems)
    assert [each[: len(problem)] for each in found] == ([problem] if problem else [])
