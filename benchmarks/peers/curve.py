"""Train Addax or Keras, as the first argument says: settings in, a figure per epoch out, as JSON.

Neither is seeded: runs differ in their first weights and in the order of samples. (Once seeded,
Keras on TensorFlow would repeat one order in every epoch.)
"""

import importlib
import json
import os
import sys

import numpy as np
from keras_like import build

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
framework = importlib.import_module(sys.argv[1])
asked = json.load(sys.stdin)
framework.mixed_precision.set_global_policy(asked["dtype"])

with np.load(asked["data"]) as data:
    x, y, x_test, y_test = (data[key] for key in ("x", "y", "x_test", "y_test"))
model = build(framework, asked["work"], x.shape[1:])
loss = framework.losses.SparseCategoricalCrossentropy(from_logits=True)
adam = framework.optimizers.Adam(asked["learning_rate"])
model.compile(adam, loss, metrics=["accuracy"])
history = model.fit(
    x / np.float32(255),
    y,
    batch_size=asked["batch"],
    epochs=asked["epochs"],
    validation_data=(x_test / np.float32(255), y_test),
    verbose=0,
)
print(json.dumps({name: [float(v) for v in values] for name, values in history.history.items()}))
