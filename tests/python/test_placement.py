"""What a device refuses and nothing replaces: the CPU computes it, and the user is told once."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import threading
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

import addax as ax
from addax.errors import OutOfMemoryError, OutOfRangeError, UnsupportedError

ROOT = Path(__file__).resolve().parents[2]
COMPILER = shutil.which("cc") or shutil.which("gcc")
DEVICE = "picky:0"

pytestmark = pytest.mark.skipif(COMPILER is None, reason="no C compiler")


@pytest.fixture(scope="module", autouse=True)
def plugin(tmp_path_factory: pytest.TempPathFactory) -> None:
    """The device is there."""
    library = tmp_path_factory.mktemp("plugin") / "picky.so"
    folders = [ROOT / "cpp" / "device" / "include", ROOT / "examples" / "custom_device"]
    options = ["-std=c11", "-O2", "-shared", "-fPIC", *(f"-I{folder}" for folder in folders)]
    source = Path(__file__).parent / "plugins" / "picky.c"
    subprocess.run([str(COMPILER), *options, str(source), "-lm", "-o", str(library)], check=True)
    assert ax.load_device(str(library)) == [DEVICE]


@pytest.fixture
def refuse(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """A function after which the device refuses the ops."""

    def start(*ops: str) -> None:
        monkeypatch.setenv("PICKY_REFUSE", f",{','.join(ops)},")

    return start


@pytest.fixture
def told() -> Iterator[Callable[[], list[str]]]:
    """A function that lists what was told so far of nodes on the CPU."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield lambda: [str(w.message) for w in caught if "has no kernel" in str(w.message)]


def data(n: int = 640) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(n, 12)).astype(np.float32)
    return x, (x[:, 0] + x[:, 1] > 0).astype(np.int32) + (x[:, 2] > 0)


def classifier(device: str, classes: int = 3) -> ax.Sequential:
    ax.random.set_seed(3)
    model = ax.Sequential(
        [
            ax.Input((12,)),
            ax.layers.Dense(16, activation="tanh", name="squash"),
            ax.layers.Dense(classes, name="head"),
        ]
    )
    loss = ax.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(ax.optimizers.Adam(0.01), loss, metrics=["accuracy"], device=device)
    return model


def test_an_op_runs_on_the_cpu_and_is_told_once(
    refuse: Callable[..., None], told: Callable[[], list[str]]
) -> None:
    refuse("tanh")
    x = np.linspace(-2, 2, 7, dtype=np.float32)
    for _ in range(2):
        y = ax.ops.tanh(ax.tensor(x, device=DEVICE))
        assert y.device == DEVICE
        np.testing.assert_array_equal(y.numpy(), ax.ops.tanh(x).numpy())
    (text,) = told()
    assert text == (
        "[tanh] picky:0 has no kernel for (f32[7]) -> f32[7], and the op has no decomposition: it "
        "runs on cpu:0, which costs 0 bytes to and 0 bytes from the host each step, 28 bytes to "
        "and 28 bytes from the host each run\n"
        "Use another dtype or another device, or set ADDAX_STRICT=1 to have this raised."
    )
    ax.ops.tanh(ax.tensor(x[:5], device=DEVICE))
    assert len(told()) == 2 and "f32[5]" in told()[1]


