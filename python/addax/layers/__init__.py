"""Layers, under the names and arguments of ``keras.layers``."""

from addax.layers.activation import Activation, ReLU, Softmax
from addax.layers.augmentation import RandomCrop, RandomFlip, RandomTranslation
from addax.layers.base import Layer
from addax.layers.conv import Conv2D
from addax.layers.conv_transpose import Conv2DTranspose
from addax.layers.dense import Dense
from addax.layers.depthwise import DepthwiseConv2D, SeparableConv2D
from addax.layers.dropout import Dropout
from addax.layers.input import Input, InputLayer
from addax.layers.merging import (
    Add,
    Average,
    Concatenate,
    Maximum,
    Minimum,
    Multiply,
    Subtract,
)
from addax.layers.normalization import BatchNormalization
from addax.layers.padding import ZeroPadding2D
from addax.layers.pooling import (
    AveragePooling2D,
    AvgPool2D,
    GlobalAveragePooling2D,
    GlobalAvgPool2D,
    GlobalMaxPool2D,
    GlobalMaxPooling2D,
    MaxPool2D,
    MaxPooling2D,
)
from addax.layers.preprocessing import Normalization, Rescaling
from addax.layers.reshaping import Flatten, Reshape

Convolution2D = Conv2D
Convolution2DTranspose = Conv2DTranspose

__all__ = [
    "Activation",
    "Add",
    "Average",
    "AveragePooling2D",
    "AvgPool2D",
    "BatchNormalization",
    "Concatenate",
    "Conv2D",
    "Conv2DTranspose",
    "Convolution2D",
    "Convolution2DTranspose",
    "Dense",
    "DepthwiseConv2D",
    "Dropout",
    "Flatten",
    "GlobalAveragePooling2D",
    "GlobalAvgPool2D",
    "GlobalMaxPool2D",
    "GlobalMaxPooling2D",
    "Input",
    "InputLayer",
    "Layer",
    "MaxPool2D",
    "MaxPooling2D",
    "Maximum",
    "Minimum",
    "Multiply",
    "Normalization",
    "RandomCrop",
    "RandomFlip",
    "RandomTranslation",
    "ReLU",
    "Rescaling",
    "Reshape",
    "SeparableConv2D",
    "Softmax",
    "Subtract",
    "ZeroPadding2D",
]
