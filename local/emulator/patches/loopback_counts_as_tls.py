"""Gap: plain HTTP on loopback is not `aws:SecureTransport`, so TLS-only bucket policies deny all.

The CDK bootstrap bucket and every bucket of ours deny requests without TLS. Traffic that never
leaves the machine has nothing to encrypt, so loopback passes the condition; the condition itself
stays enforced.
"""

import functools

from local.emulator.patches._patching import expect, expect_source


def apply() -> None:
    from ministack import app
    from ministack.core import iam_evaluator

    upstream = iam_evaluator.pin_request_origin
    expect_source(upstream, "_request_origin.set((source_ip, secure_transport))")
    expect(app.pin_request_origin is upstream, "app to use iam_evaluator.pin_request_origin")

    @functools.wraps(upstream)
    def pin_request_origin(source_ip: str, secure_transport: bool) -> None:
        upstream(source_ip, secure_transport or source_ip in ("127.0.0.1", "::1"))

    iam_evaluator.pin_request_origin = pin_request_origin
    app.pin_request_origin = pin_request_origin
