"""Random numbers and initial weights."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

import addax as ax
from addax import initializers, random


def test_a_seed_repeats_everything_after_it():
    def draw():
        return [
            random.uniform((5,)).numpy(),
            random.normal((5,)).numpy(),
            random.truncated_normal((3, 2)).numpy(),
            random.dropout(np.ones(9, np.float32), 0.5).numpy(),
        ]

    ax.random.set_seed(11)
    first, second = draw(), draw()
    ax.random.set_seed(11)
    for a, b in zip(first, draw(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert all((a != b).any() for a, b in zip(first[:3], second[:3], strict=True))


def test_without_a_seed_processes_differ():
    code = "import addax as ax; print(ax.random.uniform((3,)).tolist())"
    runs = {subprocess.check_output([sys.executable, "-c", code], text=True) for _ in range(2)}
    assert len(runs) == 2


@pytest.mark.parametrize("seed", [0, -5, 2**63 + 17, np.int32(4)])
def test_any_integer_is_a_seed(seed):
    ax.random.set_seed(seed)
    a = random.uniform((4,)).numpy()
    ax.random.set_seed(seed)
    np.testing.assert_array_equal(random.uniform((4,)).numpy(), a)


def test_distributions():
    """Bounds are five standard deviations of the estimates from 200,000 numbers."""
    n = 200_000
    ax.random.set_seed(2)
    u = random.uniform((n,), -1.0, 3.0).numpy()
    assert u.dtype == np.float32 and u.min() >= -1 and u.max() < 3
    assert abs(u.mean() - 1) < 5 * (4 / 12**0.5) / n**0.5
    z = random.normal((n,), mean=1.0, stddev=2.0).numpy()
    assert abs(z.mean() - 1) < 5 * 2 / n**0.5 and abs(z.std() - 2) < 5 * 2 / (2 * n) ** 0.5
    t = random.truncated_normal((n,)).numpy()
    assert abs(t).max() <= 2
    assert abs(t.std() - 0.87962566) < 5 * 0.88 / (2 * n) ** 0.5
    d = random.dropout(np.ones(n, np.float32), 0.3).numpy()
    assert abs((d == 0).mean() - 0.3) < 5 * (0.21 / n) ** 0.5


def test_streams_do_not_disturb_each_other():
    a, b = random.SeedGenerator(1), random.SeedGenerator(1)
    first = random.uniform((4,), seed=a).numpy()
    random.uniform((4,))
    np.testing.assert_array_equal(random.uniform((4,), seed=b).numpy(), first)
    assert (random.uniform((4,), seed=a).numpy() != first).any()
    same = random.uniform((4,), seed=7).numpy()
    np.testing.assert_array_equal(random.uniform((4,), seed=7).numpy(), same)


def test_dtypes():
    assert random.uniform((2,), dtype="float64").dtype == "float64"
    assert random.normal((2,), dtype=np.float64).dtype == "float64"


@pytest.mark.parametrize(
    ("name", "limit", "deviation"),
    [
        ("glorot_uniform", (6 / 500) ** 0.5, (2 / 500) ** 0.5),
        ("glorot_normal", 2 * (2 / 500) ** 0.5 / 0.8796, (2 / 500) ** 0.5),
        ("he_uniform", (6 / 200) ** 0.5, (2 / 200) ** 0.5),
        ("he_normal", 2 * (2 / 200) ** 0.5 / 0.8796, (2 / 200) ** 0.5),
        ("lecun_uniform", (3 / 200) ** 0.5, (1 / 200) ** 0.5),
        ("lecun_normal", 2 * (1 / 200) ** 0.5 / 0.8796, (1 / 200) ** 0.5),
        ("random_uniform", 0.05, 0.05 / 3**0.5),
        ("random_normal", np.inf, 0.05),
        ("truncated_normal", 0.1, 0.05 * 0.8796),
    ],
)
def test_initializers(name, limit, deviation):
    ax.random.set_seed(3)
    values = initializers.get(name)((200, 300), "float32").numpy()
    assert abs(values).max() <= limit * 1.001
    assert abs(values.std() / deviation - 1) < 5 / (2 * 60_000) ** 0.5 + 1e-3
    assert abs(values.mean()) < 5 * deviation / 60_000**0.5


def test_fans_of_a_convolution():
    values = initializers.HeUniform(seed=1)((3, 3, 16, 32)).numpy()
    assert 0.99 < abs(values).max() / (6 / 144) ** 0.5 <= 1.0001


def test_constants():
    assert initializers.get("zeros")((2,)).tolist() == [0, 0]
    assert initializers.get("ones")((2,)).tolist() == [1, 1]
    assert initializers.Constant(2.5)((2,)).tolist() == [2.5, 2.5]


def test_initializers_with_a_seed_repeat():
    a = initializers.GlorotUniform(seed=4)
    np.testing.assert_array_equal(a((3, 3)).numpy(), a((3, 3)).numpy())
    again = initializers.get({"class_name": "GlorotUniform", "config": a.get_config()})
    np.testing.assert_array_equal(again((3, 3)).numpy(), a((3, 3)).numpy())


def test_layers_of_a_model_get_different_weights():
    model = ax.Sequential([ax.Input((8,)), ax.layers.Dense(8), ax.layers.Dense(8)])
    first, second = (layer.kernel.numpy() for layer in model.layers)
    assert (first != second).mean() > 0.99
