"""Random numbers from a counter: the same seed gives the same numbers for any number of threads.

The global generator is a variable of two integers, the seed and a counter, so that it is part of
the state of whatever uses it: a compiled function or a training step goes on where the last ended.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from addax import _core, host_copies, tracing
from addax.errors import DeviceError
from addax.ops.emit import Tensor, TensorLike, dtype_name, emit_all

# Keys of epoch orders count in a range of their own, which the generator does not reach.
_ORDER_COUNTER = 1 << 62


class SeedGenerator:
    """A stream of random numbers of its own; without a seed it starts anywhere.

    >>> a, b = SeedGenerator(1), SeedGenerator(1)
    >>> uniform((2,), seed=a).tolist() == uniform((2,), seed=b).tolist()
    True
    """

    def __init__(self, seed: int | None = None, name: str = "seed_generator") -> None:
        self.name = name
        with tracing.suspended():
            self.state = _core.Variable(_start(seed), name=f"{name}/state", trainable=False)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make this generator in its present state."""
        return {"seed": int(self.state.numpy()[0]), "name": self.name}


def _start(seed: int | None) -> NDArray[np.int64]:
    if seed is None:
        seed = int.from_bytes(os.urandom(8), "little")
    return np.array([_seed(seed), 0], np.int64)


def _seed(seed: int) -> int:
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer):
        raise _core.DTypeError(f"[random] a seed must be an integer, got {type(seed).__name__}")
    return int(seed) & ((1 << 63) - 1)


# The global generator's state on each device that has been used, the latest last: a device carries
# its own, and the stream goes on where it was drawn from before.
_generators: dict[str, SeedGenerator] = {}


def global_generator() -> SeedGenerator:
    """Return the generator that serves wherever no seed is given."""
    device = str(_core.current_device())
    latest = next(reversed(_generators), None)
    if device == latest:
        return _generators[device]
    with tracing.suspended():
        generator = _generators.pop(device, None) or SeedGenerator(None, "random")
        if latest is not None:
            generator.state.assign(host_copies.value_of(_generators[latest].state))
    _generators[device] = generator
    return generator


def set_seed(seed: int) -> None:
    """Start the global generator anew: weights, dropout and shuffling repeat from here.

    >>> set_seed(1)
    >>> first = uniform((2,)).tolist()
    >>> set_seed(1)
    >>> uniform((2,)).tolist() == first
    True
    """
    state = _start(seed)
    with tracing.suspended():
        for device, generator in list(_generators.items()):
            try:
                host_copies.assign(generator.state, state)
            except DeviceError:  # it is lost, which is told where it is used
                del _generators[device]
        if not _generators:
            _generators[str(_core.current_device())] = SeedGenerator(seed, "random")
    global_generator()


def order_key() -> NDArray[np.int64]:
    """Return the key of the order of one epoch and advance the global generator."""
    state = global_generator().state
    seed, counter = (int(number) for number in host_copies.value_of(state))
    host_copies.assign(state, np.array([seed, counter + 1], np.int64))
    return np.array([seed, _ORDER_COUNTER + counter], np.int64)


def draw(op: str, *inputs: Any, seed: int | SeedGenerator | None = None, **attrs: Any) -> Tensor:
    """Call a random op; with an integer seed it returns the same numbers every time."""
    if isinstance(seed, SeedGenerator) or seed is None:
        state = (seed or global_generator()).state
        y, after = emit_all(op, *inputs, state, **attrs)
        state.assign(after)
        return y
    return emit_all(op, *inputs, _core.tensor(_start(seed)), **attrs)[0]


def uniform(
    shape: Sequence[int],
    minval: float = 0.0,
    maxval: float = 1.0,
    dtype: DTypeLike | None = None,
    seed: int | SeedGenerator | None = None,
) -> Tensor:
    """Draw evenly from ``[minval, maxval)``.

    >>> uniform((2, 3)).shape
    (2, 3)
    """
    return draw(
        "random_uniform",
        seed=seed,
        shape=list(shape),
        minval=float(minval),
        maxval=float(maxval),
        dtype=dtype_name(dtype or "float32"),
    )


def normal(
    shape: Sequence[int],
    mean: float = 0.0,
    stddev: float = 1.0,
    dtype: DTypeLike | None = None,
    seed: int | SeedGenerator | None = None,
) -> Tensor:
    """Draw from the normal distribution.

    >>> normal((2, 3)).shape
    (2, 3)
    """
    return draw(
        "random_normal",
        seed=seed,
        shape=list(shape),
        mean=float(mean),
        stddev=float(stddev),
        truncated=False,
        dtype=dtype_name(dtype or "float32"),
    )


def truncated_normal(
    shape: Sequence[int],
    mean: float = 0.0,
    stddev: float = 1.0,
    dtype: DTypeLike | None = None,
    seed: int | SeedGenerator | None = None,
) -> Tensor:
    """Draw from the normal distribution within two standard deviations.

    >>> abs(truncated_normal((100,))).max().item() <= 2
    True
    """
    return draw(
        "random_normal",
        seed=seed,
        shape=list(shape),
        mean=float(mean),
        stddev=float(stddev),
        truncated=True,
        dtype=dtype_name(dtype or "float32"),
    )


def dropout(inputs: TensorLike, rate: float, seed: int | SeedGenerator | None = None) -> Tensor:
    """Set a share ``rate`` of the elements to zero and scale the others by ``1 / (1 - rate)``.

    >>> dropout([1.0, 2.0], 0.0).tolist()
    [1.0, 2.0]
    """
    return draw("dropout", inputs, seed=seed, rate=float(rate))
