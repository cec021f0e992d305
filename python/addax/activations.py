"""Activation functions: ``ax.activations.relu`` or its alias ``"relu"``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from addax import aliases
from addax.errors import InvalidArgumentError
from addax.ops.emit import Tensor, TensorLike, as_tensor, emit


def linear(x: TensorLike) -> Tensor:
    """Return ``x`` unchanged.

    >>> linear([1.0]).tolist()
    [1.0]
    """
    return as_tensor(x)


def relu(
    x: TensorLike,
    negative_slope: float = 0.0,
    max_value: float | None = None,
    threshold: float = 0.0,
) -> Tensor:
    """Return ``max(x, 0)``, or with arguments its leaky, capped or shifted form.

    >>> relu([-1.0, 2.0]).tolist()
    [0.0, 2.0]
    """
    if threshold == 0 and max_value is None:
        return (
            emit("leaky_relu", x, negative_slope=negative_slope)
            if negative_slope
            else emit("relu", x)
        )
    x = as_tensor(x)
    above = x if max_value is None else emit("minimum", x, max_value)
    below: Any = (x - threshold) * negative_slope if negative_slope else 0.0
    return emit("where", x >= threshold, above, below)


def relu6(x: TensorLike) -> Tensor:
    """Return ``min(max(x, 0), 6)``.

    >>> relu6([-1.0, 7.0]).tolist()
    [0.0, 6.0]
    """
    return emit("relu6", x)


def leaky_relu(x: TensorLike, negative_slope: float = 0.2) -> Tensor:
    """Return ``x`` where positive, else ``negative_slope * x``.

    >>> leaky_relu([-1.0, 2.0], 0.5).tolist()
    [-0.5, 2.0]
    """
    return emit("leaky_relu", x, negative_slope=negative_slope)


def elu(x: TensorLike, alpha: float = 1.0) -> Tensor:
    """Return ``x`` where positive, else ``alpha * (exp(x) - 1)``.

    >>> elu([0.0, 2.0]).tolist()
    [0.0, 2.0]
    """
    return emit("elu", x, alpha=alpha)


def gelu(x: TensorLike, approximate: bool = False) -> Tensor:
    """Return ``x`` times the probability that a standard normal number is below it.

    >>> gelu([0.0]).tolist()
    [0.0]
    """
    return emit("gelu", x, approximate=approximate)


def softmax(x: TensorLike, axis: int = -1) -> Tensor:
    """Exponentials divided by their sum along an axis.

    >>> softmax([[0.0, 0.0]]).tolist()
    [[0.5, 0.5]]
    """
    return emit("softmax", x, axis=axis)


def log_softmax(x: TensorLike, axis: int = -1) -> Tensor:
    """Logarithm of softmax.

    >>> log_softmax([[0.0, -1000.0]]).tolist()
    [[0.0, -1000.0]]
    """
    return emit("log_softmax", x, axis=axis)


def exponential(x: TensorLike) -> Tensor:
    """Return ``exp(x)``.

    >>> exponential([0.0]).tolist()
    [1.0]
    """
    return emit("exp", x)


def mish(x: TensorLike) -> Tensor:
    """Return ``x * tanh(softplus(x))``.

    >>> mish([0.0]).tolist()
    [0.0]
    """
    x = as_tensor(x)
    return x * emit("tanh", emit("softplus", x))


def _of_op(op: str, doc: str) -> Callable[[TensorLike], Tensor]:
    def activation(x: TensorLike) -> Tensor:
        return emit(op, x)

    activation.__name__ = activation.__qualname__ = op
    activation.__doc__ = doc
    return activation


sigmoid = _of_op("sigmoid", "Return ``1 / (1 + exp(-x))``.")
hard_sigmoid = _of_op("hard_sigmoid", "Return ``x / 6 + 0.5`` cut off at 0 and 1.")
tanh = _of_op("tanh", "Return the hyperbolic tangent.")
selu = _of_op("selu", "Return the scaled exponential linear unit.")
silu = _of_op("silu", "Return ``x * sigmoid(x)``.")
softplus = _of_op("softplus", "Return ``log(1 + exp(x))``.")
softsign = _of_op("softsign", "Return ``x / (1 + |x|)``.")
swish = silu

_functions: tuple[Callable[..., Tensor], ...] = (
    elu,
    exponential,
    gelu,
    hard_sigmoid,
    leaky_relu,
    linear,
    log_softmax,
    mish,
    relu,
    relu6,
    selu,
    sigmoid,
    silu,
    softmax,
    softplus,
    softsign,
    tanh,
)
_table = {function.__name__: function for function in _functions}
_table["swish"] = silu


def get(identifier: Any) -> Callable[..., Any]:
    """Return the function for an alias or a function; None stands for ``linear``.

    >>> get("relu") is relu
    True
    """
    if identifier is None:
        return linear
    if isinstance(identifier, str):
        return aliases.lookup("activation", identifier, _table)
    if callable(identifier):
        function: Callable[..., Any] = identifier
        return function
    raise InvalidArgumentError(
        f"expected the name of an activation, a function or a layer, got {identifier!r}"
    )
