"""Bad input ends in a clear state with a clear finding; nothing is started, nothing crashes."""

import json
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest
from click.testing import CliRunner, Result

from bedrock_tuning.cli.__main__ import tuning
from bedrock_tuning.run.messages import SOURCE, DetailType, Event
from tests.e2e.world import NAME, World, eventually

pytestmark = pytest.mark.e2e

Rows = list[dict[str, str]]


def _lines(rows: Rows) -> list[str]:
    return [json.dumps(row, ensure_ascii=False) for row in rows]


def _text(lines: list[str]) -> bytes:
    return ("\n".join(lines) + "\n").encode()


def _with_line(number: int, text: str) -> Callable[[Rows], bytes]:
    def spoil(rows: Rows) -> bytes:
        lines = _lines(rows)
        lines[number] = text
        return _text(lines)

    return spoil


SPOILT: dict[str, tuple[Callable[[Rows], bytes], set[str]]] = {
    "an empty manifest": (lambda rows: b"", {"empty-manifest"}),
    "a blank line": (_with_line(3, ""), {"blank-line"}),
    "a byte order mark": (lambda rows: b"\xef\xbb\xbf" + _text(_lines(rows)), {"byte-order-mark"}),
    "invalid UTF-8": (
        lambda rows: _text(_lines(rows)).replace(b"ground", b"gr\xff\xfend", 1),
        {"not-utf8"},
    ),
    "a line of 50 MB": (
        _with_line(5, '{"image-ref": "s3://b/k", "caption": "' + "x" * 50_000_000 + '"}'),
        {"line-too-long"},
    ),
}


@pytest.mark.parametrize("fault", SPOILT)
def test_a_spoilt_manifest_is_rejected_and_says_why(world: World, fault: str) -> None:
    spoil, rules = SPOILT[fault]
    before = world.jobs()
    ended = world.follow(world.upload("training", spoil(world.rows())))
    assert ended.status == "SUCCEEDED"
    counts = ended.state["report"]["counts"]
    assert rules <= set(counts), counts
    assert ended.outcome == "rejected"
    assert world.jobs() == before


def test_the_next_command_of_a_rejected_run_can_be_pasted(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    def typed(*arguments: str) -> Result:
        return CliRunner().invoke(tuning, arguments, obj=world.deployment.aws)

    listed = typed("runs", "-e", "local", "--limit", "1").stdout
    command = listed[listed.index("tuning report") :].splitlines()[0]
    pasted = typed(*shlex.split(command)[1:])
    assert pasted.exit_code == 0, pasted.output
    assert pasted.stdout.startswith("REJECTED")
    assert list(tmp_path.glob("report-*/report.html"))


def test_every_fault_of_a_dataset_is_found_in_one_pass(world: World) -> None:
    s3, bucket = world.aws.client("s3"), world.deployment.buckets.training
    strange = f"{NAME}/images/a strange+name ü 100%.png"
    png = (world.folder / "training" / world.pictures["training"][1].path).read_bytes()
    s3.put_object(Bucket=bucket, Key=strange, Body=png + b"strange")
    s3.put_object(Bucket=bucket, Key=f"{NAME}/images/page.png", Body=b"<html>404</html>")
    s3.put_object(Bucket=bucket, Key=f"{NAME}/images/cut.png", Body=png[:20])
    s3.put_object(Bucket=bucket, Key=f"{NAME}/images/empty.jpg", Body=b"")
    refs = {
        1: f"s3://{bucket}/{strange}",
        2: f"s3://{bucket}/{NAME}/images/page.png",
        3: f"s3://{bucket}/{NAME}/images/cut.png",
        4: f"s3://{bucket}/{NAME}/images/empty.jpg",
        5: f"s3://{bucket}/{NAME}/images/not-there.png",
        6: f"s3://another-bucket/{NAME}/images/a.png",
        7: f"s3://{bucket}/{NAME}/../secrets/a.png",
        8: "images/a.png",
    }
    rows = [
        {**row, "image-ref": refs.get(i, row["image-ref"])} for i, row in enumerate(world.rows())
    ]
    ended = world.follow(world.upload("training", rows))
    assert ended.outcome == "rejected"
    found: dict[int, set[str]] = {}
    for each in world.report(ended)["findings"]:
        if each["severity"] == "error" and each["line"] is not None:
            found.setdefault(each["line"] - 1, set()).add(each["name"])
    assert set(found) == set(refs) - {1}, "a key with a space, +, % and ü is in order"
    assert found[2] == {"image-format-not-supported"}
    assert found[5] == {"image-missing"}
    assert found[6] == {"image-in-another-bucket"}


def test_windows_line_ends_are_no_error(world: World) -> None:
    body = _text(_lines(world.rows(salt=" crlf"))).replace(b"\n", b"\r\n")
    ended = world.follow(world.upload("training", body))
    assert ended.state["report"]["errors"] == 0, ended.state["report"]["counts"]


def test_a_manifest_replaced_at_once_leaves_one_run_for_the_newer(world: World) -> None:
    before = set(world.jobs())
    old = world.upload("training", world.rows(salt=" old"))
    new = world.upload("training", world.rows(salt=" new"))
    ends = {version: world.follow(version).outcome for version in (old, new)}
    assert ends == {old: "superseded", new: "served"}
    assert len(set(world.jobs()) - before) == 1


def test_all_findings_are_kept_beside_the_report(world: World) -> None:
    rows: Any = [{**row, "caption": "x" * 3_000} for row in world.rows()]
    ended = world.follow(world.upload("training", rows))
    bucket, _, key = ended.state["report"]["rejected"].removeprefix("s3://").partition("/")
    body = world.aws.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    lines = [json.loads(line) for line in body.splitlines()]
    long = [line["line"] for line in lines if line["name"] == "caption-too-long"]
    assert sorted(long) == list(range(1, len(rows) + 1))
    assert ended.state["report"]["counts"]["caption-too-long"] == len(rows)


def test_a_rejection_is_told_with_its_rules_and_its_report(world: World) -> None:
    inbox, announced = world.subscribe(), world.announced()
    ended = world.follow(world.upload("training", world.rows()[:3]))
    (message,) = inbox.messages()
    came: list[dict[str, Any]] = []
    assert eventually(lambda: came.extend(announced.bodies()) or came, seconds=30)
    (event,) = came
    assert (event["source"], event["detail-type"]) == (SOURCE, DetailType.RUN)
    assert event["detail"] == message
    jsonschema.validate(event, msgspec.json.schema(Event))
    assert message["status"] == "rejected"
    assert "too-few-records" in message["message"]
    assert ended.state["report"]["html"] in message["message"]
    assert ended.state["report"]["rejected"] in message["message"]


def test_duplicates_are_not_worth_a_message(world: World) -> None:
    ended = world.follow(world.upload("training", world.rows()[:4]))
    states = world.aws.client("stepfunctions")
    event = states.describe_execution(executionArn=ended.arn)["input"]
    inbox = world.subscribe()
    again = states.start_execution(stateMachineArn=world.deployment.workflow_arn, input=event)
    assert world.end_of(again["executionArn"]).outcome == "duplicate"
    assert inbox.messages() == []
