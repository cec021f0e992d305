"""The process in which ``device-test`` tries a device: a crash or a hang ends it and nothing else.

What happens there is told line by line, as JSON: see `Event`.
"""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import sys
from collections.abc import Iterator
from itertools import chain
from typing import Any

# One key names it, with what there is to tell: a check that "begins"; its "result", as the name,
# the outcome and the reason; a "device" with its dtypes; a "failure" to load the plug-in; the
# "end", when all is done.
Event = dict[str, Any]

END: Event = {"end": None}


def events(plugin: str, patience: float) -> Iterator[Event]:
    """Yield what happens in a process that tries the plug-in, and last why it ended.

    That is the "end", or "lost" with what became of the process: it has crashed, or told nothing
    for as many seconds as ``patience``.
    """
    reader, writer = os.pipe()
    command = [sys.executable, "-m", __name__, str(writer), plugin]
    with subprocess.Popen(command, pass_fds=[writer]) as process:
        os.close(writer)
        try:
            ended = False
            for line in _lines(reader, patience):
                event = json.loads(line)
                ended = event == END
                if not ended:
                    yield event
            status = process.wait(patience)
        except (TimeoutError, subprocess.TimeoutExpired):
            yield {"lost": f"nothing has happened for {patience:g} s"}
            return
        finally:
            os.close(reader)
            process.kill()
        yield END if ended and status == 0 else {"lost": _told(status)}


def _lines(reader: int, patience: float) -> Iterator[bytes]:
    """Yield complete lines until the other end is closed; TimeoutError when none comes."""
    rest = b""
    with selectors.DefaultSelector() as selector:
        selector.register(reader, selectors.EVENT_READ)
        while True:
            if not selector.select(patience):
                raise TimeoutError
            piece = os.read(reader, 1 << 16)
            if not piece:
                return
            *lines, rest = (rest + piece).split(b"\n")
            yield from lines


def _told(status: int) -> str:
    if status < 0:
        return f"the process was ended by {signal.Signals(-status).name}"
    return f"the process ended itself, with status {status}"


def _work(plugin: str) -> Iterator[Event]:
    """Try a plug-in's file, or the device of this name."""
    from addax import _core
    from addax.conformance.run import checks
    from addax.errors import AddaxError
    from addax.placement import device_name, inventory

    yield {"begins": "to load"}
    try:
        names = _core.load_device(plugin) if os.path.sep in plugin or plugin.endswith(".so") else []
        names = names or [device_name(plugin)]
    except AddaxError as error:
        yield {"failure": str(error)}
        return
    for path, reason in _core.device_failures():
        if path == plugin:
            yield {"failure": reason}
    for info in inventory():
        if info.name not in names:
            continue
        yield {"device": f"{info}: {', '.join(info.dtypes)}"}
        for check in checks(info):
            yield {"begins": check.name}
            result = check.result()
            yield {"result": [result.check, result.outcome.value, result.reason]}
    yield {"begins": "to end"}


def _main() -> None:
    descriptor = int(sys.argv[1])
    os.set_inheritable(descriptor, False)
    with os.fdopen(descriptor, "w", buffering=1) as writer:
        for event in chain(_work(sys.argv[2]), [END]):
            writer.write(json.dumps(event) + "\n")


if __name__ == "__main__":
    _main()
