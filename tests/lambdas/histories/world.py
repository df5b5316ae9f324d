"""A customization at production's proportions, on a clock of its own.

Executions of the workflow, the lease keeper, the reconciler, deployments and people act on AWS in
memory. Every call of AWS is a point at which another actor may act first, or the answer may get
lost: that is where histories part.
"""

import json
import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError, ReadTimeoutError

from lambdas import keep_leases, provisioned_throughput, reconcile
from tests.lambdas.aws import PREFIX, TRAINING, Aws
from tests.lambdas.bedrock import BASE, model_arn
from tests.lambdas.flow import NAME, STATE
from tests.lambdas.histories.execution import CONTEXT, FUNCTION, MANIFEST, Aborted, Execution

BEGINNING = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
# Production's: a poll, a purchase, a swap, the lease keeper's schedule.
POLL, KEEPER = timedelta(seconds=60), timedelta(minutes=15)
PURCHASE, SWAP, JOB = (20, 45), (10, 10), (45, 300)
# For how long a call of a function can stand still between two calls of AWS.
STILL = timedelta(seconds=5)


@dataclass
class Told:
    """What people were told, with what was true when its run looked for the last time."""

    run: str
    step: str
    reason: str
    true: bool


@dataclass
class World:
    """All of it. chance: decides everything that is left open. chaos: how often it interferes."""

    aws: Aws
    chance: random.Random
    chaos: float = 0.02
    now: datetime = BEGINNING
    executions: list[Execution] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)
    changes: dict[str, datetime] = field(default_factory=dict)
    actors: list[Execution | None] = field(default_factory=list)
    log: list[str] = field(default_factory=list)
    keeper_due: datetime = BEGINNING + KEEPER
    runs: int = 0
    bought: int = 0
    names: set[str] = field(default_factory=set)
    taken: list[str] = field(default_factory=list)
    strategy: str = "swap"
    jobs: dict[str, datetime] = field(default_factory=dict)
    paid: dict[str, list[str]] = field(default_factory=dict)
    trouble: bool = True
    alarms: int = 0

    # What a history may do at any moment; each is something that happens in production.

    def run(self) -> None:
        """A run whose model has just been trained, of an upload some time ago."""
        self.runs += 1
        begins = self.now - timedelta(minutes=self.chance.choice([0, 5, 40, 90]))
        suffix = f"{self.chance.randrange(16**6):06x}"
        self._serve(run=f"{begins:%Y%m%d-%H%M%S}-{suffix}", model_arn=self._trained())

    def upload(self, data: str = "") -> None:
        """A manifest comes, new or as before; its event comes once or more often."""
        data = data or self.chance.choice(["a", "a", "b", "c", f"new {self.runs}", "invalid"])
        self.runs += 1
        self.log.append(f"{self.now:%H:%M} {data} is uploaded")
        version = self.aws.s3.objects.put(TRAINING, MANIFEST, self.manifest(data))
        detail = {
            "bucket": {"name": TRAINING},
            "object": {"key": MANIFEST, "version-id": version, "sequencer": f"{self.runs:016x}"},
        }
        for number in range(self.chance.choice([1, 1, 1, 2])):
            late = timedelta(seconds=self.chance.choice([0, 1, 90]) * number)
            name = f"event-{self.runs}-{number}"
            self.deliver(name, {"detail": json.loads(json.dumps(detail))}, late)

    def deliver(self, name: str, event: dict[str, Any], late: timedelta) -> None:
        """EventBridge starts an execution for an upload."""
        self._start(name, event, late)

    def person(self) -> None:
        """`tuning serve`, of some model that there is."""
        model = self.chance.choice(sorted(self.aws.bedrock.models))
        self._serve(
            run=self._name("serve"), model_arn=model, started_by="person", model_run="a-run"
        )

    def end(self) -> None:
        """`tuning lease --end`."""
        self._serve(run=self._name("end"), started_by="person", end=True, by="somebody")

    def deploy(self) -> None:
        """A deployment, of the same terms or others."""
        self.terms(units=self.chance.choice([1, 1, 2]))
        self.deployed()

    def deployed(self) -> None:
        """What CloudFormation asks for at a deployment."""
        identity = f"{self.chance.randrange(16**8):08x}"
        event = {
            "RequestType": "Update",
            "ResponseURL": "https://cloudformation.example",
            "StackId": "a-stack",
            "RequestId": identity,
            "LogicalResourceId": "Throughput",
            "ResourceProperties": {"Customization": NAME, "LeaseHours": "30"},
        }
        with self.acting(None), self._alarmed():
            provisioned_throughput.handler(event, CONTEXT)

    def answered(self, answer: Mapping[str, Any]) -> None:
        """CloudFormation tells who deploys."""
        self.alarms += answer["Status"] == "FAILED"

    def abort(self) -> None:
        """Somebody stops an execution between two states."""
        running = [each for each in self.executions if not each.ended]
        if running:
            self.chance.choice(running).abort()

    def redrive(self) -> None:
        """Somebody redrives an execution that failed or was stopped."""
        broken = [each for each in self.executions if each.status in ("ABORTED", "FAILED")]
        if broken:
            self.chance.choice(broken).redrive()

    def delete(self) -> None:
        """Somebody deletes an endpoint by hand."""
        ready = [
            arn
            for arn, found in self.aws.bedrock.endpoints.items()
            if found["status"] == "InService"
        ]
        if ready:
            del self.aws.bedrock.endpoints[self.chance.choice(ready)]

    def keep(self) -> None:
        """The lease keeper; it raises for its alarm, and comes again."""
        with self.acting(None), self._alarmed():
            keep_leases.handler({}, None)

    def reconcile(self) -> None:
        """The reconciler; as the keeper."""
        with self.acting(None), self._alarmed():
            reconcile.handler({}, CONTEXT)

    # How a run begins: with an upload, or where its model has just been trained.
    begin: Callable[[], None] = lambda: None
    customize: Callable[..., Any] = lambda **_: None
    # The functions behind the workflow's tasks, and what stands around each call of one.
    functions: Mapping[str, Callable[[dict[str, Any], Any], Any]] = field(
        default_factory=lambda: FUNCTION
    )
    invoke: Callable[[Callable[[], Any]], Any] = lambda carry_out: carry_out()
    # What an upload of some data holds.
    manifest: Callable[[str], bytes] = str.encode

    def terms(self, *, units: int) -> None:
        """How the customization is served from now on, as its settings say it."""
        lease = self.chance.choice([1, 8, 30])
        self.customize(
            serving={"model_units": units, "lease_hours": lease, "strategy": self.strategy}
        )

    def _name(self, what: str) -> str:
        return f"{self.now:%Y%m%d-%H%M%S}-{what}-{self.chance.randrange(16**6):06x}"

    def _trained(self) -> str:
        model = model_arn(100 + self.runs)
        self.aws.bedrock.models[model] = BASE
        return model

    def _serve(self, **state: Any) -> None:
        """An execution that begins where serving does."""
        serving = {**STATE, **state}
        self._start(f"execution-of-{serving['run']}", {"serving": serving})

    def _start(self, name: str, data: dict[str, Any], late: timedelta = timedelta()) -> None:
        self.names.add(name)
        self.executions.append(Execution(self, name, data, due=self.now + late))

    def _started(self) -> None:
        """Executions that a function has started."""
        for name, text in self.aws.stepfunctions.executions.items():
            if name not in self.names:
                self._start(name, json.loads(text))

    # Time.

    def pass_to(self, moment: datetime) -> None:
        """Time goes by: changes under way end, one after another."""
        for arn, until in sorted(self.changes.items(), key=lambda each: each[1]):
            found = self.aws.bedrock.endpoints.get(arn)
            if found is None:
                del self.changes[arn]
            elif until <= moment:
                found["status"], found["model"] = "InService", found["wanted"]
                del self.changes[arn]
        for name, job in self.aws.bedrock.jobs.items():
            if job["status"] == "Stopping":
                job["status"] = "Stopped"
            elif job["status"] == "InProgress" and self.job_ends(name) <= moment:
                self._finish(name, job)
        self.now = max(self.now, moment)

    def after(self, pause: timedelta) -> datetime:
        """When a poll comes that may find something new: most of those before are left out."""
        if not pause or not self.changes or self.chance.random() < 0.1:
            return self.now + pause
        return self.now + pause * max(1, -((self.now - min(self.changes.values())) // pause))

    def job_ends(self, name: str) -> datetime:
        """When a job is over, unless somebody stops it."""
        return self.jobs.setdefault(name, self.now + timedelta(minutes=self.chance.uniform(*JOB)))

    def _finish(self, name: str, job: dict[str, Any]) -> None:
        if self.trouble and self.chance.random() < 0.15:
            job |= {"status": "Failed", "failure": "The model could not be trained."}
            return
        job |= {"status": "Completed", "model": self._trained()}
        self.paid.setdefault(job["data"], []).append(job["model"])

    def next(self, until: datetime | None = None) -> bool:
        """The next thing, if it is due by then; whether it was."""
        waiting = [each for each in self.executions if not each.ended]
        soonest = min([self.keeper_due, *(each.due for each in waiting)])
        if until is not None and soonest > until:
            return False
        self.pass_to(soonest)
        if self.keeper_due == soonest:
            self.keeper_due += KEEPER if waiting else 4 * KEEPER
            self.keep()
            self.reconcile()
        else:
            self.chance.choice([each for each in waiting if each.due <= soonest]).act()
        return True

    @contextmanager
    def _alarmed(self) -> Iterator[None]:
        """A function that the clock calls, fails, and is called again."""
        try:
            yield
        except (RuntimeError, BotoCoreError, ClientError):
            self.alarms += 1
        except Aborted:
            pass

    # The points at which histories part.

    @contextmanager
    def acting(self, execution: Execution | None) -> Iterator[None]:
        """While an actor's function runs."""
        self.actors.append(execution)
        try:
            yield
        finally:
            self.actors.pop()

    def around(self, operation: str, carry_out: Callable[[], Any]) -> Any:
        """Stands around every call of AWS."""
        if not self.actors:
            return carry_out()
        self._interfere()
        actor = self.actors[-1]
        well = actor is not None and self.true(actor, any_model=True)
        published = self.aws.pointer("endpoint") if well else None
        if actor is not None:
            actor.saw = self.true(actor)
        answer = carry_out()
        self._kept()
        if actor and published and published not in self.aws.bedrock.endpoints:
            self._taken_away(actor, published)
        if operation == "PutItem" and self.chance.random() < self.chaos:
            # The answer got lost, and botocore asked again.
            answer = carry_out()
        self._notice()
        self._started()
        if self.chance.random() < self.chaos:
            if self.chance.random() < 0.3:
                if actor is not None and self.chance.random() < 0.5:
                    # A function outlives its execution.
                    actor.abort()
                    return answer
                raise Aborted
            raise ReadTimeoutError(endpoint_url=f"https://aws.example/{operation}")
        self._interfere()
        return answer

    def _interfere(self) -> None:
        """Another actor is faster; a function stands still for seconds, not for minutes."""
        if len(self.actors) > 1 or self.chance.random() >= self.chaos:
            return
        others = [each for each in self.executions if not each.ended and each not in self.actors]
        due = [each for each in others if each.due <= self.now + STILL]
        if due and self.chance.random() < 0.8:
            other = self.chance.choice(due)
            for _ in range(self.chance.randint(1, 6)):
                if not other.ended and other.due <= self.now + STILL:
                    other.act()
        elif self.chance.random() < 0.5:
            self.chance.choice([self.keep, self.reconcile])()
        else:
            # Somebody starts another one, which acts before this one goes on.
            self.chance.choice([self.begin, self.person, self.end])()
            if not self.executions[-1].ended:
                self.executions[-1].act()

    def _notice(self) -> None:
        """A change that was just asked for takes its time."""
        for name, job in self.aws.bedrock.jobs.items():
            if name not in self.jobs:
                self.job_ends(name)
                self._begun(job)
        for arn, found in self.aws.bedrock.endpoints.items():
            if found["status"] in ("Creating", "Updating") and arn not in self.changes:
                least, most = PURCHASE if found["status"] == "Creating" else SWAP
                self.bought += found["status"] == "Creating"
                self.changes[arn] = self.now + timedelta(minutes=self.chance.uniform(least, most))

    def _begun(self, job: dict[str, Any]) -> None:
        """The same data is trained once: by one job at a time, and not again once it was."""
        checked = job["request"]["trainingDataConfig"]["S3Uri"].removeprefix(f"s3://{TRAINING}/")
        job["data"] = self.aws.s3.objects.body(TRAINING, checked).decode()
        for other in self.aws.bedrock.jobs.values():
            if (
                other is not job
                and other.get("data") == job["data"]
                and other["status"]
                in (
                    "InProgress",
                    "Stopping",
                )
            ):
                self.taken.append(f"two jobs at a time for {job['data']}")
        if self.paid.get(job["data"]):
            self.taken.append(f"{job['data']} was paid for again")

    # The truth.

    def _taken_away(self, actor: Execution, arn: str) -> None:
        """Only who ends it on purpose deletes what is published and well, or after that has begun.

        Or who is publishing it just now, fails, and is told so.
        """
        intent = json.loads(self.aws.dynamodb.item(f"intent#{NAME}")["intent"])
        own = intent["owner"] == actor.state.get("run") and intent["before"] is not None
        if not actor.state.get("end") and not own and intent["on"]:
            self.taken.append(f"{actor.name} deleted {arn}, which was published")

    def _kept(self) -> None:
        """Callers of a blue-green endpoint meet no model before its test."""
        arn = self.aws.pointer("endpoint")
        found = self.aws.bedrock.endpoints.get(arn or "")
        if self.strategy == "blue-green" and found and found["status"] == "Updating":
            self.taken.append(f"{arn} was changed while it was published")

    def true(self, execution: Execution, *, any_model: bool = False) -> bool:
        """Whether its model, or any, is what the pointers name and a ready endpoint serves."""
        arn = self.aws.pointer("endpoint")
        found = self.aws.bedrock.endpoints.get(arn or "")
        wanted = execution.state.get("model_arn")
        return bool(
            found
            and found["status"] == "InService"
            and found["model"] == self.aws.pointer("model")
            and (any_model or wanted is None or found["model"] == wanted)
        )

    def tell(self, execution: Execution) -> None:
        """What close_run tells people."""
        state = execution.state
        self.told.append(
            Told(
                run=str(state["run"]),
                step="failed" if "error" in execution.data else str(state.get("step", "failed")),
                reason=str(state.get("reason", state.get("error"))),
                true=execution.saw,
            )
        )


def clock(current: Callable[[], World]) -> Any:
    """datetime as the functions import it, at the time of the world that is played now."""

    class Clock(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return current().now.astimezone(tz)

    return Clock


def pointers() -> dict[str, str]:
    """What a deployed stack has written before anything is served."""
    return {f"{PREFIX}/{NAME}/serving": "deployed"}
