"""The functions for notebooks: tables in, tables and pages out, and nothing billed unasked."""

import io
import json
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

import bedrock_tuning
from bedrock_tuning import Deployment, prepare, validate
from bedrock_tuning.errors import UserError
from bedrock_tuning.notebook.bars import _bar
from tests.cli.support import RUN, WAITING, StubbedAws, index

CHATS = pd.DataFrame(
    {
        "prompt": [f"question {n}" for n in range(12)],
        "completion": [f"answer {n}" for n in range(12)],
    }
)


@pytest.fixture
def deployment(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Deployment, StubbedAws]]:
    aws = StubbedAws()
    monkeypatch.setattr("bedrock_tuning.notebook.deployment.new_aws", lambda **_: aws)
    aws.deployed()
    yield Deployment("dev"), aws
    aws.end()


def test_the_package_gives_three_names_and_no_others() -> None:
    assert bedrock_tuning.__all__ == ["Deployment", "prepare", "validate"]
    with pytest.raises(AttributeError, match="no attribute 'train'"):
        _ = bedrock_tuning.train  # type: ignore[attr-defined]


def test_a_table_of_pictures_becomes_a_dataset_with_tables(tmp_path: Path) -> None:
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for number in range(6):
        Image.new("RGB", (600, 600), (40 * number, 0, 0)).save(pictures / f"{number}.png")
    table = pd.DataFrame(
        {
            "image": [f"{n}.png" for n in range(6)] + ["gone.png"],
            "caption": [f"<b>{n}" for n in range(7)],
        }
    )
    dataset = prepare(
        table,
        tmp_path / "out",
        images=pictures,
        model="titan-image-generator-v2",
        to="s3://b/pets/",
    )
    assert list(dataset.records["caption"]) == [f"<b>{n}" for n in range(6)]
    assert all(Path(file).is_file() for file in dataset.records["file"])
    assert list(dataset.left_out["file"]) == ["gone.png"]
    assert dataset.checked is not None
    assert dataset.checked.valid
    page = dataset._repr_html_()
    assert page.count("<figure") == 6
    assert "&lt;b&gt;0" in page
    assert "<b>0" not in page


def test_texts_become_conversations(tmp_path: Path) -> None:
    dataset = prepare(CHATS, tmp_path / "out", model="nova-micro", split=1)
    assert len(dataset.records) == 12
    assert dataset.records["messages"][0][0]["content"] == [{"text": "question 0"}]
    assert "question 0" in dataset._repr_html_()


def test_the_findings_of_a_table_name_its_rows() -> None:
    broken = CHATS.copy()
    broken.loc[3, "completion"] = ""
    checked = validate(broken, model="titan-text-express")
    assert not checked.valid
    assert 4 in set(checked.findings["line"])
    assert repr(checked).startswith("REJECTED for titan-text-express: 12 records")
    page = checked._repr_html_()
    assert page.startswith("<iframe srcdoc=")
    # The page is the value of an attribute: nothing in it ends that.
    assert page.count('"') == 6


def test_an_option_that_does_not_exist_is_refused_with_those_that_do(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="prepare has no option captoins") as refused:
        prepare("pictures", tmp_path / "out", captoins="x.csv")
    assert "caption_column" in refused.value.fix


def test_a_deployment_has_tables(deployment: tuple[Deployment, StubbedAws]) -> None:
    dev, aws = deployment
    assert "pets-search" in set(dev.customizations["name"])
    index(aws, WAITING)
    assert list(dev.runs()["run"]) == [RUN]


def test_metrics_are_a_table_by_step(deployment: tuple[Deployment, StubbedAws]) -> None:
    dev, aws = deployment
    place = f"s3://out/reports/pets-search/{RUN}"
    aws.has_run(**WAITING, report=f"{place}/report.json", metrics=f"{place}/metrics.json")
    rows = [{"step_number": str(n), "training_loss": str(1 / (n + 1))} for n in range(6)]
    body = json.dumps({"files": {"training_artifacts/step_wise_training_metrics.csv": rows}})
    asked = {"Bucket": "out", "Key": f"reports/pets-search/{RUN}/metrics.json"}
    aws.answer("s3", "get_object", {"Body": io.BytesIO(body.encode())}, asked)
    found = dev.metrics(RUN)
    assert found.index.name == "step"
    assert found["training loss"].iloc[-1] == pytest.approx(1 / 6)


def test_nothing_is_uploaded_without_an_agreement_to_the_price(
    deployment: tuple[Deployment, StubbedAws], tmp_path: Path
) -> None:
    dev, _ = deployment
    # No answer of S3 is prepared: a call would fail.
    with pytest.raises(UserError, match="a run costs: training:") as refused:
        dev.upload(tmp_path, "pets-search", agreed=False)
    assert "agreed=True" in refused.value.fix


def test_the_words_of_a_bar_are_text() -> None:
    shown = _bar('checking <b>"pets"', "images", 0.5, 1_200)
    said = "checking &lt;b&gt;&#34;pets&#34;: 1,200 images"
    assert shown == f'<progress value="0.50" aria-label="{said}"></progress> {said}'
