"""Where the images of a manifest must lie: who names bucket and folders, and who goes first."""

import json
from pathlib import Path
from typing import Any

import pytest

from bedrock_tuning.errors import UserError
from bedrock_tuning.sources.folder import Mapping
from bedrock_tuning.sources.locations import (
    ImageLocation,
    beside,
    first_reference,
    image_location,
    parse_map,
    references,
)
from bedrock_tuning.sources.manifests import LocalManifest, Manifest, S3Manifest
from tests.sources.test_manifests import Answers

FIRST = ImageLocation(bucket="named", folders=("first/",))


def place(bucket: str, *folders: str) -> ImageLocation:
    return ImageLocation(bucket=bucket, folders=folders)


def mapping(bucket: str, prefix: str) -> Mapping:
    return Mapping(bucket=bucket, prefix=prefix, folder=Path("here"))


@pytest.fixture
def local(tmp_path: Path) -> Manifest:
    (tmp_path / "manifest.jsonl").write_bytes(b"{}\n")
    return LocalManifest(tmp_path / "manifest.jsonl")


def located(manifest: Manifest, first: ImageLocation | None = FIRST, **given: Any) -> ImageLocation:
    """What is not given names nothing."""
    return image_location(
        manifest, first, **{"mappings": [], "bucket": None, "folders": (), **given}
    )


def test_a_map_names_a_bucket_a_folder_there_and_one_here(tmp_path: Path) -> None:
    for written, prefix in (("s3://b/pets", "pets/"), ("s3://b/pets/", "pets/"), ("s3://b", "")):
        assert parse_map(f"{written}={tmp_path}") == Mapping(
            bucket="b", prefix=prefix, folder=tmp_path
        )


def test_the_first_split_of_a_map_whose_right_side_is_a_folder_counts(tmp_path: Path) -> None:
    """Keys and folders may contain "="."""
    folder = tmp_path / "a=b"
    folder.mkdir()
    found = parse_map(f"s3://b/year=2026={folder}")
    assert (found.prefix, found.folder) == ("year=2026/", folder)


def test_a_map_without_a_place_in_s3_is_none_although_all_of_it_is_a_folder(tmp_path: Path) -> None:
    (tmp_path / "a=b").mkdir()
    with pytest.raises(UserError, match="=b: b is not a folder here"):
        parse_map(f"{tmp_path}/a=b")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("s3://b/pets", "--map s3://b/pets: =DIR is missing"),
        ("s3://b/pets=no-such", "--map s3://b/pets=no-such: no-such is not a folder here"),
        ("s3://b/a=b=no-such", "--map s3://b/a=b=no-such: no-such is not a folder here"),
        ("pets=.", "--map pets=.: "),
    ],
)
def test_a_map_in_another_form_is_refused_with_the_form_that_is_wanted(
    text: str, said: str
) -> None:
    with pytest.raises(UserError) as refused:
        parse_map(text)
    assert str(refused.value).startswith(said)
    assert refused.value.fix == "write --map s3://bucket/folder=DIR"


LINES = b'{"image-ref": "s3://b/pets/1.png", "also": "s3://c/2.png"}\n{"image-ref": "s3://b/3.png"}'
REFERENCES = [("b", "pets/1.png"), ("c", "2.png"), ("b", "3.png")]


@pytest.mark.parametrize("size", [1, 7, 40, len(LINES)])
def test_every_reference_is_found_wherever_a_manifest_is_cut(size: int) -> None:
    chunks = [LINES[at : at + size] for at in range(0, len(LINES), size)]
    assert [*references(chunks)] == REFERENCES


def test_a_reference_that_is_none_hides_no_other() -> None:
    """An escape that is not JSON, and a bucket without a name."""
    text = rb'["s3://b/\x.png", "s3:///key.png", "s3://b/a \"dog\".png", "https://b/1.png"]'
    assert [*references([text])] == [("b", 'a "dog".png')]


def test_the_first_reference_names_a_bucket_and_its_top_folder() -> None:
    assert first_reference(LINES) == place("b", "pets/")
    assert first_reference(b'"s3://b/1.png"') == place("b")
    assert first_reference(b'"s3://<bucket>/pets/1.png", "s3://b/pets/1.png"') == place(
        "b", "pets/"
    )
    assert first_reference(b'"s3://b/pets/dogs/1.png"') == place("b", "pets/")
    assert first_reference(b"{}") is None


