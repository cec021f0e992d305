"""``python -m addax device-test``: runs the checks and prints what fails."""

from __future__ import annotations

from collections import Counter

from addax.conformance.run import Outcome, Result
from addax.conformance.worker import Event, events


def check_plugin(plugin: str, verbose: bool = False, patience: float = 120.0) -> bool:
    """Check all devices of a plug-in's file, or the device of this name; whether none failed.

    A check that takes longer than ``patience`` seconds counts as hanging.
    """
    report = _Report(verbose)
    for event in events(plugin, patience):
        report.take(event)
    report.close_device()
    return not report.has_failed


class _Report:
    def __init__(self, verbose: bool) -> None:
        self.has_failed = False
        self._verbose = verbose
        self._under_way = "to start"
        self._counts: Counter[Outcome] | None = None
        self._refused: list[str] = []

    def take(self, event: Event) -> None:
        """Print what there is to tell of an event."""
        ((kind, told),) = event.items()
        if kind == "begins":
            self._under_way = told
        elif kind == "result":
            check, outcome, reason = told
            self._add(Result(check, Outcome(outcome), reason))
        elif kind == "device":
            self.close_device()
            self._counts = Counter()
            _say(told)
        elif kind == "failure":
            self.has_failed = True
            _say(f"FAILED to load: {told}")
        elif kind == "lost":
            rest = "; what follows was not tried" if self._counts is not None else ""
            self._add(Result(self._under_way, Outcome.FAILED, f"{told}{rest}"))

    def close_device(self) -> None:
        """Sum up the checks of a device, if there were any."""
        if self._counts is None:
            return
        if self._refused and not self._verbose:
            _say(f"  refused: {'; '.join(self._refused)}")
        _say("  " + ", ".join(f"{self._counts[outcome]} {outcome.value}" for outcome in Outcome))
        self._counts = None
        self._refused = []

    def _add(self, result: Result) -> None:
        is_failure = result.outcome is Outcome.FAILED
        self.has_failed |= is_failure
        if self._counts is not None:
            self._counts[result.outcome] += 1
        if result.outcome is Outcome.REFUSED:
            self._refused.append(result.check)
        if self._verbose or is_failure:
            indent = "" if self._counts is None else "  "
            _say(indent + _line(result))


def _say(text: str) -> None:
    print(text, flush=True)


def _line(result: Result) -> str:
    told = (
        result.outcome.value.upper() if result.outcome is Outcome.FAILED else result.outcome.value
    )
    return f"{told} {result.check}" + (f": {result.reason}" if result.reason else "")
