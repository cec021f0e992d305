"""What is left of a model's state when its device fails, and what the error says of it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from numpy.typing import NDArray

from addax import _core, host_copies, placement
from addax.errors import DeviceError, OutOfMemoryError
from addax.redo_log import RedoLog, StandIns


class Job(NamedTuple):
    """A program and what it runs on, of which ``bytes`` are held for it alone."""

    program: _core.Executable
    arrays: Sequence[NDArray[Any]]
    bytes: int = 0

    def redo(self, times: int, stand_ins: StandIns) -> None:
        """Take so many steps on variables that stand for the program's, wherever they lie."""
        program = stand_ins.program(self.program)
        with placement.use(program.device):
            program.run_steps([_core.share(array) for array in self.arrays], times)


class Recovery:
    """Watches over training steps.

    The state that lies in a device's own memory is copied to the host when that costs little of the
    time since the last copies, and the copies are of the same step always. What is done after them
    goes into a log. Where the device fails in the midst of a step, the copies are put back, and the
    steps since then are taken again; where it is lost, they are taken again on the CPU. Either way
    the state becomes that of the last step which was finished.

    Of a device that works in the host's memory nothing is copied: it is not lost, and the CPU takes
    the memory that a program needs when it is compiled. One that fails amid a step all the same may
    leave a state that is half updated, as the error then says.

    >>> from addax import tracing
    >>> count = _core.Variable(0, name="count")
    >>> with tracing.trace("f") as trace:
    ...     _ = count.assign_add(1)
    ...     program = trace.finish([], device="cpu:0")
    >>> recovery = Recovery()
    >>> with recovery.explained():
    ...     recovery.watch(lambda: [count], count)
    ...     recovery.take(3, Job(program, []), lambda steps: program.run_steps([], steps))
    >>> count.tolist()
    3
    """

    def __init__(self) -> None:
        self._log = RedoLog()
        self._keeper = host_copies.Keeper(self._log)
        self._state: Callable[[], Iterable[_core.Variable]] = list
        self._counter: _core.Variable | None = None
        # Whether the state is copied: it lies in the memory of a device that may be lost.
        self.is_copying = False
        # Whether there are copies from after a step.
        self._has_stepped = False
        self._seconds_per_step = math.inf
        # Whether a failure has left the state half updated.
        self._is_amid = False
        # Whether it is known how many steps were taken since the copies.
        self._is_logged = True

    def watch(self, state: Callable[[], Iterable[_core.Variable]], counter: _core.Variable) -> None:
        """Watch over variables from now on, of which ``counter`` counts the steps of training.

        They are copied from a device's own memory unless there are copies of the same ones.
        """
        self._state, self._counter = state, counter
        self.is_copying = not _core.has_unified_memory(counter.device)
        self._seconds_per_step = math.inf
        self._keeper.heal()
        if self.is_copying:
            variables = self._variables()
            host_copies.heal(variables)
            if not (self._is_logged and self._keeper.holds(variables)):
                self._has_stepped = False
                self.keep()

    def keep(self) -> None:
        """Copy the state that lies in a device's own memory."""
        if self.is_copying:
            assert self._counter is not None
            self._keeper.keep(self._variables(), self._counter)
            self._is_logged = True

    def window(self, most: int) -> int:
        """Return how many steps to take before it may be time to copy."""
        if not self.is_copying:
            return most
        return min(most, max(1, int(self._keeper.interval / self._seconds_per_step)))

    def take(self, steps: int, job: Job, run: Callable[[int], object]) -> None:
        """Take steps of a job, which ``run`` does, and copy the state if it is time.

        It is as well when the log would be the larger of the two.
        """
        begin = time.perf_counter()
        if self.is_copying:
            self._keeper.note_assignments()
        try:
            run(steps)
        except (DeviceError, OutOfMemoryError) as error:
            if error.step is not None:
                self._is_amid = True
                self._note(job, error.step)
            raise
        except BaseException:  # Ctrl-C, say, after some of the steps
            self._is_logged = False
            raise
        self._note(job, steps)
        self._seconds_per_step = (time.perf_counter() - begin) / steps
        if self.is_copying and (
            self._keeper.is_due or not self._has_stepped or self._log.bytes > self._keeper.bytes
        ):
            self._has_stepped = True
            self.keep()

    @contextmanager
    def explained(self) -> Iterator[None]:
        """Repair the state where the device fails, and have the error tell what is left.

        That of a model which was trained: else there is nothing to lose. Once, where a callback
        works with the model amid a pass.
        """
        try:
            yield
        except (DeviceError, OutOfMemoryError) as error:
            if self._counter is None or hasattr(error, "is_explained"):
                raise
            explained = type(error)(f"{error}; {self._outcome(self._counter)}")
            explained.is_explained = True  # type: ignore[union-attr]
            raise explained from error
        finally:
            self._is_amid = False

    def _note(self, job: Job, steps: int) -> None:
        if self.is_copying:
            self._log.add(job, steps)

    def _variables(self) -> list[_core.Variable]:
        return [*{id(variable): variable for variable in self._state()}.values()]

    def _outcome(self, counter: _core.Variable) -> str:
        if self._is_amid and not self._keeper.holds([counter]):
            return (
                "that was in the midst of a step, and the weights may be half updated: go on from "
                "weights that were saved"
            )
        try:
            if self._is_amid:
                self._keeper.put_back()
            steps = int(counter.numpy())
        except (DeviceError, OutOfMemoryError) as error:
            if not self._keeper.holds([counter]):
                return f"{counter.device} is lost"
            self._keeper.lose()
            is_full = isinstance(error, OutOfMemoryError)
            return (
                f"{counter.device} {'has no memory to repair that' if is_full else 'is lost'}, "
                f"the host has weights and optimizer {self._keeper.moment}: "
                "model.compile(device='cpu') goes on with them"
            )
        return f"the weights and the optimizer are as after {steps} steps"
