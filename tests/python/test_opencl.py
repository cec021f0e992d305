"""The OpenCL device beside the CPU: every op of the case table, runs of steps, value checks."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest

import addax as ax
from addax import _core
from addax.conformance.cases import CASES
from addax.conformance.cases.case import FLOATS, OpCase, Sample
from addax.conformance.samples import arrays_of, as_list
from addax.training import auto

DEVICE = "opencl:0"
EXPRESSIONS = {record["name"]: record["expr"] for record in _core.op_records()}


def missing() -> str:
    """Why there is no OpenCL device; empty where there is one."""
    if any(device.name == DEVICE for device in ax.devices()):
        return ""
    return "; ".join(reason for path, reason in ax.placement.failures() if "opencl" in path)


pytestmark = pytest.mark.skipif(
    bool(reason := missing()), reason=f"NO OPENCL DEVICE, NOTHING OF IT IS TESTED: {reason}"
)


@pytest.fixture(autouse=True)
def strict(monkeypatch: pytest.MonkeyPatch) -> None:
    """The CPU is not to compute what is tested here."""
    monkeypatch.setenv("ADDAX_STRICT", "1")


# Units in the last place that OpenCL 1.2 allows a function in float32 (table 7.1 of its
# specification); what is not here is exact or rounded once.
ALLOWED_ULPS = {
    "arctan": 5, "arctan2": 6, "cos": 4, "divide": 2.5, "erf": 16, "exp": 3, "expm1": 3, "log": 3,
    "log1p": 2, "power": 16, "rsqrt": 5.5, "sin": 4, "sqrt": 3, "tan": 5, "tanh": 5,
}  # fmt: skip
# The longest way to a result of the others: a quotient of exponentials.
COMPOSITE_ULPS = ALLOWED_ULPS["exp"] + ALLOWED_ULPS["divide"]


def library_ulps(name: str) -> float:
    """What the library's functions in an op's expression may add to its error."""
    expr = EXPRESSIONS[name]
    if not expr:
        return COMPOSITE_ULPS
    words = re.findall(r"[a-z0-9_]+(?=\()", expr) + ["divide"] * expr.count("/")
    return sum(ALLOWED_ULPS.get(word, 0) for word in words)


def assert_agrees(case: OpCase, sample: Sample, dtype: str) -> None:
    """Each side is off by what its case allows, this one by its functions' share more."""
    arrays = arrays_of(case, sample, dtype)
    results = {}
    for device in ("cpu", DEVICE):
        with ax.device(device):
            applied = _core.apply(case.name, [_core.tensor(a) for a in arrays], dict(sample.attrs))
            results[device] = [np.asarray(r) for r in as_list(applied)]
    wide = [a.astype(np.float64) if a.dtype.name in FLOATS else a for a in arrays]
    bounds = as_list(case.bound(*wide, **sample.attrs)) if case.bound else []
    for i, (wanted, got) in enumerate(zip(results["cpu"], results[DEVICE], strict=True)):
        assert (got.dtype, got.shape) == (wanted.dtype, wanted.shape)
        if got.dtype.name not in FLOATS:
            np.testing.assert_array_equal(got, wanted)
            continue
        finfo = ml_dtypes.finfo(got.dtype)
        ulps = 2 * case.ulps + library_ulps(case.name)
        bound = bounds[min(i, len(bounds) - 1)] if bounds else np.abs(wanted.astype(np.float64))
        allowed = ulps * float(finfo.eps) * bound + 2 * float(finfo.smallest_normal)
        error = np.abs(got.astype(np.float64) - wanted.astype(np.float64))
        same = (got == wanted) | (np.isnan(got) & np.isnan(wanted))
        assert np.all(same | (error <= allowed)), f"{case.name} {sample}: off by {np.max(error)}"


@pytest.mark.parametrize(
    ("name", "dtype"),
    [(c.name, dtype) for c in CASES.values() for dtype in c.dtypes],
)
def test_agrees_with_the_cpu(name: str, dtype: str) -> None:
    for sample in CASES[name].samples:
        assert_agrees(CASES[name], sample, dtype)


def test_what_the_kernels_cannot_count_is_refused() -> None:
    with ax.device(DEVICE), pytest.raises(ax.errors.UnsupportedError, match=r"\[broadcast_to\]"):
        ax.ops.broadcast_to(_core.tensor(np.zeros(1, np.uint8)), shape=(1 << 31,))


