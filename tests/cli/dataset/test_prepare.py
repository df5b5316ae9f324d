"""`tuning prepare`: what becomes of a folder of images and captions."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.cli.conftest import Run
from tests.cli.datasets import ending, picture
from tests.cli.support import StubbedAws

CUSTOMIZATIONS = Path(__file__).resolve().parents[3] / "customizations"
MODEL = "titan-multimodal-embeddings-g1"
PLACES = ("--to", "s3://t/pets", "--validation-to", "s3://v/pets")


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Ten pictures with captions in a CSV."""
    folder = tmp_path / "pictures"
    rows = ["file,caption"]
    for number in range(10):
        picture(folder / f"{number}.png", number=number)
        rows.append(f'{number}.png,"a dog, number {number}"')
    (tmp_path / "captions.csv").write_text("\n".join(rows))
    return folder


def prepare(run: Run, folder: Path, *options: object, out: str = "out") -> dict[str, Any]:
    captions = folder.parent / "captions.csv"
    chosen = options if "--captions" in options else ("--captions", captions, *options)
    result = run(
        "prepare", folder, *PLACES, "-o", folder.parent / out, "--dropped-max", "1", *chosen,
        "--json",
    )  # fmt: skip
    assert result.exit_code in {0, 1}, result.output
    found = json.loads(result.stdout)
    assert result.exit_code == ending(found, dropped_max=1)
    assert isinstance(found, dict)
    return found


def add(file: Path, text: str) -> None:
    file.write_text(file.read_text() + text)


def records(out: Path, kind: str = "training") -> list[dict[str, str]]:
    return [json.loads(line) for line in (out / kind / "manifest.jsonl").read_text().splitlines()]


def changes(out: Path) -> dict[str, dict[str, Any]]:
    lines = (out / "changes.jsonl").read_text().splitlines()
    return {each["file"]: each for each in map(json.loads, lines)}


