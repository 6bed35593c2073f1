"""Weights of encoders: what is read, and one clear error for all else."""

import json
import os
import pickle
import re
import struct

import numpy as np
import pytest
from safetensors.numpy import save, save_file

from skemotion import SpeechEncoder
from skemotion.feature_extraction import _weights
from skemotion.feature_extraction._weights import (
    load_weights,
    read_weights,
    sinusoids,
    write_weights,
)
from skemotion.networks import hash_weights

# Words that a library would use.
FOREIGN = r"(?i)header|deserializ|slice|rust|tensorflow|traceback|panick|keyerror"


def digest_of(weights, layers=(3,)):
    return hash_weights(load_weights(weights, layers).arrays)


def save_under(prefix, arrays, path, dtype=np.float32):
    arrays = {prefix + name: each.astype(dtype) for name, each in arrays.items()}
    save_file(arrays, path)
    return path


def fail(weights, match=".", layers=(2,)):
    """Check that there is one error, in our own words, that names the weights."""
    with pytest.raises(ValueError, match=match) as caught:
        load_weights(weights, layers)
    message = str(caught.value)
    assert message.startswith(f"weights={os.fsdecode(weights)!r} cannot be used: ")
    reason = message.partition("used: ")[2].replace(os.fsdecode(weights), "")
    assert not re.search(FOREIGN, reason), message
    assert "\n" not in message
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    return message


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("prefix", ["", "encoder.", "model.encoder."])
def test_layouts_and_precisions_of_the_same_values(
    prefix, dtype, encoder_arrays, encoder_file, tmp_path
):
    others = {"decoder.conv.weight": np.zeros(3, np.int64)} if prefix else {}
    arrays = {**encoder_arrays, "layer_norm.weight": np.ones(64)}
    path = save_under(prefix, {**arrays, **others}, tmp_path / "a.safetensors", dtype)
    found = load_weights(path, (3,))
    assert found.architecture == load_weights(encoder_file, (3,)).architecture
    assert hash_weights(found.arrays) == digest_of(encoder_file)
    assert found.arrays["conv1.weight"].dtype == dtype


def test_sizes_are_those_of_the_file(encoder_arrays, tmp_path):
    from small_encoder import small_encoder

    arrays = small_encoder(width=128, n_blocks=1, n_mels=128)
    path = save_under("", arrays, tmp_path / "a.safetensors")
    architecture = load_weights(path, (1,)).architecture
    assert (architecture.n_mels, architecture.width) == (128, 128)
    assert (architecture.hidden, architecture.n_blocks) == (512, 1)


def _drop_positions(arrays):
    return {n: each for n, each in arrays.items() if n != "embed_positions.weight"}


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_positions_of_the_file_or_computed(dtype, encoder_arrays, tmp_path):
    path = save_under("", encoder_arrays, tmp_path / "a.safetensors", dtype)
    found = load_weights(path, (1,)).arrays["embed_positions.weight"]
    np.testing.assert_array_equal(found, encoder_arrays["embed_positions.weight"])
    save_under("", _drop_positions(encoder_arrays), path, dtype)
    found = load_weights(path, (1,)).arrays["embed_positions.weight"]
    np.testing.assert_array_equal(found, sinusoids(64).astype(dtype))
    assert found.dtype == dtype


def test_what_is_written_is_read_again(encoder_file):
    weights = load_weights(encoder_file, (1, 3))
    _assert_kept(weights)
    # Only the blocks that are needed.
    content = write_weights(load_weights(encoder_file, (1,)).arrays)
    assert len(content) < encoder_file.stat().st_size / 1.5
    with pytest.raises(ValueError, match="1 blocks, and layer 2"):
        read_weights(content, (2,))


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
@pytest.mark.parametrize("other", [np.float16, np.float32, np.float64])
def test_positions_come_back_as_they_were(dtype, other, encoder_file):
    weights = load_weights(encoder_file, (1,))
    arrays = {name: each.astype(dtype) for name, each in weights.arrays.items()}
    arrays["embed_positions.weight"] = sinusoids(64).astype(other)
    content = _assert_kept(weights._replace(arrays=arrays))
    assert (b"embed_positions" in content) == (dtype != other)
    arrays["embed_positions.weight"][3, 4] += 1
    assert b"embed_positions" in _assert_kept(weights._replace(arrays=arrays))


