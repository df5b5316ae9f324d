"""Files by the names that tables give them, and splits by the names of tables."""

from pathlib import Path

import pytest

from bedrock_tuning.dataset.layouts.names import FileNames
from bedrock_tuning.dataset.layouts.reading import LayoutOptions, Scene
from bedrock_tuning.dataset.layouts.splits import split_of_name


def test_a_whole_path_is_known_as_one_and_not_guessed_by_its_end() -> None:
    names = FileNames(["images/1.jpg", "more/images/1.jpg"], root="/data/pets")
    found = names.find("/data/pets/images/1.jpg")
    assert found is not None
    assert (found.file, found.how) == ("images/1.jpg", "by its whole path")
    assert names.find("/data/cats/images/1.jpg") is None


@pytest.mark.parametrize(
    "ending",
    [
        *(".txt", ".caption", ".csv", ".tsv", ".json", ".jsonl", ".ndjson", ".manifest", ".token"),
        *(".parquet", ".arrow", ".feather", ".xlsx", ".xls", ".ods", ".tar", ".tgz", ".gz", ".zip"),
        *(".rar", ".7z", ".md", ".rst", ".toml", ".yaml", ".yml", ".xml", ".html", ".db", ".ini"),
        *(".py", ".ipynb", ".npy", ".npz", ".pkl", ".lock", ".log", ".cls", ".names", ".data"),
    ],
)
def test_what_people_keep_beside_images_is_taken_for_none(ending: str) -> None:
    files = dict.fromkeys((f"a{ending}", f"b{ending.upper()}", "1.jpg", "2"), Path())
    assert Scene(root=Path(), files=files, options=LayoutOptions()).images == ["1.jpg", "2"]


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("captions_val2017.json", "validation"),
        ("Flickr_8k.trainImages.txt", "train"),
        # What stands before the first dot is asked first.
        ("train.val.csv", "train"),
        ("captions.train.val.csv", ""),
        ("captions.csv", ""),
    ],
)
def test_the_name_of_a_table_says_its_split_unless_it_says_two(name: str, split: str) -> None:
    assert split_of_name(name) == split
