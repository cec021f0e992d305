"""``ax.function``: a Python function recorded once for each signature and run as one program."""

from __future__ import annotations

import functools
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, overload

import numpy as np

from addax import _core, nested, tracing
from addax.ops.emit import Tensor, Variable, as_tensor


def is_array(x: Any) -> bool:
    """Whether a compiled function takes ``x`` as an input rather than as part of its signature."""
    return isinstance(x, Tensor | np.ndarray | np.generic)


class Recording:
    """The program of one signature, and how to get from its outputs to the function's result."""

    def __init__(
        self,
        function: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        capture: bool = False,
    ) -> None:
        name = getattr(function, "__name__", type(function).__name__)
        with tracing.trace(name, capture) as trace:
            count = 0

            def stand_in(x: Any) -> Any:
                nonlocal count
                if not is_array(x):
                    return x
                count += 1
                return trace.input(tuple(x.shape), str(x.dtype), f"x{count - 1}")

            result = function(
                *nested.map_leaves(stand_in, args), **nested.map_leaves(stand_in, kwargs)
            )
            outputs = [
                as_tensor(x) for x in nested.leaves(result) if isinstance(x, Tensor | Variable)
            ]
            self._result = result
            self.program = trace.finish(outputs, device=_core.current_device())
            self._captured = trace.captured

    def run(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Run the program on arguments of the signature."""
        inputs = [as_tensor(x) for x in nested.leaves((args, kwargs)) if is_array(x)]
        outputs = iter(self.program.run([*inputs, *self._captured]))
        return nested.map_leaves(
            lambda x: next(outputs) if isinstance(x, Tensor | Variable) else x, self._result
        )


class Function:
    """A function that is recorded when first called with a new signature; see ``ax.function``."""

    # Signatures beyond this number push out the least recently used.
    capacity = 64

    def __init__(self, function: Callable[..., Any]) -> None:
        functools.update_wrapper(self, function)
        self._function = function
        self._recordings: OrderedDict[Hashable, Recording] = OrderedDict()
        self._lock = threading.RLock()
        self._trace_count = 0

    @property
    def trace_count(self) -> int:
        """How often the Python function has been recorded."""
        return self._trace_count

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the program for these arguments; within another recording, become part of it."""
        if tracing.current() is not None:
            return self._function(*args, **kwargs)
        return self._recording(args, kwargs).run(args, kwargs)

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else functools.partial(self, instance)

    def lowered(self, *args: Any, **kwargs: Any) -> str:
        """Return the text of the optimized graph for these arguments."""
        text: str = self._recording(args, kwargs).program.text()
        return text

    def _recording(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Recording:
        key = (_core.current_device(), signature(args), signature(kwargs))
        with self._lock:
            found = self._recordings.get(key)
            if found is None:
                found = Recording(self._function, args, kwargs)
                self._trace_count += 1
                self._recordings[key] = found
                if len(self._recordings) > self.capacity:
                    self._recordings.popitem(last=False)
            self._recordings.move_to_end(key)
            return found


def signature(x: Any) -> Hashable:
    """Return what tells arguments apart: shapes and dtypes of arrays, values of all else."""
    if is_array(x):
        return ("array", tuple(x.shape), str(x.dtype))
    if isinstance(x, dict):
        return ("dict", *((key, signature(item)) for key, item in x.items()))
    if isinstance(x, list | tuple):
        return (type(x), *(signature(item) for item in x))
    if isinstance(x, Variable):
        # By identity: comparing variables compares their numbers.
        return ("variable", id(x))
    try:
        hash(x)
    except TypeError:
        raise TypeError(
            f"a compiled function cannot take a {type(x).__name__}: pass tensors, NumPy arrays, "
            "nested tuples, lists and dicts of them, or hashable values, which become part of the "
            "signature"
        ) from None
    # True == 1 == 1.0, but they mean different programs.
    return (type(x), x)


@overload
def function(fn: Callable[..., Any]) -> Function: ...


@overload
def function(fn: None = None) -> Callable[[Callable[..., Any]], Function]: ...


def function(fn: Callable[..., Any] | None = None) -> Any:
    """Compile a function: recorded once for each signature, then run as one optimized program.

    The signature is the shapes and dtypes of tensors and arrays among the arguments, also nested in
    tuples, lists and dicts, and the values of everything else. Variables are read and updated in
    place.

    >>> @function
    ... def norm(x):
    ...     return (x * x).sum()
    >>> norm(np.array([3.0, 4.0])).item(), norm.trace_count
    (25.0, 1)
    """
    return Function if fn is None else Function(fn)
