"""Initial values of weights: ``ax.initializers.HeNormal()`` or its alias ``"he_normal"``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod, sqrt
from typing import Any

from numpy.typing import DTypeLike

from addax import aliases, naming, random
from addax.errors import InvalidArgumentError
from addax.ops.creation import full
from addax.ops.emit import Tensor

# Standard deviation of a standard normal distribution cut off at two standard deviations.
_TRUNCATED_STDDEV = 0.87962566103423978


class Initializer:
    """Base of initializers: called with a shape and a dtype, they return a tensor."""

    def __call__(self, shape: Sequence[int], dtype: DTypeLike | None = None) -> Tensor:
        """Return the initial values."""
        raise NotImplementedError(f"{type(self).__name__} has no __call__")

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make an equal initializer."""
        return dict(vars(self))

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Initializer:
        """Make an initializer from the result of ``get_config``."""
        return cls(**config)


class Constant(Initializer):
    """One value everywhere.

    >>> Constant(3.0)((2,)).tolist()
    [3.0, 3.0]
    """

    def __init__(self, value: float = 0.0) -> None:
        self.value = value

    def __call__(self, shape: Sequence[int], dtype: DTypeLike | None = None) -> Tensor:
        """Return the initial values."""
        return full(list(shape), self.value, dtype or "float32")


class Zeros(Initializer):
    """Zeros.

    >>> Zeros()((2,)).tolist()
    [0.0, 0.0]
    """

    def __call__(self, shape: Sequence[int], dtype: DTypeLike | None = None) -> Tensor:
        """Return the initial values."""
        return full(list(shape), 0, dtype or "float32")


class Ones(Initializer):
    """Ones.

    >>> Ones()((2,)).tolist()
    [1.0, 1.0]
    """

    def __call__(self, shape: Sequence[int], dtype: DTypeLike | None = None) -> Tensor:
        """Return the initial values."""
        return full(list(shape), 1, dtype or "float32")


class RandomUniform(Initializer):
    """Evenly drawn from ``[minval, maxval)``.

    >>> RandomUniform(2.0, 3.0)((4,)).min().item() >= 2
    True
    """

    def __init__(
        self, minval: float = -0.05, maxval: float = 0.05, seed: int | None = None
    ) -> None:
        self.minval, self.maxval, self.seed = minval, maxval, seed

    def __call__(self, shape: Sequence[int], dtype: DTypeLike | None = None) -> Tensor:
        """Return the initial values."""
        return random.uniform(shape, self.minval, self.maxval, dtype, self.seed)


class RandomNormal(Initializer):
    """Drawn from a normal distribution.

    >>> RandomNormal()((4,)).shape
    (4,)
    """

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: int | None = None) -> None:
        self.mean, self.stddev, self.seed = mean, stddev, seed

    def __call__(self, shape: Sequence[int], dtype: DTypeLike | None = None) -> Tensor:
        """Return the initial values."""
        return random.normal(shape, self.mean, self.stddev, dtype, self.seed)


class TruncatedNormal(Initializer):
    """Drawn from a normal distribution within two standard deviations.

    >>> abs(TruncatedNormal(stddev=1.0)((4,))).max().item() <= 2
    True
    """

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: int | None = None) -> None:
        self.mean, self.stddev, self.seed = mean, stddev, seed

    def __call__(self, shape: Sequence[int], dtype: DTypeLike | None = None) -> Tensor:
        """Return the initial values."""
        return random.truncated_normal(shape, self.mean, self.stddev, dtype, self.seed)


