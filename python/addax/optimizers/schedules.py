"""Learning rates that follow the number of steps done.

They are computed in the graph of a training step, so that an epoch is one call all the same.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Sequence
from typing import Any

from addax import aliases
from addax.errors import InvalidArgumentError
from addax.ops.emit import Tensor, Variable, as_tensor, emit

__all__ = [
    "CosineDecay",
    "ExponentialDecay",
    "InverseTimeDecay",
    "LearningRateSchedule",
    "PiecewiseConstantDecay",
    "PolynomialDecay",
]


class LearningRateSchedule:
    """Base of schedules: called with the number of steps done, they return the learning rate.

    >>> class Halving(LearningRateSchedule):
    ...     def __call__(self, step):
    ...         return 0.1 * 0.5 ** as_tensor(step).astype("float32")
    >>> round(Halving()(1).item(), 4)
    0.05
    """

    def __call__(self, step: Any) -> Any:
        """Return the rate of a step."""
        raise NotImplementedError(f"{type(self).__name__} has no __call__")

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make an equal schedule."""
        return {
            name: vars(self)[name]
            for name in inspect.signature(type(self).__init__).parameters
            if name in vars(self)
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> LearningRateSchedule:
        """Make a schedule from the result of ``get_config``."""
        return cls(**config)


def _steps(step: Any) -> Tensor:
    return as_tensor(step).astype("float32")


def _check_steps(schedule: LearningRateSchedule, decay_steps: float) -> float:
    if decay_steps <= 0:
        raise InvalidArgumentError(
            f"{type(schedule).__name__}: decay_steps must be positive, got {decay_steps}"
        )
    return decay_steps


class ExponentialDecay(LearningRateSchedule):
    """Multiplies the rate by ``decay_rate`` in each ``decay_steps``, evenly or as a staircase.

    >>> print(ExponentialDecay(0.1, decay_steps=10, decay_rate=0.5)(20).numpy().round(4))
    0.025
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        decay_rate: float,
        staircase: bool = False,
        name: str = "ExponentialDecay",
    ) -> None:
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = _check_steps(self, decay_steps)
        self.decay_rate = decay_rate
        self.staircase = staircase
        self.name = name

    def __call__(self, step: Any) -> Tensor:
        """Return the rate of a step."""
        part = _steps(step) / self.decay_steps
        if self.staircase:
            part = emit("floor", part)
        return emit("power", float(self.decay_rate), part) * self.initial_learning_rate


class InverseTimeDecay(LearningRateSchedule):
    """Divides the rate by ``1 + decay_rate * step / decay_steps``, evenly or as a staircase.

    >>> print(InverseTimeDecay(0.1, decay_steps=10, decay_rate=0.5)(20).numpy().round(4))
    0.05
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        decay_rate: float,
        staircase: bool = False,
        name: str = "InverseTimeDecay",
    ) -> None:
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = _check_steps(self, decay_steps)
        self.decay_rate = decay_rate
        self.staircase = staircase
        self.name = name

    def __call__(self, step: Any) -> Tensor:
        """Return the rate of a step."""
        part = _steps(step) / self.decay_steps
        if self.staircase:
            part = emit("floor", part)
        return self.initial_learning_rate / (1.0 + part * self.decay_rate)


class PiecewiseConstantDecay(LearningRateSchedule):
    """One of ``values`` up to and including each boundary, and the last one beyond.

    >>> schedule = PiecewiseConstantDecay([10, 20], [0.1, 0.05, 0.01])
    >>> [round(schedule(step).item(), 4) for step in (10, 11, 21)]
    [0.1, 0.05, 0.01]
    """

    def __init__(
        self,
        boundaries: Sequence[int],
        values: Sequence[float],
        name: str = "PiecewiseConstant",
    ) -> None:
        self.boundaries, self.values = list(boundaries), list(values)
        self.name = name
        if len(self.boundaries) != len(self.values) - 1:
            raise InvalidArgumentError(
                "PiecewiseConstantDecay: there must be one value more than boundaries, got "
                f"{len(self.values)} values and {len(self.boundaries)} boundaries"
            )
        if self.boundaries != sorted(self.boundaries):
            raise InvalidArgumentError(
                f"PiecewiseConstantDecay: boundaries must increase, got {self.boundaries}"
            )

    def __call__(self, step: Any) -> Tensor:
        """Return the rate of a step."""
        steps = as_tensor(step)
        rate = as_tensor(float(self.values[-1]), "float32")
        for boundary, value in zip(self.boundaries[::-1], self.values[-2::-1], strict=True):
            rate = emit("where", steps <= boundary, float(value), rate)
        return rate