def _assert_kept(weights):
    content = write_weights(weights.arrays)
    again = read_weights(content, weights.architecture.layers)
    assert again.architecture == weights.architecture
    assert set(again.arrays) == set(weights.arrays)
    for name, array in weights.arrays.items():
        np.testing.assert_array_equal(again.arrays[name], array)
        assert again.arrays[name].dtype == array.dtype
    return content


@pytest.mark.models
def test_positions_of_whisper_can_be_computed(models_path):
    path = models_path / "whisper-base-encoder.safetensors"
    assert b"embed_positions" not in write_weights(load_weights(path, (1,)).arrays)


@pytest.mark.parametrize("content", [b"", b"abc", b"\xff" * 64])
def test_content_that_is_none(content):
    with pytest.raises(ValueError, match="no intact safetensors file"):
        read_weights(content, (1,))


class TestFolders:
    def test_the_one_file(self, encoder_file, tmp_path):
        (tmp_path / "some.safetensors").write_bytes(encoder_file.read_bytes())
        assert digest_of(tmp_path) == digest_of(str(encoder_file))

    def test_the_model_among_several(self, encoder_file):
        assert digest_of(encoder_file.parent) == digest_of(encoder_file)

    def test_parts_that_an_index_names(self, encoder_arrays, encoder_file, tmp_path):
        parts = _split(encoder_arrays, tmp_path)
        (tmp_path / "adapter.safetensors").write_bytes(b"of something else")
        assert digest_of(tmp_path) == digest_of(encoder_file)
        parts[1].unlink()
        fail(tmp_path, f"lacks {parts[1].name}")

    def test_none_or_several_files(self, encoder_file, tmp_path):
        fail(tmp_path, "folder holds 0 files")
        (tmp_path / "pytorch_model.bin").write_bytes(b"")
        fail(tmp_path, "folder holds 0 files")
        for name in "ab":
            (tmp_path / f"{name}.safetensors").write_bytes(encoder_file.read_bytes())
        fail(tmp_path, "folder holds 2 files.*name the file")

    @pytest.mark.parametrize(
        "index",
        [
            b"",
            b"\xff",
            b"[]",
            b"{}",
            b'{"weight_map": 3}',
            b'{"weight_map": {}}',
            b'{"weight_map": {"a": 3}}',
            b'{"weight_map": {"a": {}}}',
            b'{"weight_map": {"a": ["b"], "c": 2}}',
            b'{"weight_map": {"a": "x.safetensors", "c": 2}}',
            b'{"weight_map": {"a": "../x.safetensors"}}',
            b'{"weight_map": {"a": "/x.safetensors"}}',
            b'{"weight_map": {"a": "pytorch_model.bin"}}',
            b"[" * 100_000,
        ],
    )
    def test_broken_indices(self, index, tmp_path):
        (tmp_path / "model.safetensors.index.json").write_bytes(index)
        (tmp_path / "pytorch_model.bin").write_bytes(b"")
        fail(tmp_path, "index.json (is no index|names)")


def _split(arrays, folder):
    """Write arrays as two files and an index."""
    names = sorted(arrays)
    parts = [f"model-0000{number}-of-00002.safetensors" for number in (1, 2)]
    halves = [names[::2], names[1::2]]
    for part, half in zip(parts, halves, strict=True):
        save_file({f"model.encoder.{n}": arrays[n] for n in half}, folder / part)
    where = {
        f"model.encoder.{name}": part
        for part, half in zip(parts, halves, strict=True)
        for name in half
    }
    index = json.dumps({"metadata": {}, "weight_map": where})
    (folder / "model.safetensors.index.json").write_text(index)
    return [folder / part for part in parts]


