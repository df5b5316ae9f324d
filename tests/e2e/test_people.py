"""Whoever has the policy of a person, and nothing else, runs that person's commands and no other's.

On the local AWS, with IAM enforced: each command of `tuning` is run by each persona. Those who have
what the command needs get an answer, all others a refusal that says who may.
"""

import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from click.testing import CliRunner, Result

from app import ROOT
from bedrock_tuning.cli.__main__ import tuning
from bedrock_tuning.client.aws import Aws
from bedrock_tuning.config.names import LOCAL_ACCOUNT
from bedrock_tuning.contracts.people import PEOPLE, able
from bedrock_tuning.run.items import APPROVAL, RUN
from local.emulator.layout import REGION
from tests.e2e import following
from tests.e2e.world import NAME, World, eventually
from tests.local.support import acting_as

pytestmark = pytest.mark.e2e

COMMANDS = {
    str(each.name): each for commands in tuning.sections.values() for each in commands if each.needs
}
# How each command is called: RUN was served, WAITING waits for approval, DATASET is a folder. No
# call gets so far that another test would miss something.
CALLS = {
    "upload": ["DATASET", "-c", NAME],
    "runs": ["-c", NAME],
    "run": ["RUN"],
    "report": ["RUN", "-o", "OUT"],
    "approve": ["WAITING", "--decline", "--reason", "a test", "--yes"],
    "serve": [NAME],
    "endpoints": [],
    "lease": [NAME, "--hours", "4", "--yes"],
    "stop": ["RUN"],
    "logs": ["RUN"],
    "redrive": ["--yes"],
    "clean": ["--dry-run"],
    "environments": [],
    "approvals": [],
    "metrics": ["RUN"],
    "invoke": [NAME, "a dog"],
    "search": [NAME, "PICTURES", "a dog", "--yes"],
    "compare": [NAME, "--limit", "2", "--yes"],
    "doctor": ["bootstrap"],
    "list": [],
    "retire": [NAME],
    "prepare": ["PICTURES", "-c", NAME, "-o", "NEW"],
    "validate": ["MANIFEST", "-m", "titan-multimodal-embeddings-g1"],
    "preflight": ["-e", "brought"],
    "cost": [],
    "price": [NAME],
    "upgrade": ["--yes"],
}
# What only an option asks for, of services that the local AWS does not have.
ASKED_BY_OPTION = {"ask for bills": "--billed", "ask for prices": "--refresh"}
OF_A_FILE = ("doctor", "list", "preflight", "validate")
OF_ALL = ("environments",)


class As(Aws):
    """Clients that sign as somebody who has one policy."""

    def __init__(self, credentials: dict[str, str]) -> None:
        super().__init__(region=REGION)
        self._credentials = credentials

    @cached_property
    def session(self) -> Any:
        return boto3.Session(region_name=REGION, **self._credentials)


@dataclass(frozen=True)
class Office:
    """The people of the deployed app, and what they work on."""

    world: World
    folder: Path
    served: str
    waiting: str

    @cached_property
    def policies(self) -> Mapping[str, str]:
        """The ARNs of all policies of people, by persona; the uploader's is that of our dataset."""
        client = self.world.aws.client("cloudformation")
        found = {}
        for stack in ("tuning-local-people", f"tuning-local-{NAME}"):
            (described,) = client.describe_stacks(StackName=stack)["Stacks"]
            outputs = {each["OutputKey"]: each["OutputValue"] for each in described["Outputs"]}
            for persona in PEOPLE:
                if f"{persona.construct}Policy" in outputs:
                    found[persona.name] = str(outputs[f"{persona.construct}Policy"])
        return found

    @cached_property
    def people(self) -> Mapping[str, As]:
        return {persona.name: self.somebody(persona.name) for persona in PEOPLE}

    def somebody(self, *personas: str) -> As:
        """Somebody with the policies of these personas, and no other right."""
        name = f"test-{'-'.join(personas)}"
        iam, root = self.world.aws.client("iam"), f"arn:aws:iam::{LOCAL_ACCOUNT}:root"
        trust = {"Effect": "Allow", "Principal": {"AWS": root}, "Action": "sts:AssumeRole"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]["Arn"]
        for persona in personas:
            iam.attach_role_policy(RoleName=name, PolicyArn=self.policies[persona])
        return As(acting_as(self.world.aws, role))

    def call(self, who: As, command: str, *words: str) -> Result:
        """What a command answers somebody, as JSON."""
        places = {
            "RUN": self.served,
            "WAITING": self.waiting,
            "DATASET": str(self.folder / "dataset"),
            "PICTURES": str(self.folder / "pictures"),
            "OUT": tempfile.mkdtemp(dir=self.folder),
            "NEW": f"{tempfile.mkdtemp(dir=self.folder)}/new",
            "MANIFEST": f"s3://{self.world.bucket('training')}/{NAME}/manifest.jsonl",
        }
        asked = [places.get(word, word) for word in words or CALLS[command]]
        if command not in (*OF_A_FILE, *OF_ALL):
            asked += ["-e", "local"]
        elif command == "preflight":
            asked += ["--settings", str(self.folder / "cdk.json")]
            asked += ["--customizations", str(ROOT / "customizations")]
        elif command in ("doctor", "list"):
            asked += ["-e", "local", "--settings", str(ROOT / "cdk.json")]
            asked += ["--customizations", str(ROOT / "customizations")]
        if command == "report":
            asked.append("--overwrite")
        return CliRunner().invoke(tuning, [command, *asked, "--json"], obj=who)


