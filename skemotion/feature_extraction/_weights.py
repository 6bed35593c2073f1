"""The weights of an encoder: where they come from, and the sizes that they tell."""

import json
import math
import os
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skemotion.feature_extraction._hub import Get, fetch_from_hub
from skemotion.networks import HEAD_WIDTH, N_POSITIONS, WhisperEncoder

# Names that come with the package, and the bundle that holds the weights.
SHIPPED = {
    "whisper-base": Path(__file__).parents[1] / "pretrained" / "emodb.skemotion",
}
WEIGHTS_SUFFIX = ".safetensors"
_FILE, _INDEX = "model.safetensors", "model.safetensors.index.json"
_HUB_ID = re.compile(r"[\w.-]+/[\w.-]+", re.ASCII)
_FIRST, _POSITIONS = "conv1.weight", "embed_positions.weight"
_HIDDEN = "layers.0.fc1.weight"
_KINDS = ("F16", "F32", "F64")
_BLOCK = re.compile(r"layers\.(\d{1,3})\.fc1\.weight", re.ASCII)
_N_MELS = (80, 128)
_KNOWN = "give a safetensors file of a Whisper model in the Hugging Face layout"


class EncoderWeights(NamedTuple):
    """What is needed of an encoder.

    Attributes
    ----------
    architecture : WhisperEncoder
        The sizes.
    arrays : dict of str to ndarray
        With the names and shapes of the architecture's `weight_shapes`, of
        the precision that the file has.
    """

    architecture: WhisperEncoder
    arrays: dict[str, NDArray]


def load_weights(weights: str | os.PathLike, layers: tuple[int, ...]) -> EncoderWeights:
    """Load what an encoder needs up to the last layer that is asked for.

    Parameters
    ----------
    weights : str or path-like
        A name that ships, a file, a folder, or the id of a model on the Hugging
        Face hub.
    layers : tuple of int
        Numbers of blocks, from 1.

    Returns
    -------
    EncoderWeights

    Raises
    ------
    ValueError
        If there is no such file, or it holds something else.
    ImportError
        If it is an id, and huggingface_hub is not installed.
    """
    name = os.fsdecode(weights)
    try:
        if name in SHIPPED:
            return read_weights(_read_shipped(SHIPPED[name]), layers)
        tensors: dict[str, Any] = {}
        for file in _find_files(name):
            tensors |= _open(file)
        return _select(tensors, layers)
    except OSError as error:  # a name too long, or what may not be read
        reason = f"{error.strerror or 'it cannot be read'}."
    except ValueError as error:
        reason = str(error)
    raise ValueError(f"weights={name!r} cannot be used: {reason}")


