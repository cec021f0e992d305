"""``device="auto"``: the device on which a model's own step is measured to be fastest."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import NamedTuple

from addax import _core, caches, placement
from addax.errors import (
    AddaxError,
    DeviceError,
    OutOfMemoryError,
    OutOfRangeError,
    UnsupportedError,
)
from addax.placement import DeviceInfo
from addax.training.progress import per_step

# Runs of steps, each twice as long as the one before, until so many seconds have been timed.
ENOUGH = 0.05
MOST_RUNS = 24
# A device whose step takes so many times the best one's is tried no further.
HOPELESS = 4.0


@dataclass(frozen=True)
class DeviceChoice:
    """The device that a model works on, and why.

    ``seconds`` a step takes on each device that was tried; for those in ``rough``, which were
    clearly slower, that is the time of a single step. ``left_out`` tells why others could not be
    tried.

    >>> print(DeviceChoice("cpu:0", {"cpu:0": 7e-5, "gpu:0": 0.025}, ("gpu:0",)))
    auto: runs on cpu:0, 70us/step; gpu:0 about 25ms/step
    """

    device: str
    seconds: dict[str, float] = field(default_factory=dict)
    rough: tuple[str, ...] = ()
    left_out: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        own = f", {per_step(self.seconds[self.device])}" if self.device in self.seconds else ""
        told = [f"auto: runs on {self.device}{own}"]
        for name, seconds in self.seconds.items():
            if name != self.device:
                told.append(f"{name} {'about ' * (name in self.rough)}{per_step(seconds)}")
        told += [f"{name} is left out: {reason}" for name, reason in self.left_out.items()]
        return "; ".join(told)


def candidates() -> list[DeviceInfo]:
    """Return the devices to choose among: the CPU, and those that their plug-ins recommend."""
    found = placement.inventory()
    return [info for info in found if info.name.startswith("cpu:") or info.score > 0]


class Step(NamedTuple):
    """A program that takes a step, its inputs, and the most steps in a row that these allow."""

    program: _core.Executable
    inputs: Sequence[_core.Tensor]
    limit: int | None


# By device, why it cannot take a step.
Failures = dict[str, AddaxError]


def first_step(compile_for: Callable[[str], Step], first: str) -> tuple[Step, Failures]:
    """Return the step compiled for the first device that can, and why those before it cannot."""
    failures: Failures = {}
    for name in dict.fromkeys([first, *(info.name for info in candidates())]):
        try:
            return compile_for(name), failures
        except (DeviceError, OutOfMemoryError, UnsupportedError) as error:
            failures[name] = error
    raise _none_works(failures)


def _none_works(failures: Failures) -> AddaxError:
    kinds = {type(error) for error in failures.values()}
    kind = kinds.pop() if len(kinds) == 1 else DeviceError
    told = "; ".join(f"{name}: {error}" for name, error in failures.items())
    return kind(f"[auto] no device can take the model's step: {told}")


def choose(step: Step, failures: Failures | None = None) -> DeviceChoice:
    """Return the fastest device for a step, as measured now or earlier.

    Nothing that the step updates changes. A device that fails, or has already, is left out; where
    none works the error tells of each. Out-of-range labels or indices are the data's fault and
    raise.
    """
    devices = candidates()
    if failures:
        return _measured(step, [info for info in devices if info.name not in failures], failures)
    if len(devices) == 1:
        return DeviceChoice(devices[0].name)
    key = fingerprint(step.program, devices)
    choice = _known.get(key) or _stored(key, devices)
    if choice is None:
        choice = _measured(step, devices, {})
        # What could not run may have lacked but memory: it is tried again in the next process.
        if not choice.left_out:
            caches.store(_file(key), {"key": key, **asdict(choice)})
    _known[key] = choice
    return choice


_known: dict[str, DeviceChoice] = {}

# Names that a program's text holds: the graph's, those of its inputs and states, the layers'.
_NAMES = re.compile(
    r"""^graph\ .*$ | (?:(?<=\ =\ input\ )|(?<=\ =\ state\ ))"(?:[^"\\]|\\.)*" | \ \ \#\ .*$""",
    re.MULTILINE | re.VERBOSE,
)


def fingerprint(program: _core.Executable, devices: Sequence[DeviceInfo]) -> str:
    """Return a hash of what a choice depends on; names do not matter."""
    import hashlib
    import json

    told = [[info.name, info.description, info.details] for info in devices]
    parts = [_core.version, told, _NAMES.sub("", program.source())]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _file(key: str) -> str:
    return f"devices/{key[:16]}.json"


def _stored(key: str, devices: Sequence[DeviceInfo]) -> DeviceChoice | None:
    """Return an earlier process's choice, unless the file is of something else."""
    record = caches.load(_file(key))
    names = [info.name for info in devices]
    try:
        if record["key"] != key or record["device"] not in names:
            return None
        seconds = {name: float(record["seconds"][name]) for name in names}
        rough = tuple(name for name in names if name in record["rough"])
    except (TypeError, KeyError, ValueError):
        return None
    return DeviceChoice(record["device"], seconds, rough)


def _measured(step: Step, devices: Sequence[DeviceInfo], failures: Failures) -> DeviceChoice:
    seconds: dict[str, float] = {}
    rough: list[str] = []
    failures = dict(failures)
    for info in devices:
        best = min(seconds.values(), default=float("inf"))
        try:
            rehearsal = step.program.rehearse(step.inputs, info.name)
            taken, stopped = measure(rehearsal.run, best, step.limit)
            del rehearsal
        except OutOfRangeError:
            raise
        except AddaxError as error:
            failures[info.name] = error
        else:
            seconds[info.name] = taken
            rough += [info.name] * stopped
        _core.trim_memory()
    if not seconds:
        raise _none_works(failures)
    chosen = min(seconds, key=lambda name: seconds[name])
    left_out = {name: str(error) for name, error in failures.items()}
    return DeviceChoice(chosen, seconds, tuple(rough), left_out)


def measure(
    run: Callable[[int], float], best: float = float("inf"), limit: int | None = None
) -> tuple[float, bool]:
    """Return the seconds of a step, and whether that was enough to see it is no match for ``best``.

    ``run`` takes so many steps and returns the seconds. Those of the first step do not count: a
    driver may compile its kernels meanwhile.

    >>> measure(lambda steps: steps * 0.01), measure(lambda steps: steps * 0.01, best=0.001)
    ((0.01, False), (0.01, True))
    """
    run(1)
    least, total, steps = float("inf"), 0.0, 1
    for _ in range(MOST_RUNS):
        taken = run(steps)
        least, total = min(least, taken / steps), total + taken
        if least > HOPELESS * best:
            return least, True
        if total >= ENOUGH:
            break
        steps = min(2 * steps, limit or 2 * steps)
    return least, False