def test_an_index_out_of_range_is_told_and_the_device_goes_on() -> None:
    with ax.device(DEVICE):
        x = _core.tensor(np.arange(6, dtype=np.float32))
        with pytest.raises(ax.errors.OutOfRangeError, match=r"\[take\] index 7 at index 1"):
            ax.ops.take(x, [0, 7, 9])
        np.testing.assert_array_equal(np.asarray(ax.ops.take(x, [5, 0])), [5, 0])


def test_copies_go_every_way() -> None:
    values = np.arange(1000, dtype=np.float64)
    there = _core.tensor(values).to(DEVICE)
    assert there.device == DEVICE
    np.testing.assert_array_equal(np.asarray(there.to("cpu")), values)
    with ax.device(DEVICE):
        np.testing.assert_array_equal(np.asarray(there + there), values * 2)


def test_a_machine_without_opencl_is_no_fault(tmp_path: Path) -> None:
    """An empty folder of drivers: no device, one line in `doctor`, no warning."""
    code = """
import warnings
warnings.simplefilter("error", UserWarning)
import addax as ax
assert not [device for device in ax.devices() if device.kind == "opencl"]
print(*(reason for path, reason in ax.placement.failures() if "opencl" in path), sep="\\n")
"""
    library = os.environ.get("ADDAX_PLUGINS", "")
    environment = {**os.environ, "OCL_ICD_VENDORS": str(tmp_path)}
    if "opencl" in library:
        code = code.replace("UserWarning", "ImportWarning")  # one asked for by name is missed
    run = subprocess.run(
        [sys.executable, "-c", code], env=environment, check=True, capture_output=True, text=True
    )
    assert run.stdout.count("\n") == 1 and "OpenCL knows no device" in run.stdout


def mlp() -> Any:
    """The network of the Fashion-MNIST tutorial."""
    layers = ax.layers
    return ax.Sequential(
        [
            ax.Input((28, 28)),
            layers.Flatten(),
            layers.Dense(128, activation="relu"),
            layers.Dense(10),
        ]
    )


def cnn() -> Any:
    """Every kind of layer of the CIFAR-10 tutorial, with dropout and a batch normalisation."""
    layers = ax.layers
    return ax.Sequential(
        [
            ax.Input((28, 28, 1)),
            layers.Conv2D(8, 3, activation="relu"),
            layers.BatchNormalization(),
            layers.MaxPooling2D(),
            layers.Conv2D(16, 3, strides=2, padding="same", activation="relu"),
            layers.AveragePooling2D(),
            layers.Flatten(),
            layers.Dropout(0.2),
            layers.Dense(10),
        ]
    )


# Sums in another order are off by some 1e-6; three epochs multiply that by less than 1,000.
CURVE_RTOL = 1e-3


def fashion() -> tuple[np.ndarray, np.ndarray]:
    """Real images."""
    (x, y), _ = ax.datasets.fashion_mnist.load_data()
    return (x[:1000] / 255).astype(np.float32), y[:1000]


def curve(make: Any, device: str, x: np.ndarray, y: np.ndarray, optimizer: Any) -> list[float]:
    """The losses of epochs on a device, from the same weights and in the same order."""
    ax.random.set_seed(1)
    model = make()
    loss = ax.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer, loss, device=device)
    return model.fit(x, y, batch_size=32, epochs=3, verbose=0).history["loss"]


needs_real_data = pytest.mark.skipif(
    not os.environ.get("ADDAX_DATA_HOME"), reason="ADDAX_DATA_HOME is not set: no real images"
)


@needs_real_data
@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_the_mlp_learns_fashion_mnist_as_on_the_cpu(optimizer: str) -> None:
    x, y = fashion()
    expected, got = (curve(mlp, device, x, y, optimizer) for device in ("cpu", DEVICE))
    assert got[-1] < 0.8 * got[0]
    np.testing.assert_allclose(got, expected, rtol=CURVE_RTOL)


@needs_real_data
def test_a_cnn_learns_fashion_mnist_as_on_the_cpu() -> None:
    x, y = fashion()
    expected, got = (curve(cnn, device, x[..., None], y, "adam") for device in ("cpu", DEVICE))
    assert got[-1] < 0.8 * got[0]
    np.testing.assert_allclose(got, expected, rtol=CURVE_RTOL)


