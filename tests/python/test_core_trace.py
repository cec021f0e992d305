"""Traces and executables: what is recorded, what is refused, how steps run."""

from __future__ import annotations

import os
import signal
import threading
import time

import numpy as np
import pytest

from addax import _core
from addax.errors import (
    DTypeError,
    InvalidArgumentError,
    OutOfRangeError,
    ShapeError,
    TracedValueError,
)


def counting(size: int = 1) -> tuple[_core.Variable, _core.Executable]:
    """A variable, and a program whose step adds one to it."""
    v = _core.Variable(np.zeros(size, np.float32), name="counter")
    with _core.Trace("count") as trace:
        v.assign_add(np.ones(size, np.float32))
    return v, trace.finish([])


def test_records_and_runs() -> None:
    with _core.Trace("f") as trace:
        x = trace.input((2, 3), "float32", "x")
        assert x.is_traced and x.shape == (2, 3) and x.dtype == "float32"
        assert repr(x) == "Tensor(traced, shape=(2, 3), dtype=float32)"
        y = (x * 2 + 1).sum(axis=1)
    program = trace.finish([y, x])
    total, same = program.run([np.ones((2, 3), np.float32)])
    assert total.tolist() == [9, 9] and same.tolist() == [[1, 1, 1]] * 2
    assert "graph f" in program.text() and "digraph" in program.dot()
    assert program.num_nodes >= 1 and program.device == "cpu:0" and program.flops > 0


def test_what_python_needs_to_know_of_a_traced_tensor_is_refused() -> None:
    with _core.Trace("f") as trace:
        x = trace.input((1,))
        for use in (bool, float, int, np.asarray, lambda t: t.item(), lambda t: t.numpy(),
                    lambda t: t.tolist(), lambda t: np.from_dlpack(t)):  # fmt: skip
            with pytest.raises(TracedValueError, match="traced tensor") as caught:
                use(x)
            assert isinstance(caught.value, TypeError)
        with pytest.raises(TracedValueError, match="where"):
            if x > 0:
                pass


def test_captured_tensors_are_refused_and_arrays_are_constants() -> None:
    outside = _core.tensor([1.0, 2.0])
    with _core.Trace("step") as trace:
        x = trace.input((2,))
        with pytest.raises(TracedValueError, match="as an argument or hold it in a Variable"):
            x + outside
        inside = _core.tensor([10.0, 20.0])
        assert inside.is_traced
        y = x + np.array([1, 2], np.float32) + [3, 4] + 5 + inside
        with pytest.raises(TracedValueError, match="too large for a constant"):
            x + np.zeros((2**18 + 1, 2), np.float32)
    assert trace.finish([y]).run([outside])[0].tolist() == [20, 33]


def test_traced_tensors_end_with_their_trace() -> None:
    with _core.Trace("first") as trace:
        x = trace.input((2,))
    with pytest.raises(TracedValueError, match="'first' was used outside"):
        x + 1
    with (
        _core.Trace("second"),
        pytest.raises(TracedValueError, match="'first' was used in the trace 'second'"),
    ):
        x + 1
    trace.finish([x])
    with trace, pytest.raises(TracedValueError, match="has ended"):
        _core.ops.iota(shape=(2,), dtype="int32")
    with pytest.raises(TracedValueError, match="has ended"):
        trace.finish([x])


def test_variables_are_state() -> None:
    v = _core.Variable([1.0], name="v")
    with _core.Trace("f") as trace:
        first = v.value
        v.assign(first + 1)
        second = v.value
        v.assign(second * 10)
        v += 1
    assert v.numpy() == 1  # nothing ran
    program = trace.finish([first, second])
    assert [t.item() for t in program.run([])] == [1, 2]
    assert v.numpy() == 21
    assert [t.item() for t in program.run([])] == [21, 22]
    assert program.variables == [v]


def test_several_programs_share_a_variable() -> None:
    v, count = counting()
    with _core.Trace("read") as trace:
        doubled = v * 2
    read = trace.finish([doubled])
    for i in range(1, 5):
        count.run([])
        assert read.run([])[0].item() == 2 * i
    v.assign([0])
    assert read.run([])[0].item() == 0


def test_an_exception_leaves_no_trace_open() -> None:
    v = _core.Variable([1.0])
    with pytest.raises(RuntimeError, match="mistake"), _core.Trace("f"):
        v.assign([2.0])
        raise RuntimeError("mistake")
    assert not _core.is_tracing() and _core.current_trace() is None
    assert v.numpy() == 1


def test_current_trace_and_eager_blocks() -> None:
    assert not _core.is_tracing()
    with _core.Trace("outer") as outer:
        assert _core.current_trace() is outer
        with _core.eager():
            assert not _core.is_tracing()
            assert (_core.tensor([1.0]) + 1).item() == 2
        with _core.Trace("inner") as inner:
            assert _core.current_trace() is inner
        assert _core.current_trace() is outer


def test_gradients() -> None:
    v = _core.Variable([1.0, 2.0])
    with _core.Trace("f") as trace:
        x = trace.input((2,))
        loss = (v * v * x).sum()
        unused = _core.Variable([5.0])
        grads = _core.gradients(loss, [v, x, unused])
    results = trace.finish(grads).run([[10.0, 20.0]])
    assert [t.tolist() for t in results] == [[20, 80], [1, 4], [0]]
    with pytest.raises(InvalidArgumentError, match="inside of a trace"):
        _core.gradients(_core.tensor(1.0), [])
    with _core.Trace("g") as trace:
        x = trace.input((2,))
        with pytest.raises(ShapeError):
            _core.gradients(x, [x])
        with pytest.raises(InvalidArgumentError, match="not numbers"):
            _core.gradients(x.sum(), [1.0])
        loss = (v * x).sum()
        v.assign(x)
        with pytest.raises(InvalidArgumentError, match="assigned after the loss"):
            _core.gradients(loss, [v])


