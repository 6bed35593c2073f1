"""Networks of a user's own, in a module that other processes can import."""

import keras
from keras import layers
from sklearn.base import BaseEstimator


def build_gru(n_frames, n_features, n_classes):
    return keras.Sequential(
        [
            keras.Input((n_frames, n_features)),
            layers.Masking(),
            layers.GRU(4, dropout=0.1),
            layers.Dense(n_classes, activation="softmax"),
        ]
    )


class ConvolutionalNetwork(BaseEstimator):
    def __init__(self, filters=4, has_attention=True):
        self.filters = filters
        self.has_attention = has_attention

    def __call__(self, n_frames, n_features, n_classes):
        inputs = keras.Input((n_frames, n_features))
        states = layers.Conv1D(self.filters, 3, padding="same", activation="relu")(
            inputs
        )
        name = "attention" if self.has_attention else "weights"
        weights = layers.Softmax(axis=1, name=name)(layers.Dense(1)(states))
        summary = layers.Dot(axes=1)([weights, states])
        outputs = layers.Dense(n_classes, activation="softmax")(
            layers.Flatten()(summary)
        )
        return keras.Model(inputs, outputs)
