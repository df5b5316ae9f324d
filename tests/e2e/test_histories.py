"""By chance: uploads, aborts, ended leases and refused calls at once, on the local AWS.

A poll takes as much of a purchase here as on AWS: one of 6 to 45 is its last. A failure names the
seed; HISTORIES_SEED repeats one, as far as two runs on a real clock are the same.
"""

import json
import os
import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from bedrock_tuning import s3_layout
from bedrock_tuning.cli.__main__ import tuning
from bedrock_tuning.client import runs
from local.demo.deploy import bootstrap, deploy
from local.emulator.server import LocalAws
from tests.e2e.world import Inbox, World, eventually
from tools.bench.customizations import synthesize_apart

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.long,
    pytest.mark.skipif("HISTORIES" not in os.environ, reason="ten minutes; run make chaos"),
]

SEED = int(os.environ.get("HISTORIES_SEED", time.time_ns() % 1_000_000))
CUSTOMIZATIONS = 8
# The workflow asks each second, which is a minute of the simulator's.
CLOCK = 60.0
# What happens does so in these seconds; a run takes some two minutes.
SECONDS, QUIET = 150.0, 600.0
# Nobody needs a message of these.
UNTOLD = {"waiting", "duplicate", "superseded", "ignored"}
FILE = """\
description = "Answers questions"
base_model = "nova-micro"

[serving]
mode = "provisioned"
model_units = 1
lease_hours = 8
strategy = "{strategy}"

[budget]
approval = "never"
"""
REFUSED = (
    "CreateModelCustomizationJob", "GetModelCustomizationJob", "CreateProvisionedModelThroughput",
    "GetProvisionedModelThroughput", "UpdateProvisionedModelThroughput", "InvokeModel",
    "DeleteProvisionedModelThroughput", "ListProvisionedModelThroughputs",
)  # fmt: skip


