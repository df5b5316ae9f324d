"""The command line `tuning`: thin click commands over the domain; importing it costs nothing."""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 - users of an older one must see this
    sys.exit(f"Python 3.11 or newer is needed; this is {sys.version.split()[0]}: {sys.executable}")
