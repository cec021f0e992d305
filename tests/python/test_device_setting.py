"""Who says which device: ``compile``, then ``with ax.device(...)``, then ``ADDAX_DEVICE``.

In processes of their own that have the example's device beside the CPU.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

import addax as ax

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "custom_device" / "custom_device.c"
HEADERS = Path(ax.get_include())
COMPILER = shutil.which("cc") or shutil.which("gcc")

pytestmark = [
    pytest.mark.skipif(not HEADERS.is_dir(), reason="addax is not installed: it has no headers"),
    pytest.mark.skipif(COMPILER is None, reason="no C compiler"),
]

PRELUDE = """
import json, numpy as np, addax as ax
from addax.training import auto

def model():
    layers = [ax.layers.Dense(8, activation="relu"), ax.layers.Dense(2)]
    return ax.Sequential([ax.Input((4,)), *layers])

def fit(model):
    model.fit(np.ones((20, 4), np.float32), np.zeros((20, 2), np.float32), batch_size=8, verbose=0)
    return where(model)

def where(model):
    variables = [*model.weights, *model.optimizer.variables]
    variables += [v for metric in model.metrics for v in metric.variables]
    return sorted({v.device for v in variables})

def choose(best):
    "Both devices are tried, and this one is the fastest."
    recommended = auto.placement.inventory
    auto.candidates = lambda: [d for d in recommended() if d.kind in ("cpu", "custom")]
    times = iter([1.0, 2.0] if best == "cpu:0" else [2.0, 1.0])
    def measure(run, *given):
        assert run(2) > 0
        return next(times), False
    auto.measure = measure

result = []
"""


@pytest.fixture(scope="module")
def plugin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    library = tmp_path_factory.mktemp("plugin") / "custom.so"
    options = ["-std=c11", "-O1", "-shared", "-fPIC", "-I", HEADERS]
    subprocess.run([COMPILER, *options, EXAMPLE, "-o", library, "-lm"], check=True)
    return library


@pytest.fixture
def script(plugin: Path, tmp_path: Path) -> Any:
    """What a fresh process leaves in ``result`` that runs the code with such a setting."""

    def run(code: str, device: str = "") -> Any:
        environment = {
            **os.environ,
            "ADDAX_PLUGINS": str(plugin),
            "ADDAX_DEVICE": device,
            "XDG_CACHE_HOME": str(tmp_path),
        }
        text = f"{PRELUDE}\n{textwrap.dedent(code)}\nprint(json.dumps(result))"
        done = subprocess.run(
            [sys.executable, "-c", text], capture_output=True, text=True, env=environment
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


USES = """
    result = [ax.tensor([1.0]).device, ax.Variable([1.0]).device, (ax.ops.exp(1.0)).device]
    result += [ax.function(lambda: ax.ops.exp(1.0))().device, ax.random.uniform((2,)).device]
    trained = model()
    trained.compile("adam", "mse")
    result += fit(trained)
"""


@pytest.mark.parametrize(
    ("setting", "device"),
    [("", "cpu:0"), ("cpu", "cpu:0"), ("custom:0", "custom:0"), ("custom", "custom:0")],
)
def test_the_setting_is_the_default(script: Any, setting: str, device: str) -> None:
    assert script(USES, setting) == 6 * [device]


def test_a_context_overrules_the_setting(script: Any) -> None:
    code = """
        with ax.device("cpu"):
            result = [ax.tensor([1.0]).device]
            trained = model()
            trained.compile("adam", "mse")
            result += fit(trained)
        result += [ax.tensor([1.0]).device]
    """
    assert script(code, "custom") == ["cpu:0", "cpu:0", "custom:0"]


def test_compile_overrules_context_and_setting(script: Any) -> None:
    code = """
        with ax.device("custom"):
            trained = model()
            trained.compile("adam", "mse", device="cpu")
            result = fit(trained)
    """
    assert script(code, "custom") == ["cpu:0"]


@pytest.mark.parametrize("best", ["cpu:0", "custom:0"])
@pytest.mark.parametrize("setting", ["", "cpu", "custom", "auto"])
def test_auto_given_to_compile_overrules_the_setting(script: Any, setting: str, best: str) -> None:
    code = f"""
        choose({best!r})
        trained = model()
        trained.compile("adam", "mse", device="auto")
        result = [fit(trained), trained.device_choice.seconds]
        result.append(trained.predict(np.ones((3, 4), np.float32), verbose=0).shape)
    """
    seconds = (
        {"cpu:0": 1.0, "custom:0": 2.0} if best == "cpu:0" else {"cpu:0": 2.0, "custom:0": 1.0}
    )
    assert script(code, setting) == [[best], seconds, [3, 2]]


def test_auto_as_the_setting_is_for_models_without_a_device(script: Any) -> None:
    code = """
        choose("custom:0")
        result = [ax.tensor([1.0]).device]
        first = model()
        first.compile("adam", "mse")
        second = model()
        second.compile("adam", "mse", device="cpu")
        with ax.device("cpu"):
            third = model()
            third.compile("adam", "mse")
            result += [fit(third), third.device_choice]
        result += [fit(second), second.device_choice, fit(first), first.device_choice.device]
    """
    assert script(code, "auto") == [
        "cpu:0", ["cpu:0"], None, ["cpu:0"], None, ["custom:0"], "custom:0"
    ]  # fmt: skip


def test_a_trained_model_moves_with_all_that_it_has_learnt(script: Any) -> None:
    code = """
        trained = model()
        trained.compile("adam", "mse", device="cpu")
        fit(trained)
        before = [v.numpy() for v in [*trained.weights, *trained.optimizer.variables]]
        choose("custom:0")
        trained.compile(trained.optimizer, "mse", metrics=["mse"], device="auto")
        seen = []
        class Look(ax.callbacks.Callback):
            def on_train_begin(self, logs=None):
                after = [v.numpy() for v in [*trained.weights, *trained.optimizer.variables]]
                seen.extend(np.array_equal(a, b) for a, b in zip(before, after, strict=True))
        x, y = np.ones((20, 4), np.float32), np.zeros((20, 2), np.float32)
        trained.fit(x, y, batch_size=8, verbose=0, callbacks=[Look()])
        result = [all(seen), len(seen), where(trained), int(trained.optimizer.iterations)]
        result.append(trained.device_choice.left_out)
    """
    assert script(code) == [True, 14, ["custom:0"], 6, {}]


def test_the_next_process_knows(script: Any) -> None:
    code = """
        choose({best!r})
        trained = model()
        trained.compile("adam", "mse", device="auto")
        result = fit(trained)
    """
    assert script(code.format(best="custom:0")) == ["custom:0"]
    assert script(code.format(best="cpu:0")) == ["custom:0"], "nothing is measured again"


@pytest.mark.parametrize(
    "use", ["ax.tensor([1.0])", "model()", "ax.device('cpu').__enter__()", "ax.ops.exp(1.0)"]
)
def test_a_setting_that_names_nothing_raises_at_first_use(script: Any, use: str) -> None:
    code = f"""
        for _ in range(2):
            try:
                {use}
            except ax.errors.InvalidArgumentError as error:
                result.append(str(error))
    """
    first, second = script(code, "costum")
    assert first == second
    assert first.startswith("ADDAX_DEVICE=costum: [device] there is no device 'costum' among cpu:0")
    assert "custom:0" in first and "did you mean 'custom'" in first