def snapshot(folder: Path) -> dict[str, bytes]:
    return {str(p): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_every_picture_is_in_one_manifest_and_its_image_beside_it(
    run: Run, pictures: Path, tmp_path: Path
) -> None:
    found = prepare(run, pictures)
    assert found["records"] == {"training": 9, "validation": 1}
    for kind, prefix in (("training", "s3://t/pets/"), ("validation", "s3://v/pets/")):
        for each in records(tmp_path / "out", kind):
            name = each["image-ref"].removeprefix(prefix)
            copy = tmp_path / "out" / kind / name
            assert copy.read_bytes() == (pictures / copy.name).read_bytes()
            assert each["caption"] == f"a dog, number {copy.stem}"


def test_the_prepared_dataset_validates_where_it_lies(
    run: Run, pictures: Path, tmp_path: Path
) -> None:
    prepare(run, pictures)
    out = tmp_path / "out"
    result = run(
        "validate", out / "training/manifest.jsonl", "--validation",
        out / "validation/manifest.jsonl", "-m", MODEL, "--json",
    )  # fmt: skip
    counts = json.loads(result.stdout)["counts"]
    assert set(counts) == {"too-few-records"}


def test_images_are_uploaded_first_and_the_training_manifest_last(run: Run, pictures: Path) -> None:
    upload = prepare(run, pictures)["upload"]
    assert [line.split()[2] for line in upload] == ["sync", "sync", "cp", "cp"]
    assert upload[-1].endswith("s3://t/pets/manifest.jsonl")
    assert upload[-2].endswith("s3://v/pets/manifest.jsonl")


def test_the_same_inputs_and_seed_give_the_same_bytes(run: Run, pictures: Path) -> None:
    for out in ("one", "two"):
        prepare(run, pictures, "--fix", out=out)
    one, two = (snapshot(pictures.parent / name) for name in ("one", "two"))
    assert list(one.values()) == list(two.values())


def test_another_seed_deals_anew(run: Run, pictures: Path, tmp_path: Path) -> None:
    chosen = set()
    for seed in range(5):
        prepare(run, pictures, "--seed", seed, out=f"out{seed}")
        (only,) = records(tmp_path / f"out{seed}", "validation")
        chosen.add(only["caption"])
    assert len(chosen) > 1


@pytest.mark.parametrize("fix", [[], ["--fix"]])
def test_equal_bytes_are_never_on_both_sides(
    run: Run, pictures: Path, tmp_path: Path, fix: list[str]
) -> None:
    rows = (tmp_path / "captions.csv").read_text()
    for number in range(10):
        for copy in "abc":
            data = (pictures / f"{number}.png").read_bytes()
            (pictures / f"{number}{copy}.png").write_bytes(data)
            rows += f"\n{number}{copy}.png,copy of {number}"
    (tmp_path / "captions.csv").write_text(rows)
    prepare(run, pictures, "--split", "0.5", *fix)
    sides = [
        {hashlib.sha256(p.read_bytes()).digest() for p in (tmp_path / "out" / kind).rglob("*.png")}
        for kind in ("training", "validation")
    ]
    assert all(sides)
    assert not sides[0] & sides[1]


def test_fix_keeps_one_of_several_copies_and_names_it(
    run: Run, pictures: Path, tmp_path: Path
) -> None:
    (pictures / "9b.png").write_bytes((pictures / "9.png").read_bytes())
    add(tmp_path / "captions.csv", "\n9b.png,again")
    found = prepare(run, pictures, "--fix")
    (left,) = found["left_out"]
    assert (left["file"], left["reason"]) == ("9b.png", "the same picture as 9.png")


def test_split_1_makes_no_validation_set(run: Run, pictures: Path, tmp_path: Path) -> None:
    assert prepare(run, pictures, "--split", "1")["records"] == {"training": 10}
    assert not (tmp_path / "out/validation").exists()


def test_a_model_without_validation_gets_none(run: Run, pictures: Path) -> None:
    found = prepare(run, pictures, "--model", "titan-image-generator-v2")
    assert found["records"] == {"training": 10}


def test_captions_beside_the_images(run: Run, pictures: Path, tmp_path: Path) -> None:
    for number in range(10):
        (pictures / f"{number}.txt").write_text(f"sidecar {number}\n")
    (pictures / "9.txt").unlink()
    found = prepare(run, pictures, "--captions", "sidecar", "--split", "1")
    assert [each["caption"] for each in records(tmp_path / "out")] == [
        f"sidecar {number}" for number in range(9)
    ]
    assert found["left_out"][0]["file"] == "9.png"


def test_captions_as_json_lines_with_the_names_of_other_tools(
    run: Run, pictures: Path, tmp_path: Path
) -> None:
    lines = [json.dumps({"file_name": f"{n}.png", "text": f"text {n}"}) for n in range(10)]
    (tmp_path / "metadata.jsonl").write_text("\n".join(lines))
    prepare(run, pictures, "--captions", tmp_path / "metadata.jsonl", "--split", "1")
    assert records(tmp_path / "out")[3]["caption"] == "text 3"


def test_images_without_caption_and_captions_without_image_are_said(
    run: Run, pictures: Path, tmp_path: Path
) -> None:
    picture(pictures / "alone.png", number=99)
    add(tmp_path / "captions.csv", "\nnone.png,nothing\n../captions.csv,escape")
    prepare(run, pictures)
    told = changes(tmp_path / "out")
    assert "no row names it" in told["alone.png"]["left_out"]
    assert "no such file" in told["none.png"]["left_out"]
    assert "no such file" in told["../captions.csv"]["left_out"]


def test_inputs_are_never_changed(run: Run, pictures: Path) -> None:
    Image.new("CMYK", (300, 300)).save(pictures / "0.jpg")
    add(pictures.parent / "captions.csv", "\n0.jpg,print")
    before = snapshot(pictures)
    prepare(run, pictures, "--fix")
    assert snapshot(pictures) == before


def test_links_share_the_input_and_new_files_do_not(
    run: Run, pictures: Path, tmp_path: Path
) -> None:
    prepare(run, pictures, "--link", "--split", "1")
    assert (tmp_path / "out/training/images/1.png").samefile(pictures / "1.png")


def test_a_folder_that_is_not_empty_is_refused_and_left_as_it_is(
    run: Run, pictures: Path, tmp_path: Path
) -> None:
    prepare(run, pictures)
    before = snapshot(tmp_path)
    result = run(
        "prepare", pictures, "--captions", tmp_path / "captions.csv", *PLACES,
        "-o", tmp_path / "out",
    )  # fmt: skip
    assert result.exit_code == 2
    assert "files are never overwritten" in result.stderr
    assert snapshot(tmp_path) == before


def test_an_empty_folder_is_taken(run: Run, pictures: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    prepare(run, pictures)
    assert records(tmp_path / "out")


def test_a_failure_leaves_nothing_behind(run: Run, pictures: Path, tmp_path: Path) -> None:
    (tmp_path / "captions.csv").write_text("file,caption\nnone.png,x\n")
    before = sorted(tmp_path.iterdir())
    result = run(
        "prepare", pictures, "--captions", tmp_path / "captions.csv", *PLACES,
        "-o", tmp_path / "out",
    )  # fmt: skip
    assert result.exit_code == 2
    assert "no image with a usable caption is left" in result.stderr
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--customization", "pets-search"], "where will the dataset go?"),
        (["--to", "s3://bucket"], "each customization owns one folder"),
        (["--to", "bucket/pets"], "not an S3 URI"),
        (["--captions", "none.csv"], "the caption file does not exist"),
        (["--model", "nova-lite"], "not trained on images with captions"),
        (["--model", "titan-image-generator-v2", "--split", "0.9"], "takes no validation set"),
        (["-o", "{folder}/out"], "inside the input folder"),
        (["--validation-to", "s3://t/pets/"], "one manifest would overwrite the other"),
    ],
)
def test_what_makes_no_sense_is_refused(
    run: Run, pictures: Path, tmp_path: Path, options: list[str], message: str
) -> None:
    base = ["--captions", tmp_path / "captions.csv", *PLACES, "-o", tmp_path / "out"]
    given = [each.format(folder=pictures) for each in options]
    result = run("prepare", pictures, *base, *given)
    assert result.exit_code == 2
    assert message in result.stderr
    assert "Traceback" not in result.output


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"name,number\n1.png,7\n", "no column of captions beside name; it has: name, number"),
        (b"file,caption\n1.png,caf\x81\n", "not UTF-8"),
        (b"file,file\n1.png,x\n", 'the column "file" is named twice'),
        (b'file,caption\n1.png,"open\n', "row"),
    ],
)
def test_captions_that_cannot_be_read_say_where(
    run: Run, pictures: Path, tmp_path: Path, text: bytes, message: str
) -> None:
    (tmp_path / "bad.csv").write_bytes(text)
    result = run(
        "prepare", pictures, "--captions", tmp_path / "bad.csv", *PLACES,
        "-o", tmp_path / "out",
    )  # fmt: skip
    assert result.exit_code == 2
    assert message in result.stderr
    assert "bad.csv" in result.stderr


