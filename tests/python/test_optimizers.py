"""Optimizers against their update rules in NumPy."""

from __future__ import annotations

import numpy as np
import pytest

import addax as ax
from addax import optimizers
from addax.errors import InvalidArgumentError

SHAPES = [(3, 4), (4,), ()]


def gradients(step):
    rng = np.random.default_rng(step)
    return [np.asarray(rng.standard_normal(shape), np.float32) for shape in SHAPES]


def run(optimizer, steps=5):
    variables = [ax.Variable(np.ones(shape, np.float32)) for shape in SHAPES]
    for step in range(steps):
        optimizer.apply_gradients(zip(gradients(step), variables, strict=True))
    return [variable.numpy() for variable in variables]


def close(actual, expected):
    for a, e in zip(actual, expected, strict=True):
        np.testing.assert_allclose(a, e, rtol=1e-5, atol=1e-6)


def expected_sgd(rate, momentum, nesterov, steps=5, decay=0.0):
    weights = [np.ones(shape) for shape in SHAPES]
    velocities = [np.zeros(shape) for shape in SHAPES]
    for step in range(steps):
        for index, gradient in enumerate(gradients(step)):
            weights[index] = weights[index] * (1 - rate * decay)
            velocities[index] = momentum * velocities[index] - rate * gradient
            ahead = momentum * velocities[index] - rate * gradient
            weights[index] = weights[index] + (ahead if nesterov else velocities[index])
    return weights


def expected_adam(rate, beta_1=0.9, beta_2=0.999, epsilon=1e-7, steps=5, decay=0.0):
    weights = [np.ones(shape) for shape in SHAPES]
    m = [np.zeros(shape) for shape in SHAPES]
    v = [np.zeros(shape) for shape in SHAPES]
    for step in range(steps):
        size = rate * np.sqrt(1 - beta_2 ** (step + 1)) / (1 - beta_1 ** (step + 1))
        for index, gradient in enumerate(gradients(step)):
            weights[index] = weights[index] * (1 - rate * decay)
            m[index] = beta_1 * m[index] + (1 - beta_1) * gradient
            v[index] = beta_2 * v[index] + (1 - beta_2) * gradient**2
            weights[index] = weights[index] - size * m[index] / (np.sqrt(v[index]) + epsilon)
    return weights


@pytest.mark.parametrize(("momentum", "nesterov"), [(0.0, False), (0.9, False), (0.9, True)])
def test_sgd(momentum, nesterov):
    optimizer = optimizers.SGD(0.1, momentum=momentum, nesterov=nesterov)
    close(run(optimizer), expected_sgd(0.1, momentum, nesterov))
    assert int(optimizer.iterations.numpy()) == 5


@pytest.mark.parametrize("arguments", [{}, {"beta_1": 0.8, "beta_2": 0.99, "epsilon": 1e-3}])
def test_adam(arguments):
    close(run(optimizers.Adam(0.05, **arguments)), expected_adam(0.05, **arguments))


def test_adamw():
    close(run(optimizers.AdamW(0.05, weight_decay=0.1)), expected_adam(0.05, decay=0.1))
    close(run(optimizers.Adam(0.05, weight_decay=0.1)), expected_adam(0.05, decay=0.1))
    close(run(optimizers.AdamW(0.05)), expected_adam(0.05, decay=0.004))


@pytest.mark.parametrize(("momentum", "nesterov"), [(0.0, False), (0.9, True)])
def test_sgd_with_weight_decay(momentum, nesterov):
    optimizer = optimizers.SGD(0.1, momentum, nesterov, weight_decay=0.5)
    close(run(optimizer), expected_sgd(0.1, momentum, nesterov, decay=0.5))


@pytest.mark.parametrize(("momentum", "decay"), [(0.0, 0.0), (0.5, 0.0), (0.5, 0.1)])
def test_rmsprop(momentum, decay):
    weights = [np.ones(shape) for shape in SHAPES]
    v, m = ([np.zeros(shape) for shape in SHAPES] for _ in range(2))
    for step in range(5):
        for index, gradient in enumerate(gradients(step)):
            weights[index] = weights[index] * (1 - 0.05 * decay)
            v[index] = 0.8 * v[index] + 0.2 * gradient**2
            m[index] = momentum * m[index] + 0.05 * gradient / np.sqrt(v[index] + 1e-7)
            weights[index] = weights[index] - m[index]
    optimizer = optimizers.RMSprop(0.05, rho=0.8, momentum=momentum, weight_decay=decay)
    close(run(optimizer), weights)


@pytest.mark.parametrize("limit", ["clipnorm", "global_clipnorm", "clipvalue"])
@pytest.mark.parametrize("value", [0.5, 100.0])
def test_limits_of_the_gradients(limit, value):
    weights = [np.ones(shape) for shape in SHAPES]
    for step in range(5):
        given = gradients(step)
        norms = [np.linalg.norm(gradient) for gradient in given]
        together = np.linalg.norm(norms)
        for index, gradient in enumerate(given):
            norm = {"clipnorm": norms[index], "global_clipnorm": together}.get(limit, 0)
            limited = gradient * min(1, value / norm) if norm else gradient.clip(-value, value)
            weights[index] = weights[index] - 0.1 * limited
    close(run(optimizers.SGD(0.1, **{limit: value})), weights)