class PolynomialDecay(LearningRateSchedule):
    """Falls to ``end_learning_rate`` within ``decay_steps``, by a power of the part that is left.

    With ``cycle`` the steps are stretched instead of ended: to the next multiple of them.

    >>> print(PolynomialDecay(0.1, decay_steps=10, end_learning_rate=0.02)(5).numpy().round(4))
    0.06
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        end_learning_rate: float = 0.0001,
        power: float = 1.0,
        cycle: bool = False,
        name: str = "PolynomialDecay",
    ) -> None:
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = _check_steps(self, decay_steps)
        self.end_learning_rate = end_learning_rate
        self.power = power
        self.cycle = cycle
        self.name = name

    def __call__(self, step: Any) -> Tensor:
        """Return the rate of a step."""
        steps = _steps(step)
        if self.cycle:
            cycles = emit("maximum", emit("ceil", steps / self.decay_steps), 1.0)
            part = steps / (cycles * self.decay_steps)
        else:
            part = emit("minimum", steps, float(self.decay_steps)) / self.decay_steps
        left = emit("power", 1.0 - part, float(self.power))
        return left * (self.initial_learning_rate - self.end_learning_rate) + self.end_learning_rate


class CosineDecay(LearningRateSchedule):
    """Falls to ``alpha`` times the rate along half a cosine of ``decay_steps``.

    With ``warmup_target`` it first rises to that rate, evenly in ``warmup_steps``.

    >>> schedule = CosineDecay(0.0, decay_steps=10, warmup_target=0.1, warmup_steps=4)
    >>> [round(schedule(step).item(), 4) for step in (0, 2, 4, 9, 14)]
    [0.0, 0.05, 0.1, 0.05, 0.0]
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        alpha: float = 0.0,
        name: str = "CosineDecay",
        warmup_target: float | None = None,
        warmup_steps: int = 0,
    ) -> None:
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = _check_steps(self, decay_steps)
        self.alpha = alpha
        self.name = name
        self.warmup_target = warmup_target
        self.warmup_steps = warmup_steps
        if warmup_steps < 0 or (warmup_steps and warmup_target is None):
            raise InvalidArgumentError(
                "CosineDecay: warmup_steps must not be negative and need a warmup_target, got "
                f"warmup_steps={warmup_steps}, warmup_target={warmup_target}"
            )

    def __call__(self, step: Any) -> Tensor:
        """Return the rate of a step."""
        steps = _steps(step)
        if self.warmup_target is None:
            return self._cosine(steps, self.initial_learning_rate)
        fallen = self._cosine(steps - float(self.warmup_steps), self.warmup_target)
        if not self.warmup_steps:
            return fallen
        slope = (self.warmup_target - self.initial_learning_rate) / self.warmup_steps
        risen = steps * slope + self.initial_learning_rate
        return emit("where", steps < float(self.warmup_steps), risen, fallen)

    def _cosine(self, steps: Tensor, rate: float) -> Tensor:
        part = emit("minimum", steps, float(self.decay_steps)) / self.decay_steps
        wave = (emit("cos", part * math.pi) + 1.0) * 0.5
        return (wave * (1 - self.alpha) + self.alpha) * rate


_table: dict[str, Callable[..., LearningRateSchedule]] = {
    cls.__name__: cls
    for cls in (
        CosineDecay,
        ExponentialDecay,
        InverseTimeDecay,
        PiecewiseConstantDecay,
        PolynomialDecay,
    )
}


def get(identifier: Any) -> Callable[[Any], Any] | None:
    """Return the function of the step that a learning rate is; None for a number.

    >>> get(0.1) is None
    True
    """
    if isinstance(identifier, dict):
        identifier = aliases.make("schedule", identifier, _table)
    if not callable(identifier) or isinstance(identifier, Tensor | Variable):
        return None
    try:
        inspect.signature(identifier).bind(0)
    except ValueError:  # a built-in function may have no signature
        return identifier  # type: ignore[no-any-return]
    except TypeError:
        raise InvalidArgumentError(
            "a function given as learning_rate takes the number of updates done, a tensor, and is "
            f"part of the graph; {identifier!r} does not take one argument"
        ) from None
    return identifier  # type: ignore[no-any-return]
