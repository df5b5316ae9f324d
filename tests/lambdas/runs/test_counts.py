"""A count reaches the log at once: a function that has answered is frozen."""

import io
import sys

import pytest

from lambdas._records import _metrics


def test_a_count_is_written_out_before_the_function_is_frozen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    log = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BufferedWriter(log)))  # type: ignore[arg-type,type-var]

    _metrics.count("RunsFailed", environment="dev", customization="pets")

    assert log.getvalue().endswith(b"\n")
