"""Optimizers: ``ax.optimizers.Adam(1e-3)`` or the alias ``"adam"``.

An update is one op over all weights at once; it belongs to the graph of a training step.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from addax import _core, aliases, naming, placement, tracing
from addax.errors import InvalidArgumentError
from addax.ops.emit import Tensor, Variable, as_tensor, emit, emit_all


class Optimizer:
    """Base of optimizers; ``learning_rate`` and ``iterations`` are variables and can be set.

    ``learning_rate`` may also be a function of the number of updates done, computed in the graph.
    """

    def __init__(self, learning_rate: Any = 0.01, name: str | None = None, **unknown: Any) -> None:
        if unknown:
            word = next(iter(unknown))
            known = [p for p in inspect.signature(type(self).__init__).parameters if p != "self"]
            nearest = naming.did_you_mean(word, known)
            raise TypeError(f"{type(self).__name__}: unknown argument '{word}'{nearest}")
        self.name = name or naming.snake_case(type(self).__name__)
        self._schedule = learning_rate if callable(learning_rate) else None
        self._slots: list[_core.Variable] = []
        self._for: list[int] = []
        self._create_counters(0.0 if self._schedule else float(learning_rate), 0)

    def _create_counters(self, rate: float, steps: int) -> None:
        with tracing.suspended():
            self._rate = _core.Variable(
                _core.tensor(np.asarray(rate, np.float32)),
                name=f"{self.name}/learning_rate",
                trainable=False,
            )
            self.iterations = _core.Variable(
                _core.tensor(np.asarray(steps, np.int64)),
                name=f"{self.name}/iterations",
                trainable=False,
            )

    def move_to(self, device: str) -> None:
        """Keep all variables on a device."""
        self._rate = placement.moved(self._rate, device)
        self.iterations = placement.moved(self.iterations, device)
        self._slots = [placement.moved(slot, device) for slot in self._slots]

    @property
    def learning_rate(self) -> Any:
        """The learning rate: a variable, or the schedule."""
        return self._schedule or self._rate

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        if callable(value) and not isinstance(value, Tensor | Variable):
            raise InvalidArgumentError(
                "a schedule is given when the optimizer is made; only a number can replace a rate"
            )
        if self._schedule is not None:
            raise InvalidArgumentError("the learning rate follows a schedule and cannot be set")
        self._rate.assign(np.asarray(value, np.float32))

    lr = learning_rate

    @property
    def variables(self) -> list[_core.Variable]:
        """All variables: counter, rate and slots."""
        return [self.iterations, self._rate, *self._slots]

    def slot_names(self) -> Sequence[str]:
        """Names of the variables kept for each weight."""
        return ()

    def update(
        self, rate: Any, weights: list[Any], gradients: list[Any], slots: list[list[_core.Variable]]
    ) -> tuple[Tensor, ...]:
        """Return the new weights, then the new values of each kind of slot."""
        raise NotImplementedError(f"{type(self).__name__} must override update()")

    def build(self, variables: Sequence[_core.Variable]) -> None:
        """Create the slots for these weights; the same weights keep theirs."""
        if self._for == [id(variable) for variable in variables]:
            return
        if self._for:
            raise InvalidArgumentError(
                f"optimizer '{self.name}' was built for other weights: make a new optimizer for "
                "each model, and compile again after changing what is trainable"
            )
        device = variables[0].device if variables else None
        with tracing.suspended():
            for slot in self.slot_names():
                for weight in variables:
                    zero = _core.tensor(0.0, dtype=weight.dtype, device=device)
                    zeros = emit("broadcast_to", zero, shape=list(weight.shape))
                    name = f"{self.name}/{weight.name}/{slot}"
                    self._slots.append(_core.Variable(zeros, name=name, trainable=False))
        self._for = [id(variable) for variable in variables]

    def apply(self, gradients: Sequence[Any], variables: Sequence[_core.Variable]) -> None:
        """Update the weights by their gradients."""
        variables = list(variables)
        self.build(variables)
        if variables:
            steps = self.iterations.value
            rate = self._rate.value
            if self._schedule is not None:
                rate = as_tensor(self._schedule(steps), "float32")
            count = len(variables)
            kinds = [
                self._slots[index * count : (index + 1) * count]
                for index in range(len(self.slot_names()))
            ]
            results = self.update(rate, variables, list(gradients), kinds)
            for variable, value in zip([*variables, *self._slots], results, strict=True):
                variable.assign(value)
        self.iterations.assign_add(1)

    def apply_gradients(self, grads_and_vars: Iterable[tuple[Any, _core.Variable]]) -> None:
        """Update weights by pairs of gradient and weight.

        >>> w = _core.Variable([1.0])
        >>> SGD(0.5).apply_gradients([(_core.tensor([1.0]), w)])
        >>> w.numpy().tolist()
        [0.5]
        """
        pairs = list(grads_and_vars)
        self.apply([gradient for gradient, _ in pairs], [variable for _, variable in pairs])

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make an equal optimizer."""
        config: dict[str, Any] = {"name": self.name}
        for argument in inspect.signature(type(self).__init__).parameters:
            if argument == "learning_rate":
                fixed = self._schedule is None
                config[argument] = float(self._rate.numpy()) if fixed else self._schedule
            elif argument in vars(self):
                config[argument] = vars(self)[argument]
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Optimizer:
        """Make an optimizer from the result of ``get_config``."""
        return cls(**config)


class SGD(Optimizer):
    """Gradient descent, optionally with momentum.

    >>> w = _core.Variable([1.0])
    >>> SGD(0.1, momentum=0.9).apply([_core.tensor([1.0])], [w])
    >>> print(w.numpy().round(4))
    [0.9]
    """

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
            count=len(weights),
        )


class Adam(Optimizer):
    """Steps scaled by running means of the gradients and of their squares.

    >>> w = _core.Variable([1.0])
    >>> Adam(0.1).apply([_core.tensor([3.0])], [w])
    >>> print(w.numpy().round(4))
    [0.9]
    """

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
            count=len(weights),
        )


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


_table: dict[str, Callable[..., Optimizer]] = {
    name: cls for cls in (Adam, RMSprop, SGD) for name in (cls.__name__, cls.__name__.lower())
}


def get(identifier: Any) -> Optimizer:
    """Return the optimizer for an alias, a configuration, a class or an optimizer.

    >>> type(get("adam")).__name__
    'Adam'
    """
    if isinstance(identifier, Optimizer):
        return identifier
    made = aliases.make("optimizer", identifier, _table)
    if not isinstance(made, Optimizer):
        raise InvalidArgumentError(f"expected an optimizer, got {made!r}")
    return made
