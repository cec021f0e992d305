"""Runs everything that a device must pass."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from functools import partial

import numpy as np

from addax import _core
from addax.conformance import programs
from addax.conformance.cases import CASES, Bad, OpCase, Sample
from addax.conformance.cases.case import FLOATS
from addax.conformance.samples import arrays_of, disagreement, make_array
from addax.conformance.special import NARROWED, SPECIALS, Special
from addax.errors import AddaxError, DeviceError, OutOfRangeError, UnsupportedError
from addax.placement import DeviceInfo, device


class Outcome(Enum):
    """How a check ended. What a device refuses, it does not claim to compute."""

    PASSED = "passed"
    FAILED = "failed"
    REFUSED = "refused"


@dataclass(frozen=True)
class Result:
    """One check: what was checked, and for a failure or a refusal why."""

    check: str
    outcome: Outcome
    reason: str = ""


@dataclass(frozen=True)
class Check:
    """One thing that a device is tried for. ``attempt`` gives what is wrong, or ''."""

    name: str
    attempt: Callable[[], str]

    def result(self) -> Result:
        """Make the check; what the device refuses is not left to the CPU."""
        try:
            with _strict():
                failure = self.attempt()
        except UnsupportedError as error:
            return Result(self.name, Outcome.REFUSED, str(error))
        except AddaxError as error:
            failure = f"{type(error).__name__}: {error}"
        return Result(self.name, Outcome.FAILED if failure else Outcome.PASSED, failure)


def checks(target: DeviceInfo) -> Iterator[Check]:
    """Return what there is to check of a device.

    Its memory, queues, events and programs, each op in each of its dtypes, whole models.
    """
    for number, name in enumerate(_core.device_checks()):
        yield Check(name, partial(_check_device, target.name, number))
    for case in CASES.values():
        yield from _op_checks(case, target)
    for special in SPECIALS:
        for dtype in FLOATS:
            if dtype in target.dtypes:
                yield _special_check(special, dtype, target)
    for special in NARROWED:
        if special.attrs["dtype"] in target.dtypes:
            yield _special_check(special, "float32", target)
    for name, program in programs.CHECKS.items():
        yield Check(name, partial(program, target.name))


def run(target: DeviceInfo) -> Iterator[Result]:
    """Check a device."""
    for check in checks(target):
        yield check.result()


def _check_device(name: str, number: int) -> str:
    try:
        _core.check_device(name, number)
    except DeviceError as error:
        return str(error)
    return ""


@contextmanager
def _strict() -> Iterator[None]:
    """Have refusals raised: the CPU is not to compute what the device is tried for."""
    before = os.environ.get("ADDAX_STRICT")
    os.environ["ADDAX_STRICT"] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ["ADDAX_STRICT"]
        else:
            os.environ["ADDAX_STRICT"] = before


def _op_checks(case: OpCase, target: DeviceInfo) -> Iterator[Check]:
    def check(name: str, attempt: Callable[[], str]) -> Check:
        return Check(f"{case.name} {name}", partial(_on, target.name, attempt))

    for dtype in case.dtypes:
        if dtype in target.dtypes:
            yield check(dtype, partial(_compute, case, dtype, _core.apply))
    for bad in case.bad:
        if bad.error == "OutOfRangeError":
            yield check("out of range", partial(_refuse_value, case, bad))
    if _RECORDS[case.name]["decomposes"]:
        dtype = "float32" if "float32" in case.dtypes else case.dtypes[-1]
        yield check(f"{dtype}, decomposed", partial(_compute, case, dtype, _core.apply_decomposed))


def _special_check(special: Special, dtype: str, target: DeviceInfo) -> Check:
    given = special.attrs.get("dtype")
    name = f"{special.op} {dtype}{f' to {given}' if given else ''}, special values"
    return Check(name, partial(_on, target.name, partial(special.attempt, dtype)))


_RECORDS = {record["name"]: record for record in _core.op_records()}


def _on(name: str, attempt: Callable[[], str]) -> str:
    with device(name):
        return attempt()


def _refuse_value(case: OpCase, bad: Bad) -> str:
    rng = np.random.default_rng(0)
    arrays = [_core.tensor(make_array(arg, "float32", rng)) for arg in bad.args]
    try:
        _core.apply(case.name, arrays, dict(bad.attrs))
    except OutOfRangeError as error:
        found = re.search(bad.match, str(error))
        return "" if found else f"it says '{error}', where '{bad.match}' is meant"
    return "a value out of range goes unnoticed"


def _compute(case: OpCase, dtype: str, apply: Callable[..., object]) -> str:
    """Compare all samples that the device takes; raises where it takes none."""
    refusals: list[UnsupportedError] = []
    for sample in case.samples:
        arrays = arrays_of(case, sample, dtype)
        try:
            results = apply(case.name, [_core.tensor(a) for a in arrays], dict(sample.attrs))
        except UnsupportedError as error:
            refusals.append(error)
            continue
        failure = disagreement(case, sample, arrays, results)
        if failure:
            return f"{_told(sample)}: {failure}"
    if len(refusals) == len(case.samples):
        raise refusals[0]
    return ""


def _told(sample: Sample) -> str:
    shapes = ", ".join(str(arg.shape) for arg in sample.args)
    attrs = ", ".join(f"{name}={value}" for name, value in sample.attrs.items())
    return f"shapes {shapes}" + (f" with {attrs}" if attrs else "")
