"""``device="auto"``: the measured choice, how it is kept, and that trying devices changes nothing.

No test depends on how fast anything is: where devices are compared, the seconds are made up.
"""

from __future__ import annotations

import errno
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import addax as ax
from addax import _core, caches, placement, random
from addax.errors import (
    DeviceError,
    InvalidArgumentError,
    OutOfMemoryError,
    OutOfRangeError,
    ShapeError,
    UnsupportedError,
)
from addax.training import auto

CPU = ax.devices()[0].name


def info(name: str, score: float = 1.0, details: str = "") -> ax.placement.DeviceInfo:
    return placement.DeviceInfo(
        name=name,
        kind=name.split(":")[0],
        description=f"the {name}",
        vendor="",
        details=details,
        score=score,
        units=1,
        memory=0,
        unified_memory=True,
        dtypes=("float32",),
        fast_dtypes=(),
    )


class FakeProgram:
    """A program whose steps take as long as is said, and that tells where it was tried."""

    def __init__(self, seconds: dict[str, float | Exception], source: str = "graph g {") -> None:
        self.device = CPU
        self.tried: list[str] = []
        self._seconds = seconds
        self._source = source

    def source(self) -> str:
        return self._source

    def rehearse(self, inputs: Any, device: str) -> Any:
        self.tried.append(device)
        taken = self._seconds[device]
        if isinstance(taken, Exception):
            raise taken

        class Rehearsal:
            def run(self, steps: int) -> float:
                return steps * taken

        return Rehearsal()

    def step(self) -> auto.Step:
        return auto.Step(self, [], None)  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache on disk, and a process that knows of no choice."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("ADDAX_CACHE", raising=False)
    monkeypatch.delenv("ADDAX_DEVICE", raising=False)
    forget(monkeypatch)
    return tmp_path / "addax" / "devices"


def forget(monkeypatch: pytest.MonkeyPatch) -> None:
    """What another process would know."""
    monkeypatch.setattr(auto, "_known", {})


def choose_among(monkeypatch: pytest.MonkeyPatch, names: Iterable[str]) -> None:
    infos = [info(name) for name in names]
    monkeypatch.setattr(auto, "candidates", lambda: infos)


# ---- The measurement.


def test_steps_are_timed_in_growing_runs_until_that_is_enough() -> None:
    runs: list[int] = []

    def run(steps: int) -> float:
        runs.append(steps)
        return steps * auto.ENOUGH / 10

    assert auto.measure(run) == (pytest.approx(auto.ENOUGH / 10), False)
    assert runs == [1, 1, 2, 4, 8]


def test_no_more_steps_run_in_a_row_than_there_are_batches() -> None:
    runs: list[int] = []

    def run(steps: int) -> float:
        runs.append(steps)
        return 0.0

    assert auto.measure(run, limit=3) == (0.0, False)
    assert max(runs) == 3 and len(runs) == auto.MOST_RUNS + 1


def test_the_best_of_the_runs_counts_and_the_first_does_not() -> None:
    taken = iter([0.9, 0.03, 0.02, 0.04])
    assert auto.measure(lambda steps: next(taken)) == (0.01, False)


def test_a_hopeless_device_is_given_up_after_a_step() -> None:
    runs: list[int] = []

    def run(steps: int) -> float:
        runs.append(steps)
        return 0.5

    assert auto.measure(run, best=0.1) == (0.5, True)
    assert runs == [1, 1], "one to warm up"


# ---- The choice.


def test_the_fastest_is_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    choose_among(monkeypatch, [CPU, "a:0", "b:0", "c:0"])
    broken = UnsupportedError("[negative] only on Sundays")
    choice = auto.choose(FakeProgram({CPU: 0.002, "a:0": 0.001, "b:0": 0.03, "c:0": broken}).step())
    assert choice.device == "a:0"
    assert choice.seconds == {CPU: 0.002, "a:0": 0.001, "b:0": 0.03}
    assert choice.rough == ("b:0",)
    assert choice.left_out == {"c:0": "[negative] only on Sundays"}
    assert str(choice) == (
        f"auto: runs on a:0, 1ms/step; {CPU} 2ms/step; b:0 about 30ms/step; "
        "c:0 is left out: [negative] only on Sundays"
    )


