"""Files in the user's caches: what took time to find out, and may be found out anew at any time.

Reading gives nothing for a file that is missing or damaged, writing does nothing where it cannot:
a cache is never a reason to fail.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import Any

from addax.errors import InvalidArgumentError


def folder() -> str | None:
    """Return ``$XDG_CACHE_HOME/addax`` or ``~/.cache/addax``; None with ``ADDAX_CACHE=0``."""
    setting = os.environ.get("ADDAX_CACHE") or "1"
    if setting not in ("0", "1"):
        raise InvalidArgumentError(f"ADDAX_CACHE must be 0 or 1, got {setting!r}")
    caches, home = os.environ.get("XDG_CACHE_HOME"), os.environ.get("HOME")
    if setting == "0" or not (caches or home):
        return None
    return os.path.join(caches or os.path.join(str(home), ".cache"), "addax")


def load(name: str) -> Any:
    """Return what was stored under the name, or None."""
    import json

    at = folder()
    if at is None:
        return None
    try:
        with open(os.path.join(at, name), encoding="utf-8") as file:
            return json.load(file)
    except (OSError, ValueError, RecursionError):
        return None


def store(name: str, value: Any) -> None:
    """Keep a value that JSON can hold. Others see the whole file or none."""
    import json

    at = folder()
    if at is None:
        return
    path = os.path.join(at, name)
    part = f"{path}.{os.urandom(4).hex()}"
    with suppress(OSError):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        try:
            with open(part, "w", encoding="utf-8") as file:
                json.dump(value, file, indent=1)
            os.replace(part, path)
        except BaseException:
            os.unlink(part)
            raise