def test_a_byte_order_mark_and_line_breaks_in_captions_are_read(
    run: Run, pictures: Path, tmp_path: Path
) -> None:
    text = '\ufefffile,caption\r\n1.png,"two\r\nlines"\r\n2.png,plain\r\n'
    (tmp_path / "captions.csv").write_bytes(text.encode())
    prepare(run, pictures, "--split", "1", "--fix")
    assert records(tmp_path / "out")[0]["caption"] == "two lines"


def test_two_files_never_get_one_name(run: Run, pictures: Path, tmp_path: Path) -> None:
    Image.new("RGB", (300, 300), "red").save(pictures / "0.webp")
    Image.new("RGB", (300, 300), "blue").save(pictures / "0.bmp")
    add(tmp_path / "captions.csv", "\n0.webp,red\n0.bmp,blue")
    prepare(run, pictures, "--fix", "--split", "1")
    refs = [each["image-ref"] for each in records(tmp_path / "out")]
    assert len(set(refs)) == len(refs) == 12


def test_the_human_text_says_what_to_do_next(run: Run, pictures: Path, tmp_path: Path) -> None:
    result = run(
        "prepare", pictures, "--captions", tmp_path / "captions.csv", *PLACES,
        "--fix", "-o", tmp_path / "out",
    )  # fmt: skip
    assert result.exit_code == 1
    assert "REJECTED for titan-multimodal-embeddings-g1: 10 records" in result.stdout
    assert "tuning validate " in result.stdout
    assert "aws s3 cp " in result.stdout.splitlines()[-1]
    assert "titan" in result.stderr.lower()


def test_where_a_validation_set_lies_is_never_guessed(
    run: Run, pictures: Path, tmp_path: Path
) -> None:
    base = ["prepare", pictures, "--captions", tmp_path / "captions.csv", "--to", "s3://t/pets"]
    result = run(*base, "-o", tmp_path / "out")
    assert result.exit_code == 2
    assert "in a separate bucket" in result.stderr
    assert "--validation-to s3://" in result.stderr
    run(*base, "-o", tmp_path / "alone", "--split", "1")
    assert len(records(tmp_path / "alone")) == 10
    assert run(*base, "-o", tmp_path / "style", "-m", "titan-image-generator-v2").exit_code == 0


def test_for_a_deployment_the_lines_for_any_s3_client_are_printed_too(
    run: Run, aws: StubbedAws, pictures: Path, tmp_path: Path
) -> None:
    aws.deployed("prod")
    result = run(
        "prepare", pictures, "--captions", tmp_path / "captions.csv", "-c", "pets-search",
        "--customizations", CUSTOMIZATIONS, "-o", tmp_path / "out", "-e", "prod",
    )  # fmt: skip
    out, lines = tmp_path / "out", [line.strip() for line in result.stdout.splitlines()]
    assert f"tuning upload {out} --customization pets-search -e prod" in lines
    assert any(line.startswith("tuning validate ") and line.endswith("-e prod") for line in lines)
    assert lines[-4:] == [
        f"aws s3 sync {out}/validation/images s3://valid/pets-search/images",
        f"aws s3 sync {out}/training/images s3://train/pets-search/images",
        f"aws s3 cp {out}/validation/manifest.jsonl s3://valid/pets-search/manifest.jsonl",
        f"aws s3 cp {out}/training/manifest.jsonl s3://train/pets-search/manifest.jsonl",
    ]


def test_a_customization_brings_buckets_and_model_of_its_deployment(
    run: Run, aws: StubbedAws, pictures: Path, tmp_path: Path
) -> None:
    aws.deployed()
    result = run(
        "prepare", pictures, "--captions", tmp_path / "captions.csv", "-c", "pets-search",
        "--customizations", CUSTOMIZATIONS, "-o", tmp_path / "out",
    )  # fmt: skip
    assert result.exit_code == 1, result.output
    assert records(tmp_path / "out")[0]["image-ref"].startswith("s3://train/pets-search/images/")
    (only,) = records(tmp_path / "out", "validation")
    assert only["image-ref"].startswith("s3://valid/pets-search/images/")
    assert f"tuning upload {tmp_path / 'out'} --customization pets-search" in result.stdout
