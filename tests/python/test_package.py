"""The package as a whole: what it imports, lists and reports."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import numpy as np
import pytest

import addax as ax
from addax.errors import InvalidArgumentError


def run(code, *arguments, **environment):
    return subprocess.run(
        [sys.executable, *arguments, *(["-c", code] if code else [])],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, **environment},
    ).stdout


def test_import_brings_in_little():
    code = """if True:
        import sys, numpy
        known = set(sys.modules)
        import addax
        print(*set(sys.modules) - known)"""
    new = {name for name in run(code).split() if not name.startswith("addax")}
    assert len(new) < 12, new
    heavy = ("rich", "urllib", "importlib.metadata", "difflib", "hashlib", "argparse")
    assert not [name for name in new if name.startswith(heavy)]


def test_data_sets_are_imported_on_first_use():
    code = """if True:
        import sys, addax
        before = "addax.datasets" in sys.modules
        print(before, addax.datasets.__name__)"""
    assert run(code).split() == ["False", "addax.datasets"]


def test_everything_listed_is_there():
    for name in ax.__all__:
        assert getattr(ax, name) is not None
    assert set(ax.__all__) == set(dir(ax))


def test_every_public_op_of_the_registry_is_offered():
    records = [record["name"] for record in ax._core.op_records() if record["public"]]
    assert set(records) <= set(ax.ops.__all__)
    assert "as_tensor" not in ax.ops.__all__ and "emit" not in ax.ops.__all__


def test_devices():
    found = ax.devices()
    assert found[0].kind == "cpu" and found[0].name in str(found[0])
    assert "float32" in found[0].dtypes and found[0].memory > 0
    with ax.device("cpu") as device:
        assert device == ax.device(found[0])
        assert ax.tensor([1.0]).device == device.name
    with pytest.raises(InvalidArgumentError, match="cpu"):
        ax.device("cpuu")


def test_models_stay_on_the_device_they_are_compiled_for():
    model = ax.Sequential([ax.Input((2,)), ax.layers.Dense(1)])
    model.compile("adam", "mse", device="cpu")
    model.fit(np.ones((4, 2)), np.ones(4), verbose=0)
    assert {w.device for w in model.weights} == {ax.device("cpu").name}


def test_files_that_are_no_plug_ins(tmp_path):
    missing, text = tmp_path / "nothing.so", tmp_path / "text.so"
    text.write_text("not a library")
    # In a process of its own, which lists them among its failures from then on.
    code = f"""if True:
        import addax as ax, pathlib
        for path in {str(missing)!r}, pathlib.Path({str(text)!r}):
            try:
                ax.load_device(path)
            except ax.errors.AddaxError as error:
                print(type(error).__name__, error)
        print([path for path, reason in ax.placement.failures()])"""
    first, second, failures = run(code).splitlines()
    assert first.startswith("IoError") and "nothing.so" in first
    assert second.startswith("DeviceError") and "text.so" in second
    assert str(missing) in failures and str(text) in failures


def test_doctor(tmp_path):
    path = tmp_path / "broken.so"
    path.write_text("not a library")
    report = run(None, "-m", "addax", "doctor", ADDAX_PLUGINS=str(path))
    for word in (ax.__version__, "NumPy", "isa", "threads", "cpu", "ADDAX_PLUGINS"):
        assert word in report
    assert f"missing: {path}" in report


def test_profile(tmp_path):
    layer = ax.layers.Dense(3, name="head")
    x = np.ones((4, 2), np.float32)
    model = ax.Sequential([ax.Input((2,)), layer])
    with ax.profile() as p:
        model.predict(x, verbose=0)
    assert "head" in str(p) and "matmul" in str(p)
    file = tmp_path / "trace.json"
    p.save(file)
    assert any("matmul" in event["name"] for event in json.loads(file.read_text())["traceEvents"])


def test_number_of_threads():
    before = ax.num_threads()
    try:
        ax.set_num_threads(1)
        assert ax.num_threads() == 1
    finally:
        ax.set_num_threads(before)
    with pytest.raises(InvalidArgumentError):
        ax.set_num_threads(0)


def test_include_folder():
    assert ax.get_include() == os.path.join(os.path.dirname(ax._core.__file__), "include")


@pytest.mark.skipif(
    not any(device.kind == "null" for device in ax.devices()), reason="no null device is installed"
)
def test_everything_of_a_model_moves_to_its_device():
    layers = ax.layers
    model = ax.Sequential(
        [
            ax.Input((6, 6, 1)),
            layers.Conv2D(4, 3, activation="relu"),
            layers.BatchNormalization(),
            layers.Flatten(),
            layers.Dropout(0.2, seed=1),
            layers.Dense(3),
        ]
    )
    metric = ax.metrics.SparseCategoricalAccuracy()
    loss = ax.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(ax.optimizers.Adam(), loss, metrics=[metric], device="null")
    x, y = np.ones((40, 6, 6), np.float32), np.arange(40) % 3
    history = model.fit(x, y, epochs=2, validation_split=0.2, verbose=0).history
    assert len(history) == 4
    assert model.predict(x[:5], verbose=0).shape == (5, 3)
    variables = [*model.weights, *model.optimizer.variables, *metric.variables]
    assert {variable.device for variable in variables} == {"null:0"}
    assert ax.tensor(1.0).device.startswith("cpu")
