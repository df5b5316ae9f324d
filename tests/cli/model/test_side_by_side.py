"""`tuning compare` of models that draw or write: the same prompts, side by side, kept by run."""

import base64
import io
import json
import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from bedrock_tuning import s3_layout
from bedrock_tuning.serving.side_by_side import Prompt, prompts
from tests.cli.conftest import Run
from tests.cli.model.test_invoke import DRAWS, ENDPOINT, MODEL, WRITES, made_from
from tests.cli.support import OLDER, RUN, StubbedAws

NAME = "pets-search"
BLOCKED = "blocked by the filters"
FOLDER = f"comparisons/{NAME}/{RUN}/"


class Bucket:
    """S3 with the files of three buckets; a missing one is refused, as to who may not list."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.exceptions = type("", (), {"NoSuchKey": KeyError})

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803
        del Bucket
        if Key in self.files:
            return {"Body": io.BytesIO(self.files[Key])}
        if Key.startswith("_checked/"):
            raise KeyError(Key)
        raise ClientError({"Error": {"Code": "AccessDenied"}}, "GetObject")

    def put_object(self, *, Key: str, Body: bytes, **_: Any) -> None:  # noqa: N803
        self.files[Key] = Body


class Models:
    """A base and a tuned model, which say who they are. asked: ids, in order.

    stop_at: the call during which somebody presses Ctrl-C; 0 for none.
    """

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.stop_at = 0
        self.seeds: list[int] = []
        self.exceptions = type("", (), {"ModelNotReadyException": KeyError})

    def invoke_model(self, *, modelId: str, body: str, **_: Any) -> dict[str, Any]:  # noqa: N803
        self.asked.append(modelId)
        if len(self.asked) == self.stop_at:
            os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.05 if self.stop_at else 0)
        given = json.loads(body)
        if given["textToImageParams"]["text"] == BLOCKED:
            said: Any = {"Error": {"Code": "ValidationException", "Message": BLOCKED}}
            raise ClientError(said, "InvokeModel")
        self.seeds.append(given["imageGenerationConfig"]["seed"])
        answer = {"images": [base64.b64encode(modelId.encode()).decode()]}
        return {"body": io.BytesIO(json.dumps(answer).encode())}

    def converse(self, *, modelId: str, **given: Any) -> dict[str, Any]:  # noqa: N803
        self.asked.append(modelId)
        text = f"{modelId} on {given['messages'][0]['content'][0]['text']}"
        return {"output": {"message": {"content": [{"text": text}]}}}


@pytest.fixture
def bucket(aws: StubbedAws) -> Bucket:
    vars(aws)["s3"] = Bucket()
    return vars(aws)["s3"]  # type: ignore[no-any-return]


@pytest.fixture
def models(aws: StubbedAws) -> Models:
    vars(aws)["bedrock_runtime"] = Models()
    return vars(aws)["bedrock_runtime"]  # type: ignore[no-any-return]


def served(aws: StubbedAws, base: str) -> None:
    """A model of RUN, made from this base model, is published and served."""
    aws.deployed()
    aws.points("model", MODEL)
    made_from(aws, base)
    aws.points("model", MODEL)
    aws.points("endpoint", ENDPOINT)
    made_from(aws, base)
    aws.points("run", RUN)


def checked(bucket: Bucket, *records: Any, kind: s3_layout.Kind = "training") -> None:
    text = "\n".join(map(json.dumps, records))
    bucket.files[s3_layout.checked_manifest_key(NAME, RUN, kind)] = text.encode()


def test_both_models_draw_the_captions_with_the_same_seeds_and_the_page_is_kept(
    run: Run, aws: StubbedAws, bucket: Bucket, models: Models, tmp_path: Path
) -> None:
    served(aws, DRAWS)
    checked(bucket, *({"image-ref": "s3://a/b", "caption": each} for each in ("Ron", "Smila")))
    file = tmp_path / "compare.html"
    result = run("compare", NAME, "--yes", "--html", file)
    assert result.exit_code == 0, result.output
    assert sorted(models.asked) == sorted(["amazon.titan-image-generator-v2:0", ENDPOINT] * 2)
    assert sorted(models.seeds) == [1, 1, 2, 2]
    assert "base: 2 calls, 0 answers known already" in result.stderr
    assert "billed by the hour, not by the call" in result.stderr
    page = file.read_text("utf-8")
    assert page.encode() == bucket.files[f"{FOLDER}comparison.html"]
    assert "Ron" in page
    assert "SIMULATED" in page
    for model in ("amazon.titan-image-generator-v2:0", ENDPOINT):
        assert base64.b64encode(model.encode()).decode() in page
    assert f"s3://out/{FOLDER}comparison.html" in result.stdout


def test_what_was_answered_is_not_asked_or_billed_again(
    run: Run, aws: StubbedAws, bucket: Bucket, models: Models
) -> None:
    for _ in range(2):
        served(aws, DRAWS)
    assert run("compare", NAME, "--prompt", "Ron", "--yes").exit_code == 0
    again = run("compare", NAME, "--prompt", "Ron")
    assert again.exit_code == 0, again.output
    assert "nothing is billed" in again.stderr
    assert len(models.asked) == 2


def test_a_model_that_answered_everything_has_no_price(
    run: Run, aws: StubbedAws, bucket: Bucket, models: Models
) -> None:
    for _ in range(2):
        served(aws, DRAWS)
    assert run("compare", NAME, "--prompt", "Ron", "--yes").exit_code == 0
    kept = json.loads(bucket.files[f"{FOLDER}answers.json"])
    bucket.files[f"{FOLDER}answers.json"] = json.dumps({**kept, "base": {}}).encode()
    again = run("compare", NAME, "--prompt", "Ron", "--yes")
    assert again.exit_code == 0, again.output
    lines = again.stderr.splitlines()
    base = lines.index("base: 1 calls, 0 answers known already")
    assert lines[base + 1] == "  billed by the call; no price is known"
    assert lines[base + 2] == "tuned: 0 calls, 1 answers known already"
    assert "billed by the hour" not in again.stderr


def test_ctrl_c_among_the_answers_keeps_each_and_the_same_command_asks_for_the_rest(
    run: Run, aws: StubbedAws, bucket: Bucket, models: Models
) -> None:
    prompts = [word for number in range(20) for word in ("--prompt", f"Ron {number}")]
    models.stop_at = 10
    served(aws, DRAWS)
    stopped = run("compare", NAME, *prompts, "--yes")
    assert stopped.exit_code == 130
    assert "stopped by Ctrl-C: every answer so far is kept" in stopped.stderr
    assert "Traceback" not in stopped.output
    before = len(models.asked)
    assert 10 <= before < 2 * 20
    served(aws, DRAWS)
    assert run("compare", NAME, *prompts, "--yes").exit_code == 0
    assert len(models.asked) == 2 * 20


def test_nothing_is_asked_before_somebody_agrees(
    run: Run, aws: StubbedAws, bucket: Bucket, models: Models
) -> None:
    served(aws, DRAWS)
    refused = run("compare", NAME, "--prompt", "Ron")
    assert refused.exit_code == 2
    assert "add --yes to accept the price" in refused.stderr
    assert models.asked == []


def test_a_prompt_that_is_refused_is_shown_as_refused(
    run: Run, aws: StubbedAws, bucket: Bucket, models: Models
) -> None:
    served(aws, DRAWS)
    result = run("compare", NAME, "--prompt", BLOCKED, "--prompt", "Ron", "--yes")
    assert result.exit_code == 0, result.output
    assert result.stdout.count(f"no answer: {BLOCKED}") == 2
    assert result.stdout.count("a picture, seed 2") == 2


def test_texts_are_shown_beside_the_datasets_own_answer_with_the_loss(
    run: Run, aws: StubbedAws, bucket: Bucket, models: Models
) -> None:
    served(aws, WRITES)
    turns = [
        {"role": "user", "content": [{"text": "Where is it?"}]},
        {"role": "assistant", "content": [{"text": "On its way."}]},
    ]
    checked(bucket, {"messages": turns}, kind="validation")
    steps = [{"step_number": str(at), "training_loss": str(9 - at)} for at in range(1, 4)]
    metrics = {"files": {"step_wise_training_metrics.csv": steps}}
    bucket.files[f"reports/{NAME}/{RUN}/metrics.json"] = json.dumps(metrics).encode()
    report = f"s3://out/reports/{NAME}/{RUN}/report.json"
    known = {"run": RUN, "customization": NAME, "status": "served", "report": report}
    aws.has_run(**known, metrics=f"s3://out/reports/{NAME}/{RUN}/metrics.json")
    result = run("compare", NAME, "--yes", "--json")
    assert result.exit_code == 0, result.output
    said = json.loads(result.stdout)
    (row,) = said["answers"]
    assert row["prompt"]["expected"] == "On its way."
    assert [each["text"] for each in row["answers"]] == [
        "amazon.nova-lite-v1:0 on Where is it?",
        f"{ENDPOINT} on Where is it?",
    ]
    assert said["last_loss"] == {RUN: {"training loss": 6.0}}


def test_another_runs_kept_answers_take_the_place_of_the_base_models(
    run: Run, aws: StubbedAws, bucket: Bucket, models: Models
) -> None:
    for _ in range(2):
        served(aws, DRAWS)
    assert run("compare", NAME, "--prompt", "Ron", "--yes").exit_code == 0
    older = bucket.files.pop(f"{FOLDER}answers.json")
    bucket.files[f"comparisons/{NAME}/{OLDER}/answers.json"] = older
    result = run("compare", NAME, "--prompt", "Ron", "--against", OLDER, "--yes")
    assert result.exit_code == 0, result.output
    assert models.asked[2:] == [ENDPOINT]
    assert f"Model of run {OLDER}: a picture" in result.stdout


def test_a_run_that_did_not_answer_the_same_prompts_cannot_be_compared_with(
    run: Run, aws: StubbedAws, bucket: Bucket, models: Models
) -> None:
    served(aws, DRAWS)
    result = run("compare", NAME, "--prompt", "Ron", "--against", OLDER, "--yes")
    assert result.exit_code == 2
    assert f"tuning serve {NAME} --run {OLDER}" in result.stderr
    assert models.asked == []


@pytest.mark.parametrize(
    ("record", "found"),
    [
        ({"image-ref": "s3://a/b", "caption": "Ron"}, [Prompt(text="Ron")]),
        (
            {"prompt": "Ask", "completion": "Told"},
            [Prompt(text="Ask", expected="Told")],
        ),
        (
            {
                "system": [{"text": "Be kind."}],
                "messages": [{"role": "user", "content": [{"text": "Ask"}]}],
            },
            [Prompt(text="Ask", system="Be kind.")],
        ),
        (
            {
                "messages": [
                    {"role": "system", "content": "Be kind."},
                    {"role": "user", "content": "Ask"},
                ]
            },
            [Prompt(text="Ask", system="Be kind.")],
        ),
        ({"messages": [{"role": "user", "content": [{"image": {}}, {"text": "Ask"}]}]}, []),
        ({"input": "a text to go on with"}, []),
    ],
)
def test_a_record_asks_its_first_question(record: dict[str, Any], found: list[Prompt]) -> None:
    assert list(prompts([record, record])) == found
