"""The graph of layer calls between the symbolic inputs and outputs of a functional model."""

from __future__ import annotations

from typing import Any

from addax import nested
from addax.errors import InvalidArgumentError, ShapeError
from addax.layers.base import Layer
from addax.ops.emit import Tensor, as_tensor
from addax.symbolic import Node, SymbolicTensor


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

    def _ordered(self) -> tuple[list[Node], list[Node]]:
        """Return the calls in an order for making them, and as met on the way from the outputs."""
        known = {id(tensor) for tensor in self.input_list}
        order: list[Node] = []
        met: list[Node] = []
        done: set[int] = set()
        # Depth first, on a stack of our own: models may be deeper than Python's.
        todo = list(reversed(self.output_list))
        while todo:
            tensor = todo[-1]
            node = tensor.node
            if id(tensor) in known or (node is not None and id(node) in done):
                todo.pop()
                continue
            if node is None:
                raise InvalidArgumentError(
                    f"model '{self.name}': the outputs depend on '{tensor.name}', which is not "
                    "among the inputs"
                )
            met.append(node)
            missing = [
                x
                for x in node.inputs
                if id(x) not in known and (x.node is None or id(x.node) not in done)
            ]
            if missing:
                todo.extend(reversed(missing))
            else:
                done.add(id(node))
                order.append(node)
                todo.pop()
        return order, met

    def _layers(self, met: list[Node]) -> list[Layer]:
        """Return the layers called, each once: those that most calls follow first, as in Keras."""
        depths: dict[int, int] = {}  # of layers and of calls: how many calls at most follow
        for node in reversed(self.nodes):
            depth = depths.get(id(node), 0)
            if isinstance(node.operation, Layer):
                depth = depths[id(node.operation)] = max(depth, depths.get(id(node.operation), 0))
            for x in node.inputs:
                depths[id(x.node)] = max(depths.get(id(x.node), 0), depth + 1)
        found = {
            id(node.operation): node.operation for node in met if isinstance(node.operation, Layer)
        }
        return sorted(found.values(), key=lambda layer: -depths[id(layer)])

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
