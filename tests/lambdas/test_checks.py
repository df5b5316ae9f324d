"""From two manifests to one report: check_manifest, check_images and merge together, on S3."""

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from functools import cache
from typing import Any

import pytest

from bedrock_tuning.config.settings_limits import IMAGES_PER_SHARD_MIN
from bedrock_tuning.contracts.states import workflow
from bedrock_tuning.contracts.states.asl import RETRY
from bedrock_tuning.errors import SourceError
from bedrock_tuning.rules import BY_ID
from lambdas import check_images, check_manifest, merge
from lambdas._records import _runs
from lambdas.merge import UncheckedError
from tests.lambdas.aws import OUTPUT, TRAINING, VALIDATION, Aws, settings
from tests.support.pictures import jpeg, png

RUN = "20261121-093000-aaaaaa"
WORK = f"work/{RUN}/"
STYLE = "pets-style"
STATES = workflow.definition(environment="dev", approval_days=7)["States"]
BUCKETS = {"training": TRAINING, "validation": VALIDATION}

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("server")]


def _upload(
    aws: Aws, name: str, lines: Sequence[Any], kind: str = "training", **options: Any
) -> str:
    """Uploads a manifest; a record is a dict, a text is a line as it is."""
    text = "".join(
        f"{line if isinstance(line, str) else json.dumps(line, **options)}\n" for line in lines
    )
    return aws.s3.objects.put(BUCKETS[kind], f"{name}/manifest.jsonl", text.encode())


def _pet(number: int, *, name: str = STYLE, kind: str = "training", **changes: Any) -> Any:
    ref = f"s3://{BUCKETS[kind]}/{name}/images/{number}.png"
    return {"image-ref": ref, "caption": f"pet number {number}", **changes}


@cache
def _picture(number: int, side: int = 520) -> bytes:
    return png(side, side, noise=number)


def _pictures(
    aws: Aws, numbers: Sequence[int], *, name: str = STYLE, kind: str = "training"
) -> None:
    for number in numbers:
        aws.s3.objects.put(BUCKETS[kind], f"{name}/images/{number}.png", _picture(number))


def _check(
    aws: Aws, name: str = STYLE, *, validation: str | None = None, run: str = RUN
) -> dict[str, Any]:
    """What the workflow does between admission and price; returns merge's answer."""
    versions = aws.s3.objects.buckets[TRAINING][f"{name}/manifest.jsonl"]
    admission = {
        "run": run,
        "settings": settings(name),
        "training_version": versions[-1].id,
        "validation_version": validation,
    }
    _runs.start_run("a-table", run=run, customization=name, status="checking")
    checked = check_manifest.handler(admission, None)
    index = aws.s3.objects.body(OUTPUT, checked["shards_key"]).decode().splitlines()
    assert len(index) == checked["shards"]
    shards = []
    for line in index:
        event = {"run": run, "settings": settings(name), "shard": json.loads(line)}
        shards.append(check_images.handler(event, None))
    assert sum(shard["images"] for shard in shards) == checked["images"]
    event = {"run": run, "settings": settings(name), "check": checked, "shards": shards}
    return merge.handler(event, None)


def _report(aws: Aws, name: str = STYLE) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(
        aws.s3.objects.body(OUTPUT, f"reports/{name}/{RUN}/report.json")
    )
    return found


def _rejected(aws: Aws, name: str = STYLE) -> list[dict[str, Any]]:
    body = aws.s3.objects.body(OUTPUT, f"reports/{name}/{RUN}/rejected.jsonl")
    return [json.loads(line) for line in body.decode().splitlines()]


