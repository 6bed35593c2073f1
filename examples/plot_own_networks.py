"""
Networks of your own, with speakers left out
============================================

A CNN-GRU and a small Transformer encoder in place of the package's network. Each is one
function; all else stays as it is. On synthetic speech, in about two minutes:

    python examples/plot_own_networks.py

or on EMO-DB, in about twenty:

    python examples/plot_own_networks.py FOLDER_OF_EMODB
"""

import sys

from sklearn.model_selection import LeaveOneGroupOut, cross_val_score

from skemotion import SequenceClassifier, make_emotion_pipeline
from skemotion.datasets import load_emodb, make_emotional_speech
from skemotion.metrics import uar_scorer

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
# Either takes the place of the last step of a pipeline.

if len(sys.argv) > 1:
    corpus = load_emodb(sys.argv[1])
    recordings = corpus.paths
else:
    corpus = make_emotional_speech(n_speakers=4, random_state=0)
    recordings = corpus.signals

pipeline = make_emotion_pipeline(memory="feature-cache", random_state=0)
pipeline.set_params(augment="passthrough")
for build in (build_cnn_gru, build_transformer):
    classifier = SequenceClassifier(
        build, epochs=20, schedule="one_cycle", class_weight="balanced", random_state=0
    )
    scores = cross_val_score(
        pipeline.set_params(classify=classifier),
        recordings,
        corpus.target,
        groups=corpus.speakers,
        cv=LeaveOneGroupOut(),
        scoring=uar_scorer,
    )
    print(f"{build.__name__}: unweighted average recall {scores.mean():.2f}")

# %%
# Where does the Transformer look?
pipeline.fit(recordings, corpus.target)
sequences = pipeline[:-1].transform(recordings[:7])
print(pipeline["classify"].attention(sequences).shape)
