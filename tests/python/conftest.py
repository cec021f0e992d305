"""What every test needs."""

from __future__ import annotations

import signal


def pytest_configure() -> None:
    # A shell has its background jobs ignore Ctrl-C, which Python then does as well.
    signal.signal(signal.SIGINT, signal.default_int_handler)
