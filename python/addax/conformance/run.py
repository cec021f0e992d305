"""Runs everything that a device must pass."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from functools import partial

import numpy as np

from addax import _core
from addax.conformance import programs
from addax.conformance.cases import CASES, Bad, OpCase, Sample
from addax.conformance.samples import arrays_of, disagreement, make_array
from addax.errors import AddaxError, OutOfRangeError, UnsupportedError
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


def run(target: DeviceInfo) -> Iterator[Result]:
    """Check a device: its memory and queues, each op in each of its dtypes, whole programs."""
    for check, failure in _core.check_device(target.name):
        yield Result(check, Outcome.FAILED if failure else Outcome.PASSED, failure)
    with device(target.name), _strict():
        for case in CASES.values():
            yield from _op_results(case, target.dtypes)
    with _strict():
        for name, program in programs.CHECKS.items():
            yield _result(name, partial(program, target.name), refusal=Outcome.FAILED)


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


def _op_results(case: OpCase, dtypes: Collection[str]) -> Iterator[Result]:
    for dtype in case.dtypes:
        if dtype in dtypes:
            yield _result(f"{case.name} {dtype}", partial(_compute, case, dtype, _core.apply))
    for bad in case.bad:
        if bad.error == "OutOfRangeError":
            yield _result(f"{case.name} out of range", partial(_refuse_value, case, bad))
    if _RECORDS[case.name]["decomposes"]:
        dtype = "float32" if "float32" in case.dtypes else case.dtypes[-1]
        check = partial(_compute, case, dtype, _core.apply_decomposed)
        yield _result(f"{case.name} {dtype}, decomposed", check)


_RECORDS = {record["name"]: record for record in _core.op_records()}


def _result(name: str, check: Callable[[], str], refusal: Outcome = Outcome.REFUSED) -> Result:
    """The result of a check that gives what is wrong, or ''."""
    try:
        failure = check()
    except UnsupportedError as error:
        return Result(name, refusal, str(error))
    except AddaxError as error:
        failure = f"{type(error).__name__}: {error}"
    return Result(name, Outcome.FAILED if failure else Outcome.PASSED, failure)


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
