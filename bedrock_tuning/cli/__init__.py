"""The command line `tuning`: thin click commands over the domain; importing it costs nothing."""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 - users of an older one must see this
    sys.exit(f"Python 3.11 or newer is needed; this is {sys.version.split()[0]}: {sys.executable}")


def main() -> None:
    """Runs `tuning` with the arguments of this process; Ctrl-C is no traceback while it loads."""
    try:
        from bedrock_tuning.cli.__main__ import tuning
    except KeyboardInterrupt:
        sys.stderr.write("\nstopped by Ctrl-C: the command had not begun\n")
        sys.exit(130)
    tuning(prog_name="tuning")
