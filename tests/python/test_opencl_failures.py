"""OpenCL calls that fail: typed errors, weights of a known epoch, training goes on elsewhere.

A process of its own has `plugins/opencl_stand_in.c` in the place of the OpenCL loader, which fails
calls as it is told to. Functions named ``child_...`` run there.
"""

from __future__ import annotations

import ctypes
import gc
import os
import resource
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from test_opencl import DEVICE, missing

import addax as ax
from addax import _core

LIBRARY = "ADDAX_OPENCL_LIBRARY"

OUT_OF_MEMORY = -4
OUT_OF_RESOURCES = -5
BUILD_FAILURE = -11
DEVICE_NOT_AVAILABLE = -2
NVIDIA_FAULT = -9999

pytestmark = pytest.mark.skipif(bool(reason := missing()), reason=f"NO OPENCL DEVICE: {reason}")

FAILURES = (ax.errors.OutOfMemoryError, ax.errors.DeviceError)

Run = Callable[..., Any]


@pytest.fixture(scope="module")
def in_child(opencl_stand_in: Path) -> Iterator[Run]:
    """Calls a function in the process whose OpenCL fails on demand."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(LIBRARY, str(opencl_stand_in))
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            yield lambda *call: pool.submit(and_mend, *call).result()


# ---- In the child.


def shim() -> ctypes.CDLL:
    return ctypes.CDLL(os.environ[LIBRARY])


def fail_from(function: str, nth: int, code: int) -> None:
    shim().fail_from(function.encode(), ctypes.c_long(nth), code)


def mend() -> int:
    """No call fails any more; how many did."""
    struck: int = shim().failed()
    fail_from("", 0, 0)
    return struck


def and_mend(function: Callable[..., Any], *arguments: Any) -> Any:
    try:
        return function(*arguments)
    except pytest.fail.Exception as failure:  # which cannot be sent to the parent
        raise AssertionError(str(failure)) from None
    finally:
        mend()


def alive() -> dict[str, int]:
    """OpenCL objects by the functions that make and release them."""
    pairs = {
        "clCreateBuffer": "clReleaseMemObject",
        "clCreateKernel": "clReleaseKernel",
        "clCreateCommandQueue": "clReleaseCommandQueue",
    }
    count = shim().successes
    count.restype = ctypes.c_long
    return {made: count(made.encode()) - count(end.encode()) for made, end in pairs.items()}


X = np.random.default_rng(0).random((20, 6), dtype=np.float32)
Y = np.arange(20) % 3


def network(device: str = DEVICE) -> Any:
    ax.random.set_seed(3)
    layers = ax.layers
    model = ax.Sequential(
        [ax.Input((6,)), layers.Dense(8, activation="relu"), layers.Dropout(0.2), layers.Dense(3)]
    )
    compile_for(model, device)
    return model


def compile_for(model: Any, device: str) -> None:
    model.compile("adam", ax.losses.SparseCategoricalCrossentropy(from_logits=True), device=device)


def train(model: Any, epochs: int = 1, **more: Any) -> None:
    model.fit(X, Y, batch_size=8, epochs=epochs, verbose=0, **more)


def same(left: list[np.ndarray], right: list[np.ndarray]) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(left, right, strict=True))


def goes_on(model: Any) -> None:
    """Training on the CPU, from the weights that the model has."""
    compile_for(model, "cpu")
    weights = model.get_weights()
    train(model)
    assert all(np.all(np.isfinite(weight)) for weight in model.get_weights())
    assert not same(weights, model.get_weights())


def child_fit_fails(function: str, code: int, kind: type[Exception]) -> int:
    """Fail from the n-th call on, for n = 1, 2, ... until the second epoch gets through."""
    model = network()
    train(model)
    train(model)
    after = model.get_weights()
    tries, nth = 0, 1
    while True:
        model = network()
        train(model)
        before, slots = model.get_weights(), [v.numpy() for v in model.optimizer.variables]
        _core.trim_memory()
        fail_from(function, nth, code)
        error: Exception | None = None
        try:
            train(model)
        except ax.errors.AddaxError as failure:
            error = failure
        if mend() == 0:
            assert error is None
            return tries
        assert isinstance(error, kind), f"{function}, call {nth}: {error!r}"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            weights = model.get_weights()
            if "before this epoch" in str(error) or not same(weights, after):
                assert same(weights, before)
                if "is lost" not in str(error):
                    assert same(slots, [v.numpy() for v in model.optimizer.variables])
            goes_on(model)
        tries, nth = tries + 1, nth + 1 + nth // 4


def child_everything_fails(function: str, code: int) -> int:
    """The same for a model's whole life; what fails before there are weights loses none."""
    tries, nth = 0, 1
    while True:
        _core.trim_memory()
        fail_from(function, nth, code)
        error: Exception | None = None
        try:
            model = network()
            train(model)
            model.predict(X, verbose=0)
        except FAILURES as failure:
            error = failure
        if mend() == 0:
            assert error is None
            return tries
        assert error is not None, f"{function}, call {nth}: the failure is not told"
        assert "[" in str(error)
        tries, nth = tries + 1, nth + 1 + nth // 4


