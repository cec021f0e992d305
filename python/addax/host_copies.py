"""Copies on the host of variables that lie in the memory of another device.

A device that fails in the middle of a step leaves what the step updates half done, and a device
that is lost takes everything along. What variables hold is therefore read by ``value_of`` and
``values_of``, which know of the copies.
"""

from __future__ import annotations

import time
import warnings
import weakref
from collections.abc import Sequence
from typing import Any, NamedTuple

from numpy.typing import NDArray

from addax import _core
from addax.errors import DeviceError


class _Copy(NamedTuple):
    variable: weakref.ref[_core.Variable]
    value: NDArray[Any]


class Keeper:
    """The copies of what belongs together; all of them are of the same moment.

    >>> weight = _core.Variable([1.0], name="weight")
    >>> count = _core.Variable(7, name="count")
    >>> keeper = Keeper()
    >>> keeper.keep([weight, count], count)
    >>> keeper.moment
    'as after 7 steps'
    >>> _ = weight.assign([2.0])
    >>> keeper.put_back()
    >>> weight.numpy().tolist()
    [1.0]
    """

    # Of the time that passes, what copying may take.
    share = 0.02

    def __init__(self) -> None:
        self._copies: dict[int, _Copy] = {}  # by the identity of the variable
        self._cost = self._kept_at = 0.0
        self.moment = ""
        # Something was assigned since, to a variable and its copy alike.
        self.is_altered = False
        # Of these the copy counts, not what the device holds.
        self._lost: set[int] = set()

    def keep(self, variables: Sequence[_core.Variable], counter: _core.Variable) -> None:
        """Copy variables as they are now; should that fail, the copies made before stay.

        One of them counts the steps of training.
        """
        begin = time.perf_counter()
        copies = {id(v): _Copy(weakref.ref(v), v.numpy()) for v in variables}
        moment = f"as after {int(copies[id(counter)].value)} steps"
        for variable in variables:
            if id(variable) not in _keepers:
                weakref.finalize(variable, _keepers.pop, id(variable), None)
            _keepers[id(variable)] = self
        self._copies, self.moment, self.is_altered = copies, moment, False
        self._lost.clear()
        self._kept_at = time.perf_counter()
        self._cost = self._kept_at - begin

    def holds(self, variables: Sequence[_core.Variable]) -> bool:
        """Whether there are copies of all these variables."""
        copies = (self._copies.get(id(variable)) for variable in variables)
        return all(
            copy is not None and copy.variable() is variable
            for copy, variable in zip(copies, variables, strict=True)
        )

    @property
    def interval(self) -> float:
        """The seconds after which to copy again costs no more than its share."""
        return self._cost / self.share

    @property
    def is_due(self) -> bool:
        """Whether it is time to copy again."""
        return time.perf_counter() - self._kept_at >= self.interval

    def value(self, variable: _core.Variable) -> NDArray[Any]:
        """Return the copy of a variable."""
        return self._copies[id(variable)].value

    def has_lost(self, variable: _core.Variable) -> bool:
        """Whether the copy of a variable counts, not what the device holds."""
        return id(variable) in self._lost

    def lose(self) -> None:
        """Have the copies count, of all variables: not one moment's beside another's."""
        self._lost.update(self._copies)

    def put_back(self) -> None:
        """Give all variables the copies' values."""
        self.lose()
        self.heal()

    def heal(self) -> None:
        """Give the variables that are lost their copies' values; each counts once it has it."""
        for key in [*self._lost]:
            variable = self._copies[key].variable()
            if variable is not None:
                variable.assign(self._copies[key].value)
            self._lost.discard(key)

    def replace(self, variable: _core.Variable) -> None:
        """Copy a variable to which another value has been assigned."""
        self._copies[id(variable)] = _Copy(weakref.ref(variable), variable.numpy())
        self._lost.discard(id(variable))
        self.is_altered = True


_keepers: dict[int, Keeper] = {}  # by the identity of variables that are alive


def heal(variables: Sequence[_core.Variable]) -> None:
    """Give variables their copies' values where the device had failed and is back.

    >>> heal([_core.Variable([1.0], name="weight")])
    """
    for keeper in {_keepers[id(variable)] for variable in variables if id(variable) in _keepers}:
        keeper.heal()


def values_of(variables: Sequence[_core.Variable]) -> list[NDArray[Any]]:
    """Return what variables hold: where their device has failed, the copies of all of them.

    >>> [value.tolist() for value in values_of([_core.Variable([1.0], name="weight")])]
    [[1.0]]
    """
    while True:
        lost: dict[str, str] = {}
        values = []
        for variable in variables:
            keeper = _keepers.get(id(variable))
            if keeper is not None and keeper.has_lost(variable):
                values.append(keeper.value(variable))
                lost[variable.device] = keeper.moment
                continue
            try:
                values.append(variable.numpy())
            except DeviceError:
                if keeper is None:
                    raise
                keeper.lose()
                break
        else:
            for device, moment in lost.items():
                warnings.warn(f"{device} has failed: what lay there is {moment}", stacklevel=2)
            return values


def value_of(variable: _core.Variable) -> NDArray[Any]:
    """Return what a variable holds: where its device has failed, the copy of it.

    >>> value_of(_core.Variable([1.0], name="weight")).tolist()
    [1.0]
    """
    return values_of([variable])[0]


def assign(variable: _core.Variable, value: Any) -> None:
    """Assign to a variable, and to its copy on the host if there is one.

    >>> assign(weight := _core.Variable([1.0], name="weight"), [2.0])
    >>> weight.numpy().tolist()
    [2.0]
    """
    variable.assign(value)
    if keeper := _keepers.get(id(variable)):
        keeper.replace(variable)