def test_strict_mode_raises(refuse: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> None:
    refuse("tanh")
    monkeypatch.setenv("ADDAX_STRICT", "1")
    x = ax.tensor(np.zeros(11, np.float32), device=DEVICE)
    with pytest.raises(UnsupportedError, match=r"^\[tanh\] picky:0 has no kernel for \(f32\[11\]"):
        ax.ops.tanh(x)
    monkeypatch.setenv("ADDAX_STRICT", "yes")
    with pytest.raises(ax.errors.InvalidArgumentError, match="ADDAX_STRICT must be 0 or 1"):
        ax.ops.tanh(x)


def test_a_warning_made_an_error_is_raised_again(refuse: Callable[..., None]) -> None:
    refuse("tanh")
    x = ax.tensor(np.zeros(13, np.float32), device=DEVICE)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(2):
            with pytest.raises(UserWarning, match="has no kernel"):
                ax.ops.tanh(x)


def test_a_dtype_that_the_device_lacks(told: Callable[[], list[str]]) -> None:
    x = np.linspace(0, 1, 6).reshape(2, 3)
    with ax.device(DEVICE):
        total = ax.ops.sum(ax.ops.exp(ax.tensor(x)) * 2.0, axis=1)
        assert (total.device, total.dtype) == (DEVICE, "float64")
    np.testing.assert_allclose(total.numpy(), (2 * np.exp(x)).sum(axis=1), rtol=1e-15)
    assert any("f64[2,3]" in text for text in told())


@pytest.mark.parametrize(
    "ops", [("tanh",), ("matmul",), ("tanh", "take"), ("batch_indices", "sum"), ("check_range",)]
)
def test_training_takes_the_same_course_as_on_the_cpu(
    ops: tuple[str, ...], refuse: Callable[..., None], told: Callable[[], list[str]]
) -> None:
    """Both devices add up in other orders; errors of 1e-6 grow with 40 steps."""
    refuse(*ops)
    x, y = data()
    histories = {}
    models = {}
    for device in ("cpu", DEVICE):
        models[device] = classifier(device)
        fit = models[device].fit(x, y, epochs=2, validation_data=(x[:50], y[:50]), verbose=0)
        histories[device] = fit.history
    for name, values in histories["cpu"].items():
        np.testing.assert_allclose(histories[DEVICE][name], values, rtol=2e-4, err_msg=name)
    for ours, theirs in zip(models[DEVICE].weights, models["cpu"].weights, strict=True):
        assert ours.device == DEVICE
        np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=2e-3, atol=2e-5)
    assert int(models[DEVICE].optimizer.iterations.numpy()) == 40
    assert histories["cpu"]["loss"][1] < histories["cpu"]["loss"][0]
    assert len(told()) == len(set(told())) > 0


@pytest.mark.parametrize(("op", "samples"), [("take", 61), ("check_range", 62), ("tanh", 63)])
def test_a_label_out_of_range_is_named_and_the_model_goes_on(
    op: str, samples: int, refuse: Callable[..., None], told: Callable[[], list[str]]
) -> None:
    refuse(op)
    x, y = data(samples)
    model = classifier(DEVICE)
    bad = y.copy()
    bad[40] = 7
    before = [w.numpy() for w in model.weights]
    with pytest.raises(OutOfRangeError, match=r"label 7 at y\[40\]"):
        model.fit(x, bad, batch_size=samples, shuffle=False, verbose=0)
    for weight, value in zip(model.weights, before, strict=True):
        np.testing.assert_array_equal(weight.numpy(), value)
    model.fit(x, y, verbose=0)
    assert np.isfinite(model.evaluate(x, y, verbose=0)[0])
    assert any(f"[{op}]" in text for text in told())


@pytest.mark.usefixtures("told")
def test_interrupts_keep_whole_steps(refuse: Callable[..., None]) -> None:
    refuse("tanh")
    x, y = data()
    model = classifier(DEVICE)
    model.fit(x, y, verbose=0)
    done = int(model.optimizer.iterations.numpy())
    timer = threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        model.fit(x, y, epochs=100_000, verbose=0)
    timer.join()
    assert int(model.optimizer.iterations.numpy()) > done
    loss = model.evaluate(x, y, verbose=0)[0]
    model.fit(x, y, epochs=3, verbose=0)
    assert model.evaluate(x, y, verbose=0)[0] < loss


@pytest.mark.usefixtures("told")
def test_a_device_without_memory_leaves_the_weights(
    refuse: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse("tanh")
    x, y = data(64)
    model = classifier(DEVICE)
    model.fit(x, y, verbose=0)
    before = [w.numpy() for w in model.weights]
    monkeypatch.setenv("PICKY_FULL", "1")
    with pytest.raises(OutOfMemoryError, match="no memory for a run"):
        model.fit(x, y, verbose=0)
    monkeypatch.delenv("PICKY_FULL")
    for weight, value in zip(model.weights, before, strict=True):
        np.testing.assert_array_equal(weight.numpy(), value)
    model.fit(x, y, verbose=0)


def test_empty_tensors(refuse: Callable[..., None]) -> None:
    refuse("tanh")
    with pytest.warns(UserWarning, match=r"\[tanh\] picky:0 has no kernel for \(f32\[0,3\]\)"):
        y = ax.ops.tanh(ax.tensor(np.zeros((0, 3), np.float32), device=DEVICE))
    assert y.numpy().shape == (0, 3)


@pytest.mark.usefixtures("told")
def test_a_profile_has_what_the_cpu_computes_and_the_copies(refuse: Callable[..., None]) -> None:
    refuse("tanh")
    x, _ = data(64)
    model = classifier(DEVICE)
    model.predict(x, verbose=0)
    with ax.profile() as profile:
        model.predict(x, verbose=0)
    table = str(profile)
    assert "/squash)" in table
    assert "copy_to_host (picky:0)" in table and "copy_from_host (picky:0)" in table
