"""Local folders as a source of images."""

import errno
import hashlib
import os
from pathlib import Path

import pytest

from bedrock_tuning.dataset.images.source import ByteRange, Denied, Fetched, Missing
from bedrock_tuning.errors import SourceError
from bedrock_tuning.sources.folder import Folders, Mapping


def mapping(folder: Path, prefix: str = "pets/", bucket: str = "train") -> Mapping:
    return Mapping(bucket=bucket, prefix=prefix, folder=folder)


def fetch(folders: Folders, key: str, start: int = 0, length: int = 4) -> object:
    (answer,) = folders.images("train").fetch([ByteRange(key, start, length)])
    return answer


def test_a_range_brings_bytes_and_the_whole_size(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"0123456789")
    answer = fetch(Folders([mapping(tmp_path)]), "pets/a.png", start=2)
    assert isinstance(answer, Fetched)
    assert (answer.data, answer.size) == (b"2345", 10)


def test_a_range_behind_the_end_brings_nothing_but_the_true_size(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"0123")
    answer = fetch(Folders([mapping(tmp_path)]), "pets/a.png", start=100)
    assert isinstance(answer, Fetched)
    assert (answer.data, answer.size) == (b"", 4)


def test_equal_files_have_equal_etags_and_others_do_not(tmp_path: Path) -> None:
    for name, data in (("a", b"same"), ("b", b"same"), ("c", b"diff"), ("d", b"longer")):
        (tmp_path / name).write_bytes(data)
    folders = Folders([mapping(tmp_path)])
    answers = [fetch(folders, f"pets/{name}") for name in "abcd"]
    etags = [answer.etag for answer in answers if isinstance(answer, Fetched)]
    assert etags[0] == etags[1]
    assert len(set(etags)) == 3


def test_equal_files_in_two_folders_have_equal_etags(tmp_path: Path) -> None:
    for kind in ("train", "valid"):
        (tmp_path / kind).mkdir()
        (tmp_path / kind / "a").write_bytes(b"same")
    folders = Folders([mapping(tmp_path / k, bucket=k) for k in ("train", "valid")])
    answers = [folders.images(k).fetch([ByteRange("pets/a", 0, 9)]) for k in ("train", "valid")]
    assert answers[0] == answers[1]


def test_a_folder_that_is_mapped_twice_has_no_copies_of_itself(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"once")
    folders = Folders([mapping(tmp_path), mapping(tmp_path, bucket="valid")])
    assert not folders.shares_its_size(4)


@pytest.mark.parametrize(
    "key",
    [
        *("pets/none.png", "pets/", "pets/sub", "pets/a.png/b", "pets/a\0b", "pets/a\0b/c"),
        *("pets/" + "x" * 999, "pets/circle", "pets/sub.png", "pets//", "none"),
    ],
)
def test_what_is_no_file_is_missing(tmp_path: Path, key: str) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "a.png").write_bytes(b"0123")
    (tmp_path / "circle").symlink_to("circle")
    if key == "none":
        assert fetch(Folders([mapping(tmp_path, prefix="")]), key) == Missing(key)
        return
    assert fetch(Folders([mapping(tmp_path)]), key) == Missing(key)


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        *((number, Missing("pets/a")) for number in (errno.ENAMETOOLONG, errno.EINVAL)),
        *((number, Missing("pets/a")) for number in (errno.ELOOP, errno.EILSEQ)),
        (errno.EACCES, Denied("pets/a", "Permission denied")),
        (errno.EPERM, Denied("pets/a", "Operation not permitted")),
        (errno.EIO, "cannot read {}/a: Input/output error"),
    ],
)
def test_what_the_system_says_of_a_file_is_told_as_what_it_means(
    number: int, expected: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, *_: object) -> int:
        raise OSError(number, os.strerror(number), str(path))

    folders = Folders([mapping(tmp_path)])
    monkeypatch.setattr(os, "open", refuse)
    if isinstance(expected, str):
        with pytest.raises(SourceError) as raised:
            fetch(folders, "pets/a")
        assert str(raised.value) == expected.format(tmp_path)
    else:
        assert fetch(folders, "pets/a") == expected


def test_the_names_of_a_folder_are_listed_once(tmp_path: Path) -> None:
    images = Folders([mapping(tmp_path)]).images("train")
    asked = [ByteRange("pets/dog.png", 0, 4)]
    assert images.fetch(asked) == [Missing("pets/dog.png")]
    (tmp_path / "dog.jpg").write_bytes(b"0123")
    assert images.fetch(asked) == [Missing("pets/dog.png")]


def test_links_that_lead_nowhere_or_to_a_folder_count_for_no_size(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "only").write_bytes(b"01")
    (tmp_path / "again").symlink_to("sub")
    for number in range(9):
        (tmp_path / f"gone{number}").symlink_to("none")
        if number in (2, 6):
            (tmp_path / f"here{number}").write_bytes(b"0123")
    folders = Folders([mapping(tmp_path)])
    assert [folders.shares_its_size(size) for size in (2, 4)] == [False, True]


