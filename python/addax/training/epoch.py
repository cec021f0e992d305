"""One pass over the data, for training or testing."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from addax import _core, callbacks, random
from addax.errors import OutOfRangeError
from addax.training import order
from addax.training.auto import Step
from addax.training.blame import blame
from addax.training.data import Arrays
from addax.training.progress import Progress
from addax.training.recovery import Job, Recovery

if TYPE_CHECKING:
    from addax.training.trainer import Trainer


# What callbacks set on the model to end a pass after a batch.
_STOP_FLAGS = {"train": "stop_training", "test": "stop_evaluating"}


class Pass:
    """So many batches: full ones in one call, then the rest of the data as one of its own."""

    def __init__(
        self, model: Trainer, mode: str, data: Arrays, batch: int, shuffle: bool, steps: int
    ) -> None:
        self._model = model
        self._mode = mode
        self.data = data
        self._batch = min(batch, data.size)
        self._shuffle = bool(shuffle)
        self.steps = steps
        self.full = min(steps, data.size // self._batch)
        self.rest = data.size % self._batch if steps > self.full else 0

    @functools.cached_property
    def _arrays(self) -> list[_core.Tensor]:
        return self.data.shared()

    def step(self) -> Step:
        """Return the program of full batches as one whose steps can be tried."""
        steps = self._model._steps
        steps.cursor.assign(np.asarray(0, np.int64))
        program = steps.epoch(self._mode, self.data, 0, self._batch, self._shuffle)
        return Step(program, [*self.data.shared(), _core.tensor(np.zeros(2, np.int64))], self.full)

    def go(self, progress: Progress | None, told: callbacks.CallbackList) -> dict[str, float]:
        """Run the pass and return the report on it."""
        recovery = self._model._recovery if self._mode == "train" else Recovery()
        with self._model._recovery.explained():
            work = self._begin(recovery)
            if progress is not None:
                progress.begin(self.steps)
            try:
                if told.wants_batches(self._mode):
                    self._go_singly(work, progress, told)
                else:
                    self._go_at_once(work, progress)
            except OutOfRangeError as error:
                raise blame(error, self.data, self._place(work)) from None
            recovery.keep()
            return self._model._compiled_for("fit").report()

    def _begin(self, recovery: Recovery) -> _Work:
        steps, objective = self._model._steps, self._model._compiled_for("fit")
        key = random.order_key() if self._shuffle else np.zeros(2, np.int64)
        inputs = [*self._arrays, _core.tensor(key)]
        arrays = [*self.data.leaves, key]
        whole = steps.epoch(self._mode, self.data, 0, self._batch, self._shuffle)
        last = None
        if self.rest:
            begin = self.full * self._batch
            last = steps.epoch(self._mode, self.data, begin, self.rest, self._shuffle)
        if self._mode == "train":
            self._model._watch(whole)
        objective.reset()
        steps.cursor.assign(np.asarray(0, np.int64))
        recovery.keep()
        return _Work(
            recovery, key, inputs, Job(whole, arrays), None if last is None else Job(last, arrays)
        )

    def _go_singly(
        self, work: _Work, progress: Progress | None, told: callbacks.CallbackList
    ) -> None:
        objective = self._model._compiled_for("fit")
        for work.done in range(self.steps):
            told.tell(f"on_{self._mode}_batch_begin", work.done, {})
            work.take(1, is_last=work.done == self.full)
            told.tell(f"on_{self._mode}_batch_end", work.done, objective.report())
            if progress is not None:
                progress.update(work.done + 1)
            if getattr(self._model, _STOP_FLAGS[self._mode]):
                break

    def _go_at_once(self, work: _Work, progress: Progress | None) -> None:
        while work.done < self.full:
            count = work.recovery.window(self.full - work.done)
            work.take(count, progress)
            work.done += count
        if work.last is not None:
            work.take(1, is_last=True)

    def _place(self, work: _Work) -> order.Place:
        """Return where in the data the pass is."""
        in_rest = work.last is not None and work.done == self.full
        return order.Place(
            self.full * self._batch if in_rest else 0,
            self.rest if in_rest else self._batch,
            work.done,
            work.key,
            self.data.size,
            self._shuffle,
        )


@dataclass
class _Work:
    """What a pass runs, and the number of its batches that are done."""

    recovery: Recovery
    key: NDArray[np.int64]
    inputs: list[_core.Tensor]
    whole: Job
    last: Job | None
    done: int = 0

    def take(self, steps: int, progress: Progress | None = None, is_last: bool = False) -> None:
        """Take steps of full batches, or that of the last one."""
        job = self.last if is_last and self.last is not None else self.whole
        before = self.done

        def run(count: int) -> None:
            if progress is not None and progress.wants_reports:
                job.program.run_steps(
                    self.inputs,
                    count,
                    lambda done: progress.update(before + done),
                    progress.interval,
                )
            else:
                job.program.run_steps(self.inputs, count)

        self.recovery.take(steps, job, run)
