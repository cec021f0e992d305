"""Compiled functions and gradients."""

from __future__ import annotations

import threading
from typing import NamedTuple

import numpy as np
import pytest

import addax as ax
from addax.errors import DTypeError, InvalidArgumentError, ShapeError, TracedValueError


def close(actual, expected, tolerance=1e-5):
    np.testing.assert_allclose(np.asarray(actual), expected, rtol=tolerance, atol=1e-6)


# ---- ax.function


def test_recorded_once_per_signature():
    @ax.function
    def f(x, power):
        return (x**power).sum()

    a = np.arange(4, dtype=np.float32)
    close(f(a, 2), 14)
    close(f(ax.tensor(a), 2), 14)
    assert f.trace_count == 1
    close(f(a, 3), 36)
    close(f(a[:3], 2), 5)
    close(f(a.astype(np.float64), 2), 14)
    assert f.trace_count == 4
    close(f(a + 1, 2), 30)
    assert f.trace_count == 4


def test_equal_numbers_of_other_types_are_other_signatures():
    f = ax.function(lambda x, flag: x + 1 if flag is True else x - 1)
    assert float(f(np.float32(5), True)) == 6
    assert float(f(np.float32(5), 1)) == 4


class Pair(NamedTuple):
    left: object
    right: object


def test_nested_arguments_and_results():
    @ax.function
    def f(data, *, scale):
        a, (b, c) = data["a"], data["rest"]
        return {"sum": a + b, "pair": Pair(c * scale, "text"), "list": [None, 3]}

    out = f({"a": np.float32(1), "rest": (np.float32(2), np.float32(3))}, scale=10.0)
    assert float(out["sum"]) == 3
    assert isinstance(out["pair"], Pair) and float(out["pair"].left) == 30
    assert out["pair"].right == "text" and out["list"] == [None, 3]


def test_variables_are_state():
    counter = ax.Variable(0.0)

    @ax.function
    def step(x):
        counter.assign_add(x)
        return counter.value * 2

    assert float(step(np.float32(1.5))) == 3
    assert float(step(np.float32(1.5))) == 6
    assert float(counter.numpy()) == 3 and step.trace_count == 1
    counter.assign(10.0)
    assert float(step(np.float32(1.0))) == 22


def test_variables_as_arguments():
    f = ax.function(lambda v, x: v + x)
    a, b = ax.Variable(1.0), ax.Variable(2.0)
    assert float(f(a, np.float32(1))) == 2
    assert float(f(b, np.float32(1))) == 3
    a.assign(5.0)
    assert float(f(a, np.float32(1))) == 6
    assert f.trace_count == 2


def test_functions_call_functions():
    inner = ax.function(lambda x: x * 2)
    outer = ax.function(lambda x: inner(x) + inner(x + 1))
    assert float(outer(np.float32(3))) == 14
    assert inner.trace_count == 0


def test_method():
    class Model:
        def __init__(self):
            self.w = ax.Variable(3.0)

        @ax.function
        def predict(self, x):
            return self.w * x

    a, b = Model(), Model()
    b.w.assign(4.0)
    assert float(a.predict(np.float32(2))) == 6
    assert float(b.predict(np.float32(2))) == 8


def test_bounded_cache():
    f = ax.function(lambda x, k: x + k)
    f.capacity = 3
    for k in range(5):
        f(np.float32(1), k)
    f(np.float32(1), 4)
    assert f.trace_count == 5
    f(np.float32(1), 0)
    assert f.trace_count == 6


def test_lowered_shows_the_graph():
    f = ax.function(lambda x, y: x @ y + 1.0)
    text = f.lowered(np.ones((2, 3), np.float32), np.ones((3, 4), np.float32))
    assert "matmul" in text and isinstance(text, str)


def test_values_of_traced_tensors_are_not_known():
    @ax.function
    def branch(x):
        return x if x.sum() > 0 else -x

    @ax.function
    def convert(x):
        return x * float(x.sum())

    for f in (branch, convert):
        with pytest.raises(TracedValueError):
            f(np.ones(3, np.float32))


def test_captured_tensors_are_refused():
    outside = ax.tensor(np.ones(3, np.float32))
    with pytest.raises(TracedValueError, match=r"[Vv]ariable"):
        ax.function(lambda x: x + outside)(np.ones(3, np.float32))


