"""The copies on the host that training makes: when, of what, and what becomes of them.

The CPU passes for a device with memory of its own here; `test_opencl_lost.py` has a real one.
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
from addax.redo_log import RedoLog, StandIns
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


class Counting:
    """Steps that do nothing but count."""

    bytes = 0

    def __init__(self, count: _core.Variable) -> None:
        self.count = count

    def __call__(self, steps: int) -> None:
        self.count.assign_add(steps)

    def redo(self, times: int, stand_ins: StandIns) -> None:
        stand_ins(self.count).assign_add(times)


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
        m.train_on_batch(X[:2], Y[:2])
    assert kept == [], "what is copied already need not be at once"


@pytest.mark.usefixtures("own_memory")
def test_single_batches_copy_before_and_after_the_first(
    kept: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Keeper, "share", 1e-30)
    m = model()
    for _ in range(4):
        m.train_on_batch(X[:2], Y[:2])
    assert kept == [0, 1]
    monkeypatch.setattr(Keeper, "share", float("inf"))
    for _ in range(2):
        m.train_on_batch(X[:2], Y[:2])
    assert kept == [0, 1, 5, 6]


@pytest.mark.usefixtures("own_memory")
def test_the_state_is_copied_before_more_samples_are_held_than_it_is_large(
    kept: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Keeper, "share", 1e-30)
    m = model()
    for _ in range(12):
        m.train_on_batch(X[:5], Y[:5])
    steps = m._recovery._keeper.bytes // (X[:5].nbytes + Y[:5].nbytes) + 1
    assert 1 < steps < 6
    assert kept == [0, *range(1, 13, steps)]


def test_copies_take_their_share_of_the_time(
    clock: Clock, own_memory: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Copying takes 1 s, a step 2 s: of 100 s for a copy, 50 steps are one."""
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

    while int(count.numpy()) < 150:
        windows.append(watching.window(150 - int(count.numpy())))
        watching.take(windows[-1], Counting(count), run)
        moments.append(watching._keeper.moment)
    assert windows == [1, 50, 50, 49]
    assert moments == [f"as after {steps} steps" for steps in (1, 51, 101, 101)]


# ---- What they are worth.


def test_copies_of_some_are_of_no_use_to_others() -> None:
    weight, count = variables()
    keeper = Keeper(RedoLog())
    keeper.keep([weight, count], count)
    assert keeper.holds([weight]) and keeper.holds([weight, count])
    assert not keeper.holds([weight, variables()[0]])


def test_what_is_assigned_is_so_again_in_its_turn() -> None:
    weight, count = variables()
    keeper = Keeper(log := RedoLog())
    keeper.keep([weight, count], count)
    count.assign_add(2)
    log.add(Counting(count), 2)
    host_copies.assign(count, 40)
    count.assign_add(2)
    log.add(Counting(count), 2)
    host_copies.assign(weight, [5.0])
    with pytest.warns(UserWarning, match="what was done since the last copies is done again"):
        keeper.lose()
    with pytest.warns(UserWarning, match=r"as after 42 steps, the last 42 of them taken again on"):
        assert host_copies.values_of([weight, count]) == [[5.0], 42]


@pytest.mark.usefixtures("own_memory")
def test_what_is_assigned_to_a_variable_itself_is_taken_down_before_the_next_step() -> None:
    weight, count = variables()
    watching, counting = Recovery(), Counting(count)
    watching.watch(lambda: [weight, count], count)
    watching._has_stepped = True
    watching._keeper.share = 1e-30
    watching.take(2, counting, counting)
    weight.assign([7.0])
    count.assign(10)
    watching.take(3, counting, counting)
    watching._keeper.put_back()
    assert (weight.tolist(), count.tolist()) == ([7.0], 13)
    watching.take(1, counting, counting)
    watching._keeper.put_back()
    assert (weight.tolist(), count.tolist()) == ([7.0], 14)


def test_what_was_assigned_is_kept_where_steps_cannot_be_taken_again() -> None:
    class Hopeless(Counting):
        def redo(self, times: int, stand_ins: StandIns) -> None:
            raise OutOfMemoryError("no memory")

    weight, count = variables()
    keeper = Keeper(log := RedoLog())
    keeper.keep([weight, count], count)
    host_copies.assign(weight, [5.0])
    log.add(Hopeless(count), 2)
    with pytest.warns(UserWarning, match="cannot be taken again on the CPU: no memory"):
        keeper.lose()
    with pytest.warns(UserWarning, match="as after 0 steps"):
        assert host_copies.values_of([weight, count]) == [[5.0], 0]


def test_lost_variables_are_read_from_the_copies_until_they_are_back() -> None:
    weight, count = variables()
    keeper = Keeper(RedoLog())
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
    keeper = Keeper(RedoLog())
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
    ("step", "left"),
    [
        (None, 6),  # it had not begun
        (2, 8),  # the four since the copies and two of its own are taken again
    ],
)
def test_a_run_that_fails_leaves_the_last_completed_step(
    kind: type[Exception], step: int | None, left: int
) -> None:
    _, count = variables()
    count.assign(2)
    watching, counting = Recovery(), Counting(count)

    def fail(_: int) -> None:
        count.assign_add(0 if step is None else 99)
        raise failure(kind, step)

    def begin_and_fail() -> None:
        with watching.explained():
            watching.watch(lambda: [count], count)
            watching._has_stepped = True
            watching._keeper.share = 1e-30
            watching.take(4, counting, counting)
            watching.take(5, counting, fail)

    with pytest.raises(kind, match=rf"\[x:0\] failed; .* are as after {left} steps"):
        begin_and_fail()
    assert int(count.numpy()) == left


@pytest.mark.usefixtures("own_memory")
def test_steps_of_a_run_that_was_interrupted_are_copied_before_the_next(kept: list[int]) -> None:
    _, count = variables()
    watching, counting = Recovery(), Counting(count)

    def interrupt(steps: int) -> None:
        count.assign_add(3)
        raise KeyboardInterrupt

    watching.watch(lambda: [count], count)
    with pytest.raises(KeyboardInterrupt):
        watching.take(5, counting, interrupt)
    watching.watch(lambda: [count], count)
    assert kept == [0, 3]


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
            watching.take(1, Counting(count), fail)

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
    keeper = Keeper(RedoLog())
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
