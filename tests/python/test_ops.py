"""Every op of the case table on every device and dtype, against NumPy and finite differences."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import addax as ax
from addax import _core
from addax.conformance.cases import CASES, Bad, OpCase, Sample
from addax.conformance.samples import arrays_of, as_list, disagreement, make_array

# kernels/opencl has its own file, test_opencl.py.
COMPUTING_DEVICES = [d.name for d in ax.devices() if d.kind not in ("null", "opencl")]
RECORDS = {record["name"]: record for record in _core.op_records()}
NOT_IN_TABLE = {"constant"}  # its only input is its attribute
FINITE_DIFFERENCE_STEP = 1e-5
ELEMENTS_DIFFERENTIATED = 30  # per input; a random choice when it has more


def check(case: OpCase, sample: Sample, arrays: list[np.ndarray], results: Any) -> None:
    assert not disagreement(case, sample, arrays, results), f"{case.name} {sample}"


@pytest.mark.parametrize("device", COMPUTING_DEVICES)
@pytest.mark.parametrize(
    ("name", "dtype"), [(c.name, dtype) for c in CASES.values() for dtype in c.dtypes]
)
def test_agrees_with_numpy(name: str, dtype: str, device: str) -> None:
    case = CASES[name]
    with ax.device(device):
        for sample in case.samples:
            arrays = arrays_of(case, sample, dtype)
            results = _core.apply(name, [_core.tensor(a) for a in arrays], dict(sample.attrs))
            check(case, sample, arrays, results)


@pytest.mark.parametrize("device", COMPUTING_DEVICES)
@pytest.mark.parametrize("name", [n for n in CASES if RECORDS[n]["decomposes"]])
def test_decomposition_agrees_with_numpy(name: str, device: str) -> None:
    case = CASES[name]
    dtype = "float32" if "float32" in case.dtypes else case.dtypes[-1]
    with ax.device(device):
        for sample in case.samples:
            arrays = arrays_of(case, sample, dtype)
            results = _core.apply_decomposed(
                name, [_core.tensor(a) for a in arrays], dict(sample.attrs)
            )
            check(case, sample, arrays, results)


@pytest.mark.parametrize("device", COMPUTING_DEVICES)
@pytest.mark.parametrize("name", [c.name for c in CASES.values() if "float32" in c.dtypes])
def test_takes_non_contiguous_arrays(name: str, device: str) -> None:
    case = CASES[name]
    sample = case.samples[0]
    arrays = arrays_of(case, sample, "float32")
    strided = [np.repeat(a[..., None], 2, -1)[..., 0] if a.ndim else a for a in arrays]
    transposed = [a.T.copy().T for a in arrays]
    for variant in (strided, transposed):
        with ax.device(device):
            check(case, sample, arrays, _core.apply(name, variant, dict(sample.attrs)))


def gradient_samples() -> Iterator[tuple[str, int]]:
    for case in CASES.values():
        if case.gradient and "float64" in case.dtypes:
            for i, sample in enumerate(case.samples):
                if any(math.prod(arg.shape) and arg.dtype is None for arg in sample.args):
                    yield case.name, i


@pytest.mark.parametrize(("name", "index"), list(gradient_samples()))
def test_gradient_agrees_with_finite_differences(name: str, index: int) -> None:
    case = CASES[name]
    sample = case.samples[index]
    arrays = arrays_of(case, sample, "float64")
    rng = np.random.default_rng(1)
    floating = tuple(i for i, a in enumerate(arrays) if a.dtype == np.float64 and a.size)
    weights: list[np.ndarray] = []

    def loss(*args: Any) -> Any:
        outputs = as_list(_core.apply(name, list(args), dict(sample.attrs)))
        total = 0.0
        for i, output in enumerate(o for o in outputs if o.dtype == "float64"):
            if len(weights) <= i:
                weights.append(rng.uniform(0.5, 1.5, output.shape))
            total = total + (output * weights[i]).sum()
        return total

    loss(*(_core.tensor(a) for a in arrays))
    _, gradients = ax.value_and_grad(loss, argnums=floating)(*(_core.tensor(a) for a in arrays))
    for i, gradient in zip(floating, as_list(gradients), strict=True):
        gradient = np.asarray(gradient)
        assert gradient.shape == arrays[i].shape
        chosen = rng.permutation(arrays[i].size)[:ELEMENTS_DIFFERENTIATED]
        numeric = []
        for element in chosen:
            ends = []
            for sign in (1, -1):
                moved = [a.copy() for a in arrays]
                moved[i].reshape(-1)[element] += sign * FINITE_DIFFERENCE_STEP
                ends.append(float(loss(*(_core.tensor(a) for a in moved))))
            numeric.append((ends[0] - ends[1]) / (2 * FINITE_DIFFERENCE_STEP))
        # Truncation is about step^2 = 1e-10, rounding eps * |loss| / step with |loss| up to 1e4.
        scale = 1 + abs(ends[0])
        np.testing.assert_allclose(
            gradient.reshape(-1)[chosen], numeric, rtol=1e-6, atol=1e-8 * scale
        )


@pytest.mark.parametrize(("name", "bad"), [(c.name, bad) for c in CASES.values() for bad in c.bad])
@pytest.mark.parametrize("device", COMPUTING_DEVICES)
def test_bad_input_raises_a_typed_error(name: str, bad: Bad, device: str) -> None:
    rng = np.random.default_rng(0)
    arrays = [make_array(arg, "float32", rng) for arg in bad.args]
    with ax.device(device), pytest.raises(getattr(ax.errors, bad.error), match=bad.match):
        _core.apply(name, arrays, dict(bad.attrs))


def test_table_covers_every_op() -> None:
    assert set(RECORDS) - NOT_IN_TABLE == set(CASES)


@pytest.mark.parametrize("name", sorted(RECORDS))
def test_unknown_attribute_is_refused_by_name(name: str) -> None:
    with pytest.raises(ax.errors.InvalidArgumentError, match="no_such_attribute"):
        _core.apply(name, [np.zeros((2, 2), np.float32)] * 2, {"no_such_attribute": 1})


@pytest.mark.parametrize("name", ["exp", "tanh", "log", "sigmoid", "softplus", "rsqrt", "erf"])
def test_second_derivative(name: str) -> None:
    function = getattr(ax.ops, name)
    first = ax.grad(lambda x: function(x).sum())
    second = ax.grad(lambda x: first(x).sum())
    x = np.array([0.3, 0.9, 1.7])
    step = 1e-5
    ends = [np.asarray(first(_core.tensor(x + s * step))) for s in (1, -1)]
    numeric = (ends[0] - ends[1]) / (2 * step)
    np.testing.assert_allclose(np.asarray(second(_core.tensor(x))), numeric, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("axis", [None, 1, (0, 2)])
def test_second_derivative_of_a_product_that_is_zero(axis: Any) -> None:
    x = np.random.default_rng(0).normal(size=(2, 3, 2))
    x[0, 1] = x[1, 2, 0] = x[0, 2, 1] = 0
    direction = np.random.default_rng(1).normal(size=x.shape)

    def slope(x: Any) -> Any:
        first = ax.grad(
            lambda v: (ax.ops.prod(v, axis=axis) ** 2 + ax.ops.prod(v, axis=axis)).sum()
        )
        return (first(x) * direction).sum()

    got = np.asarray(ax.grad(slope)(_core.tensor(x)))
    step = 1e-5
    for element in np.ndindex(x.shape):
        moved = np.zeros_like(x)
        moved[element] = step
        ends = [float(slope(_core.tensor(x + sign * moved))) for sign in (1, -1)]
        np.testing.assert_allclose(got[element], (ends[0] - ends[1]) / (2 * step), atol=1e-6)


def test_second_derivative_through_convolution() -> None:
    rng = np.random.default_rng(0)
    x, w = rng.normal(size=(1, 4, 4, 2)), rng.normal(size=(2, 2, 2, 3))
    direction = rng.normal(size=w.shape)

    def slope(w: Any) -> Any:
        inner = ax.grad(lambda v: (ax.ops.conv2d(_core.tensor(x), v) ** 3).sum())
        return (inner(w) * direction).sum()

    got = np.asarray(ax.grad(slope)(_core.tensor(w)))
    step = 1e-5
    for element in rng.permutation(w.size)[:6]:
        ends = []
        for sign in (1, -1):
            moved = w.copy()
            moved.reshape(-1)[element] += sign * step
            ends.append(float(slope(_core.tensor(moved))))
        numeric = (ends[0] - ends[1]) / (2 * step)
        assert got.reshape(-1)[element] == pytest.approx(numeric, rel=1e-5)
