"""What is told about training while it runs, under the names of ``keras.callbacks``.

A callback that overrides nothing about batches costs nothing per batch: the epoch runs in one call.
"""

from addax.callbacks.callback import Callback
from addax.callbacks.callback_list import CallbackList
from addax.callbacks.csv_logger import CSVLogger
from addax.callbacks.early_stopping import EarlyStopping
from addax.callbacks.history import History
from addax.callbacks.lambda_callback import LambdaCallback
from addax.callbacks.learning_rate_scheduler import LearningRateScheduler
from addax.callbacks.model_checkpoint import ModelCheckpoint
from addax.callbacks.reduce_lr_on_plateau import ReduceLROnPlateau
from addax.callbacks.terminate_on_nan import TerminateOnNaN

__all__ = [
    "CSVLogger",
    "Callback",
    "CallbackList",
    "EarlyStopping",
    "History",
    "LambdaCallback",
    "LearningRateScheduler",
    "ModelCheckpoint",
    "ReduceLROnPlateau",
    "TerminateOnNaN",
]
