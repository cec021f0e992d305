"""One pass over the data, for training or testing."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from addax import _core, callbacks, host_copies, random
from addax.errors import InvalidArgumentError, OutOfRangeError
from addax.training import order
from addax.training.auto import Step
from addax.training.blame import blame
from addax.training.data import Arrays
from addax.training.progress import Progress

if TYPE_CHECKING:
    from addax.training.trainer import Trainer


# What callbacks set on the model to end a pass after a batch.
_STOP_FLAGS = {"train": "stop_training", "test": "stop_evaluating"}


class Pass:
    """Full batches in one call, then the rest as a batch of its own."""

    def __init__(
        self, model: Trainer, mode: str, data: Arrays, batch: int, shuffle: bool, limit: int | None
    ) -> None:
        if limit is not None and limit < 1:
            raise InvalidArgumentError(f"the number of steps must be positive, got {limit}")
        self._model = model
        self._mode = mode
        self.data = data
        self._batch = min(batch, data.size)
        self._shuffle = bool(shuffle)
        self.full = data.size // self._batch
        self.rest = data.size - self.full * self._batch
        self.steps = self.full + (self.rest > 0)
        if limit is not None and limit < self.steps:
            self.full, self.rest, self.steps = limit, 0, limit

    @functools.cached_property
    def _arrays(self) -> list[_core.Tensor]:
        return self.data.shared()

    def step(self) -> Step:
        """Return the program of full batches as one whose steps can be tried."""
        steps = self._model._steps
        steps.cursor.assign(np.asarray(0, np.int64))
        program = steps.epoch(self._mode, self.data, 0, self._batch, self._shuffle)
        return Step(program, [*self.data.shared(), _core.tensor(np.zeros(2, np.int64))], self.full)

    def go(self, progress: Progress | None, told: callbacks.CallbackList) -> None:
        """Run the pass; the model's objective then holds its report."""
        steps, objective = self._model._steps, self._model._compiled_for("fit")
        key = random.order_key() if self._shuffle else np.zeros(2, np.int64)
        inputs = [*self._arrays, _core.tensor(key)]
        whole = steps.epoch(self._mode, self.data, 0, self._batch, self._shuffle)
        begin = self.full * self._batch
        last = None
        if self.rest:
            last = steps.epoch(self._mode, self.data, begin, self.rest, self._shuffle)
        with host_copies.kept(self._changed()):
            objective.reset()
            steps.cursor.assign(np.asarray(0, np.int64))
            self._run(inputs, key, whole, last, progress, told)

    def _changed(self) -> list[_core.Variable]:
        """Return the variables that outlast the pass and that it changes."""
        if self._mode != "train":
            return []
        model = self._model._as_model()
        generators = [
            part
            for layer in model._flat()
            for part in vars(layer).values()
            if isinstance(part, random.SeedGenerator)
        ]
        states = [generator.state for generator in [*generators, random.global_generator()]]
        return [*model.weights, *states, *model.optimizer.variables]

    def _run(
        self,
        inputs: list[_core.Tensor],
        key: NDArray[np.int64],
        whole: _core.Executable,
        last: _core.Executable | None,
        progress: Progress | None,
        told: callbacks.CallbackList,
    ) -> None:
        objective = self._model._compiled_for("fit")
        begin = self.full * self._batch
        if progress is not None:
            progress.begin(self.steps)
        done = 0
        try:
            if told.wants_batches(self._mode):
                for done in range(self.steps):
                    told.tell(f"on_{self._mode}_batch_begin", done, {})
                    program = whole if done < self.full or last is None else last
                    program.run_steps(inputs, 1)
                    told.tell(f"on_{self._mode}_batch_end", done, objective.report())
                    if progress is not None:
                        progress.update(done + 1)
                    if getattr(self._model, _STOP_FLAGS[self._mode]):
                        break
            else:
                if progress is not None and progress.wants_reports:
                    whole.run_steps(inputs, self.full, progress.update, progress.interval)
                else:
                    whole.run_steps(inputs, self.full)
                done = self.full
                if last is not None:
                    last.run_steps(inputs, 1)
        except OutOfRangeError as error:
            in_rest = last is not None and done == self.full
            place = order.Place(
                0 if not in_rest else begin,
                self._batch if not in_rest else self.rest,
                done,
                key,
                self.data.size,
                self._shuffle,
            )
            raise blame(error, self.data, place) from None
