"""Where an s3:// reference points, seen from the dataset that holds it."""

from typing import Literal, NamedTuple

from bedrock_tuning.dataset.scope import DatasetScope

Problem = Literal["", "not-s3", "bucket", "climbs", "folder", "no-name"]
_SCHEME = "s3://"


class Place(NamedTuple):
    """key: the object's key in the dataset's bucket, empty if there is a problem."""

    key: str
    problem: Problem


def locate(ref: str, subject: DatasetScope) -> Place:
    """The key of a reference, or the first reason why the dataset may not use it.

    Keys may hold blanks, "+" and any other character; they are taken as they are, never decoded.
    """
    if not ref.startswith(_SCHEME):
        return Place("", "not-s3")
    bucket, slash, key = ref[len(_SCHEME) :].partition("/")
    if not bucket:
        return Place("", "not-s3")
    if bucket != subject.bucket:
        return Place("", "bucket")
    if not slash or not key or key == subject.folder:
        return Place("", "no-name")
    if has_dots(key):
        return Place("", "climbs")
    if not key.startswith(subject.folder):
        return Place("", "folder")
    return Place(key, "")


def has_dots(key: str) -> bool:
    """Whether a segment of the key is "." or ".."."""
    return "." in key and not {".", ".."}.isdisjoint(key.split("/"))


def folder_of(ref: str) -> str:
    """The folder of a reference, for a list of folders: "s3://bucket/a/b/"."""
    return ref.rpartition("/")[0] + "/"