@dataclass
class History:
    """What happens to the customizations of one environment, and what is true of them then."""

    world: World
    inbox: Inbox
    names: Sequence[str]
    chance: random.Random
    log: list[str] = field(default_factory=list)
    told: list[dict[str, Any]] = field(default_factory=list)
    uploads: int = 0

    def play(self) -> None:
        """Two uploads of each within a purchase's time, and as many other things."""
        what: list[tuple[float, Callable[[], None]]] = []
        for name in self.names:
            others = [self.upload, self.abort, self.end_lease, self.delete_outside, self.refuse]
            acts = [self.upload, self.upload, *self.chance.choices(others, k=3)]
            what += [(self.chance.uniform(0, SECONDS), partial(act, name)) for act in acts]
        began = time.monotonic()
        for moment, act in sorted(what, key=lambda each: each[0]):
            time.sleep(max(0.0, began + moment - time.monotonic()))
            act()
            self.read_messages()

    def note(self, text: str) -> None:
        self.log.append(f"{time.strftime('%H:%M:%S')} {text}")

    def upload(self, name: str) -> None:
        """Data that nobody uploaded before."""
        self.uploads += 1
        self.note(f"upload {self.uploads} to {name}")
        records = (
            {
                "schemaVersion": "bedrock-conversation-2024",
                "messages": [
                    {"role": "user", "content": [{"text": f"{SEED}: {self.uploads} plus {n}?"}]},
                    {"role": "assistant", "content": [{"text": str(self.uploads + n)}]},
                ],
            }
            for n in range(100)
        )
        self.world.aws.client("s3").put_object(
            Bucket=self.world.bucket("training"),
            Key=s3_layout.manifest_key(name),
            Body="".join(f"{json.dumps(record)}\n" for record in records).encode(),
        )

    def abort(self, name: str) -> None:
        """Somebody stops an execution of this customization, whatever it is doing."""
        states = self.world.aws.client("stepfunctions")
        running = {arn.rpartition(":")[2]: arn for arn in self.running()}
        mine = [
            running[row["execution"]] for row in self.rows(name) if row.get("execution") in running
        ]
        if mine:
            arn = self.chance.choice(sorted(mine))
            self.note(f"abort {arn.rpartition(':')[2]} of {name}")
            states.stop_execution(executionArn=arn, cause="by chance")

    def end_lease(self, name: str) -> None:
        self.note(f"end the lease of {name}")
        words = ["lease", name, "--end", "--yes", "-e", "local"]
        CliRunner().invoke(tuning, words, obj=self.world.deployment.aws)

    def delete_outside(self, name: str) -> None:
        """Somebody deletes what is served in the console."""
        bedrock = self.world.aws.client("bedrock")
        for each in self.of(name):
            if each["status"] == "InService":
                self.note(f"delete {each['provisionedModelName']} of {name}")
                bedrock.delete_provisioned_model_throughput(
                    provisionedModelId=each["provisionedModelArn"]
                )
                return

    def refuse(self, name: str) -> None:
        operation, times = self.chance.choice(REFUSED), self.chance.randint(1, 4)
        self.note(f"refuse {operation} {times} times")
        self.world.aws.faults.refuse(operation, times=times)

    def running(self) -> list[str]:
        found = self.world.aws.client("stepfunctions").list_executions(
            stateMachineArn=self.world.deployment.workflow_arn, statusFilter="RUNNING"
        )
        return [str(each["executionArn"]) for each in found["executions"]]

    def rows(self, name: str) -> list[dict[str, Any]]:
        return [dict(r) for r in runs.rows(self.world.deployment, customization=name, limit=100)]

    def of(self, name: str) -> list[dict[str, Any]]:
        """The endpoints of a customization."""
        before = f"local-{name}-"
        found = self.world.throughputs()
        return [each for each in found if each["provisionedModelName"].startswith(before)]

    def pointer(self, name: str, what: str) -> str | None:
        ssm = self.world.aws.client("ssm")
        try:
            found = ssm.get_parameter(Name=f"/bedrock-tuning/local/{name}/{what}")
        except ssm.exceptions.ParameterNotFound:
            return None
        return str(found["Parameter"]["Value"])

    def read_messages(self) -> None:
        while new := self.inbox.messages():
            self.told += new

    def settle(self) -> None:
        """Nobody interferes any more: whatever was begun ends, and is put in order."""
        self.world.aws.faults.clear()
        assert eventually(lambda: not self.running(), seconds=QUIET), self.running()
        for _ in range(2):
            self.world.call("Reconcile", {})
            self.world.call("KeepLeases", {})
            assert eventually(lambda: not self.running(), seconds=QUIET), self.running()
        self.read_messages()

    def faults(self) -> Iterator[str]:
        """Whatever must never be."""
        told = {message.get("run") for message in self.told}
        for name in self.names:
            yield from self._faults_of(name)
            for row in self.rows(name):
                if row.get("open"):
                    yield f"{row['run']} of {name} is {row['status']} for ever"
                elif row["status"] not in UNTOLD and row["run"] not in told:
                    yield f"{row['run']} of {name} is {row['status']}, and nobody was told"
        data: dict[str, str] = {}
        bedrock = self.world.aws.client("bedrock")
        for arn in self.world.jobs():
            job = bedrock.get_model_customization_job(jobIdentifier=arn)
            if job["status"] not in ("Completed", "Failed", "Stopped"):
                yield f"{arn} is {job['status']}, and all is quiet"
            uri = job["trainingDataConfig"]["s3Uri"]
            if job["status"] == "Completed" and data.setdefault(uri, arn) != arn:
                yield f"{arn} and {data[uri]} were paid for the same work"

    def _faults_of(self, name: str) -> Iterator[str]:
        arn, model = self.pointer(name, "endpoint"), self.pointer(name, "model")
        endpoints = {each["provisionedModelArn"]: each for each in self.of(name)}
        if arn is not None and arn not in endpoints:
            yield f"the pointer of {name} names an endpoint that is gone"
        for each, found in endpoints.items():
            if each != arn:
                yield f"{each} is billed and nobody uses it"
            elif (found["status"], found["modelArn"]) != ("InService", model):
                yield f"{name} has {found['status']} {found['modelArn']}, published is {model}"


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Iterator[History]:
    folder: Path = tmp_path_factory.mktemp("histories")
    names = [f"answers-{number}" for number in range(CUSTOMIZATIONS)]
    files = folder / "customizations"
    files.mkdir()
    for number, name in enumerate(names):
        strategy = ("swap", "blue-green")[number % 2]
        (files / f"{name}.toml").write_text(FILE.format(strategy=strategy), "utf-8")
    with LocalAws.start(state=folder / "state", port=0, clock=CLOCK) as aws:
        aws.faults.options(jobs=4, model_units=2 * CUSTOMIZATIONS)
        bootstrap(aws, folder)
        out = folder / "cdk.out"
        synthesize_apart(files, out, "local")
        deployment = deploy(
            aws, folder, say=lambda _: None, app=str(out), stacks=("--all", "--concurrency", "10")
        )
        world = World(aws=aws, deployment=deployment, folder=folder)
        yield History(world, world.subscribe(), names, random.Random(SEED))  # noqa: S311


def test_whatever_happens_at_once_all_is_true_and_the_next_upload_is_served(
    history: History,
) -> None:
    history.play()
    history.settle()
    assert not list(history.faults()), "\n".join([f"seed {SEED}", *history.log])

    for name in history.names:
        history.upload(name)
    assert eventually(lambda: len(history.running()) >= CUSTOMIZATIONS, seconds=60)
    history.settle()
    ended = {name: history.rows(name)[0]["status"] for name in history.names}
    assert set(ended.values()) == {"served"}, "\n".join([f"seed {SEED}", str(ended), *history.log])
    assert not list(history.faults()), "\n".join([f"seed {SEED}", *history.log])