class VarianceScaling(Initializer):
    """Random values whose variance is ``scale`` over the number of inputs or outputs of a weight.

    >>> VarianceScaling(2.0, "fan_in")((4, 3)).shape
    (4, 3)
    """

    def __init__(
        self,
        scale: float = 1.0,
        mode: str = "fan_in",
        distribution: str = "truncated_normal",
        seed: int | None = None,
    ) -> None:
        if scale <= 0:
            raise InvalidArgumentError(f"scale must be positive, got {scale}")
        fans = ("fan_in", "fan_out", "fan_avg")
        if mode not in fans:
            raise InvalidArgumentError(f"unknown mode '{mode}'{naming.did_you_mean(mode, fans)}")
        known = ("normal", "truncated_normal", "untruncated_normal", "uniform")
        if distribution not in known:
            nearest = naming.did_you_mean(distribution, known)
            raise InvalidArgumentError(f"unknown distribution '{distribution}'{nearest}")
        self.scale, self.mode, self.distribution, self.seed = scale, mode, distribution, seed

    def __call__(self, shape: Sequence[int], dtype: DTypeLike | None = None) -> Tensor:
        """Return the initial values."""
        fan_in, fan_out = compute_fans(shape)
        fan = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[self.mode]
        variance = self.scale / max(1.0, fan)
        if self.distribution == "uniform":
            limit = sqrt(3 * variance)
            return random.uniform(shape, -limit, limit, dtype, self.seed)
        if self.distribution == "untruncated_normal":
            return random.normal(shape, 0.0, sqrt(variance), dtype, self.seed)
        stddev = sqrt(variance) / _TRUNCATED_STDDEV
        return random.truncated_normal(shape, 0.0, stddev, dtype, self.seed)


def compute_fans(shape: Sequence[int]) -> tuple[float, float]:
    """Return the numbers of inputs and outputs that each unit of a weight connects.

    >>> compute_fans((3, 3, 16, 32))
    (144, 288)
    """
    if len(shape) < 2:
        length = shape[0] if shape else 1
        return length, length
    window = prod(shape[:-2])
    return window * shape[-2], window * shape[-1]


class _Preset(VarianceScaling):
    """Variance scaling with everything fixed but the seed."""

    preset: tuple[float, str, str]

    def __init__(self, seed: int | None = None) -> None:
        super().__init__(*self.preset, seed=seed)

    def get_config(self) -> dict[str, Any]:
        return {"seed": self.seed}


class GlorotUniform(_Preset):
    """Even, with variance 2 / (fan_in + fan_out); the default of kernels.

    >>> GlorotUniform(seed=1)((3, 3)).max().item() <= 1
    True
    """

    preset = (1.0, "fan_avg", "uniform")


class GlorotNormal(_Preset):
    """Truncated normal, with variance 2 / (fan_in + fan_out).

    >>> GlorotNormal()((2, 3)).shape
    (2, 3)
    """

    preset = (1.0, "fan_avg", "truncated_normal")


class HeUniform(_Preset):
    """Even, with variance 2 / fan_in; for layers followed by ReLU.

    >>> HeUniform()((2, 3)).shape
    (2, 3)
    """

    preset = (2.0, "fan_in", "uniform")


class HeNormal(_Preset):
    """Truncated normal, with variance 2 / fan_in; for layers followed by ReLU.

    >>> HeNormal()((2, 3)).shape
    (2, 3)
    """

    preset = (2.0, "fan_in", "truncated_normal")


class LecunUniform(_Preset):
    """Even, with variance 1 / fan_in.

    >>> LecunUniform()((2, 3)).shape
    (2, 3)
    """

    preset = (1.0, "fan_in", "uniform")


class LecunNormal(_Preset):
    """Truncated normal, with variance 1 / fan_in.

    >>> LecunNormal()((2, 3)).shape
    (2, 3)
    """

    preset = (1.0, "fan_in", "truncated_normal")


_classes: tuple[type[Initializer], ...] = (
    Constant,
    GlorotNormal,
    GlorotUniform,
    HeNormal,
    HeUniform,
    LecunNormal,
    LecunUniform,
    Ones,
    RandomNormal,
    RandomUniform,
    TruncatedNormal,
    VarianceScaling,
    Zeros,
)
_table: dict[str, Callable[..., Initializer]] = {
    name: cls for cls in _classes for name in (cls.__name__, naming.snake_case(cls.__name__))
}
_table.update(uniform=RandomUniform, normal=RandomNormal, zero=Zeros, one=Ones)


def get(identifier: Any) -> Any:
    """Return the initializer for an alias, a configuration, a class or an initializer.

    >>> type(get("he_normal")).__name__
    'HeNormal'
    """
    return None if identifier is None else aliases.make("initializer", identifier, _table)
