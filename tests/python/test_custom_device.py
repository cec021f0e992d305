"""The example of a device made elsewhere, as a package of its own; and what tries such devices."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import addax as ax

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "custom_device"
MOST_LINES = 400

pytestmark = [
    pytest.mark.skipif(
        not Path(ax.get_include()).is_dir(), reason="addax is not installed: it has no headers"
    ),
    pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler"),
    pytest.mark.skipif(shutil.which("cmake") is None, reason="no cmake"),
]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of processes that have the example's package."""
    site = tmp_path_factory.mktemp("site")
    source = tmp_path_factory.mktemp("source") / "custom_device"
    shutil.copytree(EXAMPLE, source)
    options = ["--no-build-isolation", "--no-deps", "--no-index", "--target", str(site)]
    pip = [sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    subprocess.run([*pip, *options, str(source)], check=True)
    paths = [str(site), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}


def python(environment: dict[str, str], *arguments: str, status: int = 0) -> str:
    done = subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, env=environment
    )
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout


def test_the_example_is_short() -> None:
    text = (EXAMPLE / "custom_device.c").read_text()
    lines = [line for line in text.splitlines() if line.strip()]
    code = [line for line in lines if not line.startswith(("/*", " *"))]
    assert len(code) < MOST_LINES


def test_doctor_lists_the_installed_device(installed: dict[str, str]) -> None:
    report = python(installed, "-m", "addax", "doctor")
    assert "custom:0 (example in plain C)" in report
    assert "missing" not in report


def test_the_device_trains(installed: dict[str, str]) -> None:
    code = """if True:
        import json, addax as ax
        ax.random.set_seed(1)
        (x, y), (x_test, y_test) = ax.datasets.synthetic_fashion.load_data(2000, 500)
        model = ax.Sequential([
            ax.layers.Rescaling(1 / 255),
            ax.layers.Flatten(),
            ax.layers.Dense(32, activation="relu"),
            ax.layers.Dense(10),
        ])
        loss = ax.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile("adam", loss, metrics=["accuracy"], device="custom")
        model.fit(x, y, epochs=3, verbose=0)
        accuracy = model.evaluate(x_test, y_test, verbose=0)[1]
        print(json.dumps([accuracy, sorted({w.device for w in model.weights})]))
    """
    accuracy, devices = json.loads(python(installed, "-c", code))
    assert devices == ["custom:0"]
    assert accuracy > 0.6


def test_the_device_passes_every_check(installed: dict[str, str]) -> None:
    report = python(installed, "-m", "addax", "device-test", "custom", "--verbose")
    assert " 0 failed" in report
    for check in (
        "memory", "copies", "events", "out of memory", "two queues", "matmul float32", "add int64",
        "sum float32", "take out of range", "softmax float32", "adam float32, decomposed",
        "program of many steps", "program that fails a check", "training a dense network",
    ):  # fmt: skip
        assert f"passed {check}\n" in report
    assert "refused conv2d_epilogue float32: " in report


def test_the_cpu_passes_every_check() -> None:
    report = python(dict(os.environ), "-m", "addax", "device-test", "cpu")
    assert " 0 failed, 0 refused" in report


@pytest.mark.skipif(
    not any(device.kind == "null" for device in ax.devices()), reason="no null device is installed"
)
def test_a_device_that_computes_nothing_fails() -> None:
    report = python(dict(os.environ), "-m", "addax", "device-test", "null:1", status=1)
    for check in ("add float32: shapes", "check_range out of range", "training a dense network"):
        assert f"FAILED {check}" in report
    for check in ("memory", "copies", "events", "two queues"):
        assert f"FAILED {check}" not in report


def test_ops_tells_what_devices_are_given() -> None:
    lines = python(dict(os.environ), "-m", "addax", "ops").splitlines()
    assert "take(x, indices) -> y: primitive  Slices of `x` along an axis" in "\n".join(lines)
    assert len(lines) > 100
    told = python(dict(os.environ), "-m", "addax", "ops", "fused", "matmul")
    assert "  transpose_b (Bool) = False: " in told
    python(dict(os.environ), "-m", "addax", "ops", "matmull", status=2)


@pytest.mark.parametrize("plugin", ["./nothing.so", "nothing"])
def test_what_is_no_device_fails(plugin: str) -> None:
    report = python(dict(os.environ), "-m", "addax", "device-test", plugin, status=1)
    assert report.startswith("FAILED to load: ") and "nothing" in report
