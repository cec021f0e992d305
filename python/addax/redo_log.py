"""What has been done to variables since they were copied, so that it can be done again."""

from __future__ import annotations

import weakref
from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

from numpy.typing import NDArray

from addax import _core


class StandIns:
    """The variables to which is done again what was done to others; by default, to themselves.

    ``variables`` are by the identity of those for which they stand.

    >>> weight, other = (_core.Variable([n], name="weight") for n in (1.0, 2.0))
    >>> stand_ins = StandIns({id(weight): other})
    >>> stand_ins(weight) is other, stand_ins(other) is other
    (True, True)
    """

    def __init__(self, variables: Mapping[int, _core.Variable] | None = None) -> None:
        self._variables = variables or {}
        self._programs: dict[_core.Executable, _core.Executable] = {}

    def __call__(self, variable: _core.Variable) -> _core.Variable:
        """Return what stands for a variable."""
        return self._variables.get(id(variable), variable)

    def program(self, program: _core.Executable) -> _core.Executable:
        """Return a program that does with the stand-ins, where they lie, what this one does."""
        if program not in self._programs:
            variables = [self(variable) for variable in program.variables]
            device = variables[0].device if variables else program.device
            self._programs[program] = program.rebind(variables, device)
        return self._programs[program]


class Redoable(Protocol):
    """Something that can be done again."""

    @property
    def bytes(self) -> int:
        """The memory that is held for it alone."""

    def redo(self, times: int, stand_ins: StandIns) -> None:
        """Do it again so many times."""


class Assignment(NamedTuple):
    """A value that was assigned to a variable.

    >>> weight = _core.Variable([1.0], name="weight")
    >>> Assignment(weakref.ref(weight), weight.numpy() + 1).redo(1, StandIns())
    >>> weight.tolist()
    [2.0]
    """

    variable: weakref.ref[_core.Variable]
    value: NDArray[Any]

    @property
    def bytes(self) -> int:
        """The memory of the value."""
        return self.value.nbytes

    def redo(self, times: int, stand_ins: StandIns) -> None:
        """Assign it again."""
        variable = self.variable()
        if variable is not None:
            stand_ins(variable).assign(self.value)


class RedoLog:
    """What has been done, in its order.

    >>> weight = _core.Variable([1.0], name="weight")
    >>> log = RedoLog()
    >>> log.add(Assignment(weakref.ref(weight), weight.numpy() + 1))
    >>> log.redo(StandIns())
    >>> weight.tolist(), log.bytes
    ([2.0], 4)
    """

    def __init__(self) -> None:
        self._entries: list[tuple[Redoable, int]] = []
        self.bytes = 0

    def __bool__(self) -> bool:
        """Whether anything has been done."""
        return bool(self._entries)

    def add(self, done: Redoable, times: int = 1) -> None:
        """Take down what has been done so many times."""
        if times == 0:
            return
        if self._entries and self._entries[-1][0] is done:
            self._entries[-1] = done, self._entries[-1][1] + times
        else:
            self._entries.append((done, times))
            self.bytes += done.bytes

    def clear(self) -> None:
        """Forget all."""
        self._entries.clear()
        self.bytes = 0

    def redo(self, stand_ins: StandIns) -> None:
        """Do it all again."""
        for done, times in self._entries:
            done.redo(times, stand_ins)

    def assignments(self) -> list[Assignment]:
        """Return those among what was done, in their order."""
        return [done for done, _ in self._entries if isinstance(done, Assignment)]
