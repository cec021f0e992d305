"""Well-known image classifiers, under the names and arguments of ``keras.applications``.

They come with random weights: ``weights=None`` has to be said, since none are downloaded. Layers
have the names that Keras gives them.

>>> import addax as ax
>>> model = ax.applications.ResNet50(weights=None, input_shape=(32, 32, 3), classes=10)
>>> model.output_shape, model.count_params()
((None, 10), 23608202)
"""

from addax.applications.densenet import DenseNet121
from addax.applications.efficientnet import EfficientNetB0
from addax.applications.mobilenet_v2 import MobileNetV2
from addax.applications.resnet import ResNet50, ResNet101, ResNet152
from addax.applications.resnet_v2 import ResNet50V2
from addax.applications.vgg import VGG16, VGG19

__all__ = [
    "VGG16",
    "VGG19",
    "DenseNet121",
    "EfficientNetB0",
    "MobileNetV2",
    "ResNet50",
    "ResNet50V2",
    "ResNet101",
    "ResNet152",
]
