"""Ending a training that diverged."""

from __future__ import annotations

import math
from typing import Any

from addax.callbacks.callback import Callback
from addax.errors import OutOfRangeError


class TerminateOnNaN(Callback):
    """Ends training after the batch that made the loss NaN or infinite.

    It looks at each batch, so that an epoch goes step by step. With ``raise_error`` it raises
    instead of ending training in good order.

    >>> TerminateOnNaN().on_train_batch_end(0, {"loss": 0.5})
    """

    def __init__(self, raise_error: bool = False) -> None:
        super().__init__()
        self.raise_error = raise_error

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Look at the loss."""
        loss = (logs or {}).get("loss")
        if loss is None or math.isfinite(loss):
            return
        if self.raise_error:
            raise OutOfRangeError(f"TerminateOnNaN: the loss of batch {batch} is {loss}")
        print(f"TerminateOnNaN: the loss of batch {batch} is {loss}, training ends")
        self.model.stop_training = True
