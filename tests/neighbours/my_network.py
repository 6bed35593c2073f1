"""A network of a user's own, in a module that can be imported."""


def build(n_frames, n_features, n_classes):
    from keras import Input, Model, layers

    sequence = Input((n_frames, n_features))
    summary = layers.GlobalAveragePooling1D()(sequence)
    return Model(sequence, layers.Dense(n_classes, "softmax")(summary))
