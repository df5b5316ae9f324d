"""Where everything lies in S3: what we write is never taken for what users upload."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bedrock_tuning import s3_layout
from bedrock_tuning.config.names import CUSTOMIZATION_LENGTH_MAX, NAME

NAMES = st.from_regex(NAME, fullmatch=True).filter(
    lambda name: len(name) <= CUSTOMIZATION_LENGTH_MAX
)
BUCKETS = s3_layout.Buckets(training="t-bucket", validation="v-bucket", output="o-bucket")


@given(name=NAMES)
def test_a_manifest_key_and_its_customization_belong_together(name: str) -> None:
    key = s3_layout.manifest_key(name)

    assert key == f"{name}/manifest.jsonl"
    assert key.startswith(s3_layout.folder(name))
    assert s3_layout.customization_of(key) == name


@pytest.mark.parametrize(
    "key",
    [
        "manifest.jsonl",
        "/manifest.jsonl",
        "pets/manifest.jsonl.bak",
        "pets/old/manifest.jsonl",
        "pets//manifest.jsonl",
        "pets/Manifest.jsonl",
        "pets/images/dog.png",
        "pets/manifest.jsonl/",
        "",
    ],
)
def test_any_other_key_starts_nothing(key: str) -> None:
    assert s3_layout.customization_of(key) is None


@given(name=NAMES, run=st.from_regex(r"[0-9]{8}-[0-9]{6}-[0-9a-f]{6}", fullmatch=True))
def test_nothing_that_bedrock_or_we_write_could_start_a_run(name: str, run: str) -> None:
    written = [
        f"{s3_layout.jobs_prefix(name)}.write_access_check_file.tmp",
        f"{s3_layout.report_prefix(name, run)}rejected.jsonl",
        f"{s3_layout.work_prefix(run)}shards.jsonl",
        *(s3_layout.checked_manifest_key(name, run, kind) for kind in s3_layout.KINDS),
    ]

    assert [key for key in written if s3_layout.customization_of(key)] == []
    assert len(set(written)) == len(written)


def test_the_checked_manifests_of_two_runs_never_overwrite_each_other() -> None:
    """A job that has not read its manifest yet must not get another run's."""
    keys = {
        s3_layout.checked_manifest_key("pets", run, kind)
        for run in ("20261121-093000-aaaaaa", "20261121-093000-bbbbbb")
        for kind in s3_layout.KINDS
    }

    assert len(keys) == 4


@given(one=NAMES, other=NAMES)
def test_no_customization_lies_in_anothers_folder(one: str, other: str) -> None:
    """Policies grant a folder with all below it, so no folder may begin another."""
    if one == other:
        return
    for prefix in (s3_layout.folder, s3_layout.jobs_prefix, s3_layout.manifests_prefix):
        assert not prefix(one).startswith(prefix(other))
        assert not prefix(other).startswith(prefix(one))


@pytest.mark.parametrize("kind", s3_layout.KINDS)
def test_each_kind_of_dataset_has_its_bucket(kind: s3_layout.Kind) -> None:
    assert BUCKETS.kind_of(BUCKETS.of(kind)) == kind
    assert BUCKETS.of(kind).startswith(kind[0])


@pytest.mark.parametrize("bucket", ["o-bucket", "elsewhere", ""])
def test_no_other_bucket_holds_datasets(bucket: str) -> None:
    assert BUCKETS.kind_of(bucket) is None


@given(bucket=st.from_regex(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", fullmatch=True), key=st.text())
def test_a_uri_is_cut_into_the_bucket_and_key_it_was_made_of(bucket: str, key: str) -> None:
    assert s3_layout.split_uri(s3_layout.uri(bucket, key)) == (bucket, key)


@pytest.mark.parametrize(
    "value", ["", "s3:", "s3://", "s3:///key", "http://b/k", "S3://b/k", "b/k"]
)
def test_what_is_no_uri_is_refused_with_the_form_it_should_have(value: str) -> None:
    with pytest.raises(ValueError, match="write s3://bucket/key"):
        s3_layout.split_uri(value)
