"""Arrays for the rows of the op table, and what a result must be."""

from __future__ import annotations

import math
import zlib
from collections.abc import Sequence
from typing import Any

import ml_dtypes
import numpy as np
from numpy.typing import NDArray

from addax.conformance.cases import Arg, OpCase, Sample

Array = NDArray[Any]


def make_array(arg: Arg, dtype: str, rng: np.random.Generator) -> Array:
    """Return an array as the row asks for it."""
    name = arg.dtype or dtype
    target = np.dtype(ml_dtypes.bfloat16 if name == "bfloat16" else name)
    if arg.value is not None:
        return np.asarray(arg.value).astype(target)
    if arg.distinct:
        steps = np.linspace(arg.low, arg.high, max(math.prod(arg.shape), 1), endpoint=False)
        return rng.permutation(steps)[: math.prod(arg.shape)].reshape(arg.shape).astype(target)
    if target.kind == "b":
        return rng.random(arg.shape) < 0.5
    if target.kind in "iu":
        low = max(math.ceil(arg.low), 0) if target.kind == "u" else math.ceil(arg.low)
        return rng.integers(low, max(math.ceil(arg.high), low + 1), arg.shape).astype(target)
    return rng.uniform(arg.low, arg.high, arg.shape).astype(target)


def arrays_of(case: OpCase, sample: Sample, dtype: str) -> list[Array]:
    """Return the arrays of a sample, the same ones at each call."""
    rng = np.random.default_rng(zlib.crc32(case.name.encode()))
    return [make_array(arg, dtype, rng) for arg in sample.args]


def as_list(result: Any) -> list[Any]:
    """Return several results, or the only one, as a list."""
    return list(result) if isinstance(result, (list, tuple)) else [result]


def disagreement(case: OpCase, sample: Sample, arrays: Sequence[Array], results: Any) -> str:
    """Return how results differ from the reference by more than the row allows, or ''."""
    wide = [_widened(array) for array in arrays]
    expected = as_list(case.reference(*wide, **sample.attrs))
    bounds = as_list(case.bound(*wide, **sample.attrs)) if case.bound else [None] * len(expected)
    got = [np.asarray(result) for result in as_list(results)]
    if len(got) != len(expected):
        return f"{len(got)} results instead of {len(expected)}"
    for actual, wanted, bound in zip(got, map(np.asarray, expected), bounds, strict=False):
        if actual.shape != wanted.shape:
            return f"shape {actual.shape} instead of {wanted.shape}"
        if not _is_floating(actual):
            if not np.array_equal(actual, wanted):
                return f"{actual.tolist()} instead of {wanted.tolist()}"
            continue
        magnitude = np.abs(wanted) if bound is None else bound
        info = ml_dtypes.finfo(actual.dtype)  # type: ignore[no-untyped-call]
        allowed = case.ulps * float(info.eps) * magnitude + float(info.smallest_normal)
        with np.errstate(invalid="ignore"):  # infinities that agree with none
            error = np.abs(actual.astype(np.float64) - wanted)
        if not np.all(error <= allowed):
            return f"off by up to {np.max(error)}, where {np.min(allowed)} or more is allowed"
    return ""


def _is_floating(array: Array) -> bool:
    return array.dtype.kind == "f" or array.dtype == ml_dtypes.bfloat16


def _widened(array: Array) -> Array:
    return array.astype(np.float64) if _is_floating(array) else array
