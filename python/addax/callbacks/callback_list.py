"""Several callbacks as one."""

from __future__ import annotations

from typing import Any

from addax import nested
from addax.callbacks.callback import HOOKS, overrides
from addax.errors import InvalidArgumentError


class CallbackList:
    """Tells several callbacks, in their order, and knows which hooks any of them has.

    >>> from addax.callbacks import LambdaCallback
    >>> told = CallbackList([LambdaCallback(on_epoch_end=print)], None, {})
    >>> told.wants_batches("train")
    False
    >>> told.tell("on_epoch_end", 0, {"loss": 0.5})
    0 {'loss': 0.5}
    """

    def __init__(self, callbacks: Any, model: Any, params: dict[str, Any]) -> None:
        self.callbacks = [callback for callback in nested.leaves(callbacks) if callback is not None]
        for callback in self.callbacks:
            if isinstance(callback, type) or not hasattr(callback, "set_model"):
                given = getattr(callback, "__name__", type(callback).__name__)
                raise InvalidArgumentError(
                    "callbacks must be objects made from subclasses of ax.callbacks.Callback, got "
                    + (f"the class {given}" if isinstance(callback, type) else given)
                )
            callback.set_model(model)
            callback.set_params(params)
        self._listeners = {
            hook: [
                getattr(callback, hook) for callback in self.callbacks if overrides(callback, hook)
            ]
            for hook in HOOKS
        }

    def wants_batches(self, mode: str) -> bool:
        """Whether some callback has to be told about each batch."""
        return bool(
            self._listeners[f"on_{mode}_batch_begin"] or self._listeners[f"on_{mode}_batch_end"]
        )

    def tell(self, hook: str, *args: Any) -> None:
        """Call one hook of all callbacks that have it."""
        for listener in self._listeners[hook]:
            listener(*args)
