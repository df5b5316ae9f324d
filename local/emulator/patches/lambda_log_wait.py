"""Gap: an invocation that prints nothing waits a fixed 50 ms for log lines that never come.

With a thousand map children that wait is most of the run. 3 ms is enough: the worker has
flushed its log before it answers.
"""

from typing import Final

from local.emulator.patches._patching import expect

FIRST_LINE_SECONDS: Final = 0.003
QUIET_SECONDS: Final = 0.002
AT_MOST_SECONDS: Final = 0.250


def apply() -> None:
    from ministack.core import lambda_runtime

    drain = lambda_runtime.Worker._drain_stderr_bounded
    expect(drain.__defaults__ == (0.050, 0.005, 0.250), "a first-line wait of 50 ms")
    drain.__defaults__ = (FIRST_LINE_SECONDS, QUIET_SECONDS, AT_MOST_SECONDS)
