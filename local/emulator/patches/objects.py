"""What S3 answers about objects. A module of its own, short as it is: no other is about reading."""

from typing import Any

from local.emulator.patching import around


def versions_have_ranges() -> None:
    """Gap: a range of a version is ignored, and the whole version is the answer.

    Source: Amazon S3 API Reference, "GetObject": Range goes with versionId.
    """
    from ministack.services import s3

    @around(s3, "_get_object", "return 200, resp_headers, body", "_parse_range(range_header, ")
    def ranged(
        upstream: Any,
        bucket: str,
        key: str,
        headers: dict[str, str],
        query: dict[str, Any] | None = None,
    ) -> Any:
        range_header = headers.get("range", "")
        if range_header:
            # A checksum is the whole object's.
            headers = {k: v for k, v in headers.items() if k != "x-amz-checksum-mode"}
        status, answer_headers, body = upstream(bucket, key, headers, query)
        if status != 200 or not range_header or not s3._qp(query or {}, "versionId", ""):
            return status, answer_headers, body
        byte_range = s3._parse_range(range_header, len(body))
        if byte_range is None:
            problem = s3._xml_body(s3._range_error_xml(bucket, key))
            return 416, {"Content-Range": f"bytes */{len(body)}"}, problem
        start, end = byte_range
        piece = body[start : end + 1]
        answer_headers |= {
            "Content-Length": str(len(piece)),
            "Content-Range": f"bytes {start}-{end}/{len(body)}",
        }
        return 206, answer_headers, piece