@needs_real_data
def test_the_cifar_cnn_learns_as_on_the_cpu() -> None:
    """The network of the CIFAR-10 tutorial."""

    def network() -> Any:
        layers = ax.layers
        return ax.Sequential(
            [
                ax.Input((32, 32, 3)),
                layers.Conv2D(32, 3, activation="relu"),
                layers.MaxPooling2D(),
                layers.Conv2D(64, 3, activation="relu"),
                layers.MaxPooling2D(),
                layers.Conv2D(64, 3, activation="relu"),
                layers.Flatten(),
                layers.Dense(64, activation="relu"),
                layers.Dense(10),
            ]
        )

    (x, y), _ = ax.datasets.cifar10.load_data()
    x, y = (x[:1000] / 255).astype(np.float32), y[:1000]
    expected, got = (curve(network, device, x, y, "adam") for device in ("cpu", DEVICE))
    assert got[-1] < 0.95 * got[0]
    # Adam divides gradients by their size, so that rounding grows from step to step: after the 32
    # steps of an epoch 2e-7 of the loss was seen, after 96 up to 2e-3. Another seed changes it by
    # 4e-2.
    np.testing.assert_allclose(got[0], expected[0], rtol=CURVE_RTOL)
    np.testing.assert_allclose(got, expected, rtol=1e-2)


def test_a_bad_label_stops_the_run_where_it_is() -> None:
    x, y = np.zeros((64, 28, 28), np.float32), np.zeros(64, np.int64)
    y[40] = 17
    with ax.device(DEVICE):
        model = mlp()
        model.compile("sgd", ax.losses.SparseCategoricalCrossentropy(from_logits=True))
        before = model.get_weights()
        with pytest.raises(ax.errors.OutOfRangeError, match="17"):
            model.fit(x, y, batch_size=64, verbose=0, shuffle=False)
        for old, new in zip(before, model.get_weights(), strict=True):
            np.testing.assert_array_equal(new, old)


def test_a_profile_has_the_times_of_kernels_by_the_hosts_clock() -> None:
    """Clocks of devices begin anywhere; what is off by a minute was not brought to the host's."""
    minute = 60 * 10**9
    with ax.device(DEVICE):
        a, b = (_core.tensor(np.ones((8, 8), np.float32)) for _ in range(2))
        begin = time.monotonic_ns()
        with ax.profile() as profile:
            for _ in range(3):
                np.asarray(ax.ops.matmul(a, b))
        end = time.monotonic_ns()
    spans = [span for span in profile.spans if span["op"] == "matmul"]
    assert sum(span["flops"] for span in spans) == 3 * 2 * 8**3
    for span in spans:
        assert span["begin_ns"] <= span["end_ns"]
        assert begin - minute < span["begin_ns"] and span["end_ns"] < end + minute
    assert sum(span["end_ns"] - span["begin_ns"] for span in spans) < end - begin
    assert sorted(spans, key=lambda span: span["begin_ns"]) == spans


def test_a_program_follows_its_tensors_to_other_buffers() -> None:
    """Arguments of kernels are set anew where a tensor lies elsewhere, and only there."""
    with ax.device(DEVICE):
        kept = [_core.tensor(np.full(5, i, np.float32)) for i in range(4)]
        for _ in range(2):
            for i, a in enumerate(kept):
                for j, b in enumerate(kept):
                    np.testing.assert_array_equal(np.asarray(a - b), np.full(5, i - j))


def test_auto_tries_the_device_and_moves_the_model_there(monkeypatch: pytest.MonkeyPatch) -> None:
    both = [info for info in ax.devices() if info.kind in ("cpu", "opencl")]
    seconds = iter([2.0, 1.0])

    def measure(run: Any, *_: Any) -> tuple[float, bool]:
        assert run(2) > 0
        return next(seconds), False

    monkeypatch.setattr(auto, "candidates", lambda: both[:2])
    monkeypatch.setattr(auto, "measure", measure)
    monkeypatch.setenv("ADDAX_CACHE", "0")
    model = ax.Sequential([ax.Input((4,)), ax.layers.Dense(1)])
    model.compile(ax.optimizers.SGD(momentum=0.9), "mse", device="auto")
    x, y = np.ones((50, 4), np.float32), np.ones((50, 1), np.float32)
    losses = model.fit(x, y, batch_size=25, epochs=2, verbose=0).history["loss"]
    assert losses[1] != losses[0]
    assert {v.device for v in [*model.weights, *model.optimizer.variables]} == {DEVICE}
