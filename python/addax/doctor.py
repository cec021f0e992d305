"""``python -m addax doctor``: what this installation is made of and what works."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Iterator
from typing import Any


def report() -> str:
    """Return the report."""
    return "\n".join(_lines())


def _lines() -> Iterator[str]:
    import numpy as np

    import addax
    from addax import _core, caches, placement

    yield f"addax {addax.__version__} ({os.path.dirname(addax.__file__)})"
    yield f"Python {platform.python_version()} ({sys.executable}), NumPy {np.__version__}"
    yield f"{platform.system()} {platform.release()}, {platform.machine()}"
    yield f"threads: {_core.num_threads()} of {os.cpu_count()} processors"
    for name, value in sorted(_core.build_info().items()):
        yield f"{name}: {_told(value)}"
    yield ""
    yield "devices:"
    for device in placement.inventory():
        yield f"  {device} (kind {device.kind}, score {device.score}): {device.details}"
    failures = placement.failures()
    for path, reason in failures:
        yield f"  missing: {path}: {reason}"
    if not failures:
        yield "  no plug-in failed to load"
    yield ""
    yield f"caches: {caches.folder() or 'switched off, or no home folder'}"
    settings = {name: value for name, value in os.environ.items() if name.startswith("ADDAX_")}
    yield "settings: " + (_told(settings) if settings else "none (no ADDAX_* variable is set)")


def _told(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key}={_told(item)}" for key, item in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(_told(item) for item in value)
    return str(value)
