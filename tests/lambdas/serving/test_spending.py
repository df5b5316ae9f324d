"""Whatever happened, whoever comes next: docs/spending.md says what is bought, on whose word."""

import itertools
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bedrock_tuning.config.customization import CustomizationSettings
from lambdas import keep_leases
from tests.lambdas.aws import PREFIX, Aws
from tests.lambdas.bedrock import BASE, TAGS, model_arn
from tests.lambdas.cloudformation import CloudFormation
from tests.lambdas.flow import DEPLOYMENT, NAME, PERSON, SOMEBODY, STATE, Flow

PAGE = Path(__file__).parents[3] / "docs" / "spending.md"
MODEL = model_arn(1)
EXPIRES = "bedrock-tuning:expires"


@dataclass
class Life:
    """One customization, to which things happen. models: each time another one is trained."""

    aws: Aws
    stack: CloudFormation
    customize: Callable[..., CustomizationSettings]
    models: Iterator[int] = field(default_factory=lambda: itertools.count(2))
    seconds: Iterator[int] = field(default_factory=lambda: itertools.count(10))
    deployed: bool = True

    # What a path to a purchase does.

    def run(self) -> None:
        """A run trained another model."""
        self._execute("run", model_arn=self._trained())

    def serve(self) -> None:
        """Somebody serves another model: the first, or one more."""
        self._execute("serve", **PERSON, model_arn=self._trained(), model_run="a-run")

    def deploy(self, **serving: Any) -> None:
        """Somebody deploys the stack, and whatever it hands over is carried out."""
        before = {"LeaseHours": self.stack.properties["LeaseHours"]}
        wanted = self.customize(serving=serving).serving
        self.stack.properties["LeaseHours"] = str(wanted.lease_hours)
        kind = "Update" if self.deployed else "Create"
        self.deployed = True
        answer = self.stack.ask(kind, old=before if kind == "Update" else None)
        assert answer["Status"] == "SUCCESS", answer
        started, self.aws.stepfunctions.executions = self.aws.stepfunctions.executions, {}
        for text in started.values():
            self._execute("deploy", **DEPLOYMENT | json.loads(text)["serving"])

    def dearer(self) -> None:
        """As `deploy`, with a second model unit."""
        self.deploy(model_units=2)

    def _execute(self, what: str, **state: Any) -> None:
        run = f"20261122-0930{next(self.seconds)}-{what}-abcdef"
        Flow(self.aws).run(**state | {"run": run})

    def _trained(self) -> str:
        model = model_arn(next(self.models))
        self.aws.bedrock.models[model] = BASE
        return model

    # What happens besides.

    def nothing(self) -> None:
        """A model is published, which is not served."""

    def cheaper(self) -> None:
        """A run served its model, then a deployment shortened the lease."""
        self.run()
        self.deploy(lease_hours=4)

    def upgrade(self) -> None:
        """An endpoint of a version without intents, which this version's deployment finds."""
        end = f"{datetime.now(UTC) + timedelta(hours=5):%Y-%m-%dT%H:%M:%SZ}"
        arn = self.aws.bedrock.have(model=MODEL, tags={**TAGS, EXPIRES: end})
        self.aws.ssm.values[f"{PREFIX}/{NAME}/endpoint"] = arn
        self.deployed = False
        self.deploy()

    def lease_ends(self) -> None:
        """The keeper finds an endpoint whose lease is over."""
        self.run()
        self.aws.bedrock.only["tags"][EXPIRES] = "2026-11-21T00:00:00Z"
        assert keep_leases.handler({}, None)["deleted"]

    def ended(self) -> None:
        """`tuning lease --end`."""
        self.run()
        self._execute("end", **PERSON, end=True)

    def deleted(self) -> None:
        """Somebody deletes the endpoint with another tool; the keeper finds that out."""
        self.run()
        self.aws.bedrock.endpoints.clear()
        assert keep_leases.handler({}, None)["withdrawn"]

    def retired(self) -> None:
        """The stack is deleted."""
        self.run()
        assert self.stack.ask("Delete")["Status"] == "SUCCESS"
        self.deployed = False

    def created_again(self) -> None:
        """The stack is deleted, and deployed again."""
        self.retired()
        self.deploy()

    def destroyed(self) -> None:
        """Everything is destroyed and deployed again, with a table that is empty."""
        self.retired()
        self.aws.dynamodb.items.clear()
        self.deploy()