def read_weights(content: bytes, layers: tuple[int, ...]) -> EncoderWeights:
    """Do as :func:`load_weights` with what a safetensors file holds.

    Parameters
    ----------
    content : bytes
        All of the file.
    layers : tuple of int
        Numbers of blocks, from 1.

    Returns
    -------
    EncoderWeights

    Raises
    ------
    ValueError
        If it is something else.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        return _select(load(content), layers)
    except (KeyError, SafetensorError) as error:
        raise ValueError(f"it is no intact safetensors file; {_KNOWN}.") from error


def write_weights(arrays: Mapping[str, NDArray]) -> bytes:
    """Make a safetensors file, without positions that can be computed.

    Parameters
    ----------
    arrays : mapping of str to ndarray
        As in :class:`EncoderWeights`.

    Returns
    -------
    bytes
        Read back, the arrays are the same, bit by bit.
    """
    from safetensors.numpy import save

    positions = arrays[_POSITIONS]
    computed = _compute_positions(positions.shape[1], arrays[_FIRST])
    left_out = positions.dtype == computed.dtype and np.array_equal(positions, computed)
    return save(
        {
            f"model.encoder.{name}": np.ascontiguousarray(array)
            for name, array in arrays.items()
            if name != _POSITIONS or not left_out
        }
    )


def name_weights(weights: str | os.PathLike) -> str:
    """Return what weights are called, without the folders of this machine.

    Parameters
    ----------
    weights : str or path-like
        As :func:`load_weights` takes it.

    Returns
    -------
    str
        A name that ships, or an id on the hub, as it is; the last part of a path,
        whether it is there or no more.
    """
    name = os.fsdecode(weights)
    is_path = isinstance(weights, os.PathLike) or os.path.exists(name)
    if not is_path and not name.endswith(WEIGHTS_SUFFIX) and _HUB_ID.fullmatch(name):
        return name
    return Path(name).name


def sinusoids(width: int) -> NDArray[np.float32]:
    """Compute the positions of Whisper's frames.

    Parameters
    ----------
    width : int
        Features of a frame.

    Returns
    -------
    ndarray of shape (1500, width), dtype float32
    """
    scale = math.log(10_000) / (width // 2 - 1)
    frequencies = np.exp(-scale * np.arange(width // 2))
    angles = np.arange(N_POSITIONS)[:, np.newaxis] * frequencies
    return np.concatenate([np.sin(angles), np.cos(angles)], axis=1).astype(np.float32)


def _compute_positions(width, like):
    """Compute positions as precise as other arrays, as those of a file would be."""
    return sinusoids(width).astype(like.dtype)


def _read_shipped(bundle: Path) -> bytes:
    try:
        with zipfile.ZipFile(bundle) as archive:
            for member in archive.namelist():
                if member.endswith(WEIGHTS_SUFFIX):
                    return archive.read(member)
    except zipfile.BadZipFile:
        pass
    raise ValueError(f"{bundle} holds no encoder; install skemotion again.")


def _find_files(name: str) -> list[Path]:
    """Return the files of what is a path, or is fetched from the hub."""
    path = Path(name)
    if path.is_file():
        return [path]
    if path.is_dir():
        return _find_in_folder(path)
    if _HUB_ID.fullmatch(name):
        return fetch_from_hub(name, _find_model)
    raise ValueError(
        "there is no such file or folder, and it is no name that ships "
        f"({', '.join(SHIPPED)}) and no id such as openai/whisper-base."
    )


def _find_in_folder(folder: Path) -> list[Path]:
    def get(name):
        return folder / name if (folder / name).is_file() else None

    files = _find_model(get)
    if files:
        return files
    if get(_INDEX):
        lost = [part for part in _parts_of(folder / _INDEX) if get(part) is None]
        raise ValueError(
            f"the folder lacks {', '.join(lost)}, of which {_INDEX} tells."
        )
    files = sorted(folder.glob(f"*{WEIGHTS_SUFFIX}"))
    if len(files) != 1:
        raise ValueError(
            f"the folder holds {len(files)} files *{WEIGHTS_SUFFIX}, and no {_FILE}; "
            "name the file."
        )
    return files


def _find_model(get: Get) -> list[Path]:
    """Return the one file of a model, or the parts that an index names."""
    file = get(_FILE)
    if file is not None:
        return [file]
    index = get(_INDEX)
    if index is None:
        return []
    parts = [get(part) for part in _parts_of(index)]
    found = [part for part in parts if part is not None]
    return found if len(found) == len(parts) else []


def _parts_of(index: Path) -> list[str]:
    try:
        names = json.loads(index.read_bytes())["weight_map"].values()
        parts = sorted(set(names))
    except (AttributeError, KeyError, RecursionError, TypeError, ValueError) as error:
        raise ValueError(f"{index.name} is no index of safetensors files.") from error
    if not parts or not all(isinstance(part, str) for part in parts):
        raise ValueError(f"{index.name} names no files.")
    if not all(
        Path(part).name == part and part.endswith(WEIGHTS_SUFFIX) for part in parts
    ):
        raise ValueError(f"{index.name} names other files than safetensors beside it.")
    return parts


class _Tensor:
    """An array of a file, read when it is asked for."""

    def __init__(self, file, name):
        self._file, self._name = file, name
        found = file.get_slice(name)
        self.shape = tuple(found.get_shape())
        self.kind = found.get_dtype()

    def __array__(self, dtype=None, copy=None):
        return np.asarray(self._file.get_tensor(self._name), dtype)


def _open(path: Path) -> dict[str, _Tensor]:
    from safetensors import SafetensorError, safe_open

    try:
        file = safe_open(path, framework="numpy")
        names = file.keys()  # a file of safetensors cannot be iterated over itself
        return {name: _Tensor(file, name) for name in names}
    except (KeyError, SafetensorError) as error:
        raise ValueError(
            f"{path.name} is no intact safetensors file; {_KNOWN}, or fetch it again."
        ) from error


def _select(tensors: Mapping[str, Any], layers) -> EncoderWeights:
    """Take what is needed, by names without what the file puts in front of them."""
    firsts = [name for name in tensors if name.endswith(_FIRST)]
    if len(firsts) != 1:
        raise ValueError(f"it holds no Whisper encoder; {_KNOWN}.")
    prefix = firsts[0].removesuffix(_FIRST)
    found = {
        name.removeprefix(prefix): tensor
        for name, tensor in tensors.items()
        if name.startswith(prefix)
    }
    architecture = _find_sizes(found, layers)
    shapes = architecture.weight_shapes()
    arrays = {name: _take(found, name, shape) for name, shape in shapes.items()}
    return EncoderWeights(architecture, arrays)


def _find_sizes(found, layers) -> WhisperEncoder:
    first = found[_FIRST].shape
    if len(first) != 3 or first[1] not in _N_MELS or not _is_width(first[0]):
        raise ValueError(
            f"its first convolution has the shape {tuple(first)}, and that of a "
            f"Whisper model has {HEAD_WIDTH}, or a multiple of it, by 80 or 128 by 3."
        )
    blocks = {int(m[1]) for m in map(_BLOCK.fullmatch, found) if m}
    n_blocks = 0
    while n_blocks in blocks:
        n_blocks += 1
    if max(layers) > n_blocks:
        raise ValueError(
            f"it holds {n_blocks} blocks, and layer {max(layers)} is asked for."
        )
    hidden = found[_HIDDEN].shape
    if len(hidden) != 2 or hidden[0] < 1:
        raise ValueError(f"{_HIDDEN} has the shape {tuple(hidden)}.")
    return WhisperEncoder(first[1], first[0], hidden[0], tuple(layers))


def _is_width(number):
    return number >= HEAD_WIDTH and number % HEAD_WIDTH == 0


def _take(found, name, shape) -> NDArray:
    if name not in found and name == _POSITIONS:
        return _compute_positions(shape[1], np.array(found[_FIRST]))
    if name not in found:
        raise ValueError(f"it lacks {name}: it is incomplete, or of another kind.")
    tensor = found[name]
    if tuple(tensor.shape) != shape:
        raise ValueError(f"{name} has the shape {tuple(tensor.shape)} and not {shape}.")
    kind = getattr(tensor, "kind", None)
    if kind not in (None, *_KINDS):
        raise ValueError(f"{name} is stored as {kind}; save it as F16 or F32.")
    array = np.array(tensor)
    if not np.issubdtype(array.dtype, np.floating):
        raise ValueError(f"{name} is stored as {array.dtype}; save it as F16 or F32.")
    with np.errstate(over="ignore"):  # it is computed with in 32 bits
        is_finite = np.isfinite(array.astype(np.float32, copy=False)).all()
    if not is_finite:
        raise ValueError(f"{name} holds other values than finite numbers.")
    return array
