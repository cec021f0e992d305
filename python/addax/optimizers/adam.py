"""Adam, with and without decay of the weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from addax import _core
from addax.errors import InvalidArgumentError
from addax.ops.emit import Tensor, emit_all
from addax.optimizers.base import Optimizer


class Adam(Optimizer):
    """Steps scaled by running means of the gradients and of their squares.

    >>> w = _core.Variable([1.0])
    >>> Adam(0.1).apply([_core.tensor([3.0])], [w])
    >>> print(w.numpy().round(4))
    [0.9]
    """

    decays_in_update = True

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate, name, **kwargs)
        self.beta_1, self.beta_2, self.epsilon = float(beta_1), float(beta_2), float(epsilon)

    def slot_names(self) -> Sequence[str]:
        """Names of the variables kept for each weight."""
        return ("momentum", "velocity")

    def update(
        self, rate: Any, weights: list[Any], gradients: list[Any], slots: list[list[_core.Variable]]
    ) -> tuple[Tensor, ...]:
        """Return the new weights and both running means."""
        return emit_all(
            "adam",
            rate,
            self.iterations,
            *weights,
            *gradients,
            *slots[0],
            *slots[1],
            beta_1=self.beta_1,
            beta_2=self.beta_2,
            epsilon=self.epsilon,
            weight_decay=self._decay_in_update,
            count=len(weights),
        )


class AdamW(Adam):
    """Adam with weights that decay: by ``weight_decay`` times the learning rate before each step.

    >>> w = _core.Variable([1.0])
    >>> AdamW(0.1, weight_decay=0.5).apply([_core.tensor([3.0])], [w])
    >>> print(w.numpy().round(4))
    [0.85]
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        weight_decay: float = 0.004,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            learning_rate, beta_1, beta_2, epsilon, name, weight_decay=weight_decay, **kwargs
        )
        if weight_decay is None:
            raise InvalidArgumentError("AdamW: weight_decay must be a number; without it use Adam")
