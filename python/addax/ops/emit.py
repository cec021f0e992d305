"""Calling an op by its name: at once, or into the graph being recorded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias, cast

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from addax import _core

Tensor = _core.Tensor
Variable = _core.Variable
TensorLike: TypeAlias = "_core.Tensor | _core.Variable | ArrayLike"
Axes: TypeAlias = "int | Sequence[int] | None"


def emit(op: str, *inputs: Any, **attrs: Any) -> Tensor:
    """Call an op with one output."""
    return cast(Tensor, _core.apply(op, list(inputs), attrs))


def emit_all(op: str, *inputs: Any, **attrs: Any) -> tuple[Tensor, ...]:
    """Call an op with several outputs."""
    outputs = _core.apply(op, list(inputs), attrs)
    return outputs if isinstance(outputs, tuple) else (outputs,)


def as_tensor(x: Any, dtype: DTypeLike | None = None) -> Tensor:
    """Return ``x`` as a tensor; the value of a variable, a copy of anything else."""
    if isinstance(x, Variable):
        x = x.value
    if not isinstance(x, Tensor):
        return _core.tensor(x, dtype=None if dtype is None else dtype_name(dtype))
    return x if dtype is None or x.dtype == dtype_name(dtype) else x.astype(dtype_name(dtype))


def dtype_name(dtype: DTypeLike | Any) -> str:
    """Return the name of a dtype given as a name, a NumPy dtype or a type.

    >>> dtype_name(np.float32)
    'float32'
    """
    if isinstance(dtype, str):
        return dtype
    return str(np.dtype(dtype).name)


def resolve_axis(axis: int, rank: int, op: str) -> int:
    """Return ``axis`` counted from the front; raises InvalidArgumentError when out of range."""
    if not -rank <= axis < rank:
        raise _core.InvalidArgumentError(
            f"[{op}] axis {axis} is out of range for {rank} dimensions: expected "
            f"{-rank} <= axis < {rank}"
        )
    return axis + rank if axis < 0 else axis
