"""`tuning validate`: where things are found, what is written, how it ends."""

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from bedrock_tuning.validating import decode
from tests.cli.conftest import Run
from tests.cli.datasets import MODEL, dataset, picture, record
from tests.cli.support import StubbedAws
from tests.support.videos import matroska, mp4


def report(result: Any) -> dict[str, Any]:
    found = json.loads(result.stdout)
    assert isinstance(found, dict)
    return found


def test_a_good_dataset_is_valid_and_exits_with_0(run: Run, tmp_path: Path) -> None:
    result = run("validate", dataset(tmp_path), "--model", MODEL)
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith(f"VALID for {MODEL}: 6 records, 6 images checked, 0 errors")


def test_json_has_the_published_keys(run: Run, tmp_path: Path) -> None:
    manifest = dataset(tmp_path)
    manifest.write_text(manifest.read_text() + record("s3://train/pets/images/none.png"))
    found = report(run("validate", manifest, "--model", MODEL, "--json"))
    assert found["valid"] is False
    assert found["records"] == 7
    assert found["counts"]["image-missing"] == 1
    (missing,) = [each for each in found["findings"] if each["name"] == "image-missing"]
    keys = {"rule", "name", "severity", "line", "field", "value", "limit", "message", "fix"}
    assert keys <= missing.keys()
    assert missing["line"] == 7


def test_errors_exit_with_1_and_show_row_limit_and_fix(run: Run, tmp_path: Path) -> None:
    manifest = dataset(tmp_path)
    manifest.write_text(manifest.read_text() + record("s3://train/pets/images/1.png", "x" * 1025))
    result = run("validate", manifest, "--model", MODEL)
    assert result.exit_code == 1
    assert result.stdout.startswith("REJECTED")
    assert "training line 7 [caption]: caption-too-long (R201)" in result.stdout
    assert "limit: 3 to 1,024 characters" in result.stdout
    assert "fix: Shorten the caption." in result.stdout
    assert "--rejected FILE" in result.stdout


def test_a_folder_is_checked_with_both_of_its_manifests(run: Run, tmp_path: Path) -> None:
    for kind in ("training", "validation"):
        (tmp_path / kind).mkdir()
        dataset(tmp_path / kind)
    result = run("validate", tmp_path, "--model", MODEL, "--json")
    found = report(result)
    assert found["text_stats"].keys() == {"training", "validation"}
    assert found["records"] == 12
    alone = report(run("validate", tmp_path, "--model", MODEL, "--kind", "validation", "--json"))
    assert alone["text_stats"].keys() == {"validation"}


def test_a_folder_with_one_manifest_is_that_manifest(run: Run, tmp_path: Path) -> None:
    dataset(tmp_path)
    assert run("validate", tmp_path, "--model", MODEL).exit_code == 0


def test_a_folder_without_a_manifest_names_what_it_has(run: Run, tmp_path: Path) -> None:
    (tmp_path / "train.jsonl").write_text("{}")
    result = run("validate", tmp_path, "--model", MODEL)
    assert result.exit_code == 2
    assert "no manifest.jsonl found" in result.stderr
    assert "train.jsonl" in result.stderr


@pytest.mark.parametrize("name", ["1.PNG", "1.jpg"])
def test_a_missing_image_whose_name_differs_in_case_or_extension_is_recognized(
    run: Run, tmp_path: Path, name: str
) -> None:
    manifest = dataset(tmp_path)
    (tmp_path / "images/1.png").rename(tmp_path / "images" / name)
    result = run("validate", manifest, "--model", MODEL)
    assert f'there is no such object – did you mean "pets/images/{name}"?' in result.stdout


def test_a_map_says_where_the_images_are(run: Run, tmp_path: Path) -> None:
    manifest = dataset(tmp_path / "pictures")
    moved = manifest.rename(tmp_path / "train.jsonl")
    folder = tmp_path / "pictures" / "images"
    found = report(
        run("validate", moved, "-m", MODEL, "--map", f"s3://train/pets/images={folder}", "--json")
    )
    assert found["valid"] is True
    assert found["image_stats"]["training"]["checked"] == 6


def test_images_out_of_reach_are_a_warning_that_names_the_option(run: Run, tmp_path: Path) -> None:
    moved = dataset(tmp_path / "pictures").rename(tmp_path / "train.jsonl")
    result = run("validate", moved, "-m", MODEL, "--json")
    assert result.exit_code == 0
    assert report(result)["counts"]["images-not-checked"] == 1
    assert "--map s3://train/pets/=DIR" in result.stderr


def test_images_that_nobody_wants_to_look_at_are_no_warning(run: Run, tmp_path: Path) -> None:
    moved = dataset(tmp_path / "pictures").rename(tmp_path / "train.jsonl")
    result = run("validate", moved, "-m", MODEL, "--no-images", "--json")
    assert report(result)["warnings"] == 0
    assert "image_stats" in report(result)


