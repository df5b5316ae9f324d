"""One history: what happens in it, by chance, and what must be true of it."""

import json
import random
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

from bedrock_tuning.config.tags import EXPIRES_TAG
from tests.lambdas.aws import OUTPUT, TRAINING, VALIDATION, Aws
from tests.lambdas.bedrock import BASE, model_arn
from tests.lambdas.histories.world import World, pointers

OLD = model_arn(1)
# After this long whatever was begun is over: time-outs, roll-backs, the keeper's rounds; for whole
# runs also jobs, one after another, and approvals that nobody gives.
QUIET, DAYS = timedelta(hours=5), timedelta(days=3)


def play(world: World, *, many: int, quiet: timedelta = QUIET, redrives: bool = False) -> None:
    """Two runs or more in one purchase's time, and so many other things that happen besides.

    redrives: executions are stopped and redriven, too.
    """
    chance = world.chance
    world.aws.ssm.values |= pointers()
    world.aws.bedrock.models[OLD] = BASE
    begins = [world.now + timedelta(minutes=chance.uniform(0, 60)) for _ in range(2)]
    if chance.random() < 0.2:
        # Both in the same second.
        begins[1] = begins[0]
    what: list[tuple[datetime, Callable[[], None]]] = [(moment, world.begin) for moment in begins]
    others = [world.begin, world.person, world.end, world.deploy, world.abort, world.delete]
    what += [
        (world.now + timedelta(minutes=chance.uniform(0, 150)), chance.choice(others))
        for _ in range(many)
    ]
    for act in (world.abort, world.redrive) * (2 if redrives else 0):
        what.append((world.now + timedelta(minutes=chance.uniform(0, 300)), act))
    for moment, act in sorted(what, key=lambda each: each[0]):
        play_until(world, moment)
        world.pass_to(moment)
        world.log.append(f"{world.now:%H:%M} {act.__name__}")
        act()
    play_until(world, world.now + quiet)
    settle(world, quiet=quiet)


def settle(world: World, *, quiet: timedelta) -> None:
    """Nobody interferes any more: what is left is put in order."""
    world.chaos = 0
    play_until(world, world.now + quiet)
    world.pass_to(world.now + timedelta(hours=1))
    for _ in range(2):
        world.keep()
        world.reconcile()


def play_until(world: World, moment: datetime) -> None:
    """Whatever is due by then."""
    steps = 0
    while world.next(moment):
        steps += 1
        assert steps < 5_000, "no end in sight"


def faults(world: World) -> Iterator[str]:
    """Whatever must never be."""
    yield from (
        f"{told.run} was told that it is served, and it was not"
        for told in world.told
        if told.step == "served" and not told.true
    )
    yield from (f"{told.run} goes on for ever" for told in world.told if told.step not in _ENDS)
    yield from world.taken
    aws = world.aws
    arn, model = aws.pointer("endpoint"), aws.pointer("model")
    endpoints = aws.bedrock.endpoints
    if arn is not None:
        found = endpoints.get(arn)
        if found is None:
            yield "the pointer names an endpoint that is gone"
        elif (found["status"], found["model"]) != ("InService", model):
            yield f"the pointer names {found['status']} {found['model']}, published is {model}"
    now = f"{world.now:%Y-%m-%dT%H:%M:%SZ}"
    for each, found in endpoints.items():
        ends = found["tags"].get(EXPIRES_TAG)
        if ends is None:
            yield f"{each} is billed without an end"
        elif ends < now and found["status"] == "InService":
            yield f"{each} is billed although its lease has ended"
        if each != arn:
            yield f"{each} is billed and nobody uses it"


# What nobody needs a message about.
_QUIET = ("waiting", "duplicate", "superseded", "ignored", "pending")


def run_faults(world: World) -> Iterator[str]:
    """Whatever must never be of whole runs, once all is quiet."""
    aws = world.aws
    yield from (f"{each.name} goes on for ever" for each in world.executions if not each.ended)
    messages = [json.loads(sent["Message"]) for sent in aws.sns.sent]
    told = {message.get("run") for message in messages}
    for key in [key for key in aws.dynamodb.items if key.startswith("run#")]:
        item = aws.dynamodb.item(key)
        if "open" in item:
            # Running, or ended and perhaps untold: the reconciler leaves neither.
            yield f"{item['run']} is {item['status']} for ever"
        elif item["status"] not in _QUIET and item["run"] not in told:
            yield f"{item['run']} is {item['status']}, and nobody was told"
    for name, job in aws.bedrock.jobs.items():
        if job["status"] in ("InProgress", "Stopping"):
            yield f"{name} is {job['status']}, and all is quiet"


def the_next_upload_fails(world: World) -> str:
    """Why an upload of new data does not work after all that; "" if it does."""
    world.customize(budget={"approval": "never", "max_run_usd": None})
    world.trouble = False
    world.upload("the next")
    settle(world, quiet=timedelta(hours=8))
    items = [world.aws.dynamodb.item(k) for k in world.aws.dynamodb.items if k.startswith("run#")]
    newest = max(items, key=lambda item: str(item["run"]))
    # Its lease may have ended meanwhile: what it was told counts.
    if newest["status"] == "served":
        return ""
    return f"the next upload is {newest['status']}: {newest.get('message')}"


def not_the_newest(world: World) -> Iterator[str]:
    """Of runs that nobody disturbed: the newest request is served, and everybody knows."""
    newest = max(world.executions, key=lambda each: str(each.state["run"]))
    if not world.true(newest):
        yield f"{newest.state['run']} is the newest, and is not served"
    yield from (
        f"{told.run} was told {told.step}: {told.reason}"
        for told in world.told
        if told.step not in ("served", "unserved")
    )


_ENDS = ("served", "unserved", "removed", "pending", "failed")


def begin(aws: Aws, seed: int, customize: Callable[..., Any], *, chaos: float) -> World:
    """A world in which only a deployed customization is."""
    fresh = Aws()
    for service in fresh.__dataclass_fields__:
        getattr(aws, service).__dict__.update(getattr(fresh, service).__dict__)
    chance = random.Random(seed)  # noqa: S311
    world = World(aws=aws, chance=chance, chaos=chaos)
    world.customize = customize
    for service in fresh.__dataclass_fields__:
        getattr(aws, service).around = world.around
    world.strategy = chance.choice(["swap", "blue-green"])
    world.terms(units=1)
    customize(
        budget={"approval": chance.choice(["always", "never"]), "max_run_usd": None},
        validation="optional",
    )
    aws.bedrock.slots = chance.choice([1, 2])
    for bucket in (TRAINING, VALIDATION, OUTPUT):
        aws.s3.objects.buckets[bucket] = {}
    aws.bedrock_runtime.reply = REPLY
    return world


REPLY = b'{"embedding": [%s]}' % b", ".join([b"0.5"] * 1024)
