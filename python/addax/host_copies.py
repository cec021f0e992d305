"""Copies on the host of variables that lie in the memory of another device.

A device that fails in the middle of a step leaves what the step updates half done, and a device
that is lost takes everything along. ``fit`` therefore works within ``kept``, an epoch at a time.
"""

from __future__ import annotations

import warnings
import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from addax import _core
from addax.errors import DeviceError, OutOfMemoryError


@dataclass
class _Copy:
    value: NDArray[Any]
    # Could not be put back: what the device holds is not known.
    is_lost: bool = False


_copies: dict[int, _Copy] = {}  # by the identity of variables that are alive


@contextmanager
def kept(variables: Sequence[_core.Variable]) -> Iterator[None]:
    """Copy variables before and after the body; where the device fails within, put them back.

    >>> weight = _core.Variable([1.0], name="weight")
    >>> with kept([weight]):
    ...     _ = weight.assign([2.0])
    >>> weight.numpy().tolist()
    [2.0]
    """
    own = {
        name
        for name in {variable.device for variable in variables}
        if not _core.has_unified_memory(name)
    }
    variables = [variable for variable in variables if variable.device in own]
    _take(variables)
    try:
        yield
        _take(variables)
    except (DeviceError, OutOfMemoryError) as error:
        if not variables:
            raise
        raise type(error)(f"{error}; {_put_back(variables)}") from error


def value_of(variable: _core.Variable) -> NDArray[Any]:
    """Return what a variable holds: where its device has failed, the copy of it.

    >>> value_of(_core.Variable([1.0], name="weight")).tolist()
    [1.0]
    """
    copy = _copies.get(id(variable))
    if copy is None or not copy.is_lost:
        try:
            return variable.numpy()
        except DeviceError:
            if copy is None:
                raise
    warnings.warn(
        f"{variable.device} has failed: what lay there is as after the last epoch that fit() "
        "completed",
        stacklevel=2,
    )
    return copy.value


def assign(variable: _core.Variable, value: Any) -> None:
    """Assign to a variable, also where its device had failed and is back.

    >>> assign(weight := _core.Variable([1.0], name="weight"), [2.0])
    >>> weight.numpy().tolist()
    [2.0]
    """
    variable.assign(value)
    if copy := _copies.get(id(variable)):
        copy.is_lost = False


def _take(variables: Sequence[_core.Variable]) -> None:
    for variable in variables:
        copy = _copies.get(id(variable))
        if copy is not None and copy.is_lost:
            assign(variable, copy.value)
    values = [np.array(variable.numpy()) for variable in variables]
    for variable, value in zip(variables, values, strict=True):
        if id(variable) not in _copies:
            weakref.finalize(variable, _copies.pop, id(variable), None)
        _copies[id(variable)] = _Copy(value)


def _put_back(variables: Sequence[_core.Variable]) -> str:
    """Return where the values are now."""
    copies = [_copies[id(variable)] for variable in variables]
    for copy in copies:
        copy.is_lost = True
    try:
        for variable, copy in zip(variables, copies, strict=True):
            assign(variable, copy.value)
    except (DeviceError, OutOfMemoryError):
        return (
            f"{variables[0].device} is lost, the host has the weights as they were before this "
            "epoch: compile the model for another device, device='cpu', to go on with them"
        )
    return "the weights and the optimizer are as they were before this epoch"
