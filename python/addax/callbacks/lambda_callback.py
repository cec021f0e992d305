"""Callbacks made of functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from addax.callbacks.callback import ALIASES, HOOKS, Callback
from addax.naming import did_you_mean


class LambdaCallback(Callback):
    """Callback made of functions named after the hooks.

    >>> told = []
    >>> callback = LambdaCallback(on_epoch_end=lambda epoch, logs: told.append(epoch))
    >>> callback.on_epoch_end(3, {})
    >>> told
    [3]
    """

    def __init__(
        self,
        on_epoch_begin: Callable[..., Any] | None = None,
        on_epoch_end: Callable[..., Any] | None = None,
        on_train_begin: Callable[..., Any] | None = None,
        on_train_end: Callable[..., Any] | None = None,
        on_train_batch_begin: Callable[..., Any] | None = None,
        on_train_batch_end: Callable[..., Any] | None = None,
        **hooks: Callable[..., Any] | None,
    ) -> None:
        super().__init__()
        known = (*HOOKS, *ALIASES.values())
        for name in hooks:
            if name not in known:
                raise TypeError(
                    f"LambdaCallback: unknown argument '{name}'{did_you_mean(name, known)}"
                )
        hooks.update(
            on_epoch_begin=on_epoch_begin,
            on_epoch_end=on_epoch_end,
            on_train_begin=on_train_begin,
            on_train_end=on_train_end,
            on_train_batch_begin=on_train_batch_begin,
            on_train_batch_end=on_train_batch_end,
        )
        self.__dict__.update({name: hook for name, hook in hooks.items() if hook is not None})
