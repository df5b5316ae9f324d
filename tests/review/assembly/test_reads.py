"""What counts as reading a property: asking for it by its name while a check runs."""

from bedrock_tuning.review.assembly.reads import Reads, TrackedProperties, as_whole

BUCKET = {
    "VersioningConfiguration": {"Status": "Enabled"},
    "LifecycleConfiguration": {"Rules": [{"Id": "a", "Prefix": "x"}, {"Id": "b"}]},
    "Names": ["a", "b"],
    "Empty": {},
}
ALL = [
    "VersioningConfiguration.Status",
    "LifecycleConfiguration.Rules.Id",
    "LifecycleConfiguration.Rules.Prefix",
    "Names",
    "Empty",
]


def _new() -> tuple[TrackedProperties, Reads]:
    reads = Reads()
    return TrackedProperties(BUCKET, "Bucket", reads), reads


def test_a_value_that_is_asked_for_by_name_is_read_and_its_neighbours_are_not() -> None:
    properties, reads = _new()
    with reads.by("S1"):
        assert properties["VersioningConfiguration"].get("Status") == "Enabled"
        assert properties.get("LifecycleConfiguration")["Rules"][1].get("Id") == "b"
    assert reads.unread("Bucket", BUCKET) == ["LifecycleConfiguration.Rules.Prefix", *ALL[3:]]


def test_an_object_is_not_read_by_whoever_asks_for_it_alone() -> None:
    properties, reads = _new()
    with reads.by("S1"):
        assert properties["VersioningConfiguration"] == {"Status": "Enabled"}
        assert properties.get("LifecycleConfiguration")
    assert reads.unread("Bucket", BUCKET) == ALL


def test_going_through_comparing_and_printing_read_nothing() -> None:
    properties, reads = _new()
    with reads.by("S1"):
        assert properties == BUCKET
        assert dict(properties) == BUCKET
        assert str(properties) == str(BUCKET)
        assert list(properties.values()) == list(BUCKET.values())
        assert all(name in properties for name in properties)
        assert [name for name, _ in properties.objects()] == [
            "VersioningConfiguration",
            "LifecycleConfiguration",
            "Empty",
        ]
        assert properties.get("Status", "missing") == "missing"
    assert reads.unread("Bucket", BUCKET) == ALL


def test_what_is_read_as_a_whole_is_read_whatever_is_in_it() -> None:
    properties, reads = _new()
    with reads.by("S1"):
        assert as_whole(properties["LifecycleConfiguration"]["Rules"]) == [
            {"Id": "a", "Prefix": "x"},
            {"Id": "b"},
        ]
    assert reads.unread("Bucket", BUCKET) == [ALL[0], *ALL[3:]]


def test_what_is_read_while_no_check_runs_does_not_count() -> None:
    properties, reads = _new()
    properties.as_whole()
    assert properties["Names"] == ["a", "b"]
    assert reads.unread("Bucket", BUCKET) == ALL


def test_a_property_is_read_for_its_own_type_only() -> None:
    properties, reads = _new()
    with reads.by("S1"):
        properties.as_whole()
    assert reads.unread("Bucket", BUCKET) == []
    assert reads.unread("Table", BUCKET) == ALL
