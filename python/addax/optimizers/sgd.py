"""Stochastic gradient descent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from addax import _core
from addax.errors import InvalidArgumentError
from addax.ops.emit import Tensor, emit_all
from addax.optimizers.base import Optimizer


class SGD(Optimizer):
    """Gradient descent, optionally with momentum.

    >>> w = _core.Variable([1.0])
    >>> SGD(0.1, momentum=0.9).apply([_core.tensor([1.0])], [w])
    >>> print(w.numpy().round(4))
    [0.9]
    """

    decays_in_update = True

    def __init__(
        self,
        learning_rate: Any = 0.01,
        momentum: float = 0.0,
        nesterov: bool = False,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        if not 0 <= momentum <= 1:
            raise InvalidArgumentError(f"SGD: momentum must be between 0 and 1, got {momentum}")
        super().__init__(learning_rate, name, **kwargs)
        self.momentum, self.nesterov = float(momentum), nesterov

    def slot_names(self) -> Sequence[str]:
        """Names of the variables kept for each weight."""
        return ("momentum",) if self.momentum else ()

    def update(
        self, rate: Any, weights: list[Any], gradients: list[Any], slots: list[list[_core.Variable]]
    ) -> tuple[Tensor, ...]:
        """Return the new weights and velocities."""
        return emit_all(
            "sgd",
            rate,
            *weights,
            *gradients,
            *(v for kind in slots for v in kind),
            momentum=self.momentum,
            nesterov=self.nesterov,
            weight_decay=self._decay_in_update,
            count=len(weights),
        )
