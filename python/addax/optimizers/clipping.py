"""Limits of the gradients."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from addax.ops.emit import Tensor, as_tensor, emit

# The arguments of optimizers, in the order in which `clip` takes them.
LIMITS = ("clipnorm", "global_clipnorm", "clipvalue")


def clip(
    gradients: Sequence[Any],
    clipnorm: float | None = None,
    global_clipnorm: float | None = None,
    clipvalue: float | None = None,
) -> list[Any]:
    """Return gradients whose norms, norm together, or values are within the limit that is given.

    >>> from addax import _core
    >>> [gradient.tolist() for gradient in clip([_core.tensor([3.0, 4.0])], clipnorm=10.0)]
    [[3.0, 4.0]]
    >>> [gradient.tolist() for gradient in clip([_core.tensor([3.0, 4.0])], clipvalue=3.5)]
    [[3.0, 3.5]]
    """
    tensors = [as_tensor(gradient) for gradient in gradients]
    if clipvalue is not None:
        return [emit("clip", x, x_min=-float(clipvalue), x_max=float(clipvalue)) for x in tensors]
    if clipnorm is not None:
        return [_scaled(x, _square_sum(x), clipnorm) for x in tensors]
    if global_clipnorm is not None:
        total: Any = 0.0
        for x in tensors:
            total = total + _square_sum(x).astype("float32")
        return [_scaled(x, total, global_clipnorm) for x in tensors]
    return list(gradients)


def _square_sum(x: Tensor) -> Tensor:
    return emit("sum", emit("square", x))


def _scaled(x: Tensor, square_norm: Tensor, limit: float) -> Tensor:
    factor = limit / emit("maximum", emit("sqrt", square_norm), float(limit))
    return x * factor.astype(x.dtype)
