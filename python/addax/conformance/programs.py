"""Whole programs on a device: many steps, failing checks, several at a time, training."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from addax import _core
from addax.errors import OutOfRangeError
from addax.random import set_seed

STEPS = 5


def carries_state(device: str) -> str:
    """Steps of one run go on from each other, and so do runs."""
    x = np.array([1.0, -2.0, 0.5], np.float32)
    total = _core.Variable(np.zeros(3, np.float32), device=device)
    trace = _core.Trace("steps")
    with trace:
        total.assign_add(trace.input([3]))
        program = trace.finish([total * 2.0], device)
    for run in (1, 2):
        (doubled,) = program.run_steps([_core.tensor(x, device=device)], STEPS)
        if not np.array_equal(total.numpy(), run * STEPS * x):
            return f"a sum over {run * STEPS} steps of {x} is {total.numpy()}"
        if not np.array_equal(doubled.numpy(), 2 * run * STEPS * x):
            return "outputs are not those of the last step"
    return ""


def stops_at_a_failed_check(device: str) -> str:
    """A value out of range is reported, and the state is that of the last good step."""
    total = _core.Variable(np.zeros((2, 3), np.float32), device=device)
    trace = _core.Trace("checked")
    with trace:
        labels = trace.input([2], "int32")
        what = {"low": 0, "high": 4, "what": "label"}
        checked = _core.apply("check_range", [labels], what)
        total.assign_add(_core.apply("take", [trace.input([4, 3]), checked], {}))
        program = trace.finish([checked], device)
    rows = _core.tensor(np.arange(12, dtype=np.float32).reshape(4, 3), device=device)
    program.run_steps([_core.tensor(np.array([1, 3], np.int32), device=device), rows], STEPS)
    before = total.numpy()
    try:
        program.run_steps([_core.tensor(np.array([1, 4], np.int32), device=device), rows], STEPS)
    except OutOfRangeError as error:
        if "label 4 at index 1" not in str(error):
            return f"it says '{error}' of label 4 at index 1"
    else:
        return "a value out of range goes unnoticed"
    if not np.array_equal(total.numpy(), before):
        return "a step whose check failed has changed the state"
    return ""


def runs_side_by_side(device: str) -> str:
    """Programs of several threads, each in a queue of its own, do not meet."""

    def work(seed: int) -> bool:
        a = np.random.default_rng(seed).normal(size=(16, 16)).astype(np.float32)
        x = _core.tensor(a, device=device)
        trace = _core.Trace(f"thread_{seed}")
        with trace:
            y = trace.input([16, 16])
            program = trace.finish([_core.apply("matmul", [y, y], {}) + y], device)
        wanted = a.astype(np.float64) @ a + a
        results = (program.run([x])[0].numpy() for _ in range(20))
        return all(np.allclose(result, wanted, rtol=1e-4, atol=1e-4) for result in results)

    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(work, range(4)))
    return "" if all(results) else "programs that run at the same time disturb each other"


def trains(device: str) -> str:
    """A dense network learns what it learns on the CPU."""
    losses = {name: _losses(name) for name in ("cpu", device)}
    # Rounding in another order moves a loss by about 1e-7 of it; 30 steps of Adam add that up.
    if not np.allclose(losses[device], losses["cpu"], rtol=1e-5):
        return f"losses {losses[device]} where the CPU has {losses['cpu']}"
    return ""


def _losses(device: str) -> list[float]:
    from addax import Sequential, layers, losses

    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, 80)
    x = (rng.normal(size=(80, 4, 2)) + y[:, None, None]).astype(np.float32)
    set_seed(1)
    model = Sequential(
        [
            layers.Input((4, 2)),
            layers.Flatten(),
            layers.Dense(16, activation="relu"),
            layers.Dense(3),
        ]
    )
    loss = losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("adam", loss, metrics=["accuracy"], device=device)
    # Each device counts its shuffles by itself: in order, so that all see the same batches.
    history = model.fit(x, y, batch_size=8, epochs=3, shuffle=False, verbose=0).history["loss"]
    model.fit(x, y, batch_size=7, verbose=0)
    return [float(value) for value in history]


CHECKS: dict[str, Callable[[str], str]] = {
    "program of many steps": carries_state,
    "program that fails a check": stops_at_a_failed_check,
    "programs in four threads": runs_side_by_side,
    "training a dense network": trains,
}
