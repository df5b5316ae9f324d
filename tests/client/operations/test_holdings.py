"""Files that are stored: whose they are, how large, and what nobody can know."""

from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from bedrock_tuning.client.operations import holdings
from bedrock_tuning.client.operations.holdings import Stored
from tests.cli.support import StubbedAws, shipped

SEARCH = shipped()["pets-search"]
GB = 1_000_000_000


class Versions:
    """S3 with these sizes by key; or one that lists nothing to this caller."""

    def __init__(self, sizes: dict[str, int] | None) -> None:
        self.sizes = sizes

    def get_paginator(self, _: str) -> "Versions":
        return self

    def paginate(self, **_: Any) -> list[dict[str, Any]]:
        if self.sizes is None:
            raise ClientError({"Error": {"Code": "AccessDenied"}}, "ListObjectVersions")
        return [{"Versions": [{"Key": key, "Size": size} for key, size in self.sizes.items()]}]


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> StubbedAws:
    deployed = {
        "pets": replace(SEARCH, name="pets", folders=("shared", "own")),
        "dogs": replace(SEARCH, name="dogs", folders=("shared",)),
    }
    monkeypatch.setattr(holdings, "customizations", lambda *_: deployed)
    monkeypatch.setattr(holdings, "_buckets", lambda *_: ["b"])
    return StubbedAws()


def _stored(aws: StubbedAws, sizes: dict[str, int] | None) -> list[Stored]:
    vars(aws)["s3"] = Versions(sizes)
    return holdings._stores(aws, "dev")


@pytest.mark.parametrize(
    ("key", "owner"),
    [
        ("pets/manifest.jsonl", "pets"),
        ("own/a.png", "pets"),
        ("shared/a.png", ""),
        ("_checked/dogs/20261121-093000-3f9a1c/training.jsonl", "dogs"),
        ("reports/pets/20261121-093000-3f9a1c/report.json", "pets"),
        ("jobs/dogs/x/metrics.csv", "dogs"),
        ("work/20261121-093000-3f9a1c/shard", ""),
        ("retired/manifest.jsonl", ""),
    ],
)
def test_a_file_is_of_the_customization_whose_folder_it_is_in(
    aws: StubbedAws, key: str, owner: str
) -> None:
    (found,) = _stored(aws, {key: 100 * GB})
    assert (found.customization, found.files, found.size) == (owner, 1, 100 * GB)
    assert found.usd_per_month == 2.3


def test_what_may_not_be_listed_is_unknown_and_not_zero(aws: StubbedAws) -> None:
    (found,) = _stored(aws, None)
    assert (found.files, found.size, found.usd_per_month) == (None, None, None)


def test_in_a_region_without_a_known_price_only_the_size_is_known(
    aws: StubbedAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(StubbedAws, "region", "eu-west-1")
    (found,) = _stored(aws, {"pets/a.png": GB})
    assert (found.size, found.usd_per_month) == (GB, None)
