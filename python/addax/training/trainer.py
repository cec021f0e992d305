"""``compile``, ``fit``, ``evaluate`` and ``predict``."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from addax import _core, callbacks, mixed_precision, nested, optimizers, placement, random
from addax.call_graph import CallGraph
from addax.errors import InvalidArgumentError, OutOfRangeError
from addax.layers.base import Layer
from addax.training import auto
from addax.training import data as data_module
from addax.training.auto import DeviceChoice, Step
from addax.training.blame import blame, blame_nan
from addax.training.data import Arrays
from addax.training.epoch import Pass
from addax.training.objective import Objective
from addax.training.progress import Progress, resolve
from addax.training.recovery import Job, Recovery
from addax.training.step import Steps, build

# A device that was chosen by one kind of step is chosen anew for the first of a higher one.
_RANK = {"predict": 0, "test": 1, "train": 2}


class Trainer(Layer):
    """A layer that is trained: what a model is beside what it computes."""

    # The calls of a model that was drawn.
    _graph: CallGraph | None
    optimizer: Any
    stop_training: bool
    stop_evaluating: bool
    stop_predicting: bool
    _objective: Objective | None
    _steps: Steps
    _recovery: Recovery
    device_choice: DeviceChoice | None
    _device: str | None
    _auto: bool | None
    _chosen_by: str | None
    _traced_once: bool
    # What belongs to one object, of which a copy has its own.
    _not_copied = frozenset({"_steps", "_recovery"})

    def _prepare(self) -> None:
        self.__dict__.update(
            optimizer=None,
            stop_training=False,
            stop_evaluating=False,
            stop_predicting=False,
            history=None,
            _objective=None,
            _steps=Steps(self),
            _recovery=Recovery(),
            device_choice=None,
            _device=None,
            _auto=None,
            _chosen_by=None,
            _traced_once=False,
        )

    def _forget_programs(self) -> None:
        self._steps.forget()
        self.__dict__["_recovery"] = Recovery()

    def compile(
        self,
        optimizer: Any = None,
        loss: Any = None,
        loss_weights: Any = None,
        metrics: Any = None,
        weighted_metrics: Any = None,
        device: Any = None,
        **unknown: Any,
    ) -> None:
        """Say how to train: optimizer ("rmsprop" by default), loss, metrics and the device.

        Given a device and nothing else, a compiled model moves there and goes on as it is: with its
        optimizer and what that has gathered, its loss and its metrics.

        With ``device="auto"`` the first ``fit``, ``evaluate``, ``predict`` or single batch compiles
        its step for each device, times a few steps on copies, and the model moves to the fastest:
        its weights are new variables there. A device that fails is left out. A choice by predicting
        lasts until there is testing, and one by testing until there is training.
        ``device_choice`` holds it with the times; it is kept on disk (``ADDAX_CACHE=0``: not). A
        model that is given no device works in that of ``with ax.device(...)``, else of
        ``ADDAX_DEVICE``.

        >>> from addax import Sequential, layers
        >>> model = Sequential([layers.Input((4,)), layers.Dense(2)])
        >>> model.compile("adam", "mse", metrics=["mae"])
        """
        for word in unknown:
            if word not in ("run_eagerly", "jit_compile", "steps_per_execution", "auto_scale_loss"):
                raise TypeError(_unknown_argument(word))
        settings = (optimizer, loss, loss_weights, metrics, weighted_metrics)
        is_move = device is not None and all(setting is None for setting in settings)
        if self._objective is None or not is_move:
            self._objective = Objective(
                loss, loss_weights, metrics, weighted_metrics, self._output_names()
            )
            self.optimizer = optimizers.get("rmsprop" if optimizer is None else optimizer)
        self.__dict__.update(device_choice=None, _chosen_by=None)
        if device is not None:
            self._auto = device == placement.AUTO
        if not (device is None or self._auto):
            self._device = placement.device_name(device)
        if self._device is not None:
            self._move_to(self._device)
        if any(layer.compute_dtype == "bfloat16" for layer in self._flat()):
            used = self._device or _core.current_device()
            mixed_precision.warn_unless_fast(used, "bfloat16")
        self._forget_programs()

    def _output_names(self) -> list[str] | None:
        """Return the names by which losses and targets may call the outputs."""
        graph = self._graph
        if graph is None:
            return None
        if isinstance(graph.outputs, dict):
            return list(graph.outputs)
        return [
            tensor.name if tensor.node is None else tensor.node.name for tensor in graph.output_list
        ]

    @property
    def metrics_names(self) -> list[str]:
        """Names of what ``evaluate`` returns, in its order."""
        return [] if self._objective is None else [*self._objective.reported()]

    @property
    def metrics(self) -> list[Any]:
        """The metrics, the loss first."""
        return [] if self._objective is None else [*self._objective.reported().values()]

    @property
    def loss(self) -> Any:
        """The loss given to ``compile``."""
        return None if self._objective is None else self._objective._loss

    def reset_metrics(self) -> None:
        """Begin the report of loss and metrics again."""
        if self._objective is not None:
            self._objective.reset()

    def _compiled_for(self, method: str) -> Objective:
        if self._objective is None:
            raise InvalidArgumentError(
                f"model '{self.name}' must be compiled before {method}(): call "
                "model.compile(optimizer=..., loss=...)"
            )
        return self._objective

    @contextmanager
    def _on_device(self) -> Iterator[None]:
        with placement.use(self._device):
            yield

    def _move_to(self, device: str) -> None:
        """Take all that a compiled model consists of to a device."""
        self._device = device
        move = placement.Move(device, self._state())
        self._move(move)
        if self._objective is not None:
            self.optimizer.move(move)
            self._objective.move(move)

    def _state(self) -> list[_core.Variable]:
        """Return the variables that make the model, its optimizer and its report."""
        generators = [
            part.state
            for layer in self._flat()
            for part in vars(layer).values()
            if isinstance(part, random.SeedGenerator)
        ]
        reported = [variable for metric in self.metrics for variable in metric.variables]
        optimizer = [] if self.optimizer is None else self.optimizer.variables
        return [*self.weights, *generators, *optimizer, *reported]

    def _watch(self, program: _core.Executable) -> None:
        """Have the steps of a program of training watched over."""
        self._recovery.watch(
            lambda: [*self._state(), random.global_generator().state, *program.variables],
            self.optimizer.iterations,
        )

    @contextmanager
    def _at_work(
        self, samples: Arrays, mode: str, step: Callable[[], Step], progress: Progress | None = None
    ) -> Iterator[None]:
        """Build the model and work on its device, which ``step`` chooses where that is wanted."""
        if placement.is_auto_by_default() if self._auto is None else self._auto:
            with self._steps.lock:  # several threads may predict
                if self._chosen_by is None or _RANK[mode] > _RANK[self._chosen_by]:
                    self._choose(samples, mode, step, progress)
        with self._on_device():
            build(self, samples)
            yield

    def _choose(
        self, samples: Arrays, mode: str, step: Callable[[], Step], progress: Progress | None
    ) -> None:
        def compile_for(device: str) -> Step:
            if device != first:
                self._forget_programs()
                self._move_to(device)
            with placement.use(device):
                build(self, samples)
                return step()

        first = self._device or _core.current_device()
        try:
            compiled, failures = auto.first_step(compile_for, first)
            choice = auto.choose(compiled, failures)
        except OutOfRangeError:
            return  # which the step itself will tell of, with the sample
        self.__dict__.update(device_choice=choice, _chosen_by=mode)
        if choice.device != compiled.program.device:
            self._forget_programs()
        self._move_to(choice.device)
        if progress is not None and len(choice.seconds) + len(choice.left_out) > 1:
            progress.say(str(choice))

    # ---- Training.

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: Any = "auto",
        callbacks: Any = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: bool = True,
        class_weight: Mapping[int, float] | None = None,
        sample_weight: Any = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        validation_batch_size: int | None = None,
        validation_freq: int | Collection[int] = 1,
    ) -> Any:
        """Train for so many epochs and return the history of loss and metrics.

        Each epoch goes through the samples in an order of its own, or as they lie with
        ``shuffle=False``, and ends after ``steps_per_epoch`` batches where that is given.
        ``validation_freq`` is the number of epochs from one validation to the next, or lists the
        epochs to validate after, counted from 1. ``class_weight`` weighs the samples of a class in
        training, not in validation.

        Where the device fails, weights, optimizer and random generators are those after the last
        step that was completed. If a device with memory of its own is lost, the CPU takes the steps
        again that followed the last copies on the host, which are made around each epoch, after the
        first step, and as often as that costs at most 1 % of the time; ``compile(device="cpu")``
        goes on from there.

        >>> from addax import Sequential, layers
        >>> model = Sequential([layers.Input((2,)), layers.Dense(1)])
        >>> model.compile("sgd", "mse")
        >>> history = model.fit(np.ones((8, 2)), np.ones((8, 1)), epochs=2, verbose=0)
        >>> len(history.history["loss"])
        2
        """
        self._compiled_for("fit")
        batch = data_module.check_batch_size(batch_size)
        validated_after = data_module.check_epochs(validation_freq)
        samples = _with_targets(x, y, sample_weight, "fit")
        validation: Arrays | None = None
        if validation_data is not None:
            validation = _validation(validation_data)
        elif validation_split:
            samples, validation = data_module.split(samples, validation_split)
        if class_weight is not None:
            samples = data_module.weigh_classes(samples, class_weight)
        progress = Progress(resolve(verbose))
        steps = data_module.check_steps(steps_per_epoch, "steps_per_epoch", samples, batch)
        run = Pass(self, "train", samples, batch, shuffle, steps)
        with self._steps.alone(), self._at_work(samples, "train", run.step, progress):
            check = None
            if validation is not None:
                size = data_module.check_batch_size(
                    validation_batch_size, "validation_batch_size", batch
                )
                steps = data_module.check_steps(
                    validation_steps, "validation_steps", validation, size
                )
                check = Pass(self, "test", validation, size, False, steps)
            return self._epochs(
                run,
                check,
                range(initial_epoch, epochs),
                epochs,
                progress,
                callbacks,
                validated_after,
            )

    def _epochs(
        self,
        run: Pass,
        check: Pass | None,
        numbers: range,
        epochs: int,
        progress: Progress,
        given: Any,
        validated_after: Callable[[int], bool],
    ) -> Any:
        history = callbacks.History()
        params = {
            "verbose": progress.verbose,
            "epochs": epochs,
            "steps": run.steps,
            "do_validation": check is not None,
        }
        told = callbacks.CallbackList([given, history], self, params)
        self.__dict__["history"] = history
        self.stop_training = False
        logs: dict[str, float] = {}
        told.tell("on_train_begin", {})
        try:
            for epoch in numbers:
                progress.say(f"Epoch {epoch + 1}/{epochs}")
                told.tell("on_epoch_begin", epoch, {})
                logs = run.go(progress, told)
                if logs.get("loss") != logs.get("loss"):
                    blame_nan(run.data)
                if check is not None and validated_after(epoch + 1):
                    self.stop_evaluating = False
                    told.tell("on_test_begin", {})
                    validation = check.go(None, told)
                    logs.update({f"val_{name}": value for name, value in validation.items()})
                    told.tell("on_test_end", validation)
                logs = dict(sorted(logs.items()))
                progress.end(logs)
                told.tell("on_epoch_end", epoch, logs)
                if self.stop_training:
                    break
        finally:
            progress.close()
        told.tell("on_train_end", logs)
        return history

    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        verbose: Any = "auto",
        sample_weight: Any = None,
        steps: int | None = None,
        callbacks: Any = None,
        return_dict: bool = False,
    ) -> Any:
        """Return loss and metrics over the data, as a list or a dict.

        >>> from addax import Sequential, layers
        >>> model = Sequential([layers.Input((2,)), layers.Dense(1)])
        >>> model.compile("sgd", "mse")
        >>> sorted(model.evaluate(np.ones((8, 2)), np.ones((8, 1)), verbose=0, return_dict=True))
        ['loss']
        """
        self._compiled_for("evaluate")
        samples = _with_targets(x, y, sample_weight, "evaluate")
        batch = data_module.check_batch_size(batch_size)
        progress = Progress(resolve(verbose))
        count = data_module.check_steps(steps, "steps", samples, batch)
        run = Pass(self, "test", samples, batch, False, count)
        with self._steps.alone(), self._at_work(samples, "test", run.step, progress):
            told = self._told(callbacks, progress, run.steps)
            self.stop_evaluating = False
            told.tell("on_test_begin", {})
            try:
                logs = run.go(progress, told)
                progress.end(dict(sorted(logs.items())))
            finally:
                progress.close()
            told.tell("on_test_end", logs)
        return _returned(logs, return_dict)

    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: Any = "auto",
        steps: int | None = None,
        callbacks: Any = None,
    ) -> Any:
        """Return the outputs for all samples as NumPy arrays.

        >>> from addax import Sequential, layers
        >>> model = Sequential([layers.Input((2,)), layers.Dense(3)])
        >>> model.predict(np.ones((8, 2)), verbose=0).shape
        (8, 3)
        """
        samples = Arrays(x)
        batch = data_module.check_batch_size(batch_size)
        count = data_module.check_steps(steps, "steps", samples, batch)
        progress = Progress(resolve(verbose))

        def step() -> Step:
            part = samples.part(0, min(batch, samples.size))
            return Step(self._steps.batch("predict", part), part.shared(), None)

        with self._at_work(samples, "predict", step, progress):
            told = self._told(callbacks, progress, count)
            self.stop_predicting = False
            told.tell("on_predict_begin", {})
            try:
                results = self._predictions(samples, batch, count, progress, told)
                progress.end({})
            finally:
                progress.close()
            told.tell("on_predict_end", {})
        return results

    def _told(self, given: Any, progress: Progress, steps: int) -> callbacks.CallbackList:
        """Return the callbacks of a single pass."""
        params = {"verbose": progress.verbose, "epochs": 1, "steps": steps}
        return callbacks.CallbackList(given, self, params)

    def _predictions(
        self, samples: Arrays, batch: int, count: int, progress: Progress, told: Any
    ) -> Any:
        import time

        progress.begin(count)
        size = min(count * batch, samples.size)
        results: list[NDArray[Any]] = []
        shown = time.perf_counter()
        programs: dict[int, _core.Executable] = {}
        for index in range(count):
            told.tell("on_predict_batch_begin", index, {})
            begin, end = index * batch, min((index + 1) * batch, size)
            if end - begin not in programs:
                programs[end - begin] = self._steps.batch("predict", samples.part(begin, end))
            inputs = [_core.share(array[begin:end]) for array in samples.leaves]
            outputs = programs[end - begin].run(inputs)
            rows = [np.asarray(output) for output in outputs]
            if index == 0:
                results = [np.empty((size, *part.shape[1:]), part.dtype) for part in rows]
            for whole, part in zip(results, rows, strict=True):
                whole[begin : begin + len(part)] = part
            told.tell("on_predict_batch_end", index, {"outputs": self._structured(samples, rows)})
            if progress.wants_reports and time.perf_counter() - shown > progress.interval:
                shown = time.perf_counter()
                progress.update(index + 1)
            if self.stop_predicting:
                results = [whole[:end] for whole in results]
                break
        return self._structured(samples, results)

    def _structured(self, samples: Arrays, results: list[NDArray[Any]]) -> Any:
        """Give flat results the structure of the model's outputs."""
        if len(results) == 1:
            return results[0]
        graph = self._graph
        return nested.pack(graph.outputs, iter(results)) if graph is not None else results

    # ---- Single batches.

    def train_on_batch(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        class_weight: Mapping[int, float] | None = None,
        return_dict: bool = False,
    ) -> Any:
        """Take one step on these samples; returns loss and metrics of this batch.

        Where the device fails, the state is that after the last step that was completed, as for
        ``fit``: on a device with memory of its own, samples are kept until the next copies.

        >>> from addax import Sequential, layers
        >>> model = Sequential([layers.Input((2,)), layers.Dense(1)])
        >>> model.compile("sgd", "mse")
        >>> model.train_on_batch(np.ones((8, 2)), np.ones((8, 1))) >= 0
        True
        """
        self._compiled_for("train_on_batch")
        samples = _with_targets(x, y, sample_weight, "train_on_batch")
        if class_weight is not None:
            samples = data_module.weigh_classes(samples, class_weight)
        return self._one_batch("train", samples, return_dict)

    def test_on_batch(
        self, x: Any, y: Any = None, sample_weight: Any = None, return_dict: bool = False
    ) -> Any:
        """Return loss and metrics of this batch without training."""
        self._compiled_for("test_on_batch")
        samples = _with_targets(x, y, sample_weight, "test_on_batch")
        return self._one_batch("test", samples, return_dict)

    def _one_batch(self, mode: str, samples: Arrays, return_dict: bool) -> Any:
        objective = self._compiled_for(f"{mode}_on_batch")

        def step() -> Step:
            return Step(self._steps.batch(mode, samples), samples.shared(), None)

        with self._steps.alone(), self._at_work(samples, mode, step):
            recovery = self._recovery if mode == "train" else Recovery()
            with self._recovery.explained():
                program = self._steps.batch(mode, samples)
                if mode == "train":
                    self._watch(program)
                objective.reset()
                held = samples.copies() if recovery.is_copying else []
                job = Job(program, held, sum(array.nbytes for array in held))
                try:
                    recovery.take(1, job, lambda _: program.run(samples.shared()))
                except OutOfRangeError as error:
                    raise blame(error, samples, None) from None
                return _returned(objective.report(), return_dict)

    def predict_on_batch(self, x: Any) -> Any:
        """Return the outputs for this batch as NumPy arrays."""
        samples = Arrays(x)

        def step() -> Step:
            return Step(self._steps.batch("predict", samples), samples.shared(), None)

        with self._at_work(samples, "predict", step):
            outputs = self._steps.batch("predict", samples).run(samples.shared())
            return self._structured(samples, [np.array(output) for output in outputs])


def _with_targets(x: Any, y: Any, weights: Any, method: str) -> Arrays:
    if y is None:
        raise InvalidArgumentError(
            f"{method}() needs targets: give y beside x (data sets and generators are not taken)"
        )
    return Arrays(x, y, weights)


def _validation(given: Any) -> Arrays:
    if not isinstance(given, list | tuple) or len(given) not in (2, 3):
        raise InvalidArgumentError(
            "validation_data must be a tuple (x, y) or (x, y, sample_weight), got "
            f"{type(given).__name__}"
        )
    return Arrays(*given)


def _returned(logs: dict[str, float], return_dict: bool) -> Any:
    if return_dict:
        return logs
    values = list(logs.values())
    return values[0] if len(values) == 1 else values


def _unknown_argument(word: str) -> str:
    from addax.naming import did_you_mean

    known = ("optimizer", "loss", "loss_weights", "metrics", "weighted_metrics", "device")
    return f"compile: unknown argument '{word}'{did_you_mean(word, known)}"