@pytest.mark.parametrize(
    "name",
    ["", "nope", "a/b/c", "/no/such.safetensors", "whisper-small", "x" * 5000, "a\0b"],
)
def test_names_of_nothing(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    fail(name)


class Bomb:
    """Goes off when it is unpickled."""

    def __reduce__(self):
        return (os.mkdir, ("unpickled",))


@pytest.mark.parametrize("name", ["model.safetensors", "a.bin", "a.pt", "a.npz"])
def test_nothing_is_unpickled(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).write_bytes(pickle.dumps(Bomb()))
    fail(tmp_path / name, "no intact safetensors file")
    assert not (tmp_path / "unpickled").exists()


def _header(content, length=None):
    text = content if isinstance(content, bytes) else json.dumps(content).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0" * 7,
        b"\0" * 8,
        b"RIFF\x24\0\0\0WAVEfmt " + b"\0" * 100,
        b"\x89HDF\r\n\x1a\n" + b"\0" * 100,
        _header({}, 2**63),
        _header({}, 2**64 - 1),
        _header({}, 99_999_999),
        _header(b"\xff\xfe"),
        _header(b"[" * 100_000),
        _header([]),
        _header({"conv1.weight": 3}),
        _header(
            {"conv1.weight": {"dtype": "F99", "shape": [], "data_offsets": [0, 0]}}
        ),
        _header(
            {
                "conv1.weight": {
                    "dtype": "F32",
                    "shape": [2**40, 2**40, 2**40],
                    "data_offsets": [0, 0],
                }
            }
        ),
        _header(
            {"conv1.weight": {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]}}
        ),
        _header(
            {"conv1.weight": {"dtype": "F32", "shape": [4], "data_offsets": [16, 0]}}
        ),
    ],
    ids=range(16),
)
def test_files_that_are_none(content, tmp_path):
    path = tmp_path / "a.safetensors"
    path.write_bytes(content)
    fail(path, "no intact safetensors file")
    with pytest.raises(ValueError, match="no intact safetensors file"):
        read_weights(content, (1,))


@pytest.mark.parametrize("n_bytes", [1, 7, 8, 100, 5000, 200_000, -1])
def test_truncated_files(n_bytes, encoder_file, tmp_path):
    path = tmp_path / "a.safetensors"
    path.write_bytes(encoder_file.read_bytes()[:n_bytes])
    fail(path, "no intact safetensors file")


def _set(name, change):
    def changed(arrays):
        return {**arrays, name: change(arrays[name])}

    return changed


def _without(name):
    return lambda arrays: {n: each for n, each in arrays.items() if n != name}


def _with_value(value, dtype=np.float32):
    def change(array):
        array = array.astype(dtype)
        array.flat[-1] = value
        return array

    return change


