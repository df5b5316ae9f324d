"""Gap: a write with `aws:kms` and no key id is refused; AWS takes the account's `aws/s3` key.

The CDK CLI publishes assets this way once the bootstrap bucket has its encryption.
"""

import functools
from collections.abc import Mapping
from typing import Any

from local.emulator.keys import ALGORITHM, KEY_ID
from local.emulator.patches._patching import expect_source


def apply() -> None:
    from ministack.core.responses import get_account_id, get_region
    from ministack.services import s3

    upstream = s3._resolve_sse_write_headers
    expect_source(upstream, "Server-side encryption with aws:kms requires a key id in ")

    @functools.wraps(upstream)
    def resolve_sse_write_headers(headers: Mapping[str, str], bucket_name: str) -> Any:
        if headers.get(ALGORITHM) == "aws:kms" and not headers.get(KEY_ID):
            key = f"arn:aws:kms:{get_region()}:{get_account_id()}:alias/aws/s3"
            headers = {**headers, KEY_ID: key}
        return upstream(headers, bucket_name)

    s3._resolve_sse_write_headers = resolve_sse_write_headers
