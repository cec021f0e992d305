"""What every optimizer is: a rate, a counter, slots, and an update of all weights at once."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Sequence
from numbers import Real
from typing import Any

import numpy as np

from addax import _core, aliases, host_copies, naming, placement, tracing
from addax.errors import InvalidArgumentError
from addax.ops.emit import Tensor, Variable, as_tensor, emit
from addax.optimizers import clipping, schedules


class Optimizer:
    """Base of optimizers; ``learning_rate`` and ``iterations`` are variables and can be set.

    ``learning_rate`` may also be a schedule, or any function of the number of updates done,
    computed in the graph. With ``weight_decay`` weights shrink by that share, times the learning
    rate, before each update. Gradients are limited by ``clipnorm`` (the norm of each),
    ``global_clipnorm`` (the norm of all together) or ``clipvalue`` (each element).
    """

    # Whether `update` lets the weights decay by itself.
    decays_in_update = False

    def __init__(
        self,
        learning_rate: Any = 0.01,
        name: str | None = None,
        *,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        **unknown: Any,
    ) -> None:
        if unknown:
            word = next(iter(unknown))
            nearest = naming.did_you_mean(word, self._arguments())
            raise TypeError(f"{type(self).__name__}: unknown argument '{word}'{nearest}")
        self.name = name or naming.snake_case(type(self).__name__)
        self.weight_decay = weight_decay
        self.clipnorm, self.clipvalue = clipnorm, clipvalue
        self.global_clipnorm = global_clipnorm
        self._check_limits()
        # What does not decay: weights, and patterns of their names.
        self._kept: list[_core.Variable] = []
        self._kept_names: list[str] = []
        self._schedule = schedules.get(learning_rate)
        # For each kind of slot one variable for each weight.
        self.slots: list[_core.Variable] = []
        self.built_for: list[_core.Variable] = []
        self._create_counters(0.0 if self._schedule else self._number(learning_rate), 0)

    @classmethod
    def _arguments(cls) -> list[str]:
        """Return the names of all arguments, the base's last."""
        names = [
            name
            for part in cls.__mro__
            if "__init__" in vars(part)
            for name, parameter in inspect.signature(vars(part)["__init__"]).parameters.items()
            if name != "self"
            and parameter.kind not in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL)
        ]
        return [*dict.fromkeys(names)]

    def _check_limits(self) -> None:
        limits = {name: getattr(self, name) for name in clipping.LIMITS}
        given = {name: limit for name, limit in limits.items() if limit is not None}
        told = ", ".join(f"{name}={limit!r}" for name, limit in given.items())
        if len(given) > 1:
            raise InvalidArgumentError(
                f"{type(self).__name__}: only one limit of the gradients can be set, got {told}"
            )
        if any(not isinstance(limit, Real) or limit <= 0 for limit in given.values()):
            raise InvalidArgumentError(
                f"{type(self).__name__}: a limit of the gradients must be a positive number, got "
                f"{told}"
            )
        decay = self.weight_decay
        if decay is not None and (not isinstance(decay, Real) or decay < 0):
            raise InvalidArgumentError(
                f"{type(self).__name__}: weight_decay must be a number that is not negative, got "
                f"{decay!r}"
            )

    def _number(self, rate: Any) -> float:
        try:
            return float(rate)
        except (TypeError, ValueError):
            raise InvalidArgumentError(
                f"{type(self).__name__}: learning_rate must be a number, a schedule of "
                f"ax.optimizers.schedules or a function of the step, got {rate!r}"
            ) from None

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

    def move(self, move: placement.Move) -> None:
        """Keep all variables on another device, where those of the model go."""
        self._rate = move(self._rate)
        self.iterations = move(self.iterations)
        self.slots = [move(slot) for slot in self.slots]
        self.built_for = [move(weight) for weight in self.built_for]
        self._kept = [move(weight) for weight in self._kept]

    @property
    def learning_rate(self) -> Any:
        """The learning rate: a variable, or a schedule's present value."""
        return self._rate if self._schedule is None else self._scheduled()

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        if callable(value) and not isinstance(value, Tensor | Variable):
            raise InvalidArgumentError(
                "a schedule is given when the optimizer is made; only a number can replace a rate"
            )
        if self._schedule is not None:
            raise InvalidArgumentError("the learning rate follows a schedule and cannot be set")
        host_copies.assign(self._rate, np.asarray(self._number(value), np.float32))

    lr = learning_rate

    @property
    def rate(self) -> _core.Variable | None:
        """The variable that holds the learning rate; None where it follows a schedule."""
        return self._rate if self._schedule is None else None

    def _scheduled(self) -> Tensor:
        assert self._schedule is not None
        return as_tensor(self._schedule(self.iterations.value), "float32")

    @property
    def variables(self) -> list[_core.Variable]:
        """All variables: counter, rate and slots."""
        return [self.iterations, self._rate, *self.slots]

    def exclude_from_weight_decay(
        self,
        var_list: Iterable[_core.Variable] | None = None,
        var_names: Iterable[str] | None = None,
    ) -> None:
        """Let these weights keep their size, and those in whose names one of the patterns is found.

        >>> from addax.optimizers import SGD
        >>> optimizer = SGD(0.1, weight_decay=0.5)
        >>> optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
        """
        if self.built_for:
            raise InvalidArgumentError(
                f"optimizer '{self.name}' has trained already: exclude weights from decay before"
            )
        self._kept = list(var_list or ())
        self._kept_names = [var_names] if isinstance(var_names, str) else list(var_names or ())

    def _decays(self, weight: _core.Variable) -> bool:
        name = weight.name.rpartition("/")[2]
        return not (
            any(weight is kept for kept in self._kept)
            or any(re.search(pattern, name) for pattern in self._kept_names)
        )

    @property
    def _decay_in_update(self) -> float:
        """The decay that ``update`` has to apply to all weights."""
        excludes = self._kept or self._kept_names
        return 0.0 if excludes or not self.decays_in_update else self.weight_decay or 0.0

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
        if list(map(id, self.built_for)) == list(map(id, variables)):
            return
        if self.built_for:
            raise InvalidArgumentError(
                f"optimizer '{self.name}' was built for other weights: make a new optimizer for "
                "each model, and compile again after changing what is trainable"
            )
        device = variables[0].device if variables else None
        slots = []
        with tracing.suspended():
            for slot in self.slot_names():
                for weight in variables:
                    zero = _core.tensor(0.0, dtype=weight.dtype, device=device)
                    zeros = emit("broadcast_to", zero, shape=list(weight.shape))
                    name = f"{self.name}/{weight.name}/{slot}"
                    slots.append(_core.Variable(zeros, name=name, trainable=False))
        self.slots, self.built_for = slots, list(variables)

    def apply(self, gradients: Sequence[Any], variables: Sequence[_core.Variable]) -> None:
        """Update the weights by their gradients."""
        variables = list(variables)
        self.build(variables)
        if variables:
            rate = self._rate.value if self._schedule is None else self._scheduled()
            weights: list[Any] = variables
            if self.weight_decay and not self._decay_in_update:
                weights = [
                    weight - weight * (rate * self.weight_decay) if self._decays(weight) else weight
                    for weight in variables
                ]
            limits = [getattr(self, name) for name in clipping.LIMITS]
            gradients = clipping.clip(gradients, *limits)
            count = len(variables)
            kinds = [
                self.slots[index * count : (index + 1) * count]
                for index in range(len(self.slot_names()))
            ]
            results = self.update(rate, weights, gradients, kinds)
            for variable, value in zip([*variables, *self.slots], results, strict=True):
                variable.assign(value)
        self.iterations.assign_add(1)

    def apply_gradients(self, grads_and_vars: Iterable[tuple[Any, _core.Variable]]) -> None:
        """Update weights by pairs of gradient and weight.

        >>> from addax.optimizers import SGD
        >>> w = _core.Variable([1.0])
        >>> SGD(0.5).apply_gradients([(_core.tensor([1.0]), w)])
        >>> w.numpy().tolist()
        [0.5]
        """
        pairs = list(grads_and_vars)
        self.apply([gradient for gradient, _ in pairs], [variable for _, variable in pairs])

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make an equal optimizer."""
        config = {name: vars(self)[name] for name in self._arguments() if name in vars(self)}
        if self._schedule is None:
            config["learning_rate"] = float(self._rate)
        else:
            config["learning_rate"] = aliases.configuration(self._schedule)
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Optimizer:
        """Make an optimizer from the result of ``get_config``."""
        return cls(**config)
