"""Symbolic tensors: the unfinished inputs and outputs from which functional models are drawn."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator
from typing import Any

from addax import _core, naming, nested, tracing
from addax.errors import AddaxError

# Two sizes are tried for each unknown extent: where they lead to two results, the result is unknown
# too. A batch may be small; images must be larger than the windows that slide over them.
_BATCH_PROBES = (3, 5)
_EXTENT_PROBES = (256, 320)


class SymbolicTensor:
    """What a layer will get: a shape, in which None is an extent not known yet, and a dtype."""

    __slots__ = ("dtype", "index", "name", "node", "shape")
    __array_priority__ = 200
    __array_ufunc__ = None

    def __init__(
        self,
        shape: tuple[int | None, ...],
        dtype: str,
        name: str,
        node: Node | None = None,
        index: int = 0,
    ) -> None:
        self.shape = shape
        self.dtype = dtype
        self.name = name
        self.node = node
        self.index = index

    @property
    def ndim(self) -> int:
        """Number of dimensions."""
        return len(self.shape)

    def __repr__(self) -> str:
        return f"<SymbolicTensor shape={self.shape}, dtype={self.dtype}, name={self.name}>"

    def __reduce__(self) -> Any:
        """Copy the tensor alone: links from call to call may be longer than Python's stack.

        The graph that it is copied with restores the one to its own call.
        """
        return SymbolicTensor, (self.shape, self.dtype, self.name, None, self.index)

    def __bool__(self) -> bool:
        raise _core.TracedValueError(
            f"bool() of the symbolic tensor '{self.name}': it has a shape and a dtype, its numbers "
            "come when the model is called"
        )

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        raise _core.TracedValueError(
            f"the symbolic tensor '{self.name}' has no numbers: they come when the model is called"
        )

    def __iter__(self) -> Iterator[Any]:
        raise TypeError(f"the symbolic tensor '{self.name}' cannot be iterated over")

    def __getitem__(self, key: Any) -> Any:
        return apply("get_item", lambda x, k: x[k], (self, key), {})

    def reshape(self, *shape: Any) -> Any:
        """Return the same elements in another shape."""
        return apply("reshape", lambda x: x.reshape(*shape), (self,), {})

    def astype(self, dtype: Any) -> Any:
        """Convert to a dtype."""
        return apply("cast", lambda x: x.astype(dtype), (self,), {})


def _add_operators() -> None:
    import operator

    def binary(name: str, function: Callable[..., Any]) -> None:
        def forward(self: SymbolicTensor, other: Any) -> Any:
            return apply(name, function, (self, other), {})

        def backward(self: SymbolicTensor, other: Any) -> Any:
            return apply(name, function, (other, self), {})

        setattr(SymbolicTensor, f"__{name}__", forward)
        setattr(SymbolicTensor, f"__r{name}__", backward)

    for name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul"):
        binary(name, getattr(operator, name))
    for name in ("neg", "abs"):
        function = getattr(operator, name)
        setattr(
            SymbolicTensor,
            f"__{name}__",
            lambda self, name=name, function=function: apply(name, function, (self,), {}),
        )


_add_operators()


class Node:
    """One call of a layer or op while a functional model was drawn."""

    __slots__ = ("args", "inputs", "kwargs", "name", "operation", "outputs")

    def __init__(
        self,
        name: str,
        operation: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> None:
        self.name = name
        self.operation = operation
        self.args = args
        self.kwargs = kwargs
        self.inputs = [x for x in nested.leaves((args, kwargs)) if isinstance(x, SymbolicTensor)]
        self.outputs: Any = None


def has_symbolic(structure: Any) -> bool:
    """Whether a symbolic tensor is among the leaves."""
    return any(isinstance(x, SymbolicTensor) for x in nested.leaves(structure))


def apply(
    name: str, operation: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """Record a call for later and return its symbolic outputs."""
    node = Node(name, operation, args, kwargs)
    shapes = infer(operation, args, kwargs)
    node.outputs = shapes
    for index, output in enumerate(nested.leaves(shapes)):
        output.node, output.index = node, index
    return node.outputs


def infer(operation: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Return symbolic tensors with the shapes and dtypes that a call would return.

    The call is traced, not run; with unknown extents twice, to see which results depend on them.
    """
    unknown = any(
        None in x.shape for x in nested.leaves((args, kwargs)) if isinstance(x, SymbolicTensor)
    )
    try:
        first = _probe(operation, args, kwargs, 0)
    except AddaxError as error:
        if unknown:
            error.args = (_with_unknowns(error, lambda: _probe(operation, args, kwargs, 1)),)
        raise
    others = nested.leaves(_probe(operation, args, kwargs, 1) if unknown else first)
    merged = []
    for output, other in zip(nested.leaves(first), others, strict=True):
        shape = tuple(a if a == b else None for a, b in zip(output.shape, other.shape, strict=True))
        merged.append(SymbolicTensor(shape, output.dtype, naming.unique("symbolic_tensor")))
    return nested.pack(first, iter(merged))


def _probe(
    operation: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], number: int
) -> Any:
    with tracing.trace("shapes") as trace:

        def stand_in(x: Any) -> Any:
            if not isinstance(x, SymbolicTensor):
                return x
            shape = tuple(
                extent
                if extent is not None
                else (_EXTENT_PROBES[number] if axis else _BATCH_PROBES[number])
                for axis, extent in enumerate(x.shape)
            )
            return trace.input(shape, x.dtype, x.name)

        return operation(*nested.map_leaves(stand_in, args), **nested.map_leaves(stand_in, kwargs))


# A number by itself, or beside the "x" of an area; no part of a name or of a fraction.
_NUMBER = re.compile(r"((?<![\w.])\d+(?=x\d|\W|$)(?!\.\d)|(?<=\dx)\d+(?!\w|\.\d))")


def _with_unknowns(error: AddaxError, retry: Callable[[], object]) -> str:
    """Return what an error says with None for what follows from the sizes that were tried.

    Those are the numbers in which it differs from the error with other sizes.
    """
    told = _NUMBER.split(str(error))
    try:
        retry()
    except AddaxError as other:
        differing = _NUMBER.split(str(other))
        # Numbers are at the odd places.
        if told[::2] == differing[::2]:
            return "".join(a if a == b else "None" for a, b in zip(told, differing, strict=True))
    return (
        f"{error}\n(tried with {_BATCH_PROBES[0]} for an unknown number of samples and "
        f"{_EXTENT_PROBES[0]} for other unknown extents)"
    )


def accept_symbolic(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """Let an op be called on symbolic tensors, too."""

    @functools.wraps(function)
    def op(*args: Any, **kwargs: Any) -> Any:
        for x in args:
            if isinstance(x, SymbolicTensor) or (
                isinstance(x, list | tuple) and any(isinstance(item, SymbolicTensor) for item in x)
            ):
                return apply(naming.unique(name), function, args, kwargs)
        return function(*args, **kwargs)

    return op
