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
from addax.errors import AddaxError, DeviceError
from addax.redo_log import Assignment, RedoLog, StandIns


class _Copy(NamedTuple):
    variable: weakref.ref[_core.Variable]
    value: NDArray[Any]


class Keeper:
    """The copies of what belongs together; all of them are of the same moment.

    Its log tells what has been done since. By it the copies of variables that are lost are brought
    up to date, on the CPU.

    >>> weight = _core.Variable([1.0], name="weight")
    >>> count = _core.Variable(7, name="count")
    >>> keeper = Keeper(log := RedoLog())
    >>> keeper.keep([weight, count], count)
    >>> keeper.moment
    'as after 7 steps'
    >>> _ = weight.assign([2.0])
    >>> keeper.put_back()
    >>> weight.numpy().tolist()
    [1.0]
    """

    # Of the time that passes, what copying may take.
    share = 0.01

    def __init__(self, log: RedoLog) -> None:
        self._copies: dict[int, _Copy] = {}  # by the identity of the variable
        self._counter = 0  # the identity of the one that counts the steps
        # Who trains has the log: what is in it holds on to variables, which copies must not.
        self._log = weakref.ref(log)
        self._cost = self._kept_at = 0.0
        self.moment = ""
        # Of these the copy counts, not what the device holds.
        self._lost: set[int] = set()
        # The assignments to each variable that the copies and the log know of.
        self._known: dict[int, int] = {}

    def keep(
        self,
        variables: Sequence[_core.Variable],
        counter: _core.Variable,
        stand_ins: StandIns | None = None,
    ) -> None:
        """Copy variables as they are now, or as others are that stand for them.

        One of them counts the steps of training. Should it fail, the copies made before stay.
        """
        begin = time.perf_counter()
        read = stand_ins or StandIns()
        copies = {id(v): _Copy(weakref.ref(v), read(v).numpy()) for v in variables}
        for variable in variables:
            if id(variable) not in _keepers:
                weakref.finalize(variable, _keepers.pop, id(variable), None)
            _keepers[id(variable)] = self
        self._copies, self._counter = copies, id(counter)
        self.moment = f"as after {self._steps} steps"
        self._lost.clear()
        self._know_all()
        if (log := self._log()) is not None:
            log.clear()
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
    def _steps(self) -> int:
        return int(self._copies[self._counter].value)

    @property
    def bytes(self) -> int:
        """The memory of the copies."""
        return sum(copy.value.nbytes for copy in self._copies.values())

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
        """Have the copies count, of all variables: not one moment's beside another's.

        What was done since is done again on the CPU. Where that fails, of which a warning tells,
        what was assigned is assigned to the copies.
        """
        self._lost.update(self._copies)
        log = self._log()
        if not log:
            return
        told = "a device has failed: what was done since the last copies is done again on the CPU"
        warnings.warn(told, stacklevel=2)
        try:
            self._catch_up()
        except AddaxError as error:
            warnings.warn(f"steps cannot be taken again on the CPU: {error}", stacklevel=2)
            for variable, value in log.assignments():
                if (assigned := variable()) is not None:
                    self._copies[id(assigned)] = _Copy(variable, value)
            log.clear()
        self._lost.update(self._copies)

    def _catch_up(self) -> None:
        host, steps = str(_core.resolve_device("cpu")), self._steps
        variables = self._alive()
        stand_ins = StandIns(
            {
                id(v): _core.Variable(
                    self.value(v), name=v.name, trainable=v.trainable, device=host
                )
                for v in variables
                if v.device != host
            }
        )
        counter = self._copies[self._counter].variable()
        assert counter is not None, "whose steps are in the log"
        self._restore(stand_ins)
        self.keep(variables, counter, stand_ins)
        if again := self._steps - steps:
            self.moment += f", the last {again} of them taken again on {host}"

    def put_back(self) -> None:
        """Give all variables the copies' values, and do again what was done since."""
        self._lost.update(self._copies)
        self._restore(StandIns())
        self._know_all()
        self._lost.clear()

    def _restore(self, stand_ins: StandIns) -> None:
        for copy in self._copies.values():
            if (variable := copy.variable()) is not None:
                stand_ins(variable).assign(copy.value)
        if (log := self._log()) is not None:
            log.redo(stand_ins)

    def heal(self) -> None:
        """Give the variables that are lost their copies' values; each counts once it has it."""
        for key in [*self._lost]:
            variable = self._copies[key].variable()
            if variable is not None:
                variable.assign(self._copies[key].value)
                self._known[key] = variable.assignments
            self._lost.discard(key)

    def replace(self, variable: _core.Variable, value: NDArray[Any]) -> None:
        """Take down that this value has been assigned to a variable."""
        log = self._log()
        if log is None or self.has_lost(variable):
            self._copies[id(variable)] = _Copy(weakref.ref(variable), value)
            self._lost.discard(id(variable))
        else:
            log.add(Assignment(weakref.ref(variable), value))
        self._known[id(variable)] = variable.assignments

    def note_assignments(self) -> None:
        """Take down what has been assigned to variables by their own ``assign``."""
        for variable in self._alive():
            if variable.assignments != self._known[id(variable)]:
                self.replace(variable, variable.numpy())

    def _alive(self) -> list[_core.Variable]:
        return [v for copy in self._copies.values() if (v := copy.variable()) is not None]

    def _know_all(self) -> None:
        self._known = {id(variable): variable.assignments for variable in self._alive()}


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
    """Assign to a variable, and have what is kept of it on the host know.

    >>> assign(weight := _core.Variable([1.0], name="weight"), [2.0])
    >>> weight.numpy().tolist()
    [2.0]
    """
    variable.assign(value)
    if keeper := _keepers.get(id(variable)):
        keeper.replace(variable, variable.numpy())