def test_what_no_mapping_covers_is_denied_with_the_option_that_is_missing(tmp_path: Path) -> None:
    answer = fetch(Folders([mapping(tmp_path)]), "cats/a.png")
    assert isinstance(answer, Denied)
    assert "--map" in answer.reason


def test_a_key_that_begins_with_a_slash_stays_inside_the_folder(tmp_path: Path) -> None:
    assert fetch(Folders([mapping(tmp_path, prefix="")]), "/etc/hostname") == Missing(
        "/etc/hostname"
    )


def test_the_longer_prefix_counts(tmp_path: Path) -> None:
    for name in ("outer", "inner"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a").write_bytes(name.encode())
    folders = Folders([mapping(tmp_path / "outer"), mapping(tmp_path / "inner", prefix="pets/x/")])
    answer = fetch(folders, "pets/x/a", length=9)
    assert isinstance(answer, Fetched)
    assert answer.data == b"inner"


def test_the_etag_of_a_file_is_that_of_all_its_bytes_whichever_were_read(tmp_path: Path) -> None:
    for name, data in (("a", b"0123456789"), ("b", b"0123456780")):
        (tmp_path / name).write_bytes(data)
    folders = Folders([mapping(tmp_path)])
    found = [fetch(folders, "pets/a", start, length) for start, length in ((0, 9), (3, 2), (8, 9))]
    etags = {each.etag for each in found if isinstance(each, Fetched)}
    # As S3 has it after a plain upload.
    assert etags == {hashlib.md5(b"0123456789", usedforsecurity=False).hexdigest()}


def test_a_file_of_its_own_size_is_told_apart_by_that_alone(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "a").write_bytes(b"0123")
    (tmp_path / "gone").symlink_to(tmp_path / "none")
    answer = fetch(Folders([mapping(tmp_path)]), "pets/sub/a")
    assert isinstance(answer, Fetched)
    assert answer.etag == "only-4"


def test_a_link_out_of_the_folder_is_denied_and_one_inside_is_read(tmp_path: Path) -> None:
    here = tmp_path / "here"
    here.mkdir()
    (tmp_path / "secret").write_bytes(b"0123")
    (here / "a").write_bytes(b"0123")
    (here / "out").symlink_to(tmp_path / "secret")
    (here / "in").symlink_to(here / "a")
    folders = Folders([mapping(here)])
    assert fetch(folders, "pets/out") == Denied("pets/out", "a link leads out of the folder")
    assert isinstance(fetch(folders, "pets/in"), Fetched)


@pytest.mark.parametrize(
    ("asked", "there", "near"),
    [
        ("pets/sub/Dog.PNG", "sub/dog.png", "pets/sub/dog.png"),
        ("pets/sub/dog.jpg", "sub/dog.png", "pets/sub/dog.png"),
        ("pets/sub/cat.png", "sub/dog.png", ""),
        ("pets/sub/../sub/Dog.png", "sub/dog.png", ""),
    ],
)
def test_a_missing_file_is_told_with_the_one_whose_name_differs_in_case_or_extension(
    asked: str, there: str, near: str, tmp_path: Path
) -> None:
    (tmp_path / there).parent.mkdir()
    (tmp_path / there).write_bytes(b"0123")
    assert fetch(Folders([mapping(tmp_path)]), asked) == Missing(asked, near)


def test_of_several_near_names_the_first_in_the_alphabet_is_told(tmp_path: Path) -> None:
    for name in ("dog.png", "DOG.gif", "dog.bmp"):
        (tmp_path / name).write_bytes(b"0123")
    # A folder and a circular link are not files, so neither is suggested.
    (tmp_path / "DOG").mkdir()
    (tmp_path / "DOG.a").symlink_to("DOG.a")
    assert fetch(Folders([mapping(tmp_path, prefix="")]), "dog.jpg") == Missing(
        "dog.jpg", "DOG.gif"
    )


def test_another_bucket_is_not_covered(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"0123")
    folders = Folders([mapping(tmp_path, bucket="other")])
    assert folders.path("other", "pets/a") == tmp_path / "a"
    assert folders.path("train", "pets/a") is None
    assert isinstance(fetch(folders, "pets/a"), Denied)


def test_a_folder_inside_another_one_is_counted_once(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "a").write_bytes(b"once")
    folders = Folders([mapping(tmp_path), mapping(tmp_path / "sub", prefix="sub/")])
    assert not folders.shares_its_size(4)
    (tmp_path / "b").write_bytes(b"same")
    assert Folders([mapping(tmp_path), mapping(tmp_path / "sub")]).shares_its_size(4)