@pytest.mark.parametrize("make", [optimizers.SGD, optimizers.AdamW, optimizers.RMSprop])
@pytest.mark.parametrize("by_name", [True, False])
def test_weights_excluded_from_decay(make, by_name):
    """What decays does so as without exclusions, the rest as without decay."""
    start = np.array([1.0, -2.0], np.float32)
    results = {}
    for excluded, decay in (([], 0.5), ([], 0.0), (["bias"], 0.5)):
        pair = [ax.Variable(start, name=name) for name in ("bias_net/kernel", "bias_net/bias")]
        optimizer = make(0.1, weight_decay=decay)
        if excluded and by_name:
            optimizer.exclude_from_weight_decay(var_names=excluded)
        elif excluded:
            optimizer.exclude_from_weight_decay(var_list=pair[1:])
        for _ in range(3):
            optimizer.apply([ax.tensor([0.5, 0.25])] * 2, pair)
        results[bool(excluded), decay] = [weight.numpy() for weight in pair]
    kernel, bias = results[True, 0.5]
    np.testing.assert_allclose(kernel, results[False, 0.5][0], rtol=1e-6)
    np.testing.assert_allclose(bias, results[False, 0.0][1], rtol=1e-6)
    assert abs(kernel - bias).min() > 0.01
    with pytest.raises(InvalidArgumentError, match="has trained already"):
        optimizer.exclude_from_weight_decay(var_names=["kernel"])


def test_learning_rate_can_be_set():
    optimizer = optimizers.SGD(0.1)
    w = ax.Variable([1.0])
    optimizer.apply([ax.tensor([1.0])], [w])
    optimizer.learning_rate = 0.5
    optimizer.apply([ax.tensor([1.0])], [w])
    assert w.numpy()[0] == pytest.approx(0.4)
    assert float(optimizer.learning_rate.numpy()) == 0.5


def test_learning_rate_follows_a_function_of_the_step():
    optimizer = optimizers.SGD(lambda step: 1.0 / (step.astype("float32") + 1.0))
    w = ax.Variable([0.0])
    for _ in range(3):
        optimizer.apply([ax.tensor([-1.0])], [w])
    assert w.numpy()[0] == pytest.approx(1 + 1 / 2 + 1 / 3)
    assert float(optimizer.learning_rate) == pytest.approx(1 / 4)
    with pytest.raises(InvalidArgumentError, match="follows a schedule"):
        optimizer.learning_rate = 0.1


def test_learning_rate_set_between_fits_needs_no_new_program():
    x, y = np.ones((8, 2), np.float32), np.ones((8, 1), np.float32)
    model = ax.Sequential([ax.Input((2,)), ax.layers.Dense(1)])
    model.compile(optimizers.SGD(0.1), "mse")
    model.fit(x, y, verbose=0)
    programs = dict(model._steps._programs)
    model.optimizer.learning_rate = 0.0
    before = model.get_weights()
    model.fit(x, y, verbose=0)
    assert model._steps._programs == programs
    close(model.get_weights(), before)


def test_aliases_and_configuration():
    assert type(optimizers.get("adam")) is optimizers.Adam
    assert type(optimizers.get(optimizers.SGD)) is optimizers.SGD
    adam = optimizers.Adam(0.25, beta_1=0.5, name="a")
    again = optimizers.Adam.from_config(adam.get_config())
    assert again.get_config() == adam.get_config()
    clipped = optimizers.AdamW(0.25, 0.5, clipnorm=2.0)
    assert optimizers.AdamW.from_config(clipped.get_config()).clipnorm == 2.0
    assert type(optimizers.get("adamw")) is optimizers.AdamW
    made = optimizers.get({"class_name": "SGD", "config": {"momentum": 0.5}})
    assert made.momentum == 0.5


def test_mistakes():
    with pytest.raises(ValueError, match="unknown optimizer 'adma'; did you mean 'adam'"):
        optimizers.get("adma")
    with pytest.raises(TypeError, match="Adam: unknown argument 'beta1'; did you mean 'beta_1'"):
        optimizers.Adam(beta1=0.5)
    with pytest.raises(InvalidArgumentError, match="momentum must be between 0 and 1"):
        optimizers.SGD(momentum=2.0)
    with pytest.raises(TypeError, match="unknown argument 'clip_norm'; did you mean 'clipnorm'"):
        optimizers.Adam(clip_norm=0.5)
    with pytest.raises(InvalidArgumentError, match=r"only one limit .* clipnorm=1, clipvalue=2"):
        optimizers.Adam(clipnorm=1, clipvalue=2)
    for limit in (0, "1"):
        with pytest.raises(InvalidArgumentError, match="a positive number, got clipvalue="):
            optimizers.Adam(clipvalue=limit)
    for decay in (-1, "1"):
        with pytest.raises(InvalidArgumentError, match=r"weight_decay must be a number .* got"):
            optimizers.SGD(weight_decay=decay)
    with pytest.raises(InvalidArgumentError, match="does not take one argument"):
        optimizers.SGD(lambda: 0.1)
    for rate in ("fast", [0.1, 0.2]):
        with pytest.raises(InvalidArgumentError, match="learning_rate must be a number"):
            optimizers.SGD(0.1).learning_rate = rate
    with pytest.raises(InvalidArgumentError, match=r"learning_rate must be a number.* got 'fast'"):
        optimizers.Adam("fast")
    optimizer = optimizers.Adam()
    optimizer.apply([ax.tensor([1.0])], [ax.Variable([1.0])])
    with pytest.raises(InvalidArgumentError, match="built for other weights"):
        optimizer.apply([ax.tensor([1.0])], [ax.Variable([1.0])])