def test_labels_reach_the_program() -> None:
    with _core.Trace("f") as trace, trace.label("block"):
        x = trace.input((2, 2))
        with trace.label("dense"):
            y = x @ x
    assert "# block/dense" in trace.text()
    assert "block/dense" in trace.finish([y]).text()


def test_inputs_are_checked() -> None:
    with _core.Trace("f") as trace:
        x = trace.input((2,), "float32", "images")
    program = trace.finish([x])
    with pytest.raises(ShapeError, match=r"\[f\] input 'images' must be f32\[2\], got f32\[3\]"):
        program.run([[1.0, 2.0, 3.0]])
    with pytest.raises(DTypeError, match="got f64"):
        program.run([np.zeros(2)])
    with pytest.raises(InvalidArgumentError, match="takes 1 inputs, got 0"):
        program.run([])
    with pytest.raises(InvalidArgumentError, match="at least 1"):
        program.run_steps([[1.0, 2.0]], 0)
    with pytest.raises(InvalidArgumentError, match="interval"):
        program.run_steps([[1.0, 2.0]], 1, interval=0)


def test_steps_and_progress() -> None:
    v, count = counting()
    count.run_steps([], 1000)
    assert v.numpy() == 1000
    v, count = counting(100_000)
    seen: list[int] = []
    count.run_steps([], 20_000, progress=seen.append, interval=0.01)
    assert v.numpy()[0] == 20_000
    assert seen and seen == sorted(seen) and seen[-1] <= 20_000


def test_progress_is_called_on_the_calling_thread() -> None:
    _, count = counting(100_000)
    threads: set[int] = set()
    worker = threading.Thread(
        target=lambda: count.run_steps(
            [], 20_000, lambda _: threads.add(threading.get_ident()), 0.01
        )
    )
    worker.start()
    ident = worker.ident
    worker.join()
    assert threads == {ident}


def test_an_exception_in_progress_stops_after_the_step() -> None:
    v, count = counting()

    def stop(steps: int) -> None:
        raise LookupError(f"after {steps}")

    with pytest.raises(LookupError, match="after"):
        count.run_steps([], 2**40, stop, 0.01)
    steps = int(v.numpy()[0])
    count.run([])
    assert v.numpy()[0] == np.float32(steps) + np.float32(1)


def test_variables_of_the_run_are_out_of_reach_of_its_progress() -> None:
    v, count = counting(100_000)
    errors: list[Exception] = []

    def look(_: int) -> None:
        for use in (v.numpy, lambda: v.assign_add(1), lambda: v + 1):
            try:
                use()
            except InvalidArgumentError as error:
                errors.append(error)

    count.run_steps([], 10_000, look, 0.01)
    assert errors and "progress callback" in str(errors[0])


def send_interrupt(delay: float) -> threading.Timer:
    timer = threading.Timer(delay, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    return timer


def test_ctrl_c_stops_after_the_step_and_keeps_the_state() -> None:
    v, count = counting()
    start = time.monotonic()
    timer = send_interrupt(0.2)
    with pytest.raises(KeyboardInterrupt):
        count.run_steps([], 2**40)
    timer.join()
    assert time.monotonic() - start < 5
    steps = v.numpy()[0]
    assert steps > 0
    count.run([])
    assert v.numpy()[0] == steps + np.float32(1)


def test_ctrl_c_during_one_long_step() -> None:
    v = _core.Variable(np.full((1500, 1500), 1e-4, np.float32))
    with _core.Trace("long") as trace:
        y = v.value
        for _ in range(12):
            y = y @ y
        v.assign(y)
    step = trace.finish([])
    timer = send_interrupt(0.02)
    with pytest.raises(KeyboardInterrupt):
        step.run_steps([], 1)
    timer.join()
    assert v.numpy()[0, 0] != np.float32(1e-4)  # the step was finished


def test_no_signal_handling_off_the_main_thread() -> None:
    v, count = counting()
    result: list[object] = []

    def work() -> None:
        result.append(count.run_steps([], 200_000))

    thread = threading.Thread(target=work)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), signal.SIGINT)
        for _ in range(500):
            time.sleep(0.01)
    thread.join()
    assert result == [[]] and v.numpy()[0] == 200_000


def test_a_failed_check_names_the_label_and_keeps_the_last_good_state() -> None:
    steps = _core.Variable(0, dtype="int64", name="steps")
    with _core.Trace("train") as trace:
        with trace.label("loss"):
            logits = trace.input((3, 10))
            labels = trace.input((3,), "int32") + steps.astype("int32")
            loss = _core.ops.sparse_softmax_cross_entropy(logits, labels)
        steps.assign_add(1)
    program = trace.finish([loss])
    inputs = [np.zeros((3, 10), np.float32), np.array([1, 7, 2], np.int32)]
    with pytest.raises(
        OutOfRangeError, match=r"label 10 at index 1 is outside \[0, 10\)"
    ) as caught:
        program.run_steps(inputs, 100)
    error = caught.value
    assert isinstance(error, IndexError)
    assert (error.op, error.index, error.value) == ("sparse_softmax_cross_entropy", 1, 10)
    assert (error.step, error.label) == (3, "loss")
    assert steps.numpy() == 3
    steps.assign(0)
    assert program.run(inputs)[0].shape == (3,)  # still usable


def test_errors_without_a_place_have_empty_attributes() -> None:
    with pytest.raises(OutOfRangeError) as caught:
        _core.tensor([1.0])[3]
    assert caught.value.op is None and caught.value.index is None