def test_a_reference_beyond_every_map_names_the_option(run: Run, tmp_path: Path) -> None:
    manifest = dataset(tmp_path / "pictures")
    manifest.write_text(manifest.read_text() + record("s3://train/pets/other/9.png"))
    folder = tmp_path / "pictures" / "images"
    result = run("validate", manifest, "-m", MODEL, "--map", f"s3://train/pets/images={folder}")
    assert result.exit_code == 1
    assert "no --map covers s3://train/pets/other/9.png" in result.stdout


def test_the_bucket_is_the_one_of_the_map(run: Run, tmp_path: Path) -> None:
    manifest = dataset(tmp_path)
    manifest.write_text(manifest.read_text() + record("s3://elsewhere/pets/images/1.png"))
    found = report(
        run("validate", manifest, "-m", MODEL, "--map", f"s3://train/pets={tmp_path}", "--json")
    )
    assert found["counts"]["image-in-another-bucket"] == 1


def test_an_explicit_bucket_comes_first(run: Run, tmp_path: Path) -> None:
    found = report(
        run(
            "validate", dataset(tmp_path), "-m", MODEL, "--bucket", "right", "--no-images", "--json"
        )
    )
    assert found["counts"]["image-in-another-bucket"] == 6


def test_a_customization_brings_model_folder_and_exceptions(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "customizations"
    folder.mkdir()
    (folder / "pets.toml").write_text(
        f'''
        description = "d"
        base_model = "{MODEL}"
        allow_closed_model = true
        [hyperparameters]
        stepCount = 5000
        [serving]
        mode = "none"
        [rules]
        caption-too-long = {{ severity = "warning", reason = "the tail does not matter" }}
        '''
    )
    manifest = dataset(tmp_path)
    manifest.write_text(
        manifest.read_text()
        + record("s3://train/pets/images/1.png", "x" * 1025)
        + record("s3://train/cats/images/1.png")
    )
    found = report(
        run("validate", manifest, "-c", "pets", "--customizations", folder, "--no-images", "--json")
    )
    assert found["counts"]["image-outside-folder"] == 1
    assert found["exemptions"][0]["reason"] == "the tail does not matter"
    assert not [
        f for f in found["findings"] if f["name"] == "caption-too-long" and f["severity"] == "error"
    ]


def test_both_manifests_are_one_dataset(run: Run, tmp_path: Path) -> None:
    training, validation = dataset(tmp_path / "t"), dataset(tmp_path / "v", bucket="valid")
    found = report(
        run(
            "validate",
            training,
            "--validation",
            validation,
            "-m",
            "titan-multimodal-embeddings-g1",
            "--json",
        )
    )
    assert found["records"] == 12
    assert found["counts"]["image-in-both-manifests"] > 0
    assert {each["kind"] for each in found["findings"]} >= {"training", "validation"}


def test_one_manifest_alone_is_not_blamed_for_the_other(run: Run, tmp_path: Path) -> None:
    result = run("validate", dataset(tmp_path), "-m", "titan-multimodal-embeddings-g1", "--json")
    assert "validation-missing" not in report(result)["counts"]
    assert "--validation FILE" in result.stderr


def test_rejected_holds_every_finding_and_accepted_every_good_row(run: Run, tmp_path: Path) -> None:
    manifest = dataset(tmp_path)
    good = manifest.read_bytes()
    manifest.write_bytes(b"nope\n" * 150 + good + b"\n")
    rejected, accepted = tmp_path / "rejected.jsonl", tmp_path / "accepted.jsonl"
    result = run(
        "validate", manifest, "-m", MODEL, "--rejected", rejected, "--accepted", accepted, "--json"
    )
    lines = [json.loads(line) for line in rejected.read_text().splitlines()]
    assert len(lines) == sum(report(result)["counts"].values())
    assert sum(line["name"] == "malformed-json" for line in lines) == 150
    assert accepted.read_bytes() == good


@pytest.mark.parametrize("option", ["--rejected", "--accepted", "--html", "--junit", "--sarif"])
def test_an_output_never_overwrites_the_input(run: Run, tmp_path: Path, option: str) -> None:
    manifest = dataset(tmp_path)
    before = manifest.read_bytes()
    result = run("validate", manifest, "-m", MODEL, option, tmp_path / "images/../manifest.jsonl")
    assert result.exit_code == 2
    assert "would overwrite an input" in result.stderr
    assert manifest.read_bytes() == before


def test_two_outputs_cannot_be_one_file(run: Run, tmp_path: Path) -> None:
    same = tmp_path / "out"
    result = run("validate", dataset(tmp_path), "-m", MODEL, "--rejected", same, "--html", same)
    assert result.exit_code == 2


def test_html_is_a_page(run: Run, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    assert run("validate", dataset(tmp_path), "-m", MODEL, "--html", page).exit_code == 0
    assert page.read_text().startswith("<!doctype html>")


def test_junit_and_sarif_are_for_other_tools(run: Run, tmp_path: Path) -> None:
    manifest = dataset(tmp_path)
    manifest.write_text(manifest.read_text() + "nope\n")
    junit, sarif = tmp_path / "junit.xml", tmp_path / "report.sarif"
    run("validate", manifest, "-m", MODEL, "--junit", junit, "--sarif", sarif)
    suite = ElementTree.parse(junit).getroot().find("testsuite")  # noqa: S314
    assert suite is not None
    assert suite.get("failures") == "1"
    (found,) = json.loads(sarif.read_text())["runs"][0]["results"]
    place = found["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == str(manifest)
    assert place["region"]["startLine"] == 7


def test_the_page_shows_the_pictures_that_are_wrong(run: Run, tmp_path: Path) -> None:
    manifest = dataset(tmp_path)
    picture(tmp_path / "images/1.png", number=1, size=(100, 100))
    page = tmp_path / "report.html"
    run("validate", manifest, "-m", MODEL, "--html", page)
    assert page.read_text().count("data:image/jpeg;base64,") >= 1


def test_deep_finds_pixels_that_do_not_decode(run: Run, tmp_path: Path) -> None:
    manifest = dataset(tmp_path)
    broken = tmp_path / "images/3.png"
    data = bytearray(broken.read_bytes())
    place = data.index(b"IDAT") + 20
    data[place : place + 40] = bytes(40)
    broken.write_bytes(data)
    shallow = run("validate", manifest, "-m", MODEL, "--json")
    assert report(shallow)["valid"] is True
    deep = run("validate", manifest, "-m", MODEL, "--deep", "--json")
    assert deep.exit_code == 1
    (found,) = [f for f in report(deep)["findings"] if f["name"] == "image-does-not-decode"]
    assert found["line"] == 4


def test_deep_leaves_images_alone_that_other_rules_rejected(run: Run, tmp_path: Path) -> None:
    manifest = dataset(tmp_path)
    (tmp_path / "images/2.png").write_text("<html>not found</html>")
    found = report(run("validate", manifest, "-m", MODEL, "--deep", "--json"))
    assert "image-does-not-decode" not in found["counts"]


def test_deep_without_pillow_says_what_to_install(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decode, "find_spec", lambda name: None)
    result = run("validate", dataset(tmp_path), "-m", MODEL, "--deep")
    assert result.exit_code == 2
    assert "pip install 'bedrock-tuning[images]'" in result.stderr


def test_equal_images_are_found_by_their_bytes(run: Run, tmp_path: Path) -> None:
    manifest = dataset(tmp_path)
    copy = tmp_path / "images/copy.png"
    copy.write_bytes((tmp_path / "images/1.png").read_bytes())
    manifest.write_text(manifest.read_text() + record("s3://train/pets/images/copy.png", "again"))
    assert report(run("validate", manifest, "-m", MODEL, "--json"))["counts"]["duplicate-image"]


def test_a_text_dataset_needs_no_map(run: Run, tmp_path: Path) -> None:
    manifest = tmp_path / "m.jsonl"
    manifest.write_text('{"prompt": "hi", "completion": "hello"}\n' * 40)
    found = report(run("validate", manifest, "-m", "titan-text-lite", "--json"))
    assert "images-not-checked" not in found["counts"]


def test_another_customization_type_brings_another_format(run: Run, tmp_path: Path) -> None:
    manifest = tmp_path / "m.jsonl"
    manifest.write_text('{"input": "some text"}\n')
    args = ("validate", manifest, "-m", "titan-text-lite", "--json")
    assert "record-of-another-format" in report(run(*args))["counts"]
    found = report(run(*args, "--type", "continued-pre-training"))
    assert "record-of-another-format" not in found["counts"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere.jsonl", "-m", MODEL], "no such file"),
        (["S3://b/x.jsonl", "-m", MODEL], "did you mean s3://b/x.jsonl?"),
        (["arn:aws:s3:::b/x.jsonl", "-m", MODEL], "did you mean s3://b/x.jsonl?"),
        (["https://example.com/x.jsonl", "-m", MODEL], "download it"),
        ([".", "-m", MODEL], "no manifest.jsonl found"),
        (["{manifest}"], "add --model KEY"),
        (["{manifest}", "-m", "titan-image-generator-v3"], "did you mean"),
        (["{manifest}", "-m", MODEL, "--type", "DISTILLATION"], "FINE_TUNING"),
        (["{manifest}", "-c", "pets-style", "--type", "foo"], "--type FINE_TUNING"),
        (
            ["{manifest}", "-c", "pets-style", "--type", "fine-tunning"],
            'did you mean "FINE_TUNING"?',
        ),
        (["{manifest}", "-m", MODEL, "--map", "s3://train/pets"], "=DIR is missing"),
        (["{manifest}", "-m", MODEL, "--map", "s3://train/pets=/none/there"], "is not a folder"),
        (["{manifest}", "-m", MODEL, "--map", "train/pets=."], "not an S3 URI"),
        (["{manifest}", "-m", MODEL, "--rejected", "none/x"], "no such folder"),
        (["{manifest}", "-c", "nope"], "unknown customization nope"),
        (["s3://bucket/", "-m", MODEL], "this is a folder"),
    ],
)
def test_what_cannot_run_exits_with_2_and_says_what_to_do(
    run: Run, tmp_path: Path, arguments: list[str], message: str
) -> None:
    manifest = dataset(tmp_path)
    result = run("validate", *(each.format(manifest=manifest) for each in arguments))
    assert result.exit_code == 2
    assert message in result.stderr
    assert result.stdout == ""
    assert "Traceback" not in result.output


def test_a_type_that_contradicts_the_customization_is_refused(run: Run, tmp_path: Path) -> None:
    (tmp_path / "text.toml").write_text(
        'description = "d"\nbase_model = "titan-text-express"\nallow_closed_model = true\n'
        'customization_type = "CONTINUED_PRE_TRAINING"\n[serving]\nmode = "none"\n'
        '[budget]\nmax_run_usd = 1.0\napproval = "always"\n'
    )
    chosen = ("-c", "text", "--customizations", tmp_path, "--type")
    manifest = dataset(tmp_path)
    result = run("validate", manifest, *chosen, "fine-tuning")
    assert result.exit_code == 2
    assert "text is of the type CONTINUED_PRE_TRAINING, not FINE_TUNING" in result.stderr
    assert run("validate", manifest, *chosen, "continued-pre-training").exit_code == 1


def test_a_manifest_that_is_not_in_s3_is_one_message(run: Run, aws: StubbedAws) -> None:
    aws.stub("s3").add_client_error("head_object", "404", "Not Found", http_status_code=404)
    result = run("validate", "s3://train/pets/manifest.jsonl", "-m", MODEL)
    assert result.exit_code == 2
    assert "no such object" in result.stderr


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n",
        b"\xef\xbb\xbf{}\r\n",
        b"\xff\xfe\n",
        b"[" * 200_000,
        b'{"image-ref": "s3://train/../../etc/passwd", "caption": "x"}\n',
        b'{"image-ref": "s3:///\\ud800", "caption": "\\u0000"}\n',
        b'{"image-ref": "s3://b", "caption": 1}',
    ],
)
def test_hostile_manifests_are_answered_with_findings(
    run: Run, tmp_path: Path, data: bytes
) -> None:
    manifest = tmp_path / "m.jsonl"
    manifest.write_bytes(data)
    result = run(
        "validate", manifest, "-m", MODEL, "--map", f"s3://train/pets={tmp_path}", "--json"
    )
    assert result.exit_code == 1, result.output
    assert "rule-crashed" not in report(result)["counts"]