@pytest.fixture(scope="module")
def office(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    folder = tmp_path_factory.mktemp("people")
    (folder / "dataset").mkdir()
    (folder / "dataset" / "manifest.jsonl").write_text("not a record\n")
    shutil.copytree(world.folder / "training", folder / "pictures")
    # One that would bring its network along: the local AWS's has none.
    settings = json.loads((ROOT / "cdk.json").read_text("utf-8"))
    brought = {
        "region": REGION,
        "vpc": True,
        "vpc_subnets": ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"],
        "vpc_security_groups": ["sg-0123456789abcdef0"],
    }
    settings["context"]["tuning"]["environments"]["brought"] = brought
    (folder / "cdk.json").write_text(json.dumps(settings), "utf-8")
    served = world.run(" for people")
    assert served.outcome == "served", served.why
    arn = world.execution(world.upload("training", world.rows(salt=" for approvers")))
    eventually(lambda: following.waits(world.aws, world.deployment, arn))
    run = following.run_of(world.aws, world.deployment, arn)
    assert run is not None
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", world.aws.endpoint)
        patch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
        patch.setattr("bedrock_tuning.client.runs._PATIENCE_SECONDS", 0.0)
        yield Office(
            world=world,
            folder=folder,
            served=str(served.state["serving"]["run"]),
            waiting=run["run"],
        )
    assert world.end_of(arn, approve=False).outcome == "declined"


def refusal(result: Result) -> str:
    """What to do about it, if AWS refused it; else ""."""
    if result.exit_code != 2:
        return ""
    said = json.loads(result.stdout)
    if "checks" in said:
        return "you may not ask" if "you may not ask" in result.stdout else ""
    error = said["error"]
    code = error["code"].removeprefix("aws.")
    denied = code in ("denied", "403", "UnauthorizedOperation") or code.startswith("AccessDenied")
    return str(error["fix"]) if denied else ""


def test_who_compares_a_model_keeps_its_vectors_and_compares_another_with_them(
    office: Office,
) -> None:
    """Here with itself: one run is served."""
    who = office.people[able(COMMANDS["compare"].needs)[0].name]
    first = office.call(who, "compare", NAME, "--limit", "2", "--yes")
    again = office.call(who, "compare", NAME, "--against", office.served)
    assert again.exit_code == 0, again.output
    for before, now in zip(sides(first), sides(again), strict=True):
        assert before["tuned"] == now["base"] == now["tuned"]


def test_nobody_reads_the_token_with_which_a_run_that_waits_goes_on(office: Office) -> None:
    world, waiting = office.world, office.waiting
    items = world.aws.client("dynamodb")
    run, asked = (
        items.get_item(TableName=world.deployment.runs_table, Key={"id": {"S": f"{kind}{waiting}"}})
        for kind in (RUN, APPROVAL)
    )
    execution = world.deployment.execution_arn(run["Item"]["execution"]["S"])
    token = asked["Item"]["token"]["S"]
    # As administrators of the account, who are none of these people, see it.
    history = world.aws.client("stepfunctions").get_execution_history(executionArn=execution)
    assert "Await approval" in json.dumps(history, default=str)
    for name, who in office.people.items():
        with pytest.raises(ClientError, match="AccessDenied"):
            who.stepfunctions.get_execution_history(executionArn=execution)
        for command in (["run", waiting], ["logs", waiting, "--all"]):
            assert token not in office.call(who, *command).output, name


def test_the_steps_of_a_run_are_in_the_log_of_the_workflow(office: Office) -> None:
    result = office.call(office.people["operator"], "logs", "RUN")
    said = [each["text"] for each in json.loads(result.stdout) if each["source"] == "Workflow"]
    assert [each for each in said if each in ("Admit", "Check manifest", "Train", "Serve")]
    assert said[-1] == "Run ended"


def sides(compared: Result) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(compared.stdout)["comparison"]["sides"]
    return found


@pytest.mark.parametrize("command", CALLS)
def test_a_command_answers_those_who_have_its_policy_and_refuses_all_others(
    office: Office, command: str
) -> None:
    may = able(set(COMMANDS[command].needs) - ASKED_BY_OPTION.keys())
    # Those who may come last: whatever they do is done then.
    for persona in sorted(PEOPLE, key=lambda each: each in may):
        result = office.call(office.people[persona.name], command)
        told = refusal(result)
        if persona in may:
            assert not told, f"{persona.name}: {result.output}"
            assert "a bug in this tool" not in result.output
        else:
            assert told, f"{persona.name}: {result.output}"
            told_of = able(COMMANDS[command].needs)
            assert told == "you may not ask" or all(each.title in told for each in told_of), told


def test_what_is_not_called_is_an_option_for_a_service_that_is_not_here(world: World) -> None:
    for needed, option in ASKED_BY_OPTION.items():
        asking = [each for each in COMMANDS.values() if needed in each.needs]
        assert asking
        assert all(any(option in param.opts for param in each.params) for each in asking)
    services = {
        "ce": lambda client: client.get_cost_and_usage(
            TimePeriod={"Start": "2026-01-01", "End": "2026-02-01"},
            Granularity="MONTHLY",
            Metrics=["UnblendedCost"],
        ),
        "pricing": lambda client: client.get_products(ServiceCode="AmazonBedrock"),
    }
    for service, ask in services.items():
        with pytest.raises(ClientError):
            ask(world.aws.client(service))


def test_every_command_that_needs_aws_is_called() -> None:
    assert set(CALLS) == set(COMMANDS)
