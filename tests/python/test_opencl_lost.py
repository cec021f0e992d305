"""OpenCL devices that are lost: what is left of the training, and that it goes on elsewhere."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from test_opencl import DEVICE, missing
from test_opencl_failures import (
    DEVICE_NOT_AVAILABLE,
    FAILURES,
    LOST,
    NVIDIA_FAULT,
    OUT_OF_RESOURCES,
    Run,
    X,
    Y,
    assert_left,
    copying,
    fail_from,
    goes_on,
    mend,
    network,
    same,
    state,
    state_after_batches,
    states,
    told_steps,
    train,
    train_batches,
)

import addax as ax
from addax import _core

pytestmark = pytest.mark.skipif(bool(reason := missing()), reason=f"NO OPENCL DEVICE: {reason}")


# ---- In the child.


class _LostAt(ax.callbacks.Callback):
    """Every call fails from the second batch of an epoch on."""

    def __init__(self, epoch: int, code: int) -> None:
        super().__init__()
        self.epoch, self.code, self.is_there = epoch, code, False

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.is_there = epoch == self.epoch

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        if self.is_there and batch == 1:
            fail_from("cl", 1, self.code)


def child_lost_in_an_epoch(code: int, share: float) -> str:
    """Lose the device after four steps; what the error tells."""
    with copying(share):
        model = network()
        with pytest.raises(FAILURES, match=LOST) as caught:
            train(model, epochs=3, callbacks=[_LostAt(1, code)])
        with pytest.warns(UserWarning, match="opencl:0 has failed: .* as after 4 steps"):
            assert_left(caught.value, model, states())
        goes_on(model)
        mend()
    return str(caught.value)


def child_lost_between_fits(code: int) -> None:
    expected = states()
    model = network()
    train(model)
    fail_from("cl", 1, code)
    with pytest.raises(FAILURES, match=r"is lost, .* as after 3 steps"):
        train(model)
    with pytest.warns(UserWarning, match="as after 3 steps"):
        assert same(expected[3], state(model))
    goes_on(model)
    mend()


class _LostInValidation(ax.callbacks.Callback):
    """Every call fails from the second epoch's validation on."""

    def __init__(self, code: int) -> None:
        super().__init__()
        self.code, self.epochs = code, 0

    def on_test_begin(self, logs: Any = None) -> None:
        self.epochs += 1
        if self.epochs == 2:
            fail_from("cl", 1, self.code)


def child_lost_in_validation(code: int, is_nested: bool) -> str:
    """What the error tells; where nested, a callback's own evaluation amid the epoch fails."""

    class Evaluation(ax.callbacks.Callback):
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            self.model.evaluate(X, Y, batch_size=8, verbose=0, callbacks=[lost])

    lost = _LostInValidation(code)
    model = network()
    with copying(0.0), pytest.raises(FAILURES, match=LOST) as caught:
        if is_nested:
            train(model, callbacks=[Evaluation()])
        else:
            train(model, epochs=2, validation_data=(X, Y), callbacks=[lost])
    with pytest.warns(UserWarning, match="opencl:0 has failed"):
        assert_left(caught.value, model, states())
    goes_on(model)
    mend()
    return str(caught.value)


def child_lost_between_batches(code: int, share: float) -> str:
    expected = [state_after_batches(count) for count in range(4)]
    with copying(share):
        model = network()
        train_batches(model, 3)
        fail_from("cl", 1, code)
        with pytest.raises(FAILURES, match=LOST) as caught:
            train_batches(model, 1)
        with pytest.warns(UserWarning, match="as after 3 steps"):
            assert_left(caught.value, model, expected)
        goes_on(model)
        mend()
    return str(caught.value)


def child_loss_is_seen_in_the_weights(code: int) -> None:
    """Nobody has been told of it yet; samples that were overwritten since are of no matter."""
    expected = state_after_batches(3)
    with copying(0.0):
        model = network()
        samples, labels = X.copy(), Y.copy()
        for begin, end in ((0, 4), (4, 8), (8, 13)):
            model.train_on_batch(samples[begin:end], labels[begin:end])
        samples[:], labels[:] = 0, 0
        fail_from("cl", 1, code)
        with pytest.warns(UserWarning, match="as after 3 steps, the last 2 of them taken again on"):
            left = state(model)
        for got, want in zip(left, expected, strict=True):
            np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-6)
        goes_on(model)


