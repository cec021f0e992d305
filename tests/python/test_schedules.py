"""Learning-rate schedules against their formulas in NumPy."""

from __future__ import annotations

import math

import numpy as np
import pytest

import addax as ax
from addax.errors import InvalidArgumentError
from addax.optimizers import schedules as S

STEPS = np.arange(0, 45)


def piecewise(step):
    return 0.1 if step <= 5 else 0.05 if step <= 12 else 0.01


def polynomial(step, power, cycle):
    length = 10 * max(1, math.ceil(step / 10)) if cycle else 10
    return (0.1 - 0.01) * (1 - min(step, length) / length) ** power + 0.01


def cosine(step, rate, alpha=0.0):
    wave = 0.5 * (1 + math.cos(math.pi * min(step, 20) / 20))
    return rate * ((1 - alpha) * wave + alpha)


def warm(step):
    return 0.01 + (0.1 - 0.01) * step / 5 if step < 5 else cosine(step - 5, 0.1)


CASES = [
    (S.ExponentialDecay(0.1, 10, 0.5), lambda step: 0.1 * 0.5 ** (step / 10)),
    (S.ExponentialDecay(0.1, 10, 0.5, staircase=True), lambda step: 0.1 * 0.5 ** (step // 10)),
    (S.InverseTimeDecay(0.1, 10, 0.5), lambda step: 0.1 / (1 + 0.5 * step / 10)),
    (S.InverseTimeDecay(0.1, 10, 0.5, staircase=True), lambda step: 0.1 / (1 + 0.5 * (step // 10))),
    (S.PiecewiseConstantDecay([5, 12], [0.1, 0.05, 0.01]), piecewise),
    (S.PiecewiseConstantDecay([], [0.1]), lambda step: 0.1),
    (S.PolynomialDecay(0.1, 10, 0.01), lambda step: polynomial(step, 1, False)),
    (S.PolynomialDecay(0.1, 10, 0.01, 2.0), lambda step: polynomial(step, 2, False)),
    (S.PolynomialDecay(0.1, 10, 0.01, 0.5, cycle=True), lambda step: polynomial(step, 0.5, True)),
    (S.CosineDecay(0.1, 20), lambda step: cosine(step, 0.1)),
    (S.CosineDecay(0.1, 20, alpha=0.2), lambda step: cosine(step, 0.1, 0.2)),
    (S.CosineDecay(0.01, 20, warmup_target=0.1, warmup_steps=5), warm),
    (S.CosineDecay(0.01, 20, warmup_target=0.1), lambda step: cosine(step, 0.1)),
]
NAMES = [f"{schedule.name}-{index}" for index, (schedule, _) in enumerate(CASES)]


@pytest.mark.parametrize(("schedule", "formula"), CASES, ids=NAMES)
def test_rates(schedule, formula):
    rates = [schedule(step).item() for step in STEPS]
    np.testing.assert_allclose(rates, [formula(int(step)) for step in STEPS], rtol=2e-6, atol=1e-8)


@pytest.mark.parametrize(("schedule", "formula"), CASES, ids=NAMES)
def test_rates_in_a_training_step(schedule, formula):
    """With a gradient of minus one the weight is the sum of the rates."""
    optimizer = ax.optimizers.SGD(schedule)
    weight = ax.Variable([0.0])

    @ax.function
    def step():
        optimizer.apply([ax.ops.full([1], -1.0)], [weight])

    for _ in range(30):
        step()
    expected = sum(formula(n) for n in range(30))
    assert weight.numpy()[0] == pytest.approx(expected, rel=1e-5)
    assert float(optimizer.learning_rate) == pytest.approx(formula(30), rel=2e-6, abs=1e-8)


def test_an_epoch_with_a_schedule_is_one_call(monkeypatch):
    x = np.linspace(-1, 1, 40, dtype=np.float32).reshape(20, 2)
    y = x.sum(1, keepdims=True)
    calls = []
    run_steps = ax._core.Executable.run_steps

    def counted(program, inputs, n_steps, *rest):
        calls.append(n_steps)
        return run_steps(program, inputs, n_steps, *rest)

    monkeypatch.setattr(ax._core.Executable, "run_steps", counted)
    weights = []
    for rate in (S.ExponentialDecay(0.1, 3, 0.5), lambda n: 0.1 * 0.5 ** (n.astype("float32") / 3)):
        ax.random.set_seed(1)
        model = ax.Sequential([ax.Input((2,)), ax.layers.Dense(1)])
        model.compile(ax.optimizers.Adam(rate), "mse")
        model.fit(x, y, batch_size=4, epochs=2, verbose=0)
        weights.append(model.get_weights()[0])
    assert calls == [5, 5] * 2
    np.testing.assert_allclose(*weights, rtol=1e-5)


def test_configuration():
    for schedule, _ in CASES:
        again = type(schedule).from_config(schedule.get_config())
        assert again.get_config() == schedule.get_config()
    optimizer = ax.optimizers.Adam(S.CosineDecay(0.1, 20, alpha=0.2))
    again = ax.optimizers.Adam.from_config(optimizer.get_config())
    assert again.get_config() == optimizer.get_config()
    assert float(again.learning_rate) == pytest.approx(0.1)


def test_mistakes():
    with pytest.raises(
        InvalidArgumentError, match="ExponentialDecay: decay_steps must be positive"
    ):
        S.ExponentialDecay(0.1, 0, 0.5)
    with pytest.raises(InvalidArgumentError, match="got 2 values and 2 boundaries"):
        S.PiecewiseConstantDecay([1, 2], [0.1, 0.2])
    with pytest.raises(InvalidArgumentError, match=r"boundaries must increase, got \[2, 1\]"):
        S.PiecewiseConstantDecay([2, 1], [0.1, 0.2, 0.3])
    with pytest.raises(InvalidArgumentError, match="need a warmup_target"):
        S.CosineDecay(0.1, 10, warmup_steps=5)
    with pytest.raises(InvalidArgumentError, match="unknown schedule 'CosinDecay'; did you mean"):
        ax.optimizers.SGD({"class_name": "CosinDecay"})
