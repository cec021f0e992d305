"""The graph of layer calls between the symbolic inputs and outputs of a functional model."""

from __future__ import annotations

from typing import Any

from addax import nested
from addax.errors import InvalidArgumentError, ShapeError
from addax.layers.base import Layer
from addax.layers.input import InputLayer
from addax.ops.emit import Tensor, as_tensor
from addax.symbolic import Node, SymbolicTensor

Source = Node | SymbolicTensor | None


class CallGraph:
    """The calls that lead from ``inputs`` to ``outputs``, in an order in which they can be made."""

    def __init__(self, inputs: Any, outputs: Any, name: str) -> None:
        self.inputs = inputs
        self.outputs = outputs
        self.name = name
        self.input_list = [*nested.leaves(inputs)]
        self.output_list = [*nested.leaves(outputs)]
        for kind, tensors in (("input", self.input_list), ("output", self.output_list)):
            for tensor in tensors:
                if not isinstance(tensor, SymbolicTensor):
                    raise InvalidArgumentError(
                        f"model '{name}': expected each {kind} to be a symbolic tensor, which "
                        f"begins with ax.Input, got {type(tensor).__name__}"
                    )
        self.nodes, met = self._ordered()
        self.layers = self._layers(met)

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Link the tensors of a copy to its calls again."""
        self.__dict__.update(state)
        for node in self.nodes:
            for tensor in nested.leaves(node.outputs):
                tensor.node = node

    def _source(self, tensor: SymbolicTensor) -> Source:
        """Return what a tensor comes from: itself if it is an input, else a call; None for none."""
        return tensor if tensor in self.input_list else tensor.node

    def _ordered(self) -> tuple[list[Node], list[Source]]:
        """Return the calls in an order for making them, and all as met on the way from outputs."""
        order: list[Node] = []
        met: list[Source] = []
        done: set[int] = set()
        # Depth first, on a stack of our own: models may be deeper than Python's.
        todo = list(reversed(self.output_list))
        while todo:
            tensor = todo[-1]
            source = self._source(tensor)
            if source is None:
                raise InvalidArgumentError(
                    f"model '{self.name}': the outputs depend on '{tensor.name}', which is not "
                    "among the inputs"
                )
            if id(source) in done:
                todo.pop()
                continue
            met.append(source)
            needed = source.inputs if isinstance(source, Node) else []
            missing = [x for x in needed if id(self._source(x)) not in done]
            if missing:
                todo.extend(reversed(missing))
            else:
                done.add(id(source))
                todo.pop()
                if isinstance(source, Node):
                    order.append(source)
        return order, met

    def _layers(self, met: list[Source]) -> list[Layer]:
        """Return inputs and layers called, each once: those that most calls follow come first."""
        depths: dict[int, int] = {}  # how many calls at most follow an input, a call or a layer
        for node in reversed(self.nodes):
            depth = depths.get(id(node), 0)
            if isinstance(node.operation, Layer):
                depth = depths[id(node.operation)] = max(depth, depths.get(id(node.operation), 0))
            for source in map(self._source, node.inputs):
                depths[id(source)] = max(depths.get(id(source), 0), depth + 1)
        found: dict[int, Layer] = {}
        for source in (*met, *self.input_list):
            if isinstance(source, SymbolicTensor):
                if id(source) not in found:
                    found[id(source)] = InputLayer.of(source)
            elif source is not None and isinstance(source.operation, Layer):
                found[id(source.operation)] = source.operation
        return [found[key] for key in sorted(found, key=lambda key: -depths.get(key, 0))]

    def run(self, values: Any) -> Any:
        """Make the calls on real (or traced) tensors."""
        known: dict[int, Any] = {}
        for tensor, value in zip(self.input_list, self._matched(values), strict=True):
            known[id(tensor)] = self._fitted(tensor, as_tensor(value))

        def substitute(x: Any) -> Any:
            return known[id(x)] if isinstance(x, SymbolicTensor) else x

        for node in self.nodes:
            results = node.operation(
                *nested.map_leaves(substitute, node.args),
                **nested.map_leaves(substitute, node.kwargs),
            )
            for tensor, result in zip(
                nested.leaves(node.outputs), nested.leaves(results), strict=True
            ):
                known[id(tensor)] = result
        return nested.map_leaves(substitute, self.outputs)

    def _matched(self, values: Any) -> list[Any]:
        """Return the values in the order of the inputs; a dict is matched by the inputs' names."""
        if isinstance(values, dict):
            keys = (
                list(self.inputs)
                if isinstance(self.inputs, dict)
                else [tensor.name for tensor in self.input_list]
            )
            missing = [key for key in keys if key not in values]
            if missing:
                raise InvalidArgumentError(
                    f"model '{self.name}' lacks input '{missing[0]}': got {sorted(values)}"
                )
            return [values[key] for key in keys]
        found = [*nested.leaves(values)]
        if len(found) != len(self.input_list):
            raise InvalidArgumentError(
                f"model '{self.name}' takes {len(self.input_list)} inputs, got {len(found)}"
            )
        return found

    def _fitted(self, tensor: SymbolicTensor, value: Tensor) -> Tensor:
        """Check a value against its input; a last axis of length one may be left out or given."""
        wanted, given = tensor.shape, tuple(value.shape)
        if len(given) == len(wanted) - 1 and wanted[-1] == 1:
            value = value.reshape([*given, 1])
        elif len(given) == len(wanted) + 1 and given[-1] == 1:
            value = value.reshape(list(given[:-1]))
        shape = tuple(value.shape)
        if len(shape) != len(wanted) or any(
            extent is not None and extent != found
            for extent, found in zip(wanted, shape, strict=True)
        ):
            raise ShapeError(
                f"model '{self.name}': input '{tensor.name}' expected shape {wanted}, got {given}"
            )
        return value if value.dtype == tensor.dtype else value.astype(tensor.dtype)
