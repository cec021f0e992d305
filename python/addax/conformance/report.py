"""``python -m addax device-test``: runs the checks and prints what fails."""

from __future__ import annotations

import os
import sys
from collections import Counter

from addax import _core
from addax.conformance.run import Outcome, Result, run
from addax.errors import AddaxError
from addax.placement import DeviceInfo, device_name, inventory


def check_plugin(plugin: str, verbose: bool = False) -> bool:
    """Check all devices of a plug-in's file, or the device of this name; whether none failed."""
    try:
        names = _core.load_device(plugin) if os.path.sep in plugin or plugin.endswith(".so") else []
        names = names or [device_name(plugin)]
    except AddaxError as error:
        print(f"FAILED to load: {error}")
        return False
    failures = [reason for path, reason in _core.device_failures() if path == plugin]
    for reason in failures:
        print(f"FAILED to load: {reason}")
    passed = [_check_device(info, verbose) for info in inventory() if info.name in names]
    return all(passed) and not failures


def _check_device(info: DeviceInfo, verbose: bool) -> bool:
    print(f"{info}: {', '.join(info.dtypes)}")
    counts: Counter[Outcome] = Counter()
    refused: list[str] = []
    for result in run(info):
        counts[result.outcome] += 1
        if result.outcome is Outcome.REFUSED:
            refused.append(result.check)
        if verbose or result.outcome is Outcome.FAILED:
            print(f"  {_line(result)}")
            sys.stdout.flush()
    if refused and not verbose:
        print(f"  refused: {'; '.join(refused)}")
    print("  " + ", ".join(f"{counts[outcome]} {outcome.value}" for outcome in Outcome))
    return counts[Outcome.FAILED] == 0


def _line(result: Result) -> str:
    told = (
        result.outcome.value.upper() if result.outcome is Outcome.FAILED else result.outcome.value
    )
    return f"{told} {result.check}" + (f": {result.reason}" if result.reason else "")
