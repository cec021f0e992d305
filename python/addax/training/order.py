"""Which samples make up which batch of an epoch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from addax import _core
from addax.ops.emit import Tensor, emit


def pieces(begin: int, count: int) -> list[tuple[int, int]]:
    """Cut positions from ``begin`` on into runs ``(cursor, length)`` starting at cursor * length.

    The op that draws samples counts in whole batches; a last batch of another size seldom begins at
    a multiple of its size, and is drawn in a few runs.

    >>> pieces(2592, 8)
    [(324, 8)]
    >>> pieces(8, 3)
    [(4, 2), (10, 1)]
    """
    runs = []
    while count:
        length = next(size for size in range(count, 0, -1) if begin % size == 0)
        runs.append((begin // length, length))
        begin, count = begin + length, count - length
    return runs


def draw(begin: int, count: int, key: Any, total: int, shuffle: bool) -> Tensor:
    """Return the samples at the positions from ``begin`` on, in the order given by ``key``."""
    runs = [
        emit(
            "batch_indices",
            _core.tensor(np.asarray(cursor, np.int64)),
            key,
            n=total,
            batch=length,
            shuffle=shuffle,
        )
        for cursor, length in pieces(begin, count)
    ]
    return runs[0] if len(runs) == 1 else emit("concatenate", *runs, axis=0)


def samples(
    begin: int, count: int, key: NDArray[np.int64], total: int, shuffle: bool
) -> NDArray[Any]:
    """Return the same indices at once, to tell which sample of the user's a step has worked on."""
    indices: NDArray[Any] = draw(begin, count, _core.tensor(key), total, shuffle).numpy()
    return indices


@dataclass(frozen=True)
class Place:
    """Where in an epoch a program was: ``done`` batches of ``batch`` samples past ``begin``."""

    begin: int
    batch: int
    done: int
    key: NDArray[np.int64]
    total: int
    shuffle: bool