def child_lost_while_copying(code: int) -> int:
    """Reading fails from the n-th time on: never is a part of one step's state beside another's."""
    expected = states()
    nth = 0
    with copying(float("inf")):
        while True:
            nth += 1
            model = network()
            train(model)
            fail_from("clEnqueueReadBuffer", nth, code)
            try:
                train(model)
            except FAILURES as error:
                assert mend() > 0
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    assert_left(error, model, expected)
            else:
                assert mend() == 0
                return nth


def child_goes_on_as_if_resumed(folder: str, code: int) -> None:
    """The curve after a loss is that of a CPU's model which has loaded what was left."""
    path = f"{folder}/left.safetensors"
    model = network()
    with pytest.raises(FAILURES):
        train(model, epochs=3, callbacks=[_LostAt(2, code)])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.save_weights(path)
        model.compile(device="cpu")
    lost = model.fit(X, Y, batch_size=8, epochs=4, verbose=0).history
    mend()
    other = network("cpu")
    other.load_weights(path)
    resumed = other.fit(X, Y, batch_size=8, epochs=4, verbose=0).history
    assert lost == resumed
    assert same(state(model), state(other))
    assert int(model.optimizer.iterations.numpy()) > 12


def child_the_device_comes_back() -> None:
    """A device that works again goes on from the same state."""
    model = network()
    with pytest.raises(ax.errors.DeviceError) as caught:
        train(model, epochs=2, callbacks=[_LostAt(1, DEVICE_NOT_AVAILABLE)])
    mend()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert_left(caught.value, model, states())
        left = state(model)
        train(model)
        assert not same(left, state(model))
        assert int(model.optimizer.iterations.numpy()) == told_steps(caught.value) + 3
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        state(model)


def child_other_devices_do_not_need_it(code: int) -> None:
    """A variable of another device takes arrays while this one, which is the default, is lost."""
    weight = _core.Variable(np.zeros(3, np.float32), name="weight", device="cpu:0")
    with ax.device(DEVICE):
        fail_from("cl", 1, code)
        weight.assign(np.ones(3, np.float32))
        assert mend() == 0
    np.testing.assert_array_equal(weight.numpy(), np.ones(3))


# ---- The tests.


@pytest.mark.parametrize("code", [OUT_OF_RESOURCES, DEVICE_NOT_AVAILABLE, NVIDIA_FAULT])
def test_a_lost_device_leaves_the_last_completed_step(in_child: Run, code: int) -> None:
    in_child(child_lost_between_fits, code)
    assert "the last 1 of them taken again on cpu:0" in in_child(child_lost_in_an_epoch, code, 0.0)
    assert "again" not in in_child(child_lost_in_an_epoch, code, float("inf"))
    lost = in_child(child_lost_between_batches, code, 0.0)
    assert "the last 2 of them taken again on cpu:0" in lost
    assert "again" not in in_child(child_lost_between_batches, code, float("inf"))


def test_a_loss_that_is_seen_in_the_weights_leaves_the_last_step(in_child: Run) -> None:
    in_child(child_loss_is_seen_in_the_weights, DEVICE_NOT_AVAILABLE)


def test_a_loss_in_validation_tells_what_is_left_of_training(in_child: Run) -> None:
    told = in_child(child_lost_in_validation, DEVICE_NOT_AVAILABLE, False)
    assert "as after 6 steps: model.compile" in told
    told = in_child(child_lost_in_validation, DEVICE_NOT_AVAILABLE, True)
    assert told.count("as after 2 steps, the last 1 of them taken again") == 1


def test_a_device_lost_while_it_is_copied_leaves_the_copies_before(in_child: Run) -> None:
    assert in_child(child_lost_while_copying, DEVICE_NOT_AVAILABLE) > 10


def test_training_after_a_loss_is_as_if_resumed(in_child: Run, tmp_path: Path) -> None:
    in_child(child_goes_on_as_if_resumed, str(tmp_path), DEVICE_NOT_AVAILABLE)


def test_a_device_that_comes_back_goes_on(in_child: Run) -> None:
    in_child(child_the_device_comes_back)


def test_a_lost_default_device_is_not_needed_elsewhere(in_child: Run) -> None:
    in_child(child_other_devices_do_not_need_it, DEVICE_NOT_AVAILABLE)
