"""Where a functional model begins."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from addax import naming
from addax.errors import InvalidArgumentError
from addax.layers.base import Layer, Shape
from addax.symbolic import SymbolicTensor


class InputLayer(Layer):
    """Stands for an input of a model.

    >>> InputLayer((28, 28)).batch_shape
    (None, 28, 28)
    """

    def __init__(
        self,
        shape: Sequence[int | None] | None = None,
        batch_size: int | None = None,
        dtype: str | None = None,
        batch_shape: Sequence[int | None] | None = None,
        **kwargs: Any,
    ) -> None:
        if "name" not in kwargs:
            kwargs["name"] = naming.unique("input_layer")
        super().__init__(dtype=dtype, **kwargs)
        if (shape is None) == (batch_shape is None):
            raise InvalidArgumentError("Input: give either shape or batch_shape")
        if shape is not None:
            extents = (shape,) if isinstance(shape, int | np.integer) else tuple(shape)
            batch_shape = (batch_size, *extents)
        self.batch_shape = _checked(tuple(batch_shape or ()))
        self.built = True
        tensor = SymbolicTensor(self.batch_shape, self.dtype, self.name)
        self._first_call = (tensor, tensor)

    @classmethod
    def of(cls, tensor: SymbolicTensor) -> InputLayer:
        """Make the layer that stands for a tensor where a model begins with it."""
        layer = cls(batch_shape=tensor.shape, dtype=tensor.dtype, name=tensor.name)
        layer._first_call = (tensor, tensor)
        return layer

    def call(self, inputs: Any) -> Any:
        """Return the inputs."""
        return inputs


def _checked(shape: tuple[Any, ...]) -> Shape:
    for extent in shape:
        if extent is not None and (not isinstance(extent, int | np.integer) or extent < 0):
            raise InvalidArgumentError(
                f"Input: extents must be non-negative integers or None, got shape {shape[1:]}"
            )
    return tuple(None if extent is None else int(extent) for extent in shape)


def Input(
    shape: Sequence[int | None] | None = None,
    batch_size: int | None = None,
    dtype: str | None = None,
    name: str | None = None,
    batch_shape: Sequence[int | None] | None = None,
) -> SymbolicTensor:
    """Begin a functional model: ``shape`` is that of one sample, without the batch.

    >>> Input((28, 28)).shape
    (None, 28, 28)
    """
    named = {} if name is None else {"name": name}
    tensor: SymbolicTensor = InputLayer(shape, batch_size, dtype, batch_shape, **named).output
    return tensor