EVENTS: dict[str, Callable[[Life], None]] = {
    "A model is published that was never served": Life.nothing,
    "A run served its model": Life.run,
    "`tuning serve` served a model": Life.serve,
    "A deployment changed the terms": Life.cheaper,
    "An upgrade from a version that recorded no approvals": Life.upgrade,
    "The lease ended": Life.lease_ends,
    "`tuning lease --end` ended it": Life.ended,
    "Somebody deleted the endpoint": Life.deleted,
    "`tuning retire` deleted the stack": Life.retired,
    "The stack was deleted and deployed again": Life.created_again,
    "The environment was destroyed and deployed again": Life.destroyed,
}
PATHS: dict[str, Callable[[Life], None]] = {
    "A run ends well": Life.run,
    "`tuning serve`": Life.serve,
    "A deployment": Life.deploy,
    "A deployment that costs more": Life.dearer,
}
# Who allowed what a path buys or keeps longer.
WORD = {
    "A run ends well": STATE["approval"],
    "`tuning serve`": "agreed to by whoever started ",
    "A deployment that costs more": f"approved by {SOMEBODY} worth it",
}


def _cells() -> Iterator[Any]:
    """Each cell of the page's table: what happened, the path, what it does."""
    lines = [line for line in PAGE.read_text("utf-8").splitlines() if line.startswith("| ")]
    (_, *paths), *rows = (re.split(r" *\| *", line.strip("| ")) for line in lines)
    for event, *cells in rows:
        for path, does in zip(paths, cells, strict=True):
            yield pytest.param(event, path, does, id=f"{event}, {path}")


@pytest.fixture
def life(
    aws: Aws, stack: CloudFormation, trained: None, customize: Callable[..., CustomizationSettings]
) -> Life:
    aws.ssm.values[f"{PREFIX}/{NAME}/model"] = MODEL
    return Life(aws, stack, customize)


@pytest.mark.slow
@pytest.mark.parametrize(("event", "path", "does"), list(_cells()))
def test_nothing_is_bought_without_a_recorded_price_and_approval(
    event: str, path: str, does: str, life: Life
) -> None:
    EVENTS[event](life)
    before = {arn: dict(each) for arn, each in life.aws.bedrock.endpoints.items()}
    life.aws.bedrock.calls.clear()
    life.aws.sns.calls.clear()
    written: list[dict[str, Any]] = []
    life.aws.bedrock.around = _noting(life.aws, written)

    PATHS[path](life)

    after = life.aws.bedrock.endpoints
    bought = len(life.aws.bedrock.asked("CreateProvisionedModelThroughput"))
    match does:
        case "does nothing":
            assert (bought, after) == (0, before)
            return
        case "buys":
            assert (bought, len(before), len(after)) == (1, 0, 1)
        case "swaps":
            assert bought == 0
            assert list(after) == list(before)
            assert life.aws.bedrock.only["model"] == model_arn(next(life.models) - 1)
        case "asks, then replaces":
            assert bought == 1
            assert (len(after), life.aws.bedrock.only["units"]) == (1, 2)
        case _:
            pytest.fail(f"docs/spending.md says {does!r}")
    assert all(each["price"] and each["approval"].startswith(WORD[path]) for each in written)
    if path == "`tuning serve`":
        assert all(each["approval"].endswith(each["owner"]) for each in written)
    assert written
    assert life.aws.bedrock.only["tags"][EXPIRES] > f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _noting(aws: Aws, written: list[dict[str, Any]]) -> Callable[[str, Callable[[], Any]], Any]:
    """Notes the item of intent as it is when something is bought, swapped or kept longer."""

    def around(operation: str, carry_out: Callable[[], Any]) -> Any:
        if operation.startswith(("Create", "Update", "Tag")):
            written.append(json.loads(aws.dynamodb.item(f"intent#{NAME}")["intent"]))
        return carry_out()

    return around


def test_the_page_has_every_event_and_every_path() -> None:
    cells = [each.values[:2] for each in _cells()]

    assert set(cells) == set(itertools.product(EVENTS, PATHS))
    assert len(cells) == len(EVENTS) * len(PATHS)


def test_a_deployment_without_an_approval_does_not_move_the_end_of_a_lease(life: Life) -> None:
    """Neither of an endpoint that it changes, nor of one that takes its place."""
    life.customize(serving={"model_units": 2})
    life.run()
    first = next(iter(life.aws.bedrock.endpoints))
    soon = f"{datetime.now(UTC) + timedelta(minutes=30):%Y-%m-%dT%H:%M:%SZ}"
    life.aws.bedrock.only["tags"][EXPIRES] = soon

    life.deploy(lease_hours=7)
    assert (list(life.aws.bedrock.endpoints), life.aws.bedrock.only["tags"][EXPIRES]) == (
        [first],
        soon,
    )

    life.deploy(model_units=1)
    assert first not in life.aws.bedrock.endpoints
    assert life.aws.bedrock.only["tags"][EXPIRES] == soon