def test_a_manifest_here_leaves_its_images_where_its_first_reference_says(local: Manifest) -> None:
    assert located(local) == FIRST
    assert located(local, None) == place("")


@pytest.mark.parametrize(("key", "folders"), [("pets/manifest.jsonl", ["pets/"]), ("m.jsonl", [])])
def test_a_manifest_in_s3_has_its_images_beside_it_whatever_else_is_named(
    key: str, folders: list[str]
) -> None:
    client: Any = Answers()
    manifest = S3Manifest(f"s3://own/{key}", client=client, credentials=dict)
    found = located(manifest, FIRST, mappings=[mapping("mapped", "m/")])
    assert found == place("own", *folders)


@pytest.mark.parametrize(
    ("mappings", "first", "found"),
    [
        ([("a", "m/x/")], FIRST, place("a", "m/")),
        ([("a", "")], FIRST, place("a")),
        # Of several the one that the first reference names, else the first.
        ([("a", "m/"), ("named", "n/")], FIRST, place("named", "n/")),
        ([("a", "m/"), ("b", "n/")], FIRST, place("a", "m/")),
        ([("a", "m/"), ("b", "n/")], None, place("a", "m/")),
        # Two folders of one bucket: any, but if they have one above.
        ([("a", "m/"), ("a", "n/")], None, place("a")),
        ([("a", "m/x/"), ("a", "m/y/")], None, place("a", "m/")),
    ],
)
def test_a_map_goes_before_what_the_first_reference_names(
    mappings: list[tuple[str, str]],
    first: ImageLocation | None,
    found: ImageLocation,
    local: Manifest,
) -> None:
    assert located(local, first, mappings=[mapping(*each) for each in mappings]) == found


def test_an_option_and_a_customization_go_before_everything_else(local: Manifest) -> None:
    mappings = [mapping("mapped", "m/")]
    assert located(local, bucket="said") == place("said", "first/")
    assert located(local, folders=("its/", "too/")) == place("named", "its/", "too/")
    both = located(local, mappings=mappings, bucket="said", folders=("its/",))
    assert both == place("said", "its/")


def test_a_manifests_own_folder_stands_for_the_longest_part_of_a_key_that_is_there(
    tmp_path: Path,
) -> None:
    (tmp_path / "images").mkdir()
    for name in ("images/1.png", "1.png"):
        (tmp_path / name).write_bytes(b"")
    found = {
        key: beside(tmp_path, "b", [key])
        for key in ("images/1.png", "pets/images/1.png", "a/b/1.png", "1.png")
    }
    prefixes = {key: each.prefix for key, each in found.items() if each}
    assert prefixes == {
        "images/1.png": "",
        "pets/images/1.png": "pets/",
        "a/b/1.png": "a/b/",
        "1.png": "",
    }
    assert {(each.bucket, each.folder) for each in found.values() if each} == {("b", tmp_path)}


@pytest.mark.parametrize(
    "key", ["none.png", "../1.png", "pets/../1.png", "", "pets/", "a\0b", "x" * 999]
)
def test_a_folder_without_the_image_stands_for_nothing(key: str, tmp_path: Path) -> None:
    folder = tmp_path / "here"
    folder.mkdir()
    for path in (tmp_path / "1.png", folder / "1.png"):
        path.write_bytes(b"")
    assert beside(folder, "b", [key]) is None
    # One that is there later is looked for, too.
    assert beside(folder, "b", [key, "pets/1.png"]) is not None


def test_a_hundred_images_are_looked_for_and_no_more(tmp_path: Path) -> None:
    (tmp_path / "1.png").write_bytes(b"")
    gone = [f"{number}/no.png" for number in range(100)]
    assert beside(tmp_path, "b", [*gone[:99], "1.png"]) is not None
    assert beside(tmp_path, "b", [*gone, "1.png"]) is None


def test_a_manifest_is_read_as_json_reads_it(tmp_path: Path) -> None:
    key = "Hündin \N{DOG FACE}.png"
    assert [*references([json.dumps(f"s3://b/{key}").encode()])] == [("b", key)]
