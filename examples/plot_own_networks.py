"""
How do I use a network of my own?
=================================

A CNN-GRU and a small Transformer encoder in place of the package's network. Each is one
function that builds a Keras model; all else stays as it is.
"""

# %%
# A network is a function of the shape of a sequence and of the number of classes. It
# returns a Keras model that ends in a softmax and is not compiled. Padding comes as
# frames of zeros, which `Masking` hides from recurrent layers.


def build_cnn_gru(n_frames, n_features, n_classes):
    from keras import Input, Model, layers, ops

    sequence = Input((n_frames, n_features))
    frames = layers.Conv1D(64, 5, padding="same", activation="relu")(sequence)
    is_real = ops.any(ops.not_equal(sequence, 0), axis=-1, keepdims=True)
    frames = layers.Masking()(ops.where(is_real, frames, 0))
    states = layers.Bidirectional(layers.GRU(32, return_sequences=True))(frames)
    summary = layers.GlobalAveragePooling1D()(layers.Dropout(0.5)(states))
    return Model(sequence, layers.Dense(n_classes, "softmax")(summary))


# %%
# In attention, a mask keeps frames from looking at padding. A layer named "attention"
# that puts out a weight for each frame gives the classifier a method `attention`.


def build_transformer(n_frames, n_features, n_classes):
    from keras import Input, Model, layers, ops

    sequence = Input((n_frames, n_features))
    is_real = ops.any(ops.not_equal(sequence, 0), axis=-1)
    places = ops.arange(n_frames, dtype="int32")[None] * ops.ones_like(is_real, "int32")
    x = layers.Dense(64)(sequence) + layers.Embedding(n_frames, 64)(places)
    for _ in range(2):
        heads = layers.MultiHeadAttention(4, 16, dropout=0.2)
        seen = heads(x, x, attention_mask=is_real[:, None])
        x = layers.LayerNormalization()(x + seen)
        wide = layers.Dense(64)(layers.Dense(128, activation="gelu")(x))
        x = layers.LayerNormalization()(x + layers.Dropout(0.2)(wide))
    energy = layers.Dense(1)(x)[..., 0]
    weights = layers.Softmax(name="attention")(energy, mask=is_real)
    summary = layers.Dropout(0.5)(ops.sum(weights[..., None] * x, axis=1))
    return Model(sequence, layers.Dense(n_classes, "softmax")(summary))


# %%
# Human voices of EMO-DB, if `SKEMOTION_EMODB` names a folder with it, and synthetic
# ones otherwise.
import os

from skemotion.datasets import load_emodb, make_emotional_speech

folder = os.environ.get("SKEMOTION_EMODB")
if folder:
    corpus = load_emodb(folder)
    recordings = corpus.paths
else:
    corpus = make_emotional_speech(n_speakers=3, n_texts=2, random_state=0)
    recordings = corpus.signals

# %%
# Either takes the place of the last step of a pipeline. The last speaker is left out. A
# few epochs are enough to see that it runs. For scores, leave out each speaker in turn,
# as :func:`~sklearn.model_selection.cross_val_score` does with
# ``cv=LeaveOneGroupOut()``.
from skemotion import SequenceClassifier, make_emotion_pipeline
from skemotion.metrics import unweighted_average_recall

new = corpus.speakers == corpus.speakers[-1]
pipelines = {}
for build in (build_cnn_gru, build_transformer):
    classifier = SequenceClassifier(
        build, epochs=5, schedule="one_cycle", class_weight="balanced", random_state=0
    )
    pipeline = make_emotion_pipeline("descriptors", random_state=0)
    pipeline.set_params(
        augment="passthrough", extract__descriptors="post", classify=classifier
    )
    pipeline.fit(recordings[~new], corpus.target[~new])
    predicted = pipeline.predict(recordings[new])
    recall = unweighted_average_recall(corpus.target[new], predicted)
    print(f"{build.__name__}: unweighted average recall {recall:.2f}")
    pipelines[build.__name__] = pipeline

# %%
# Where does the Transformer look? The pictures of the package know its layer
# "attention".
from skemotion.inspection import RecordingDisplay

RecordingDisplay.from_estimator(pipelines["build_transformer"], recordings[new][0])
