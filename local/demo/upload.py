"""Uploads a drawn dataset as a data scientist would: pictures first, the manifest last."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from bedrock_tuning import s3_layout
from local.demo.dataset import Picture
from local.emulator.server import LocalAws

_THREADS: Final = 8


def upload_pictures(
    aws: LocalAws, folder: Path, pictures: Sequence[Picture], *, bucket: str, customization: str
) -> None:
    """Puts the pictures where the manifest says they are."""
    s3 = aws.client("s3")

    def put(picture: Picture) -> None:
        body = (folder / picture.path).read_bytes()
        s3.put_object(Bucket=bucket, Key=f"{customization}/{picture.path}", Body=body)

    with ThreadPoolExecutor(_THREADS) as pool:
        list(pool.map(put, pictures))


def upload_manifest(aws: LocalAws, body: bytes, *, bucket: str, customization: str) -> str:
    """Starts a run; returns the version id of the manifest."""
    answer = aws.client("s3").put_object(
        Bucket=bucket, Key=s3_layout.manifest_key(customization), Body=body
    )
    return str(answer["VersionId"])
