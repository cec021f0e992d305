"""Models that are a list of layers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from addax import nested, tracing
from addax.errors import InvalidArgumentError
from addax.layers.base import Layer, is_shape
from addax.layers.input import Input, InputLayer
from addax.models.model import Model
from addax.symbolic import SymbolicTensor


class Sequential(Model):
    """Layers called one after another.

    >>> from addax import layers
    >>> model = Sequential([layers.Input((28, 28)), layers.Flatten(), layers.Dense(10)])
    >>> model.output_shape, model.count_params()
    ((None, 10), 7850)
    """

    def __init__(self, layers: Sequence[Any] | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._members: list[Layer] = []
        self._start: SymbolicTensor | None = None
        if isinstance(layers, Layer | SymbolicTensor):
            layers = [layers]
        for layer in layers or ():
            self._append(layer)
        self._redraw()

    def add(self, layer: Any) -> None:
        """Append a layer."""
        self._append(layer)
        self._redraw()

    def pop(self) -> Layer:
        """Remove the last layer and return it."""
        if not self._members:
            raise InvalidArgumentError(f"model '{self.name}' has no layers to remove")
        layer = self._members.pop()
        self._redraw()
        return layer

    def _append(self, layer: Any) -> None:
        if isinstance(layer, InputLayer):
            layer = layer.output
        if isinstance(layer, SymbolicTensor):
            if self._members or self._start is not None:
                raise InvalidArgumentError(
                    f"model '{self.name}': the input comes before all layers, and only once"
                )
            self._start = layer
            return
        if not isinstance(layer, Layer):
            raise InvalidArgumentError(
                f"model '{self.name}': expected layers, got {type(layer).__name__}"
            )
        if any(layer.name == other.name and layer is not other for other in self._members):
            raise InvalidArgumentError(
                f"model '{self.name}' has a layer named '{layer.name}' already; names are unique"
            )
        self._members.append(layer)

    def _redraw(self) -> None:
        """Draw the graph of calls if the shape of the input is known."""
        self._graph = None
        self.built = False
        self._forget_programs()
        if self._start is None and self._members:
            first = self._members[0]
            if first._declared_shape is not None:
                self._start = Input(first._declared_shape, dtype=first.dtype)
            elif isinstance(first, Model) and first._graph is not None:
                given, *others = first.inputs
                if not others:
                    self._start = Input(batch_shape=given.shape, dtype=given.dtype)
        if self._start is None or not self._members:
            return
        x: Any = self._start
        with tracing.suspended():
            for layer in self._members:
                x = layer(x)
        self._draw(self._start, x)

    def _draw(self, inputs: Any, outputs: Any) -> None:
        members = self._members
        super()._draw(inputs, outputs)
        self._members = members

    def _build(self, shape: Any) -> None:
        self.build(shape)

    def build(self, input_shape: Any = None) -> None:
        """Create the weights for inputs of this shape; its first extent is that of the batch."""
        if input_shape is None or self._graph is not None:
            return
        if not self._members:
            raise InvalidArgumentError(f"model '{self.name}' has no layers: add() some")
        if not is_shape(input_shape):
            shapes = list(nested.leaves(input_shape))
            raise InvalidArgumentError(
                f"model '{self.name}' is a Sequential and takes one input, got shapes {shapes}"
            )
        self._start = Input(tuple(input_shape[1:]), dtype=self.dtype)
        self._redraw()

    @property
    def layers(self) -> list[Layer]:
        """The layers in order."""
        return list(self._members)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make an equal model."""
        layers = [
            {"class_name": type(layer).__name__, "config": layer.get_config()}
            for layer in self._members
        ]
        config: dict[str, Any] = {
            "name": self.name,
            "trainable": self.trainable,
            "dtype": self.dtype_policy.name,
            "layers": layers,
        }
        if self._start is not None:
            config["batch_shape"] = self._start.shape
            config["input_dtype"] = self._start.dtype
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """Make a model from the result of ``get_config``."""
        from addax import layers as known
        from addax.aliases import lookup

        table: dict[str, Any] = {name: getattr(known, name) for name in known.__all__}
        table["Sequential"] = Sequential
        members: list[Any] = []
        if config.get("batch_shape") is not None:
            members.append(Input(batch_shape=config["batch_shape"], dtype=config["input_dtype"]))
        members += [
            lookup("layer", item["class_name"], table).from_config(item["config"])
            for item in config["layers"]
        ]
        return cls(
            members,
            name=config["name"],
            trainable=config.get("trainable", True),
            dtype=config.get("dtype"),
        )
