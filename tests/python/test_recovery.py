"""The copies on the host that training makes: when, of what, and what becomes of them.

The CPU passes for a device with memory of its own here; `test_opencl_failures.py` has a real one.
"""

from __future__ import annotations

import itertools
import warnings
from typing import Any

import numpy as np
import pytest

import addax as ax
from addax import _core, host_copies
from addax.errors import DeviceError, OutOfMemoryError
from addax.host_copies import Keeper
from addax.training import recovery
from addax.training.recovery import Recovery

X = np.random.default_rng(0).random((20, 4), dtype=np.float32)
Y = X.sum(1, keepdims=True)


class Clock:
    """Time as it is told."""

    def __init__(self) -> None:
        self.now = 0.0

    def perf_counter(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(host_copies, "time", made)
    monkeypatch.setattr(recovery, "time", made)
    return made


@pytest.fixture
def own_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_core, "has_unified_memory", lambda name: False)


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The step counts of the copies that are made."""
    counts: list[int] = []
    keep = Keeper.keep

    def counted(self: Keeper, variables: Any, counter: _core.Variable) -> None:
        keep(self, variables, counter)
        counts.append(int(counter.numpy()))

    monkeypatch.setattr(Keeper, "keep", counted)
    return counts


def variables() -> tuple[_core.Variable, _core.Variable]:
    return _core.Variable([1.0], name="weight"), _core.Variable(0, name="count")


def model() -> Any:
    ax.random.set_seed(1)
    made = ax.Sequential([ax.Input((4,)), ax.layers.Dense(3), ax.layers.Dense(1)])
    made.compile("adam", "mse", metrics=["mae"])
    return made


# ---- When copies are made.


def test_devices_in_the_hosts_memory_copy_nothing(kept: list[int]) -> None:
    m = model()
    m.fit(X, Y, batch_size=8, epochs=2, verbose=0)
    for _ in range(3):
        m.train_on_batch(X, Y)
    assert kept == []


@pytest.mark.usefixtures("own_memory")
def test_fit_copies_around_epochs_and_after_the_first_step(
    kept: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Keeper, "share", 1e-30)
    m = model()
    m.fit(X, Y, batch_size=5, epochs=3, verbose=0)
    # Of new variables at first, without a report on the epoch, and with it.
    assert kept == [0, 0, 1, 4, 4, 8, 8, 12]
    kept.clear()
    for _ in range(3):
        m.train_on_batch(X, Y)
    assert kept == [], "what is copied already need not be at once"


@pytest.mark.usefixtures("own_memory")
def test_single_batches_copy_before_and_after_the_first(
    kept: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Keeper, "share", 1e-30)
    m = model()
    for _ in range(4):
        m.train_on_batch(X, Y)
    assert kept == [0, 1]
    monkeypatch.setattr(Keeper, "share", float("inf"))
    for _ in range(2):
        m.train_on_batch(X, Y)
    assert kept == [0, 1, 5, 6]


def test_copies_take_their_share_of_the_time(
    clock: Clock, own_memory: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Copying takes 1 s, a step 2 s: of 50 s for a copy, 25 steps are one."""
    keep_copies = host_copies._Copy

    def slow(*arguments: Any) -> Any:
        clock.now += 0.5  # for each of two variables
        return keep_copies(*arguments)

    monkeypatch.setattr(host_copies, "_Copy", slow)
    weight, count = variables()
    watching = Recovery()
    watching.watch(lambda: [weight, count], count)
    windows, moments = [], []

    def run(steps: int) -> None:
        clock.now += 2.0 * steps
        count.assign_add(steps)

    while int(count.numpy()) < 100:
        windows.append(watching.window(100 - int(count.numpy())))
        watching.take(windows[-1], run)
        moments.append(watching._keeper.moment)
    assert windows == [1, 25, 25, 25, 24]
    assert moments == [f"as after {steps} steps" for steps in (1, 26, 51, 76, 76)]


# ---- What they are worth.


def test_copies_of_some_are_of_no_use_to_others() -> None:
    weight, count = variables()
    keeper = Keeper()
    keeper.keep([weight, count], count)
    assert keeper.holds([weight]) and keeper.holds([weight, count])
    assert not keeper.holds([weight, variables()[0]])


