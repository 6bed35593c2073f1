"""The graph of Whisper's encoder: transformers is the oracle."""

import threading

import numpy as np
import pytest
from safetensors.numpy import load_file

from skemotion.feature_extraction._weights import load_weights, sinusoids
from skemotion.networks import _encoders, _whisper, find_encoder, hash_weights

EVERY = {"small": 1, "base": 8, "tiny.en": 8}
RNG = np.random.default_rng(0)


def make_encoder(weights):
    return find_encoder(*weights, hash_weights(weights.arrays))


def encode(encoder, *mels):
    """Encode one batch of recordings of any lengths, with noise behind them."""
    n = max(map(len, mels))
    batch = RNG.normal(size=(len(mels), n, mels[0].shape[1])).astype(np.float32)
    for row, mel in enumerate(mels):
        batch[row, : len(mel)] = mel
    lengths = np.array([len(mel) for mel in mels], dtype=np.int32)
    frames = encoder(batch, lengths)
    return [each[: (n + 1) // 2] for each, n in zip(frames, lengths, strict=True)]


def make_mels(*lengths, n_mels=80):
    return [RNG.normal(size=(n, n_mels)).astype(np.float32) for n in lengths]


def assert_close(actual, expected, tolerance):
    """Compare within a part of the spread of what is expected."""
    assert actual.shape == expected.shape
    error = np.abs(actual - expected).max() / expected.std()
    assert error <= tolerance, error


@pytest.fixture(scope="module")
def weights(encoder_file):
    return load_weights(encoder_file, (1, 2, 3))


@pytest.fixture(scope="module")
def encoder(weights):
    return make_encoder(weights)


def assert_as_transformers(model, weights, oracle):
    encoder, width = make_encoder(weights), weights.architecture.width
    for row in range(2):
        (frames,) = encode(encoder, oracle[f"mel_{row}"])
        for i, layer in enumerate(weights.architecture.layers):
            ours = frames[:, i * width : (i + 1) * width : EVERY[model]]
            assert_close(ours, oracle[f"{model}_{row}_{layer}"], 1e-3)


def test_small_encoder_is_that_of_transformers(weights, encoder_oracle):
    assert_as_transformers("small", weights, encoder_oracle)


@pytest.mark.models
@pytest.mark.parametrize("model", ["base", "tiny.en"])
def test_whisper_is_that_of_transformers(model, models_path, encoder_oracle):
    path = models_path / f"whisper-{model}-encoder.safetensors"
    assert_as_transformers(model, load_weights(path, (1, 2, 3, 4)), encoder_oracle)


@pytest.mark.parametrize("n_frames", [2, 64])
def test_transformers_itself(n_frames, weights):
    pytest.importorskip("torch", reason="torch is not installed")
    pytest.importorskip("transformers", reason="transformers is not installed")
    from make_encoder_oracle import encode as encode_there

    (mel,) = make_mels(n_frames)
    arrays = {name: np.float32(each) for name, each in weights.arrays.items()}
    expected = np.concatenate(encode_there(arrays, mel.T), axis=-1)
    (frames,) = encode(make_encoder(weights), mel)
    assert_close(frames, expected, 1e-4)


@pytest.mark.parametrize("lengths", [(60, 61, 7, 1), (200, 2), (33, 33, 33)])
def test_a_recording_in_a_batch_of_other_lengths(lengths, encoder):
    mels = make_mels(*lengths)
    for frames, mel in zip(encode(encoder, *mels), mels, strict=True):
        (alone,) = encode(encoder, mel)
        assert len(alone) == -(-len(mel) // 2)
        assert_close(frames, alone, 1e-5)


@pytest.mark.parametrize("n_frames", [1, 2, 3, 50])
def test_an_odd_last_frame_is_read_as_if_zeros_followed(n_frames, encoder, weights):
    # transformers takes even numbers alone.
    (mel,) = make_mels(n_frames)
    (frames,) = encode(encoder, mel)
    np.testing.assert_allclose(frames, _by_numpy(weights, mel), rtol=1e-3, atol=1e-3)


def _by_numpy(weights, mel):
    """Compute the frames in double precision, with loops over all that has one."""
    from scipy.special import erf

    arrays = {name: np.float64(each) for name, each in weights.arrays.items()}

    def dense(x, name):
        return x @ arrays[f"{name}.weight"].T + arrays.get(f"{name}.bias", 0)

    def gelu(x):
        return x / 2 * (1 + erf(x / np.sqrt(2)))

    def convolve(x, step):
        x = np.pad(x, ((1, 1), (0, 0)))
        kernel, bias = arrays[f"conv{step}.weight"], arrays[f"conv{step}.bias"]
        windows = [x[i : i + 3] for i in range(0, len(x) - 2, step)]
        return gelu(np.array([np.einsum("kc,ock", w, kernel) + bias for w in windows]))

    def norm(x, name):
        x = (x - x.mean(1, keepdims=True)) / np.sqrt(x.var(1, keepdims=True) + 1e-5)
        return x * arrays[f"{name}.weight"] + arrays[f"{name}.bias"]

    x = convolve(convolve(mel, 1), 2)
    x = x + arrays["embed_positions.weight"][: len(x)]
    outputs = []
    for number in range(3):
        block = f"layers.{number}."
        read = norm(x, f"{block}self_attn_layer_norm")
        q, k, v = (dense(read, f"{block}self_attn.{part}_proj") for part in "qkv")
        scores = np.exp(q @ k.T / np.sqrt(64))
        heard = scores @ v / scores.sum(1, keepdims=True)
        x = x + dense(heard, f"{block}self_attn.out_proj")
        read = norm(x, f"{block}final_layer_norm")
        x = x + dense(gelu(dense(read, f"{block}fc1")), f"{block}fc2")
        outputs.append(x)
    return np.concatenate(outputs, axis=1)


def test_layers_side_by_side_are_those_alone(encoder_file):
    (mel,) = make_mels(40)
    (both,) = encode(make_encoder(load_weights(encoder_file, (3, 1))), mel)
    for i, layer in enumerate((3, 1)):
        weights = load_weights(encoder_file, (layer,))
        assert weights.architecture.n_blocks == layer
        (alone,) = encode(make_encoder(weights), mel)
        assert_close(both[:, i * 64 : (i + 1) * 64], alone, 1e-6)


def test_blocks_behind_the_last_are_not_needed(weights, encoder_arrays):
    needed = load_weights_shapes(weights, (1,))
    assert not any(name.startswith("layers.1") for name in needed)
    assert set(weights.arrays) == set(encoder_arrays)


def load_weights_shapes(weights, layers):
    architecture = weights.architecture
    sizes = (architecture.n_mels, architecture.width, architecture.hidden)
    return _whisper.WhisperEncoder(*sizes, layers).weight_shapes()


def test_thirty_seconds(encoder):
    (mel,) = make_mels(3000)
    (frames,) = encode(encoder, mel)
    assert frames.shape == (1500, 192)
    assert np.isfinite(frames).all()


def test_positions_are_those_of_transformers(encoder_oracle):
    rows = sinusoids(384)[[0, 1, 700, 1499]]
    np.testing.assert_allclose(rows, encoder_oracle["positions"], atol=1e-4)


@pytest.mark.models
@pytest.mark.parametrize("model", ["base", "tiny.en"])
def test_positions_are_those_that_files_hold(model, models_path):
    arrays = load_file(models_path / f"whisper-{model}-encoder.safetensors")
    found = arrays["model.encoder.embed_positions.weight"]
    np.testing.assert_allclose(sinusoids(found.shape[1]), found, atol=1e-3)


@pytest.fixture
def n_traced(monkeypatch):
    """Forget all graphs, and count those that are traced."""
    calls, trace = [], _encoders._trace

    def counted(architecture):
        calls.append(architecture)
        return trace(architecture)

    monkeypatch.setattr(_encoders, "_encoders", _encoders.RecentlyUsed(2))
    monkeypatch.setattr(_encoders, "_graphs", _encoders.RecentlyUsed(16))
    monkeypatch.setattr(_encoders, "_trace", counted)
    return lambda: len(calls)


def test_encoders_that_come_and_go(encoder_file, n_traced, caplog):
    import gc

    import keras

    (mel,) = make_mels(30)
    found = {}
    for _ in range(3):
        for layer in (1, 2, 3):
            for gain in (1, 0.5):
                sizes, arrays = load_weights(encoder_file, (layer,))
                arrays = {**arrays, "conv2.bias": arrays["conv2.bias"] * gain}
                encoder = find_encoder(sizes, arrays, hash_weights(arrays))
                (frames,) = encode(encoder, mel)
                before = found.setdefault((layer, gain), frames)
                np.testing.assert_array_equal(frames, before)
        assert n_traced() == 3
    assert len({frames.tobytes() for frames in found.values()}) == 6
    assert caplog.records == []  # such as TensorFlow's advice on retracing
    gc.collect()
    # By the type, since a weak reference would be followed by isinstance.
    named = [each for each in gc.get_objects() if issubclass(type(each), keras.Model)]
    assert not any("log_mel" in str(model.inputs) for model in named)


def test_threads_share_an_encoder(weights, n_traced):
    (mel,) = make_mels(30)
    found = []

    def listen():
        encoder = make_encoder(weights)
        found.append((encoder, encode(encoder, mel)[0]))

    threads = [threading.Thread(target=listen) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert n_traced() == 1
    for encoder, frames in found:
        assert encoder is found[0][0]
        np.testing.assert_array_equal(frames, found[0][1])


def test_the_digest_follows_values_and_names_alone(weights):
    digest = hash_weights(weights.arrays)
    other = dict(reversed(weights.arrays.items()))
    assert hash_weights({n: np.float64(a) for n, a in other.items()}) == digest
    name = "layers.2.fc2.bias"
    changed = other[name].copy()
    changed[0] += 0.125
    assert hash_weights({**other, name: changed}) != digest
    swapped = {"layers.2.fc2.bias": "conv1.bias", "conv1.bias": "layers.2.fc2.bias"}
    renamed = {swapped.get(n, n): a for n, a in other.items()}
    assert hash_weights(renamed) != digest