def test_a_valid_dataset_is_valid_and_its_run_says_so(aws: Aws) -> None:
    _upload(aws, STYLE, [_pet(number) for number in range(10)])
    _pictures(aws, range(10))

    found = _check(aws)

    assert found["valid"], _rejected(aws)
    assert (found["records"], found["training_records"], found["errors"]) == (10, 10, 0)
    assert found["report"] == f"s3://{OUTPUT}/reports/{STYLE}/{RUN}/report.json"
    assert aws.run(RUN)["status"] == "valid"
    assert aws.run(RUN)["report"] == found["report"]
    pins = json.loads(aws.s3.objects.body(OUTPUT, f"reports/{STYLE}/{RUN}/pins.json"))
    assert {kind: len(images) for kind, images in pins.items()} == {"training": 10}
    report = _report(aws)
    assert (report["valid"], report["records"]) == (True, 10)
    assert report["image_stats"]["training"]["checked"] == 10


def test_images_are_checked_in_shards_of_the_size_that_was_set(aws: Aws) -> None:
    _upload(aws, STYLE, [_pet(number) for number in range(10)])
    _pictures(aws, range(10))

    _check(aws)

    shards = [
        json.loads(aws.s3.objects.body(OUTPUT, key))
        for key in aws.s3.objects.keys(OUTPUT, f"{WORK}shards/")
    ]
    assert [len(shard) for shard in shards] == [4, 4, 2]
    found = [key.removeprefix(f"{WORK}findings/") for key in aws.s3.objects.keys(OUTPUT, WORK)]
    assert [name for name in found if name.endswith(".jsonl") and "/" not in name] == [
        *("00000.jsonl", "00001.jsonl", "00002.jsonl", "text.jsonl"),
    ]
    # Line numbers go with the images, so that findings name the record.
    assert [line for shard in shards for _, line, *_ in shard] == list(range(1, 11))


def test_a_broken_dataset_is_rejected_with_every_finding_of_every_shard(aws: Aws) -> None:
    lines: list[Any] = [_pet(number) for number in range(12)]
    lines[2] = '{"image-ref": '
    lines[3] = _pet(3, caption="x" * 2000)
    lines[4] = {"image-ref": f"s3://{TRAINING}/pets-search/images/4.png", "caption": "elsewhere"}
    _upload(aws, STYLE, lines)
    _pictures(aws, [0, 3, 6, 7, 9, 10, 11])
    aws.s3.objects.put(TRAINING, f"{STYLE}/images/5.png", b"<html>Not found</html>")
    aws.s3.objects.put(TRAINING, f"{STYLE}/images/8.png", b"")
    aws.s3.objects.put(TRAINING, f"{STYLE}/images/9.png", _picture(9, 64))

    found = _check(aws)

    assert not found["valid"]
    assert aws.run(RUN)["status"] == "rejected"
    by_line = {
        (finding["line"], finding["name"])
        for finding in _rejected(aws)
        if finding["severity"] == "error" and finding["line"] is not None
    }
    assert by_line == {
        (2, "image-missing"),
        (3, "malformed-json"),
        (4, "caption-too-long"),
        (5, "image-outside-folder"),
        (6, "image-format-not-supported"),
        (9, "empty-image"),
        (10, "image-side-too-small"),
    }


def test_what_has_to_be_fixed_is_counted_apart_from_what_is_worth_a_look(aws: Aws) -> None:
    _upload(aws, STYLE, [_pet(1), _pet(1), _pet(2, caption=" ")])

    found = _check(aws)

    severities = {each["name"]: each["severity"] for each in _rejected(aws)}
    assert set(severities.values()) >= {"error", "warning"}
    for part, severity, total in (
        ("to_fix", "error", "errors"),
        ("worth_a_look", "warning", "warnings"),
    ):
        assert set(found[part]) == {name for name in severities if severities[name] == severity}
        assert sum(found[part].values()) == found[total] > 0
        assert found[part].items() <= found["counts"].items()