class _LostAt(ax.callbacks.Callback):
    """Every call fails from the second batch of an epoch on."""

    def __init__(self, epoch: int, code: int) -> None:
        super().__init__()
        self.epoch, self.code, self.is_there = epoch, code, False
        self.weights: list[np.ndarray] = []

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.is_there = epoch == self.epoch
        if self.is_there:
            self.weights = self.model.get_weights()

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        if self.is_there and batch == 1:
            fail_from("cl", 1, self.code)


def child_lost_in_an_epoch(code: int) -> None:
    model = network()
    lost = _LostAt(2, code)
    with pytest.raises(FAILURES, match="device='cpu'"):
        train(model, epochs=4, callbacks=[lost])
    with pytest.warns(UserWarning, match="the last epoch that fit"):
        assert same(lost.weights, model.get_weights())
    goes_on(model)
    mend()


def child_lost_between_fits(code: int) -> None:
    model = network()
    train(model)
    weights = model.get_weights()
    fail_from("cl", 1, code)
    with pytest.raises(FAILURES):
        train(model)
    with pytest.warns(UserWarning, match="the last epoch that fit"):
        assert same(weights, model.get_weights())
    goes_on(model)
    mend()


def child_the_device_comes_back() -> None:
    """A device that works again goes on from the same weights."""
    model = network()
    lost = _LostAt(1, DEVICE_NOT_AVAILABLE)
    with pytest.raises(ax.errors.DeviceError):
        train(model, epochs=2, callbacks=[lost])
    mend()
    with pytest.warns(UserWarning, match="the last epoch that fit"):
        assert same(lost.weights, model.get_weights())
    train(model)
    assert not same(lost.weights, model.get_weights())


def child_a_kernel_does_not_compile() -> None:
    with ax.device(DEVICE):
        x = _core.tensor(np.zeros(3, np.float32))
        fail_from("clBuildProgram", 1, BUILD_FAILURE)
        with pytest.raises(
            ax.errors.DeviceError, match=r"\[\w+\] clBuildProgram failed: CL_BUILD_PROGRAM_FAILURE"
        ):
            ax.ops.tan(x)
        assert mend() > 0
        np.testing.assert_array_equal(np.asarray(ax.ops.tan(x)), np.zeros(3))


def child_cycles(count: int) -> tuple[dict[str, int], int]:
    """What is alive after cycles of making, training and dropping a model, and the peak in KiB."""
    for _ in range(count):
        model = network()
        train(model)
        del model
    gc.collect()
    _core.trim_memory()
    return alive(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


# ---- The tests.


@pytest.mark.parametrize(
    ("function", "code", "kind"),
    [
        ("clCreateBuffer", OUT_OF_MEMORY, ax.errors.OutOfMemoryError),
        ("clCreateBuffer", OUT_OF_RESOURCES, ax.errors.OutOfMemoryError),
        ("clSetKernelArg", OUT_OF_RESOURCES, ax.errors.DeviceError),
        ("clEnqueueNDRangeKernel", OUT_OF_MEMORY, ax.errors.OutOfMemoryError),
        ("clEnqueueWriteBuffer", OUT_OF_MEMORY, ax.errors.OutOfMemoryError),
        ("clEnqueueReadBuffer", OUT_OF_MEMORY, ax.errors.OutOfMemoryError),
        ("clEnqueue", DEVICE_NOT_AVAILABLE, ax.errors.DeviceError),
        ("clFlush", OUT_OF_RESOURCES, ax.errors.DeviceError),
        ("clFinish", OUT_OF_RESOURCES, ax.errors.DeviceError),
        ("clWaitForEvents", NVIDIA_FAULT, ax.errors.DeviceError),
    ],
)
def test_a_failure_in_fit_leaves_the_weights_of_an_epoch(
    in_child: Run, function: str, code: int, kind: type[Exception]
) -> None:
    assert in_child(child_fit_fails, function, code, kind) > 0


@pytest.mark.parametrize(
    ("function", "code"),
    [
        ("clCreateBuffer", OUT_OF_MEMORY),
        ("clCreateKernel", OUT_OF_RESOURCES),
        ("clEnqueue", NVIDIA_FAULT),
    ],
)
def test_no_failure_of_a_models_life_goes_untold(in_child: Run, function: str, code: int) -> None:
    assert in_child(child_everything_fails, function, code) > 5


@pytest.mark.parametrize("code", [OUT_OF_RESOURCES, DEVICE_NOT_AVAILABLE, NVIDIA_FAULT])
def test_a_lost_device_loses_at_most_an_epoch(in_child: Run, code: int) -> None:
    in_child(child_lost_between_fits, code)
    in_child(child_lost_in_an_epoch, code)


def test_a_device_that_comes_back_goes_on(in_child: Run) -> None:
    in_child(child_the_device_comes_back)


def test_a_kernel_that_does_not_compile_is_told_with_its_op(in_child: Run) -> None:
    in_child(child_a_kernel_does_not_compile)


def test_a_thousand_models_leave_memory_as_it_was(in_child: Run) -> None:
    in_child(child_cycles, 100)
    objects, peak = in_child(child_cycles, 100)
    later_objects, later_peak = in_child(child_cycles, 800)
    assert later_objects == objects
    assert later_peak - peak < 16 * 1024, "KiB of the host"
