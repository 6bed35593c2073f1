"""The weights of an encoder: where they come from, and the sizes that they tell."""

import json
import logging
import math
import os
import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skemotion.networks import HEAD_WIDTH, N_POSITIONS, WhisperEncoder

# Names that come with the package, and the bundle that holds the weights.
SHIPPED = {
    "whisper-base": Path(__file__).parents[1] / "pretrained" / "emodb.skemotion",
}
WEIGHTS_SUFFIX = ".safetensors"
_FILE, _INDEX = "model.safetensors", "model.safetensors.index.json"
_HUB_ID = re.compile(r"[\w.-]+/[\w.-]+", re.ASCII)
_FIRST, _POSITIONS = "conv1.weight", "embed_positions.weight"
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
    name = os.fspath(weights)
    try:
        if name in SHIPPED:
            return read_weights(_read_shipped(SHIPPED[name]), layers)
        tensors: dict[str, Any] = {}
        for file in _find_files(name):
            tensors |= _open(file)
        return _select(tensors, layers)
    except ValueError as error:
        raise ValueError(f"weights={name!r} cannot be used: {error}") from error


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
    computed = sinusoids(positions.shape[1]).astype(positions.dtype)
    return save(
        {
            f"model.encoder.{name}": np.ascontiguousarray(array)
            for name, array in arrays.items()
            if name != _POSITIONS or not np.array_equal(array, computed)
        }
    )


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


def _read_shipped(bundle: Path) -> bytes:
    with zipfile.ZipFile(bundle) as archive:
        for member in archive.namelist():
            if member.endswith(WEIGHTS_SUFFIX):
                return archive.read(member)
    raise ValueError(f"{bundle} holds no encoder; install skemotion again.")


def _find_files(name: str) -> Iterable[Path]:
    """Return the files of what is a path, or is fetched from the hub."""
    path = Path(name)
    if path.is_file():
        return [path]
    if not path.is_dir():
        return _fetch(name)
    if (path / _FILE).is_file():
        return [path / _FILE]
    if (path / _INDEX).is_file():
        return [path / part for part in _parts_of(path / _INDEX)]
    files = sorted(path.glob(f"*{WEIGHTS_SUFFIX}"))
    if len(files) == 1:
        return files
    raise ValueError(
        f"the folder holds {len(files)} files *{WEIGHTS_SUFFIX}, and no {_FILE}; "
        "name the file."
    )


def _parts_of(index: Path) -> list[str]:
    try:
        parts = set(
            json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{index} is no index of safetensors files.") from error
    if not all(isinstance(part, str) and Path(part).name == part for part in parts):
        raise ValueError(f"{index} names files of other folders.")
    return sorted(parts)


def _fetch(name: str) -> list[Path]:
    """Fetch a model from the hub, or find it where it was fetched before."""
    if not _HUB_ID.fullmatch(name):
        raise ValueError(
            "there is no such file or folder, and it is no name that ships "
            f"({', '.join(SHIPPED)}) and no id such as openai/whisper-base."
        )
    try:
        import huggingface_hub
    except ImportError as error:
        raise ImportError(
            f"weights={name!r} is no file, and to fetch it from the Hugging Face hub, "
            'huggingface_hub is needed: pip install "skemotion[hub]".'
        ) from error
    try:
        with _silent("huggingface_hub"):
            return _download(name, huggingface_hub)
    except Exception as error:  # of several libraries, by what went wrong
        raise ValueError(
            "there is no such file, and the Hugging Face hub does not give it "
            f"({type(error).__name__}: {str(error).strip().splitlines()[0]})."
        ) from error


def _download(name, hub):
    from huggingface_hub.errors import EntryNotFoundError, LocalEntryNotFoundError

    try:
        return [Path(hub.hf_hub_download(name, _FILE))]
    except LocalEntryNotFoundError:  # no connection, and nothing fetched before
        raise
    except EntryNotFoundError:
        parts = _parts_of(Path(hub.hf_hub_download(name, _INDEX)))
        return [Path(hub.hf_hub_download(name, part)) for part in parts]


@contextmanager
def _silent(library: str) -> Iterator[None]:
    """Hold a library's log back; what goes wrong is raised."""
    logger = logging.getLogger(library)
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(level)


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
        return {name: _Tensor(file, name) for name in file.keys()}  # noqa: SIM118
    except OSError as error:
        raise ValueError(f"{path}: {error.strerror or error}.") from error
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
    first, hidden = found[_FIRST].shape, found.get("layers.0.fc1.weight")
    if len(first) != 3 or first[1] not in _N_MELS or first[0] % HEAD_WIDTH:
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
    return WhisperEncoder(first[1], first[0], hidden.shape[0], tuple(layers))


def _take(found, name, shape) -> NDArray:
    if name not in found and name == _POSITIONS:
        # As precise as the rest, so that what was left out comes back as it was.
        return sinusoids(shape[1]).astype(np.array(found[_FIRST]).dtype)
    if name not in found:
        raise ValueError(f"it lacks {name}: it is incomplete, or of another kind.")
    tensor = found[name]
    if tuple(tensor.shape) != shape:
        raise ValueError(f"{name} has the shape {tuple(tensor.shape)} and not {shape}.")
    kind = getattr(tensor, "kind", None)
    if kind not in (None, "F16", "F32", "F64"):
        raise ValueError(f"{name} is stored as {kind}; save it as F16 or F32.")
    array = np.array(tensor)
    if not np.issubdtype(array.dtype, np.floating) or not np.isfinite(array).all():
        raise ValueError(f"{name} holds other values than finite numbers.")
    return array
