"""The thread contract: tensors are shared freely, runs that update a variable wait for each other,
a trace belongs to its thread."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from addax import _core
from addax.errors import InvalidArgumentError, TracedValueError


def in_threads(n: int, work: Callable[[int], object]) -> list[object]:
    """`work(0)` ... `work(n - 1)`, started together, each on a thread of its own."""
    gate = threading.Barrier(n)

    def start(i: int) -> object:
        gate.wait()
        return work(i)

    with ThreadPoolExecutor(n) as pool:
        return list(pool.map(start, range(n), timeout=120))


def test_eager_ops_on_shared_tensors() -> None:
    x = _core.tensor(np.arange(20_000, dtype=np.float32))

    def work(i: int) -> bool:
        return all(
            np.array_equal((x * k + i).numpy(), x.numpy() * np.float32(k) + np.float32(i))
            for k in range(50)
        )

    assert all(in_threads(4, work))


def test_programs_compiled_by_several_threads_at_once() -> None:
    def work(i: int) -> bool:
        results = [(_core.tensor(np.ones(n + 1, np.float32)) + 1).sum().item() for n in range(40)]
        return results == [2 * (n + 1) for n in range(40)]

    assert all(in_threads(4, work))


def test_one_program_in_several_threads() -> None:
    weights = _core.Variable(np.arange(12, dtype=np.float32).reshape(3, 4))
    with _core.Trace("predict") as trace:
        x = trace.input((2, 3))
        y = x @ weights
    predict = trace.finish([y])

    def work(i: int) -> bool:
        inputs = np.full((2, 3), i, np.float32)
        want = inputs @ np.arange(12, dtype=np.float32).reshape(3, 4)
        return all(np.array_equal(predict.run([inputs])[0].numpy(), want) for _ in range(200))

    assert all(in_threads(4, work))


def test_updates_are_whole() -> None:
    v = _core.Variable(np.zeros(5000, np.float32))
    with _core.Trace("count") as trace:
        v.assign_add(np.ones(5000, np.float32))
    count = trace.finish([])

    def work(i: int) -> bool:
        if i < 2:
            for _ in range(100):
                count.run([])
            return True
        return all((snapshot := v.numpy()).min() == snapshot.max() for _ in range(200))

    assert all(in_threads(4, work))
    assert (v.numpy() == 200).all()


def test_waiting_for_a_variable_lets_the_run_call_back() -> None:
    """The reader waits for the variable, and the run for the reader to let its callback in."""
    v = _core.Variable(np.zeros(200_000, np.float32))
    with _core.Trace("count") as trace:
        v.assign_add(np.ones(200_000, np.float32))
    count = trace.finish([])
    started = threading.Event()
    calls: list[int] = []

    def progress(steps: int) -> None:
        calls.append(steps)
        started.set()

    run = threading.Thread(target=lambda: count.run_steps([], 8000, progress, 0.005))
    run.start()
    assert started.wait(60)
    assert v.numpy()[0] == 8000  # after the run
    v.assign_add(1)
    assert (v + 1)[0].item() == 8002
    run.join(60)
    assert not run.is_alive() and len(calls) > 1


def test_traces_are_per_thread() -> None:
    with _core.Trace("main") as trace:
        x = trace.input((2,))

        def work(i: int) -> bool:
            if _core.is_tracing():
                return False
            with pytest.raises(TracedValueError):
                x + 1
            with _core.Trace(f"thread{i}") as own:
                y = own.input((2,)) * (i + 1)
            return own.finish([y]).run([[1.0, 1.0]])[0].tolist() == [i + 1] * 2

        assert all(in_threads(4, work))
        y = x + 1
    assert trace.finish([y]).run([[1.0, 2.0]])[0].tolist() == [2, 3]


def test_a_trace_is_closed_where_it_was_opened() -> None:
    trace = _core.Trace("f")
    trace.__enter__()

    def close(_: int) -> bool:
        with pytest.raises(InvalidArgumentError, match="thread"):
            trace.__exit__(None, None, None)
        return True

    assert all(in_threads(1, close))
    trace.__exit__(None, None, None)


def test_tensors_may_be_dropped_by_any_thread() -> None:
    arrays = [np.full(1000, i, np.float32) for i in range(100)]
    shared = [_core.share(array) for array in arrays]

    def drop(_: int) -> None:
        while True:
            try:
                shared.pop()
            except IndexError:
                return

    in_threads(4, drop)
    assert not shared and all((array == i).all() for i, array in enumerate(arrays))