@pytest.mark.slow
def test_the_rejected_rows_are_complete_where_the_report_keeps_the_first_ones(aws: Aws) -> None:
    _upload(aws, STYLE, [_pet(number) for number in range(300)])

    found = _check(aws)

    rejected = Counter(finding["name"] for finding in _rejected(aws))
    assert found["counts"]["image-missing"] == rejected["image-missing"] == 300
    kept = [f for f in _report(aws)["findings"] if f["name"] == "image-missing"]
    assert 0 < len(kept) < 300
    assert sum(rejected.values()) == sum(found["counts"].values())


def test_findings_of_the_whole_dataset_are_among_the_rejected_rows(aws: Aws) -> None:
    _upload(aws, STYLE, [_pet(1)])
    _pictures(aws, [1])

    found = _check(aws)

    assert found["counts"]["too-few-records"] == 1
    assert "too-few-records" in [f["name"] for f in _rejected(aws) if f["line"] is None]


def test_an_empty_manifest_is_a_finding(aws: Aws) -> None:
    _upload(aws, STYLE, [])

    found = _check(aws)

    assert not found["valid"]
    assert found["training_records"] == 0
    assert found["counts"] == {"empty-manifest": 1}


def test_both_kinds_are_checked_against_their_own_buckets(aws: Aws) -> None:
    search = "pets-search"
    _upload(aws, search, [_pet(n, name=search) for n in range(6)])
    wrong = _pet(0, name=search)
    rows = [wrong, *(_pet(n, name=search, kind="validation") for n in range(11, 16))]
    version = _upload(aws, search, rows, "validation")
    _pictures(aws, range(6), name=search)
    _pictures(aws, range(11, 15), name=search, kind="validation")

    found = _check(aws, search, validation=version)

    assert (found["records"], found["training_records"]) == (12, 6)
    assert set(found["fingerprints"]) == {"training", "validation"}
    rows_of = {
        (f["kind"], f["line"], f["name"]) for f in _rejected(aws, search) if f["line"] is not None
    }
    assert rows_of == {
        ("validation", 1, "image-in-another-bucket"),
        ("validation", 6, "image-missing"),
    }