def test_a_failed_recording_leaves_nothing_behind():
    @ax.function
    def f(x):
        raise ValueError("mine")

    with pytest.raises(ValueError, match="mine"):
        f(np.float32(1))
    assert float(ax.tensor(1.0) + 1.0) == 2  # not recording any more


def test_unhashable_argument():
    with pytest.raises(TypeError, match="cannot take a set"):
        ax.function(lambda x: x)({1, 2})


def test_random_numbers_in_functions_advance():
    f = ax.function(lambda: ax.random.uniform((3,)))
    ax.random.set_seed(1)
    a, b = f().numpy(), f().numpy()
    assert (a != b).any()
    ax.random.set_seed(1)
    close(f(), a)
    ax.random.set_seed(1)
    close(ax.random.uniform((3,)), a)


def test_threads_share_a_function():
    f = ax.function(lambda x: (x * 2).sum())
    wrong = []

    def work(k):
        for i in range(20):
            if float(f(np.full(5, k + i, np.float32))) != 10 * (k + i):
                wrong.append((k, i))

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong and f.trace_count == 1


# ---- ax.grad


def test_gradient_of_a_composition():
    x = np.random.default_rng(0).standard_normal((4, 3)).astype(np.float32)

    def f(x):
        return (ax.ops.tanh(x) * x).sum()

    t = np.tanh(x)
    value, gradient = ax.value_and_grad(f)(x)
    close(value, (t * x).sum())
    close(gradient, t + (1 - t**2) * x)


def test_argnums():
    def f(a, b, c):
        return a * b + c

    assert float(ax.grad(f)(2.0, 3.0, 4.0)) == 3
    assert float(ax.grad(f, 1)(2.0, 3.0, 4.0)) == 2
    left, right = ax.grad(f, (0, -1))(2.0, 3.0, 4.0)
    assert (float(left), float(right)) == (3, 1)
    with pytest.raises(InvalidArgumentError, match="argument 3"):
        ax.grad(f, 3)(2.0, 3.0, 4.0)


def test_nested_arguments():
    def loss(params, x):
        return ((x @ params["w"] + params["b"]) ** 2).sum()

    w, b, x = np.ones((3, 2), "f"), np.zeros(2, "f"), np.ones((4, 3), "f")
    gradient = ax.grad(loss)({"w": w, "b": b}, x)
    residual = x @ w + b
    close(gradient["w"], 2 * x.T @ residual)
    close(gradient["b"], 2 * residual.sum(0))


def test_variables():
    w, b = ax.Variable(np.ones((3, 1), "f")), ax.Variable(np.zeros(1, "f"))
    x = np.arange(6, dtype="f").reshape(2, 3)
    value, (dw, db) = ax.value_and_grad(lambda x: ((x @ w + b) ** 2).sum(), variables=[w, b])(x)
    r = x.sum(1, keepdims=True)
    close(value, (r**2).sum())
    close(dw, 2 * x.T @ r)
    close(db, 2 * r.sum(0))


def test_aux():
    (value, aux), gradient = ax.value_and_grad(lambda x: (x**2, {"x": x * 3}), has_aux=True)(2.0)
    assert (float(value), float(aux["x"]), float(gradient)) == (4, 6, 4)
    gradient, aux = ax.grad(lambda x: (x**2, x * 3), has_aux=True)(2.0)
    assert (float(gradient), float(aux)) == (4, 6)
    with pytest.raises(InvalidArgumentError, match="must return a pair"):
        ax.grad(lambda x: x**2, has_aux=True)(2.0)


def test_higher_derivatives():
    def f(x):
        return x**4

    assert float(ax.grad(f)(2.0)) == 32
    assert float(ax.grad(ax.grad(f))(2.0)) == 48
    assert float(ax.grad(ax.grad(ax.grad(f)))(2.0)) == 48


def test_inner_gradient_leaves_outer_dependence_out():
    # d/dx of x * y at fixed y = x**2 is y; then d/dx of x**2 is 2 x.
    def outer(x):
        y = x**2
        return ax.grad(lambda z: z * y)(x)

    assert float(ax.function(outer)(np.float32(3))) == 9
    assert float(ax.grad(outer)(3.0)) == 6


