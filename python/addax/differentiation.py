"""Gradients of functions."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from addax import _core, nested, tracing
from addax.compiled import Recording
from addax.errors import DTypeError, InvalidArgumentError, ShapeError
from addax.ops.emit import Tensor, Variable, as_tensor, emit


def value_and_grad(
    fn: Callable[..., Any],
    argnums: int | Sequence[int] = 0,
    variables: Sequence[_core.Variable] | None = None,
    has_aux: bool = False,
) -> Callable[..., Any]:
    """Return a function that returns ``(value, gradients)``.

    ``fn`` must return one number. The gradients are those with respect to the argument ``argnums``
    (a tuple for several), or to ``variables`` if given. With ``has_aux`` the function returns a
    pair, whose second part is passed on: ``((value, aux), gradients)``. Tensors that ``fn`` takes
    from around it are used as they are at the call.

    >>> value, gradient = value_and_grad(lambda x: x * x)(3.0)
    >>> value.item(), gradient.item()
    (9.0, 6.0)
    """

    @functools.wraps(fn)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        prepared = list(args)
        if variables is None:
            for index in _positions(argnums, len(args)):
                prepared[index] = nested.map_leaves(_differentiable, args[index])
        given = tuple(prepared)
        if tracing.current() is not None:
            return _record(fn, argnums, variables, has_aux, given, kwargs)

        def recorded(*inputs: Any, **options: Any) -> Any:
            return _record(fn, argnums, variables, has_aux, inputs, options)

        recorded.__name__ = f"grad_{getattr(fn, '__name__', 'function').strip('<>')}"
        return Recording(recorded, given, kwargs, capture=True).run(given, kwargs)

    return wrapped


def grad(
    fn: Callable[..., Any],
    argnums: int | Sequence[int] = 0,
    variables: Sequence[_core.Variable] | None = None,
    has_aux: bool = False,
) -> Callable[..., Any]:
    """Return a function that returns the gradients; see ``value_and_grad``.

    >>> grad(lambda x: x**3)(2.0).item()
    12.0
    >>> grad(grad(lambda x: x**3))(2.0).item()
    12.0
    """
    both = value_and_grad(fn, argnums, variables, has_aux)

    @functools.wraps(fn)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        value, gradients = both(*args, **kwargs)
        return (gradients, value[1]) if has_aux else gradients

    return wrapped


def _positions(argnums: int | Sequence[int], count: int) -> list[int]:
    positions = [argnums] if isinstance(argnums, int) else list(argnums)
    for position in positions:
        if not -count <= position < count:
            raise InvalidArgumentError(
                f"[grad] argnums names argument {position}, the function was called with {count}"
            )
    return [position % count for position in positions]


def _differentiable(x: Any) -> Any:
    x = as_tensor(x)
    if "float" not in x.dtype:
        raise DTypeError(f"[grad] gradients need floating-point arguments, got {x.dtype}")
    return x


def _record(
    fn: Callable[..., Any],
    argnums: int | Sequence[int],
    variables: Sequence[_core.Variable] | None,
    has_aux: bool,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> Any:
    """Call ``fn`` in the active trace and add the gradients to it."""
    inputs = list(args)
    targets: list[Any]
    if variables is not None:
        targets = [variable.value for variable in variables]
    else:
        positions = _positions(argnums, len(args))
        for index in positions:
            # A value of its own: what else was computed from the argument does not count.
            inputs[index] = nested.map_leaves(_fresh, args[index])
        targets = [inputs[index] for index in positions]
    result = fn(*inputs, **kwargs)
    if has_aux and (not isinstance(result, tuple) or len(result) != 2):
        raise InvalidArgumentError("[grad] with has_aux the function must return a pair")
    value = as_tensor(result[0] if has_aux else result)
    if value.shape != ():
        raise ShapeError(
            f"[grad] the function must return one number, got shape {tuple(value.shape)}; reduce "
            "it with sum() or mean()"
        )
    flat = _core.gradients(value, [*nested.leaves(targets)])
    gradients = nested.pack(targets, iter(flat))
    if variables is None:
        gradients = gradients[0] if isinstance(argnums, int) else tuple(gradients)
    return ((value, result[1]) if has_aux else value), gradients


def _fresh(x: Any) -> Tensor:
    x = x.value if isinstance(x, Variable) else x
    return emit("reshape", x, shape=list(x.shape))