def test_a_run_checks_the_version_that_it_admitted_not_what_was_uploaded_since(
    aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = _upload(aws, STYLE, [_pet(number) for number in range(10)])
    _upload(aws, STYLE, ["overwritten"])
    event = {
        "run": RUN,
        "settings": settings(STYLE),
        "training_version": version,
        "validation_version": None,
    }

    assert check_manifest.handler(event, None)["images"] == 10


def test_the_fingerprint_follows_every_byte_of_text_and_every_image(aws: Aws) -> None:
    _upload(aws, STYLE, [_pet(number) for number in range(6)])
    _pictures(aws, range(6))
    first = _check(aws, run="20261121-093000-000001")["fingerprints"]
    again = _check(aws, run="20261121-093000-000002")["fingerprints"]
    aws.s3.objects.put(TRAINING, f"{STYLE}/images/3.png", _picture(99))
    repainted = _check(aws, run="20261121-093000-000003")["fingerprints"]
    _upload(aws, STYLE, [_pet(number) for number in range(6)], separators=(",", ":"))
    respaced = _check(aws, run="20261121-093000-000004")["fingerprints"]

    assert first == again
    manifest, images = first["training"].split(":")
    assert repainted["training"].split(":")[0] == manifest
    assert repainted["training"].split(":")[1] != images
    assert respaced["training"].split(":")[0] != manifest
    body = aws.s3.objects.body(TRAINING, f"{STYLE}/manifest.jsonl")
    assert respaced["training"].split(":")[0] == hashlib.sha256(body).hexdigest()


@pytest.mark.parametrize(
    "name", ["a dog.png", "a+dog.png", "100%.png", "Hündin 🐶.png", "/twice.png", "a%20dog.png"]
)
def test_an_image_of_any_name_is_found(name: str, aws: Aws) -> None:
    key = f"{STYLE}/images/{name}"
    rows = [_pet(number) for number in range(8)]
    rows[3]["image-ref"] = f"s3://{TRAINING}/{key}"
    _upload(aws, STYLE, rows, ensure_ascii=False)
    _pictures(aws, range(8))
    aws.s3.objects.put(TRAINING, key, jpeg(520, 520))

    assert _check(aws)["errors"] == 0


def test_an_image_that_may_not_be_read_is_told_from_one_that_is_missing(aws: Aws) -> None:
    _upload(aws, STYLE, [_pet(number) for number in range(8)])
    _pictures(aws, range(7))
    for number in (6, 7):
        aws.s3.objects.refused[f"{STYLE}/images/{number}.png"] = (403, "AccessDenied", "no")

    _check(aws)

    assert {(f["line"], f["name"]) for f in _rejected(aws) if f["severity"] == "error"} == {
        (7, "image-not-readable"),
        (8, "image-missing"),
    }


def test_a_manifest_in_odd_bytes_is_a_finding_and_never_a_crash(aws: Aws) -> None:
    good = [json.dumps(_pet(number)) for number in range(7)]
    body = "\ufeff".encode() + "\r\n".join(good).encode() + b"\n\n\xff\xfe\n" + b"x" * 5_000_000
    aws.s3.objects.put(TRAINING, f"{STYLE}/manifest.jsonl", body)
    _pictures(aws, range(7))

    found = _check(aws)

    assert not found["valid"]
    assert {f["line"] for f in _rejected(aws) if f["severity"] == "error"} >= {9, 10}
    assert found["counts"].keys() <= {rule.name for rule in BY_ID.values()}


def test_a_step_that_is_retried_writes_the_same_again(aws: Aws) -> None:
    _upload(aws, STYLE, [_pet(number) for number in range(9)])
    _pictures(aws, range(3))

    first = _check(aws)
    kept = _rejected(aws)

    assert _check(aws) == first
    assert _rejected(aws) == kept


def test_many_results_are_all_merged(aws: Aws) -> None:
    """S3 lists a thousand keys at a time; here two."""
    aws.s3.page = 2
    _upload(aws, STYLE, [_pet(number) for number in range(23)])

    found = _check(aws)

    assert found["counts"]["image-missing"] == 23
    assert len([f for f in _rejected(aws) if f["name"] == "image-missing"]) == 23


def _checked(aws: Aws, images: int = 9) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """A check up to merge: what check_manifest returned, and the shards to be checked."""
    _upload(aws, STYLE, [_pet(number) for number in range(images)])
    _pictures(aws, range(images))
    versions = aws.s3.objects.buckets[TRAINING][f"{STYLE}/manifest.jsonl"]
    version = {"training_version": versions[-1].id, "validation_version": None}
    checked = check_manifest.handler({"run": RUN, "settings": settings(STYLE), **version}, None)
    index = aws.s3.objects.body(OUTPUT, checked["shards_key"]).decode().splitlines()
    return checked, [json.loads(line) for line in index]


def _shard(shard: dict[str, Any]) -> dict[str, Any]:
    return check_images.handler({"run": RUN, "settings": settings(STYLE), "shard": shard}, None)


def _merge(checked: dict[str, Any], shards: list[dict[str, Any]]) -> None:
    merge.handler(
        {"run": RUN, "settings": settings(STYLE), "check": checked, "shards": shards}, None
    )


def test_an_unchecked_shard_ends_the_run_because_nobody_looked_at_its_images(aws: Aws) -> None:
    """The workflow hands on the error's name only; a thousand causes would not fit into it."""
    checked, shards = _checked(aws)
    aws.s3.objects.refused[f"{STYLE}/images/5.png"] = (400, "ExpiredToken", "expired")
    done = [_shard(shards[0])]
    with pytest.raises(SourceError):
        _shard(shards[1])
    failed = [{"number": shard["number"], "error": "SourceError"} for shard in shards[1:]]

    words = r"2 of 3 shards .* number 00001: SourceError: cannot read pets-style/images/5\.png"
    with pytest.raises(UncheckedError, match=words):
        _merge(checked, [*done, *failed])

    assert aws.s3.objects.keys(OUTPUT, "reports/") == []


def test_a_check_that_was_killed_is_told_by_the_name_of_its_error(aws: Aws) -> None:
    checked, shards = _checked(aws)
    killed = {"number": shards[2]["number"], "error": "Sandbox.Timedout"}

    with pytest.raises(UncheckedError, match=r"1 of 3 shards .* 00002: Sandbox\.Timedout"):
        _merge(checked, [_shard(shards[0]), _shard(shards[1]), killed])


def test_a_thousand_shards_that_failed_fit_into_the_workflows_state() -> None:
    """Above 256 KiB an execution ends at once, and no Catch could tell of it."""
    most = 550_000 // IMAGES_PER_SHARD_MIN
    longest = max((error for each in RETRY for error in each["ErrorEquals"]), key=len)
    failed = [{"number": f"{n:05d}", "error": longest} for n in range(most)]
    (passed,) = [
        state
        for state in STATES["Check images"]["ItemProcessor"]["States"].values()
        if state["Type"] == "Pass"
    ]

    assert set(passed["Parameters"].values()) == {"$.shard.number", "$.error.Error"}
    assert len(json.dumps(failed)) < 128 * 1024


@pytest.mark.parametrize("done", [0, 2])
def test_a_map_that_ran_fewer_checks_than_there_are_shards_is_no_valid_dataset(
    done: int, aws: Aws
) -> None:
    checked, shards = _checked(aws)
    answers = [_shard(shard) for shard in shards[:done]]

    with pytest.raises(UncheckedError, match=rf"{done} of 3 shards with {4 * done} of 9 images"):
        _merge(checked, answers)


def test_a_result_that_is_lost_is_no_valid_dataset(aws: Aws) -> None:
    checked, shards = _checked(aws)
    answers = [_shard(shard) for shard in shards]
    aws.s3.objects.delete(OUTPUT, f"{WORK}results/00001.json")

    with pytest.raises(UncheckedError, match=r"1 of 3 results .*results/00001\.json"):
        _merge(checked, answers)


def test_a_source_that_fails_is_no_finding(aws: Aws) -> None:
    _upload(aws, STYLE, [_pet(1)])
    aws.s3.objects.refused[f"{STYLE}/images/1.png"] = (400, "ExpiredToken", "expired")

    with pytest.raises(SourceError, match=r"cannot read pets-style/images/1\.png"):
        _check(aws)


def test_the_html_page_stands_alone(aws: Aws) -> None:
    _upload(aws, STYLE, [_pet(number) for number in range(9)])

    found = _check(aws)

    page = aws.s3.objects.body(OUTPUT, f"reports/{STYLE}/{RUN}/report.html").decode()
    assert found["html"].endswith("report.html")
    assert "image-missing" in page
    assert 'src="http' not in page


def test_the_buckets_are_of_the_functions_own_region(
    aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    _upload(aws, STYLE, [_pet(number) for number in range(10)])
    _pictures(aws, range(10))
    monkeypatch.setenv("AWS_REGION", "eu-west-1")

    found = _check(aws)

    assert found["counts"]["bucket-in-another-region"] == 1
    assert not found["valid"]
    assert _report(aws)["text_stats"]["training"]["bucket_region"] == "eu-west-1"


def test_the_report_tells_what_a_run_takes(aws: Aws) -> None:
    _upload(aws, STYLE, [_pet(number) for number in range(10)])
    _pictures(aws, range(10))

    found = _check(aws)

    assert found["training_characters"] == sum(len(f"pet number {n}") for n in range(10))
    assert _report(aws)["training_time"].startswith("unknown: no published training time")
    assert _report(aws)["price"]["total_usd"] > 200
