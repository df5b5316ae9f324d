"""What docs/audit.md says about erasing a picture erases it, whatever became of it before."""

import re
from typing import Any

import pytest

from app import ROOT
from tests.e2e.world import NAME, World

pytestmark = pytest.mark.e2e


def test_all_versions_of_a_picture_are_erased_and_no_other(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    s3, bucket = world.aws.client("s3"), world.bucket("training")
    key, other = f"{NAME}/erased/ron.jpg", f"{NAME}/erased/ron.jpg.txt"
    for body in (b"first", b"second"):
        s3.put_object(Bucket=bucket, Key=key, Body=body)
    s3.put_object(Bucket=bucket, Key=other, Body=b"kept")
    s3.delete_object(Bucket=bucket, Key=key)

    (snippet,) = re.findall(
        r"```python\n(.*?)```", (ROOT / "docs" / "audit.md").read_text(), re.DOTALL
    )
    snippet = snippet.replace("BUCKET", bucket).replace("CUSTOMIZATION/images/PICTURE.jpg", key)
    monkeypatch.setattr("boto3.client", world.aws.client)
    exec(snippet, {})  # noqa: S102 - the page's own

    left: Any = s3.list_object_versions(Bucket=bucket, Prefix=f"{NAME}/erased/")
    assert [each["Key"] for each in left["Versions"]] == [other]
    assert not left.get("DeleteMarkers")
