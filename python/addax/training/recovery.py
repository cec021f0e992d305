"""What is left of a model's state when its device fails, and what the error says of it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from addax import _core, host_copies
from addax.errors import DeviceError, OutOfMemoryError

# Takes so many steps.
Run = Callable[[int], object]


class Recovery:
    """Watches over training steps.

    The state that lies in a device's own memory is copied to the host when that costs little of the
    time since the last copies, and the copies are of the same step always. Where the device fails
    in the midst of a step, the state becomes that of the last step which it had finished, if the
    steps since the copies can be taken again, or that of the copies. Where it is lost, the copies
    are what is left.

    Of a device that works in the host's memory nothing is copied: it is not lost, and the CPU takes
    the memory that a program needs when it is compiled. One that fails amid a step all the same may
    leave a state that is half updated, as the error then says.

    >>> weight = _core.Variable([1.0], name="weight")
    >>> count = _core.Variable(0, name="count")
    >>> recovery = Recovery()
    >>> with recovery.explained():
    ...     recovery.watch(lambda: [weight, count], count)
    ...     recovery.take(1, lambda steps: weight.assign([2.0]))
    >>> weight.numpy().tolist()
    [2.0]
    """

    def __init__(self) -> None:
        self._keeper = host_copies.Keeper()
        self._state: Callable[[], Iterable[_core.Variable]] = list
        self._counter: _core.Variable | None = None
        self._has_own_memory = False
        # Whether there are copies from after a step.
        self._has_stepped = False
        # Steps taken since the copies were made.
        self._since = 0
        self._seconds_per_step = math.inf
        # After a failure that left the state half updated: what takes the steps since the copies.
        self._repair: Callable[[], object] | None = None

    def watch(self, state: Callable[[], Iterable[_core.Variable]], counter: _core.Variable) -> None:
        """Watch over variables from now on, of which ``counter`` counts the steps of training.

        They are copied from a device's own memory unless there are copies of the same ones.
        """
        self._state, self._counter = state, counter
        self._has_own_memory = not _core.has_unified_memory(counter.device)
        self._seconds_per_step = math.inf
        self._keeper.heal()
        if self._has_own_memory:
            variables = self._variables()
            host_copies.heal(variables)
            if not self._keeper.holds(variables):
                self._has_stepped = False
                self.keep()

    def keep(self) -> None:
        """Copy the state that lies in a device's own memory."""
        if self._has_own_memory:
            assert self._counter is not None
            self._keeper.keep(self._variables(), self._counter)
            self._since = 0

    def window(self, most: int) -> int:
        """Return how many steps to take before it may be time to copy."""
        if not self._has_own_memory:
            return most
        return min(most, max(1, int(self._keeper.interval / self._seconds_per_step)))

    def take(self, steps: int, run: Run, again: Run | None = None) -> None:
        """Take steps, and copy the state if it is time; ``again`` repeats any since then."""
        begin = time.perf_counter()
        try:
            run(steps)
        except (DeviceError, OutOfMemoryError) as error:
            if error.step is not None:
                done = self._since + error.step
                self._repair = lambda: self._put_back(done, again)
            raise
        self._seconds_per_step = (time.perf_counter() - begin) / steps
        self._since += steps
        if self._has_own_memory and (self._keeper.is_due or not self._has_stepped):
            self._has_stepped = True
            self.keep()

    @contextmanager
    def explained(self) -> Iterator[None]:
        """Repair the state where the device fails, and have the error tell what is left."""
        try:
            yield
        except (DeviceError, OutOfMemoryError) as error:
            if self._counter is None:
                raise
            raise type(error)(f"{error}; {self._outcome(self._counter)}") from error
        finally:
            self._repair = None

    def _variables(self) -> list[_core.Variable]:
        return [*{id(variable): variable for variable in self._state()}.values()]

    def _outcome(self, counter: _core.Variable) -> str:
        if self._repair is not None and not self._keeper.holds([counter]):
            return (
                "that was in the midst of a step, and the weights may be half updated: go on from "
                "weights that were saved"
            )
        try:
            if self._repair is not None:
                self._repair()
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

    def _put_back(self, steps: int, again: Run | None) -> None:
        self._keeper.put_back()
        if again is None or steps == 0 or self._keeper.is_altered:
            return
        try:
            again(steps)
        except (DeviceError, OutOfMemoryError):
            self._keeper.put_back()
