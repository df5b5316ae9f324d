"""Files by the names that tables give them, and splits by the names of tables."""

import pytest

from bedrock_tuning.dataset.layouts.names import Names
from bedrock_tuning.dataset.layouts.splits import split_of_name


def test_a_whole_path_is_known_as_one_and_not_guessed_by_its_end() -> None:
    names = Names(["images/1.jpg", "more/images/1.jpg"], root="/data/pets")
    found = names.find("/data/pets/images/1.jpg")
    assert found is not None
    assert (found.file, found.how) == ("images/1.jpg", "by its whole path")
    assert names.find("/data/cats/images/1.jpg") is None


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