@pytest.mark.parametrize(
    ("errors", "kind"),
    [
        ([UnsupportedError("no"), UnsupportedError("never")], UnsupportedError),
        ([OutOfMemoryError("no"), OutOfMemoryError("never")], OutOfMemoryError),
        ([UnsupportedError("no"), OutOfMemoryError("never")], DeviceError),
    ],
)
def test_where_nothing_runs_the_error_tells_of_each(
    monkeypatch: pytest.MonkeyPatch, errors: list[Exception], kind: type[Exception]
) -> None:
    choose_among(monkeypatch, [CPU, "a:0"])
    seconds: dict[str, float | Exception] = dict(zip([CPU, "a:0"], errors, strict=True))
    said = rf"\[auto\] no device can take the model's step: {CPU}: no; a:0: never"
    with pytest.raises(kind, match=said):
        auto.choose(FakeProgram(seconds).step())
    with pytest.raises(kind, match=said):
        auto.first_step(compiling(seconds), CPU)


def compiling(seconds: dict[str, float | Exception]) -> Any:
    def compile_for(name: str) -> auto.Step:
        if isinstance(given := seconds[name], Exception):
            raise given
        return FakeProgram(seconds).step()

    return compile_for


def test_a_device_that_cannot_compile_is_left_out_be_it_the_default(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    choose_among(monkeypatch, [CPU, "a:0", "b:0"])
    seconds = {CPU: 0.003, "a:0": UnsupportedError("never"), "b:0": 0.002}
    step, failures = auto.first_step(compiling(seconds), "a:0")
    choice = auto.choose(step, failures)
    assert choice == auto.DeviceChoice("b:0", {CPU: 0.003, "b:0": 0.002}, (), {"a:0": "never"})
    # The only one that is left has to show that it can.
    choose_among(monkeypatch, [CPU, "a:0"])
    assert auto.choose(step, failures).seconds == {CPU: 0.003}
    broken: dict[str, float | Exception] = {**seconds, CPU: UnsupportedError("no")}
    with pytest.raises(UnsupportedError, match=f"a:0: never; {CPU}: no"):
        auto.choose(FakeProgram(broken).step(), failures)


def test_what_is_wrong_with_the_model_is_no_devices_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    choose_among(monkeypatch, [CPU, "a:0"])
    with pytest.raises(ShapeError, match="does not fit"):
        auto.first_step(compiling({CPU: ShapeError("does not fit"), "a:0": 0.001}), CPU)


def test_bad_data_is_not_a_devices_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    choose_among(monkeypatch, [CPU, "a:0"])
    program = FakeProgram({CPU: OutOfRangeError("label 11"), "a:0": 0.001})
    with pytest.raises(OutOfRangeError):
        auto.choose(program.step())
    assert program.tried == [CPU]


def test_the_candidates_are_the_cpu_and_what_is_recommended(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = [info("cpu:0", 0), info("null:0", -1), info("custom:0", 0), info("gpu:0", 10)]
    monkeypatch.setattr(placement, "inventory", lambda: found)
    assert [candidate.name for candidate in auto.candidates()] == ["cpu:0", "gpu:0"]


def test_of_one_device_nothing_is_measured(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    choose_among(monkeypatch, [CPU])
    program = FakeProgram({})
    assert auto.choose(program.step()) == auto.DeviceChoice(CPU)
    assert program.tried == [] and not folder.exists()


# ---- How it is kept.


def chosen(seconds: dict[str, float | Exception], source: str = "graph g {") -> list[str]:
    """The devices that are tried to choose the first for these steps."""
    program = FakeProgram(seconds, source)
    assert auto.choose(program.step()).device == next(iter(seconds))
    return program.tried


SECONDS: dict[str, float | Exception] = {"a:0": 0.001, CPU: 0.003}


def test_a_choice_is_kept_in_the_process_and_on_disk(
    monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    choose_among(monkeypatch, SECONDS)
    assert chosen(SECONDS) == ["a:0", CPU]
    (file,) = folder.iterdir()
    assert json.loads(file.read_text())["seconds"] == SECONDS
    assert chosen(SECONDS) == []
    forget(monkeypatch)
    assert chosen(SECONDS) == []
    forget(monkeypatch)
    file.unlink()
    assert chosen(SECONDS) == ["a:0", CPU]


def altered(record: dict[str, Any], **changes: Any) -> str:
    return json.dumps({**record, **changes})


@pytest.mark.parametrize(
    "damage",
    [
        lambda record: "",
        lambda record: json.dumps(record)[:-5],
        lambda record: "[]",
        lambda record: "[" * 100_000,
        lambda record: "\x00",
        lambda record: altered(record, key="another"),
        lambda record: altered(record, device="gone:0"),
        lambda record: altered(record, device=["a:0"]),
        lambda record: altered(record, seconds=None),
        lambda record: altered(record, seconds={"a:0": 1.0}),
        lambda record: altered(record, seconds={"a:0": "fast", CPU: 1.0}),
        lambda record: altered(record, rough=None),
    ],
)
def test_a_damaged_file_is_ignored_and_written_anew(
    damage: Any, monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    choose_among(monkeypatch, SECONDS)
    chosen(SECONDS)
    (file,) = folder.iterdir()
    good = file.read_text()
    file.write_text(damage(json.loads(good)))
    forget(monkeypatch)
    assert chosen(SECONDS) == ["a:0", CPU]
    assert file.read_text() == good
    assert [*folder.iterdir()] == [file]


def test_a_file_that_cannot_be_read_or_replaced_is_done_without(
    monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    choose_among(monkeypatch, SECONDS)
    chosen(SECONDS)
    (file,) = folder.iterdir()
    file.unlink()
    (file / "inside").mkdir(parents=True)
    for _ in range(2):
        forget(monkeypatch)
        assert chosen(SECONDS) == ["a:0", CPU]
    assert [*folder.iterdir()] == [file], "no half-written file is left"


def test_a_cache_that_cannot_be_written_is_done_without(
    monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    folder.parent.write_text("not a folder")
    choose_among(monkeypatch, SECONDS)
    for _ in range(2):
        forget(monkeypatch)
        assert chosen(SECONDS) == ["a:0", CPU]


def test_a_disk_that_is_full_is_done_without(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    def full(value: Any, file: Any, **settings: Any) -> None:
        file.write("{")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(json, "dump", full)
    choose_among(monkeypatch, SECONDS)
    assert chosen(SECONDS) == ["a:0", CPU]
    assert [*folder.iterdir()] == [], "no half-written file is left"


def test_the_cache_on_disk_can_be_switched_off(
    monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    monkeypatch.setenv("ADDAX_CACHE", "0")
    choose_among(monkeypatch, SECONDS)
    chosen(SECONDS)
    assert caches.folder() is None and not folder.exists()
    assert chosen(SECONDS) == [], "the process remembers"
    monkeypatch.setenv("ADDAX_CACHE", "yes")
    with pytest.raises(InvalidArgumentError, match="ADDAX_CACHE must be 0 or 1, got 'yes'"):
        caches.folder()


def test_the_cache_lies_in_the_users_caches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", "/somewhere")
    assert caches.folder() == "/somewhere/.cache/addax"
    monkeypatch.delenv("HOME")
    assert caches.folder() is None
    assert caches.load("devices/x.json") is None
    caches.store("devices/x.json", 1)


def test_a_device_that_failed_is_tried_again_by_the_next_process(
    monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    choose_among(monkeypatch, SECONDS)
    failing: dict[str, float | Exception] = {CPU: 0.003, "a:0": UnsupportedError("no memory")}
    assert chosen(failing) == ["a:0", CPU]
    assert not folder.exists()
    assert chosen(failing) == []
    forget(monkeypatch)
    assert chosen(SECONDS) == ["a:0", CPU]


def fingerprint(function: Any, names: str, **details: str) -> str:
    with _core.Trace(f"f_{names}") as trace, trace.label(f"layer_{names}"):
        x = trace.input((2, 3), "float32", f"x_{names}")
        variable = _core.Variable(np.ones(3, np.float32), name=f"v_{names}")
        y = function(x * variable)
    program = trace.finish([y], device=CPU)
    return auto.fingerprint(program, [info("a:0", **details)])


def test_a_choice_is_for_a_graph_whatever_its_names_and_for_devices() -> None:
    def double(x: Any) -> Any:
        return x * 2

    first = fingerprint(double, "one")
    assert fingerprint(double, "two") == first
    assert fingerprint(lambda x: x * 3, "one") != first
    assert fingerprint(lambda x: (x * 2).sum(), "one") != first
    assert fingerprint(double, "one", details="driver 2") != first


# ---- Models.


def model(**compile_arguments: Any) -> Any:
    """A model with all kinds of state: weights, moments, statistics, two streams of random bits."""
    random.set_seed(3)
    layers = ax.layers
    made = ax.Sequential(
        [
            layers.Dense(8, activation="relu"),
            layers.BatchNormalization(),
            layers.Dropout(0.3),
            layers.Dropout(0.2, seed=5),
            layers.Dense(3),
        ]
    )
    loss = ax.losses.SparseCategoricalCrossentropy(from_logits=True)
    made.compile("adam", loss, metrics=["accuracy"], **compile_arguments)
    return made


X = np.random.default_rng(0).normal(size=(50, 4)).astype(np.float32)
Y = np.arange(50) % 3

USES: dict[str, Any] = {
    "fit": lambda m: m.fit(X, Y, batch_size=8, epochs=2, verbose=0).history,
    "evaluate": lambda m: m.evaluate(X, Y, verbose=0),
    "train_on_batch": lambda m: [m.train_on_batch(X[:8], Y[:8]) for _ in range(2)],
    "test_on_batch": lambda m: m.test_on_batch(X[:8], Y[:8]),
    "predict": lambda m: m.predict(X, batch_size=8, verbose=0).tolist(),
    "predict_on_batch": lambda m: m.predict_on_batch(X[:8]).tolist(),
    "evaluate, then fit": lambda m: [USES["evaluate"](m), USES["fit"](m)],
}


def state(m: Any) -> list[Any]:
    """All numbers that a model holds and the next random ones."""
    variables = [*m.weights, *m.optimizer.variables, *(v for x in m.metrics for v in x.variables)]
    return [variable.numpy().tobytes() for variable in variables] + [
        random.uniform((3,)).tolist(),
        random.order_key().tolist(),
        m.layers[3]._generator.state.numpy().tolist(),
    ]


@pytest.mark.parametrize("use", USES)
def test_trying_devices_leaves_no_trace(use: str, monkeypatch: pytest.MonkeyPatch) -> None:
    choose_among(monkeypatch, [CPU, "gone:0"])
    given = model(device="cpu")
    expected = [USES[use](given), *state(given)]
    chosen = model(device="auto")
    assert [USES[use](chosen), *state(chosen)] == expected
    assert chosen.device_choice.device == CPU
    assert "gone:0" in chosen.device_choice.left_out["gone:0"]


def test_the_choice_is_told_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    choose_among(monkeypatch, [CPU, "gone:0"])
    m = model(device="auto")
    assert m.device_choice is None
    m.fit(X, Y, verbose=0)
    assert capsys.readouterr().out == ""
    assert str(m.device_choice).startswith(f"auto: runs on {CPU}, ")
    m.compile("sgd", "mse")
    assert m.device_choice is None
    m.fit(X, np.zeros((50, 3)), epochs=2, verbose=2)
    m.evaluate(X, np.zeros((50, 3)), verbose=2)
    out = capsys.readouterr().out
    assert out.splitlines()[0] == str(m.device_choice)
    assert out.count("auto: ") == 1


def test_of_one_device_nothing_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    choose_among(monkeypatch, [CPU])
    m = model(device="auto")
    m.fit(X, Y, verbose=2)
    assert "auto" not in capsys.readouterr().out
    assert m.device_choice.device == CPU


def test_a_label_out_of_range_is_told_as_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    choose_among(monkeypatch, [CPU, "gone:0"])
    m = model(device="auto")
    wrong = Y.copy()
    wrong[17] = 11
    with pytest.raises(OutOfRangeError, match="17"):
        m.fit(X, wrong, verbose=0)
    assert m.device_choice is None
    m.fit(X, Y, verbose=0)
    assert m.device_choice.device == CPU


def test_predicting_chooses_until_there_is_testing_and_that_until_training(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    choose_among(monkeypatch, [CPU, "gone:0"])
    m = model(device="auto")
    choices = []
    for use in ("predict", "predict_on_batch", "evaluate", "predict", "test_on_batch", "fit"):
        USES[use](m)
        choices.append(m.device_choice)
    assert choices[0] is choices[1] is not choices[2]
    assert choices[2] is choices[3] is choices[4] is not choices[5]
    for use in ("predict", "evaluate", "train_on_batch", "fit"):
        USES[use](m)
        assert m.device_choice is choices[5]


def test_a_model_that_is_not_compiled_chooses_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    choose_among(monkeypatch, [CPU, "gone:0"])
    monkeypatch.setenv("ADDAX_DEVICE", "auto")
    random.set_seed(1)
    m = ax.Sequential([ax.layers.Dense(2)])
    assert m.predict(X, verbose=0).shape == (50, 2)
    assert m.device_choice.device == CPU


def test_auto_is_for_models() -> None:
    for use in (lambda: ax.device("auto"), lambda: ax.device("auto").__enter__()):
        with pytest.raises(InvalidArgumentError, match=r"compile\(device='auto'\).*" + CPU):
            use()