CHANGED = {
    "foreign": (lambda _: {"fc.weight": np.zeros((3, 3))}, "no Whisper encoder"),
    "no array": (lambda _: {}, "no Whisper encoder"),
    "two": (lambda a: {**a, "b.conv1.weight": np.zeros(3)}, "no Whisper encoder"),
    "no blocks": (
        lambda a: {n: each for n, each in a.items() if "layers" not in n},
        "holds 0 blocks",
    ),
    "gap": (_without("layers.1.fc1.weight"), "holds 1 blocks, and layer 2"),
    "no bias": (_without("layers.1.self_attn.v_proj.bias"), "lacks layers.1.self_attn"),
    "no second": (_without("conv2.weight"), "lacks conv2.weight"),
    "NaN": (_set("layers.1.fc2.bias", _with_value(np.nan)), "layers.1.fc2.bias holds"),
    "infinite": (_set("conv2.bias", _with_value(-np.inf)), "conv2.bias holds"),
    "infinite in 32 bits": (
        _set("conv2.bias", _with_value(1e300, np.float64)),
        "conv2.bias holds",
    ),
    "shape": (_set("conv1.bias", lambda a: a[:5]), r"\(5,\) and not \(64,\)"),
    "transposed": (_set("layers.1.fc2.weight", lambda a: a.T.copy()), "has the shape"),
    "2-D convolution": (_set("conv1.weight", lambda a: a[..., 0]), "has the shape"),
    "scalar convolution": (_set("conv1.weight", lambda a: a[0, 0, 0]), "has the shape"),
    "bands": (_set("conv1.weight", lambda a: a[:, :40]), r"\(64, 40, 3\)"),
    "width": (_set("conv1.weight", lambda a: a[:60]), r"\(60, 80, 3\).*multiple of"),
    "no width": (_set("conv1.weight", lambda a: a[:0]), r"\(0, 80, 3\)"),
    "kernel": (_set("conv1.weight", lambda a: a[..., :2]), r"\(64, 80, 2\)"),
    "no units": (_set("layers.0.fc1.weight", lambda a: a[:0]), r"\(0, 64\)"),
    "units": (_set("layers.0.fc1.weight", lambda a: a[0, 0]), r"shape \(\)"),
    "integers": (_set("conv2.bias", np.int32), "stored as I32"),
    "booleans": (_set("conv2.bias", lambda a: a > 0), "stored as BOOL"),
    "cut positions": (
        lambda a: {**a, "embed_positions.weight": np.zeros((750, 64))},
        r"\(750, 64\) and not \(1500, 64\)",
    ),
}


@pytest.mark.parametrize("name", CHANGED)
def test_files_of_something_else(name, encoder_arrays, tmp_path):
    change, match = CHANGED[name]
    arrays = {n: np.ascontiguousarray(a) for n, a in change(encoder_arrays).items()}
    if name in ("scalar convolution", "units"):  # NumPy makes them vectors
        arrays = {n: a.reshape(()) if a.size == 1 else a for n, a in arrays.items()}
    path = tmp_path / "a.safetensors"
    save_file(arrays, path)
    fail(path, match)
    with pytest.raises(
        ValueError, match=match.replace("I32", "int32").replace("BOOL", "bool")
    ):
        read_weights(save(arrays), (2,))


@pytest.mark.parametrize("kind", ["BF16", "F8_E4M3", "U8"])
def test_precisions_that_are_not_read(kind, encoder_arrays, tmp_path):
    content = save(
        {
            "conv1.bias": np.zeros(64, np.float16),
            **{n: a for n, a in encoder_arrays.items() if n != "conv1.bias"},
        }
    )
    n_header = struct.unpack("<Q", content[:8])[0]
    header = json.loads(content[8 : 8 + n_header])
    data = content[8 + n_header :]
    if kind != "BF16":
        header["conv1.bias"]["shape"] = [128]
    header["conv1.bias"]["dtype"] = kind
    path = tmp_path / "a.safetensors"
    path.write_bytes(_header(header) + data)
    fail(path, f"stored as {kind}" if kind == "BF16" else "has the shape")
    with pytest.raises(ValueError, match="."):
        read_weights(path.read_bytes(), (2,))


def test_the_estimator_tells_of_it(tmp_path):
    path = tmp_path / "a.safetensors"
    path.write_bytes(b"nothing")
    with pytest.raises(ValueError, match="a.safetensors' cannot be used: "):
        SpeechEncoder(weights=path).fit(["a.wav"])


def test_names_that_ship(encoder_file, tmp_path, monkeypatch):
    import zipfile

    bundle = tmp_path / "some.skemotion"
    monkeypatch.setitem(_weights.SHIPPED, "whisper-base", bundle)
    fail("whisper-base", "No such file")
    bundle.write_bytes(b"no archive")
    fail("whisper-base", "holds no encoder; install")
    with zipfile.ZipFile(bundle, "w") as archive:
        archive.writestr("model.json", "{}")
    fail("whisper-base", "holds no encoder; install")
    with zipfile.ZipFile(bundle, "a") as archive:
        archive.writestr("encoder.safetensors", encoder_file.read_bytes())
    assert digest_of("whisper-base") == digest_of(encoder_file)