def test_what_is_assigned_is_copied() -> None:
    weight, count = variables()
    keeper = Keeper()
    keeper.keep([weight, count], count)
    host_copies.assign(weight, [5.0])
    assert keeper.value(weight).tolist() == [5.0]
    assert keeper.is_altered


def test_lost_variables_are_read_from_the_copies_until_they_are_back() -> None:
    weight, count = variables()
    keeper = Keeper()
    keeper.keep([weight, count], count)
    weight.assign([2.0])
    keeper.lose()
    with pytest.warns(UserWarning, match=r"cpu:0 has failed: what lay there is as after 0 steps"):
        assert host_copies.value_of(weight).tolist() == [1.0]
    host_copies.heal([weight])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert host_copies.value_of(weight).tolist() == [1.0]


def test_what_is_assigned_to_a_lost_variable_stays() -> None:
    weight, count = variables()
    keeper = Keeper()
    keeper.keep([weight, count], count)
    keeper.lose()
    host_copies.assign(weight, [3.0])
    weight.assign([4.0])
    host_copies.heal([weight, count])
    assert weight.numpy().tolist() == [4.0]


def failure(kind: type[Any], step: int | None) -> Exception:
    error: Exception = kind("[x:0] failed")
    error.step = step  # type: ignore[attr-defined]
    return error


@pytest.mark.usefixtures("own_memory")
@pytest.mark.parametrize("kind", [DeviceError, OutOfMemoryError])
@pytest.mark.parametrize(
    ("step", "again", "left"),
    [
        (None, True, 6),  # it had not begun
        (2, True, 8),  # the four since the copies and two of its own are taken again
        (2, False, 2),  # the copies, for nobody can
    ],
)
def test_a_run_that_fails_leaves_a_completed_step(
    kind: type[Exception], step: int | None, again: bool, left: int
) -> None:
    _, count = variables()
    count.assign(2)
    watching = Recovery()

    def run(steps: int) -> None:
        count.assign_add(steps)

    def fail(_: int) -> None:
        count.assign_add(0 if step is None else 99)
        raise failure(kind, step)

    def begin_and_fail() -> None:
        with watching.explained():
            watching.watch(lambda: [count], count)
            watching._has_stepped = True
            watching._keeper.share = 1e-30
            watching.take(4, run)
            watching.take(5, fail, run if again else None)

    with pytest.raises(kind, match=rf"\[x:0\] failed; .* are as after {left} steps"):
        begin_and_fail()
    assert int(count.numpy()) == left


@pytest.mark.parametrize(
    ("step", "told"), [(None, "are as after 0 steps"), (0, "weights may be half updated")]
)
def test_an_error_in_the_hosts_memory_says_whether_a_step_was_begun(
    step: int | None, told: str
) -> None:
    _, count = variables()
    watching = Recovery()

    def fail(_: int) -> None:
        raise failure(OutOfMemoryError, step)

    def begin_and_fail() -> None:
        with watching.explained():
            watching.watch(lambda: [count], count)
            watching.take(1, fail)

    with pytest.raises(OutOfMemoryError, match=told):
        begin_and_fail()


# ---- The way on.


def test_compile_with_a_device_alone_goes_on_as_compiled() -> None:
    m, undisturbed = model(), model()
    for each in (m, undisturbed):
        ax.random.set_seed(2)
        each.fit(X, Y, batch_size=8, verbose=0)
    optimizer = m.optimizer
    ax.random.set_seed(3)
    m.compile(device="cpu")
    assert m.optimizer is optimizer and m.loss == "mse"
    curves = []
    for each in (m, undisturbed):
        ax.random.set_seed(3)
        curves.append(each.fit(X, Y, batch_size=8, epochs=2, verbose=0).history)
    assert curves[0] == curves[1] and "mae" in curves[0]


def test_a_loss_in_the_middle_of_copying_leaves_the_copies_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    weight, count = variables()
    keeper = Keeper()
    keeper.keep([weight, count], count)
    weight.assign([2.0])
    count.assign(1)
    copies = itertools.count()
    made = host_copies._Copy

    def lost_at_the_second(*arguments: Any) -> Any:
        if next(copies) == 1:
            raise DeviceError("lost")
        return made(*arguments)

    monkeypatch.setattr(host_copies, "_Copy", lost_at_the_second)
    with pytest.raises(DeviceError):
        keeper.keep([weight, count], count)
    assert keeper.value(weight).tolist() == [1.0] and keeper.moment == "as after 0 steps"