def test_gradient_within_function():
    step = ax.function(lambda x: x - 0.1 * ax.grad(lambda z: (z**2).sum())(x))
    close(step(np.array([1.0, 2.0], "f")), [0.8, 1.6])


def test_gradient_penalty_on_a_layer():
    layer = ax.layers.Dense(1, use_bias=False, kernel_initializer="ones")
    x = np.ones((1, 3), "f")
    layer(x)

    def penalty(x):
        inner = ax.grad(lambda z: (layer(z) ** 2).sum())(x)
        return (inner**2).sum()

    # (w x)^2 has the gradient 2 (w x) w in x; its square sums to 4 (w x)^2 |w|^2.
    value, (dw,) = ax.value_and_grad(penalty, variables=layer.weights)(x)
    close(value, 4 * 9 * 3)
    close(dw, np.full((3, 1), 8 * 3 * 3 + 8 * 9))


def test_what_does_not_matter_has_a_zero_gradient():
    a, b = ax.grad(lambda a, b: a * 2, (0, 1))(1.0, 5.0)
    assert (float(a), float(b)) == (2, 0)


def test_mistakes():
    with pytest.raises(ShapeError, match=r"must return one number, got shape \(3,\)"):
        ax.grad(lambda x: x * 2)(np.ones(3, "f"))
    with pytest.raises(DTypeError, match="floating-point arguments, got int32"):
        ax.grad(lambda x: x * 2)(3)


def test_gradients_may_use_tensors_from_around_the_function() -> None:
    x = ax.tensor(np.arange(6, dtype=np.float32).reshape(2, 3))
    w = ax.tensor(np.ones((3, 1), np.float32))
    slope = ax.grad(lambda w: ((x @ w) * (x @ w)).sum())
    wide = x.numpy().astype(np.float64)
    np.testing.assert_allclose(slope(w), 2 * wide.T @ (wide @ np.ones((3, 1))), rtol=1e-6)
    x = x * 2  # the next call sees the tensor of the moment
    np.testing.assert_allclose(slope(w), 8 * wide.T @ (wide @ np.ones((3, 1))), rtol=1e-6)


def test_second_gradients_may_use_tensors_from_around_the_function() -> None:
    scale = ax.tensor(3.0)
    first = ax.grad(lambda x: scale * x * x * x)
    assert ax.grad(lambda x: first(x))(2.0).item() == 36.0


def test_compiled_functions_still_refuse_tensors_from_around_them() -> None:
    scale = ax.tensor([3.0])
    with pytest.raises(ax.errors.TracedValueError, match="Variable"):
        ax.function(lambda x: x * scale)(np.ones(1, np.float32))


@pytest.mark.parametrize("stride", [1, 2, 3])
def test_gradient_through_relu_and_pooling_does_not_depend_on_compiling(stride):
    """Compiled, the mask of relu is taken from the maxima; op by op, from the images."""
    rng = np.random.default_rng(stride)
    # Ties within windows, windows without a positive element, zeros of both signs, a NaN.
    x = rng.integers(-3, 3, (3, 7, 8, 5)).astype(np.float32)
    x[0, :4, :4] = -1
    x[1, 2, 2] = -0.0
    x[2, 5, 5] = np.nan
    bias = np.zeros(5, np.float32)

    def pooled(x, bias):
        return ax.ops.max_pool2d(ax.ops.relu(x + bias), pool_size=[2, 2], strides=[stride] * 2)

    weight = rng.integers(-4, 5, pooled(x, bias).shape).astype(np.float32)
    by_x, by_bias = ax.function(
        ax.grad(lambda x, bias: (pooled(x, bias) * weight).sum(), argnums=(0, 1))
    )(x, bias)
    images = np.maximum(x, 0)
    spread = np.asarray(
        ax.grad(
            lambda x: (ax.ops.max_pool2d(x, pool_size=[2, 2], strides=[stride] * 2) * weight).sum()
        )(images)
    )
    expected = np.where(images > 0, spread, 0)
    np.testing.assert_array_equal(np.asarray(by_x), expected)
    np.testing.assert_array_equal(np.asarray(by_bias), expected.sum((0, 1, 2)))
