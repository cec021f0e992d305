"""OpenCL calls that fail: typed errors, the state of a completed step, training goes on elsewhere.

A process of its own has `plugins/opencl_stand_in.c` in the place of the OpenCL loader, which fails
calls as it is told to. Functions named ``child_...`` run there.
"""

from __future__ import annotations

import ctypes
import functools
import gc
import os
import re
import resource
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
from test_opencl import DEVICE, missing

import addax as ax
from addax import _core, host_copies

LIBRARY = "ADDAX_OPENCL_LIBRARY"

OUT_OF_MEMORY, OUT_OF_RESOURCES, BUILD_FAILURE = -4, -5, -11
DEVICE_NOT_AVAILABLE, NVIDIA_FAULT = -2, -9999

pytestmark = pytest.mark.skipif(bool(reason := missing()), reason=f"NO OPENCL DEVICE: {reason}")

FAILURES = (ax.errors.OutOfMemoryError, ax.errors.DeviceError)

LOST = r"opencl:0 (is lost|has no memory to repair that), .*compile\(device='cpu'\)"

Run = Callable[..., Any]


# ---- In the child.


def shim() -> ctypes.CDLL:
    return ctypes.CDLL(os.environ[LIBRARY])


def fail_from(function: str, nth: int, code: int, times: int = 1 << 60) -> None:
    shim().fail_from(function.encode(), ctypes.c_long(nth), code, ctypes.c_long(times))


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


def assert_left(error: Exception, model: Any, expected: list[list[np.ndarray]]) -> None:
    """The state is that of the step that the error tells of.

    The same numbers, unless the CPU has taken some steps again: it rounds otherwise.
    """
    left, wanted = state(model), expected[told_steps(error)]
    if "taken again" not in str(error):
        assert same(left, wanted)
    for got, want in zip(left, wanted, strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-6)


def state(model: Any) -> list[np.ndarray]:
    """Weights, the optimizer's counter, rate and slots: as the device has them, or the copies."""
    return host_copies.values_of([*model.weights, *model.optimizer.variables])


class _States(ax.callbacks.Callback):
    """The states before the first step and after each."""

    def __init__(self) -> None:
        super().__init__()
        self.states: list[list[np.ndarray]] = []

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.states.append(state(self.model))


@functools.cache
def states(epochs: int = 3) -> list[list[np.ndarray]]:
    """The states after 0, 1, 2, ... steps of undisturbed training."""
    model = network()
    seen = _States()
    train(model, epochs=epochs, callbacks=[seen])
    return [[], *seen.states]


def told_steps(error: Exception) -> int:
    """The number of steps that the error says the state is that of."""
    found = re.search(r"as after (\d+) steps", str(error))
    assert found is not None, f"the error does not tell what is left: {error!r}"
    return int(found[1])


def goes_on(model: Any) -> None:
    """Training on the CPU, from the state that the model has."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        left = state(model)
        model.compile(device="cpu")
        assert same(left, state(model))
    weights = model.get_weights()
    train(model)
    assert all(np.all(np.isfinite(weight)) for weight in model.get_weights())
    assert not same(weights, model.get_weights())


def child_fit_fails(function: str, code: int, kind: type[Exception], share: float) -> int:
    """Fail from the n-th call on, for n = 1, 2, ... until the second epoch gets through.

    The state that is left is that of a completed step, as the error says of which.
    """
    expected = states()
    tries, nth = 0, 1
    with copying(share):
        while True:
            model = network()
            train(model)
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
                assert told_steps(error) >= 3
                assert_left(error, model, expected)
            goes_on(model)
            tries, nth = tries + 1, nth + 1 + nth // 4


def child_batches_fail(function: str, code: int, share: float) -> set[int]:
    """Fail so in the third single batch; how many steps behind it what is left was."""
    behind: set[int] = set()
    expected = [state_after_batches(count) for count in range(4)]
    nth = 1
    with copying(share):
        while True:
            model = network()
            train_batches(model, 2)
            _core.trim_memory()
            fail_from(function, nth, code)
            error: Exception | None = None
            try:
                train_batches(model, 1, first=2)
            except ax.errors.AddaxError as failure:
                error = failure
            if mend() == 0:
                assert error is None
                return behind
            assert error is not None, f"{function}, call {nth}: the failure is not told"
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                assert_left(error, model, expected)
            behind.add(2 - told_steps(error))
            goes_on(model)
            nth += 1 + nth // 4


def train_batches(model: Any, count: int, first: int = 0) -> None:
    for index in range(first, first + count):
        begin = 4 * index
        # The third is of another size: its program is compiled for it.
        size = 4 if index < 2 else 5
        model.train_on_batch(X[begin : begin + size], Y[begin : begin + size])


def state_after_batches(count: int) -> list[np.ndarray]:
    model = network()
    train_batches(model, count)
    return state(model) if count else []


@contextmanager
def copying(share: float) -> Iterator[None]:
    """Copies are made after every step (share inf), or but where they always are (0)."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(host_copies.Keeper, "share", share or 1e-30)
        yield


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


