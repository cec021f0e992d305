"""The graph that this thread is recording, if any."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

from addax import _core

_nothing: AbstractContextManager[Any] = nullcontext()


def trace(name: str, capture: bool = False) -> _core.Trace:
    """Record the ops called in a ``with`` block into a graph instead of running them.

    With ``capture`` tensors from outside become further inputs, which suits a graph that is run
    only once; otherwise they raise.
    """
    return _core.Trace(name, capture)


def current() -> _core.Trace | None:
    """Return the trace that ops of this thread go to; None when they run at once."""
    return _core.current_trace()


def suspended() -> AbstractContextManager[Any]:
    """Run the ops of a ``with`` block at once even within a trace, as initial values of weights."""
    return _core.eager() if _core.is_tracing() else _nothing


def label(text: str) -> AbstractContextManager[Any]:
    """Name the ops recorded in a ``with`` block after a layer; profiles show it."""
    active = _core.current_trace()
    return _nothing if active is None else active.label(text)
