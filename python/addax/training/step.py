"""Training, testing and predicting steps as graphs.

A training step is one graph: drawing the samples, forward pass, loss, gradients, optimizer,
metrics. Its program runs a whole epoch in one call.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from addax import _core, nested, symbolic, tracing
from addax.errors import InvalidArgumentError
from addax.naming import did_you_mean
from addax.ops.emit import Tensor, emit
from addax.training.data import Array, Arrays
from addax.training.order import draw

if TYPE_CHECKING:
    from addax.training.trainer import Trainer


class Steps:
    """The compiled steps of one model. Programs are kept by what they were compiled for."""

    # More kinds of data than this in use at once are compiled again.
    capacity = 32

    def __init__(self, model: Trainer) -> None:
        self._model = model
        self._programs: dict[Any, _core.Executable] = {}
        self._cursor: _core.Variable | None = None
        # The thread that draws batches and reports on them.
        self._worker: int | None = None
        # Several threads may predict with one model.
        self.lock = threading.RLock()

    def forget(self) -> None:
        """Drop all programs."""
        self._programs.clear()

    @property
    def cursor(self) -> _core.Variable:
        """The number of batches drawn in this epoch."""
        if self._cursor is None or self._cursor.device != _core.current_device():
            with tracing.suspended():
                self._cursor = _core.Variable(
                    _core.tensor(np.asarray(0, np.int64)), name="cursor", trainable=False
                )
            self.forget()
        return self._cursor

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep other threads from the cursor and the report while batches are drawn and reported.

        Work that a callback begins within it leaves the cursor at its place.
        """
        thread = threading.get_ident()
        with self.lock:
            if self._worker not in (None, thread):
                raise InvalidArgumentError(
                    f"model '{self._model.name}' is trained or evaluated in another thread: only "
                    "predict() and calls can go on beside that"
                )
            outer, self._worker = self._worker, thread
        cursor = self._cursor if outer is not None else None
        place = None if cursor is None else cursor.numpy()
        try:
            yield
        finally:
            self._worker = outer
            if cursor is not None:
                cursor.assign(place)

    def epoch(
        self, mode: str, data: Arrays, begin: int, batch: int, shuffle: bool
    ) -> _core.Executable:
        """Return the program that draws its own batches.

        ``begin`` is 0 for the program of full batches, which counts them by the cursor, else the
        position of the only batch that it draws. Its inputs are the data and the epoch's key.
        """
        kind = ("epoch", mode, data.signature(), begin, batch, shuffle)
        cursor = self.cursor

        def body(trace: _core.Trace) -> list[Tensor]:
            arrays = self._inputs(trace, data, data.size)
            order = trace.input((2,), "int64", "order")
            if begin == 0:
                indices = emit(
                    "batch_indices", cursor, order, n=data.size, batch=batch, shuffle=shuffle
                )
                cursor.assign_add(1)
            else:
                indices = draw(begin, batch, order, data.size, shuffle)
            dtypes = self._dtypes(data)
            drawn = [
                emit("take", array, indices, axis=0, dtype=dtype)
                for array, dtype in zip(arrays, dtypes, strict=True)
            ]
            return self._step(mode, data, drawn)

        # The program of full batches is the same for any number of samples to draw from.
        drawn = len(data.leaves) if begin == 0 else 0
        return self._compiled(kind, data.size, mode, body, drawn)

    def batch(self, mode: str, data: Arrays) -> _core.Executable:
        """Return the program for one batch that is passed to it as it is."""

        def body(trace: _core.Trace) -> list[Tensor]:
            arrays = self._inputs(trace, data, data.size)
            cast = [
                array if array.dtype == dtype else array.astype(dtype)
                for array, dtype in zip(arrays, self._dtypes(data), strict=True)
            ]
            return self._step(mode, data, cast)

        return self._compiled(("batch", mode, data.signature()), data.size, mode, body)

    def _compiled(
        self,
        kind: tuple[Any, ...],
        size: int,
        mode: str,
        body: Callable[[_core.Trace], list[Tensor]],
        drawn: int = 0,
    ) -> _core.Executable:
        for layer, variables in self._model._walk():
            kind = (*kind, layer._trainable, *(variable.trainable for variable in variables))
        with self.lock:
            program = self._programs.pop((kind, size), None)
            if program is None:
                program = self._resized(kind, size, drawn)
                if program is None:
                    with tracing.trace(f"{self._model.name}/{mode}") as trace:
                        outputs = body(trace)
                        program = trace.finish(outputs, device=_core.current_device())
                while len(self._programs) >= self.capacity:
                    del self._programs[next(iter(self._programs))]
            # The most recently used last.
            self._programs[kind, size] = program
            return program

    def _resized(self, kind: tuple[Any, ...], size: int, drawn: int) -> _core.Executable | None:
        """Return a kind's program for so many samples, made from that for others, if any."""
        for (other, _), program in self._programs.items() if drawn > 0 else ():
            if other == kind:
                return program.with_samples(drawn, size)
        return None

    def _inputs(self, trace: _core.Trace, data: Arrays, size: int) -> list[Tensor]:
        names = [f"x{index}" for index in range(len(data.x_leaves))]
        names += [f"y{index}" for index in range(len(data.y_leaves))]
        names += ["sample_weight"] * (data.weights is not None)
        return [
            trace.input((size, *array.shape[1:]), array.dtype.name, name)
            for name, array in zip(names, data.leaves, strict=True)
        ]

    def _dtypes(self, data: Arrays) -> list[str]:
        """Return the dtype in which the step wants each array."""
        graph = self._model._graph
        wanted = [_computed(array, self._model) for array in data.x_leaves]
        if graph is not None and len(graph.input_list) == len(wanted):
            by_name = isinstance(data.x, dict)
            inputs = {tensor.name: tensor.dtype for tensor in graph.input_list}
            keys = list(data.x) if by_name else []
            for index, tensor in enumerate(graph.input_list):
                wanted[index] = inputs.get(keys[index], wanted[index]) if by_name else tensor.dtype
        wanted += [_computed(array, self._model) for array in data.y_leaves]
        return wanted + ["float32"] * (data.weights is not None)

    def _step(self, mode: str, data: Arrays, arrays: Sequence[Tensor]) -> list[Tensor]:
        values = iter(arrays)
        x = nested.pack(data.x, values)
        predictions = self._model(x, training=mode == "train")
        if mode == "predict":
            return [*nested.leaves(predictions)]
        y = None if data.y is None else nested.pack(data.y, values)
        weights = next(values, None)
        objective = self._model._objective
        assert objective is not None  # fit and evaluate ask for a compiled model first
        outputs, targets = self._matched(predictions, y)
        objective.build(targets, outputs)
        if not objective.has_loss and mode == "test":
            objective.measure(targets, outputs, weights)
            return []
        with tracing.label("loss"):
            loss = objective.loss(targets, outputs, weights)
        if mode == "train":
            variables = self._model.trainable_weights
            gradients = _core.gradients(loss, variables)
            with tracing.label("optimizer"):
                self._model.optimizer.apply(gradients, variables)
        with tracing.label("metrics"):
            objective.measure(targets, outputs, weights)
        return []

    def _matched(self, predictions: Any, y: Any) -> tuple[list[Tensor], list[Tensor]]:
        """Return outputs and targets in the same order."""
        if y is None:
            raise InvalidArgumentError("there are no targets: give y")
        outputs = [*nested.leaves(predictions)]
        if isinstance(y, dict):
            names = (
                list(predictions) if isinstance(predictions, dict) else self._model._output_names()
            )
            missing = [name for name in names or () if name not in y]
            if missing or not names:
                raise InvalidArgumentError(
                    f"y lacks targets for output {missing or '?'}: got {[*y]}"
                )
            unknown = [name for name in y if name not in names]
            if unknown:
                raise InvalidArgumentError(
                    f"y has targets for '{unknown[0]}', which is no output of model "
                    f"'{self._model.name}'{did_you_mean(unknown[0], names)}; its outputs are "
                    f"{', '.join(names)}"
                )
            targets = [y[name] for name in names]
        else:
            targets = [*nested.leaves(y)]
        if len(targets) != len(outputs):
            raise InvalidArgumentError(
                f"model '{self._model.name}' has {len(outputs)} outputs, got {len(targets)} targets"
            )
        return outputs, targets


def _computed(array: Array, model: Trainer) -> str:
    """Return the dtype in which a model takes an array; its layers cast further."""
    dtype: str = array.dtype.name
    if "float" not in dtype:
        return dtype
    return "float64" if model.dtype == "float64" else "float32"


def build(model: Trainer, data: Arrays) -> None:
    """Create all weights: by drawing the graph, or by tracing one call that is thrown away."""
    if not model.built:
        model._ensure_built((nested.map_leaves(lambda array: _Shape(array.shape), data.x),), {})
    if model._graph is None and not model._traced_once:
        stand_ins = nested.map_leaves(
            lambda array: symbolic.SymbolicTensor(
                (2, *array.shape[1:]), _computed(array, model), "x"
            ),
            data.x,
        )
        symbolic.infer(model, (stand_ins,), {})
        model._traced_once = True


class _Shape:
    """Something with the shape of a batch of any size."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.shape: tuple[int | None, ...] = (None, *shape[1:])