def child_a_single_launch_fails() -> int:
    """The device works on at once: nothing of what it has done is lost."""
    expected = states()
    nth = 0
    with copying(0.0):
        while True:
            nth += 7
            model = network()
            train(model)
            seen = _States()
            fail_from("clEnqueueNDRangeKernel", nth, OUT_OF_MEMORY, times=1)
            try:
                train(model, callbacks=[seen])
            except ax.errors.OutOfMemoryError as error:
                assert mend() == 1
                assert told_steps(error) - 3 - len(seen.states) in (0, 1), "1: in the report on it"
                assert same(state(model), expected[told_steps(error)])
            else:
                assert mend() == 0
                return nth


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


def child_auto_does_without(function: str, code: int) -> None:
    """The default device fails, in making the weights or in compiling the step: the CPU does it."""
    for makes_weights in (False, True):
        with ax.device(DEVICE):
            ax.random.set_seed(3)
            model = ax.Sequential(
                [*([] if makes_weights else [ax.Input((6,))]), ax.layers.Dense(3)]
            )
            model.compile("adam", "mse", device="auto")
            fail_from(function, 1, code)
            assert model.fit(X, np.zeros((20, 3)), verbose=0).history["loss"][0] > 0
            assert mend() > 0
        assert model.device_choice.device == "cpu:0"
        assert function in model.device_choice.left_out[DEVICE]
        assert f"{DEVICE} is left out: [" in str(model.device_choice)
        assert all(weight.device == "cpu:0" for weight in model.weights)


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


@pytest.mark.parametrize("share", [0.0, float("inf")])
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
def test_a_failure_in_fit_leaves_the_state_of_a_completed_step(
    in_child: Run, function: str, code: int, kind: type[Exception], share: float
) -> None:
    assert in_child(child_fit_fails, function, code, kind, share) > 0


@pytest.mark.parametrize(
    ("function", "code"),
    [
        ("clCreateBuffer", OUT_OF_MEMORY),
        ("clCreateKernel", OUT_OF_RESOURCES),
    ],
)
def test_what_fails_before_a_step_leaves_the_last_ones_state(
    in_child: Run, function: str, code: int
) -> None:
    # Where the report fails after the step, what is left is even that step's.
    assert in_child(child_batches_fail, function, code, 0.0) <= {-1, 0}


@pytest.mark.parametrize("share", [0.0, float("inf")])
@pytest.mark.parametrize(
    ("function", "code"),
    [
        ("clEnqueueNDRangeKernel", OUT_OF_MEMORY),
        ("clEnqueue", DEVICE_NOT_AVAILABLE),
        ("clWaitForEvents", NVIDIA_FAULT),
    ],
)
def test_what_fails_within_a_step_leaves_the_last_ones_state(
    in_child: Run, function: str, code: int, share: float
) -> None:
    # Where the report fails after the step, what is left is even that step's.
    assert in_child(child_batches_fail, function, code, share) <= {-1, 0}


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


def test_where_a_device_works_on_the_steps_since_the_copies_are_repeated(in_child: Run) -> None:
    assert in_child(child_a_single_launch_fails) > 50


def test_a_kernel_that_does_not_compile_is_told_with_its_op(in_child: Run) -> None:
    in_child(child_a_kernel_does_not_compile)


@pytest.mark.parametrize(
    ("function", "code"), [("clCreateKernel", OUT_OF_RESOURCES), ("clCreateBuffer", OUT_OF_MEMORY)]
)
def test_auto_does_without_a_default_device_that_fails(
    in_child: Run, function: str, code: int
) -> None:
    in_child(child_auto_does_without, function, code)


def test_a_thousand_models_leave_memory_as_it_was(in_child: Run) -> None:
    in_child(child_cycles, 100)
    objects, peak = in_child(child_cycles, 100)
    later_objects, later_peak = in_child(child_cycles, 800)
    assert later_objects == objects
    assert later_peak - peak < 16 * 1024, "KiB of the host"