def test_a_wrongly_named_picture_beside_the_manifest_is_no_reason_to_fail(
    run: Run, tmp_path: Path
) -> None:
    picture(tmp_path / "images/a b+ü.png", number=9)
    manifest = dataset(tmp_path)
    manifest.write_text(manifest.read_text() + record("s3://train/pets/images/a b+ü.png"))
    assert run("validate", manifest, "-m", MODEL).exit_code == 0


def test_deep_leaves_videos_to_the_other_rules(run: Run, tmp_path: Path) -> None:
    names = ("media/1.mp4", "media/2.webm", "media/3.mp4")
    for name, data in zip(names, (mp4(30), matroska(95), mp4(0)), strict=True):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(data)
    manifest = tmp_path / "manifest.jsonl"
    rows = []
    for name in names:
        source = {"s3Location": {"uri": f"s3://train/pets/{name}"}}
        video = {"video": {"format": name.partition(".")[2], "source": source}}
        turns = [
            {"role": "user", "content": [{"text": name}, video]},
            {"role": "assistant", "content": [{"text": "a dog"}]},
        ]
        rows.append({"schemaVersion": "bedrock-conversation-2024", "messages": turns})
    manifest.write_text("".join(json.dumps(row) + "\n" for row in rows * 3))
    args = ("-m", "nova-lite", "--deep", "--html", tmp_path / "r.html", "--json")
    found = report(run("validate", manifest, *args))["counts"]
    assert {"video-too-long", "video-length-unknown"} <= found.keys()
    assert "image-does-not-decode" not in found
