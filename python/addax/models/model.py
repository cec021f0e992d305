"""Models: layers that know how to be trained."""

from __future__ import annotations

import os
from typing import Any

from addax import nested
from addax.call_graph import CallGraph
from addax.errors import InvalidArgumentError, IoError, UnsupportedError
from addax.layers.base import Layer
from addax.naming import did_you_mean, unique
from addax.training.trainer import Trainer


class Model(Trainer):
    """A layer with ``fit``, ``evaluate`` and ``predict``.

    Either drawn as a graph of calls from symbolic inputs to outputs, or subclassed like a layer.
    A ``copy.deepcopy``, and what a pickle is read to, is at the same point of its training.

    >>> from addax import layers
    >>> x = layers.Input((4,))
    >>> model = Model(x, layers.Dense(2)(x))
    >>> model.output_shape, model.count_params()
    ((None, 2), 10)
    """

    _role = "model"

    def __init__(self, inputs: Any = None, outputs: Any = None, **kwargs: Any) -> None:
        if inputs is not None and type(self) is Model:
            kwargs.setdefault("name", unique("functional"))
        # The inputs of drawn models have dtypes of their own.
        kwargs.setdefault("autocast", type(self).call is not Model.call)
        super().__init__(**kwargs)
        self._graph: CallGraph | None = None
        if (inputs is None) != (outputs is None):
            raise InvalidArgumentError(
                f"model '{self.name}': give both inputs and outputs, or neither and override call()"
            )
        if inputs is not None:
            self._draw(inputs, outputs)

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        """Give the model what it needs before any ``__init__`` runs."""
        model: Any = super().__new__(cls)
        model.__dict__["_graph"] = None
        Trainer._prepare(model)
        return model

    def _draw(self, inputs: Any, outputs: Any) -> None:
        self._graph = CallGraph(inputs, outputs, self.name)
        self._members = self._graph.layers
        self.built = True

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Compute the outputs; subclasses without a graph override this."""
        if self._graph is None:
            raise NotImplementedError(f"{type(self).__name__} must override call()")
        return self._graph.run(inputs)

    @property
    def inputs(self) -> list[Any]:
        """The symbolic inputs."""
        return self._drawn().input_list

    @property
    def outputs(self) -> list[Any]:
        """The symbolic outputs."""
        return self._drawn().output_list

    @property
    def input(self) -> Any:
        """The symbolic input, or the structure of several."""
        return self._drawn().inputs

    @property
    def output(self) -> Any:
        """The symbolic output, or the structure of several."""
        return self._drawn().outputs

    @property
    def input_shape(self) -> Any:
        """Shape of the input, or the structure of several."""
        return nested.map_leaves(lambda x: x.shape, self.input)

    @property
    def output_shape(self) -> Any:
        """Shape of the output, or the structure of several."""
        return nested.map_leaves(lambda x: x.shape, self.output)

    def _drawn(self) -> CallGraph:
        if self._graph is None:
            raise InvalidArgumentError(
                f"model '{self.name}' has no symbolic inputs and outputs: it was not drawn from "
                "ax.Input, or a Sequential that has not seen an input yet"
            )
        return self._graph

    @property
    def layers(self) -> list[Layer]:
        """The layers of the model, without those within them; a drawn model's inputs are layers."""
        return self._graph.layers if self._graph is not None else self._sublayers()

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """Return a layer by its name or its position."""
        layers = self.layers
        if index is not None:
            if not -len(layers) <= index < len(layers):
                raise InvalidArgumentError(
                    f"model '{self.name}' has {len(layers)} layers, asked for number {index}"
                )
            return layers[index]
        for layer in layers:
            if layer.name == name:
                return layer
        nearest = did_you_mean(str(name), [layer.name for layer in layers])
        raise InvalidArgumentError(f"model '{self.name}' has no layer '{name}'{nearest}")

    def build(self, input_shape: Any = None) -> None:
        """Create the weights for inputs of this shape, by tracing one call."""
        if self._graph is None and input_shape is not None and type(self).call is not Model.call:
            self.built = True
            self.compute_output_shape(input_shape)

    def _build(self, shape: Any) -> None:
        # Subclasses create weights while their call is traced; their own build() may do so before.
        if type(self).build is not Model.build:
            super()._build(shape)
        self.built = True

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make an equal model, of a class that has such arguments."""
        if self._graph is not None and type(self).__init__ is Model.__init__:
            raise UnsupportedError(
                f"model '{self.name}' was drawn from symbolic tensors, which no configuration "
                "holds: call the function that draws it again, and take over its weights"
            )
        return super().get_config()

    def __getstate__(self) -> dict[str, Any]:
        """Return what a copy consists of; programs are compiled for each copy anew."""
        return {key: value for key, value in vars(self).items() if key not in self._not_copied}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Become a copy, on the device of the original."""
        self.__dict__.update(state)
        if self._device is not None:
            self._move_to(self._device)

    def save_weights(self, filepath: str | os.PathLike[str], overwrite: bool = True) -> None:
        """Write the weights to a safetensors file, and all that training goes on from.

        That is the state of the optimizer with its counter, and of the random generators: a model
        that is compiled alike, loads the file and trains on, does so bit for bit. The file is
        written beside its place and then put there, so that it is never half a file.

        >>> import tempfile
        >>> from addax import Sequential, layers
        >>> model = Sequential([layers.Input((4,)), layers.Dense(2)])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     model.save_weights(f"{folder}/model.safetensors")
        ...     model.load_weights(f"{folder}/model.safetensors")
        """
        from addax.saving import checkpoint

        path = os.fspath(filepath)
        if not overwrite and os.path.exists(path):
            raise IoError(f"'{path}' exists, and overwrite=False keeps it")
        with self._on_device():
            checkpoint.save(self, path)

    def load_weights(self, filepath: str | os.PathLike[str]) -> None:
        """Restore what ``save_weights`` has written.

        The optimizer's state is restored if the model is compiled; state that the file lacks
        stays. Names and shapes must be the model's: else an error names what differs, and nothing
        changes.
        """
        from addax.saving import checkpoint

        with self._on_device():
            checkpoint.load(self, os.fspath(filepath))

    def summary(
        self, line_length: int | None = None, print_fn: Any = None, expand_nested: bool = False
    ) -> None:
        """Print the layers, the shapes of their outputs and their numbers of parameters."""
        from addax.models.summary import summary

        (print_fn or print)(summary(self, line_length, expand_nested))
