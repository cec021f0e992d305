"""RMSprop."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from addax import _core
from addax.ops.emit import Tensor, as_tensor, emit
from addax.optimizers.base import Optimizer


class RMSprop(Optimizer):
    """Steps scaled by a running mean of the squared gradients.

    >>> w = _core.Variable([1.0])
    >>> RMSprop(0.1, rho=0.75).apply([_core.tensor([3.0])], [w])
    >>> print(w.numpy().round(4))
    [0.8]
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        rho: float = 0.9,
        momentum: float = 0.0,
        epsilon: float = 1e-7,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate, name, **kwargs)
        self.rho, self.momentum, self.epsilon = float(rho), float(momentum), float(epsilon)

    def slot_names(self) -> Sequence[str]:
        """Names of the variables kept for each weight."""
        return ("velocity", "momentum") if self.momentum else ("velocity",)

    def update(
        self, rate: Any, weights: list[Any], gradients: list[Any], slots: list[list[_core.Variable]]
    ) -> tuple[Tensor, ...]:
        """Return the new weights and running means."""
        velocities, updates = [], []
        for gradient, velocity in zip(gradients, slots[0], strict=True):
            square = emit("square", as_tensor(gradient))
            velocities.append(velocity * self.rho + square * (1 - self.rho))
            updates.append(rate * gradient / emit("sqrt", velocities[-1] + self.epsilon))
        if self.momentum:
            pairs = zip(slots[1], updates, strict=True)
            updates = [momentum * self.momentum + step for momentum, step in pairs]
        changed = [weight - step for weight, step in zip(weights, updates, strict=True)]
        return (*changed, *velocities, *(updates if self.momentum else ()))
