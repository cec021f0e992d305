"""The CPU device runs out of memory at every allocation of a training step, one after the other.

A process of its own has `plugins/failing_memory.c` preloaded. Functions named ``child_...`` run
there. What OpenCL's allocations do is in `test_opencl_failures.py`.
"""

from __future__ import annotations

import ctypes
import itertools
import os
import pickle
import re
import shutil
import subprocess
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import addax as ax
from addax import _core

COMPILER = shutil.which("cc") or shutil.which("gcc")
SOURCE = Path(__file__).parent / "plugins" / "failing_memory.c"

pytestmark = [
    pytest.mark.skipif(COMPILER is None, reason="no C compiler"),
    pytest.mark.skipif(sys.platform != "linux", reason="memory fails by LD_PRELOAD"),
    pytest.mark.skipif("LD_PRELOAD" in os.environ, reason="something else is preloaded"),
]


# ---- In the child.


def library() -> ctypes.CDLL:
    return ctypes.CDLL(os.environ["LD_PRELOAD"])


X = np.random.default_rng(0).random((20, 8, 8, 3), dtype=np.float32)
Y = np.arange(20) % 3

USES: dict[str, Callable[[Any], Any]] = {
    "fit": lambda model: model.fit(X, Y, batch_size=8, verbose=0),
    "train_on_batch": lambda model: model.train_on_batch(X[:7], Y[:7]),
    "evaluate": lambda model: model.evaluate(X, Y, batch_size=8, verbose=0),
    "predict": lambda model: model.predict(X, batch_size=8, verbose=0),
}

STEPS = {"fit": 3, "train_on_batch": 1}


def network() -> Any:
    ax.random.set_seed(3)
    layers = ax.layers
    model = ax.Sequential(
        [
            ax.Input((8, 8, 3)),
            layers.Conv2D(4, 3, activation="relu"),
            layers.BatchNormalization(),
            layers.Flatten(),
            layers.Dropout(0.2),
            layers.Dense(3),
        ]
    )
    loss = ax.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("adam", loss, metrics=["accuracy", "crossentropy"])
    return model


def state(model: Any) -> list[bytes]:
    return [v.numpy().tobytes() for v in [*model.weights, *model.optimizer.variables]]


def in_fork(function: Callable[..., Any], *arguments: Any) -> Any:
    """What the function returns in a process that takes all scratch memory anew."""
    reader, writer = os.pipe()
    if (child := os.fork()) == 0:
        try:
            result = function(*arguments)
        except BaseException:
            result = traceback.format_exc()
        with os.fdopen(writer, "wb") as file:
            pickle.dump(result, file)
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as file:
        result = pickle.load(file)
    os.waitpid(child, 0)
    return result


def child_every_allocation_fails(use: str) -> str:
    """Fail from the n-th allocation on, for n = 1, 2, ... until there are no more of them."""
    # The states after the steps that the use takes, of which the last may be completed or none.
    steps = [in_fork(state_after, use, count) for count in range(STEPS.get(use, 0) + 1)]
    for nth in itertools.count(1):
        told = in_fork(allocation_fails, use, nth, steps)
        if told != "goes on":
            return f"{nth}: {told}"
    raise AssertionError


def allocation_fails(use: str, nth: int, steps: list[Any]) -> str:
    model = network()
    _core.trim_memory()
    library().fail_from(ctypes.c_long(nth))
    try:
        USES[use](model)
    except ax.errors.OutOfMemoryError as error:
        assert library().failed() > 0
        assert error.step is None, f"in the midst of a step: {error}"
        library().fail_from(ctypes.c_long(0))
        assert re.search(r"(no memory for|cannot allocate) \d.*[Uu]se a smaller batch", str(error))
        done = int(model.optimizer.iterations.numpy())
        # Before the first step the optimizer has slots, all zero, or none yet.
        assert state(model)[: len(steps[done])] == steps[done], f"{error}"
        assert done or not any(np.any(slot.numpy()) for slot in model.optimizer.slots)
    else:
        assert library().failed() == 0, "the failure is not told"
        return "passes"
    USES["fit"](model)
    assert all(np.all(np.isfinite(weight)) for weight in model.get_weights())
    assert int(model.optimizer.iterations.numpy()) == done + 3
    assert len(model.optimizer.slots) == 2 * len(model.trainable_weights)
    assert model.metrics_names == ["loss", "accuracy", "crossentropy"]
    return "goes on"


def state_after(use: str, count: int) -> list[bytes]:
    """The model's state after so many steps of what it is used for."""
    model = network()
    if count and use == "fit":
        model.fit(X, Y, batch_size=8, verbose=0, callbacks=[_StopAfter(count)])
    elif count:
        USES[use](model)
    return state(model)


class _StopAfter(ax.callbacks.Callback):
    def __init__(self, count: int) -> None:
        super().__init__()
        self.count = count

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.model.stop_training = batch + 1 == self.count


# ---- The tests.


@pytest.fixture(scope="module")
def preloaded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("memory") / "failing_memory.so"
    flags = ["-std=c11", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC"]
    subprocess.run([COMPILER, *flags, SOURCE, "-o", made, "-ldl"], check=True)
    return made


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("isa", ["portable", None])
def test_every_allocation_may_fail(isa: str | None, use: str, preloaded: Path) -> None:
    environment = {**os.environ, "LD_PRELOAD": str(preloaded), "ADDAX_NUM_THREADS": "3"}
    if isa is not None:
        environment["ADDAX_ISA"] = isa
    ended = subprocess.run(
        [sys.executable, __file__, use], env=environment, capture_output=True, text=True
    )
    assert ended.returncode == 0, ended.stderr
    nth, told = ended.stdout.strip().split(": ", 1)
    assert told == "passes", f"allocation {nth}: {told}"
    assert int(nth) > 5, "allocations were met"


if __name__ == "__main__":
    print(child_every_allocation_fails(sys.argv[1]))
