"""Frames of an encoder under many conditions, as files of one folder hold them."""

from functools import lru_cache
from pathlib import Path

import numpy as np
from sklearn.utils import gen_batches

from skemotion._sequences import mark_real, summarise

MEN = ("03", "10", "11", "12", "15")
FAMILIES = {
    "channel": (
        "telephone_band",
        "white_noise__20_dB",
        "white_noise__10_dB",
        "babble__20_dB",
        "babble__10_dB",
        "small_room",
        "MP3__32_kbit_s",
        "rate11025",
        "first_2_s",
        "1_s_of_room_tone_first",
    ),
    "voice": ("speed0.85", "speed1.15", "pitch+3", "pitch-3"),
}
CONDITIONS = (*FAMILIES["channel"], *FAMILIES["voice"])
COPIES = ("copy0", "copy1")
_WIDTH = {"base": 512, "tiny": 384}
_FIRST_KEPT = 2  # block; of frames, those after 2 and 3 are kept


class Recordings:
    """What is at hand of each recording.

    Parameters
    ----------
    folder : str or Path
        With ``meta.npz``, and a file for each condition.
    work : str or Path
        Folder for what takes long to compute.
    """

    def __init__(self, folder, work):
        self.folder, self.work = Path(folder), Path(work)
        meta = np.load(self.folder / "meta.npz")
        self.y, self.speakers = meta["y"], meta["speakers"]
        self.texts = np.array([Path(path).name[2:5] for path in meta["paths"]])
        self.names = np.unique(self.speakers)
        self.classes, self.codes = np.unique(self.y, return_inverse=True)
        self.is_man = np.isin(self.speakers, MEN)

    def at_hand(self, conditions=CONDITIONS):
        """Return the conditions of which there is a file."""
        return [c for c in conditions if (self.folder / f"{c}.npz").exists()]

    def moments(self, condition, front, statistics=("mean", "std")):
        """Return mean and deviation over time, beside each other."""
        encoder, blocks = parse_front(front)
        width = _WIDTH[encoder]
        known = dict(
            zip(
                ("mean", "std"),
                _moments(self.folder / f"{condition}.npz", encoder),
                strict=True,
            )
        )
        return np.hstack(
            [
                known[name][:, width * (block - 1) : width * block]
                for name in statistics
                for block in blocks
            ]
        )

    def frames(self, condition, front):
        """Return real frames after each other, and how many each recording has."""
        _, blocks = parse_front(front)
        with np.load(self.folder / f"{condition}.npz") as file:
            frames, lens = file["frames"], file["lens"]
        first = 512 * (blocks[0] - _FIRST_KEPT)
        return frames[:, first : first + 512 * len(blocks)], lens

    def functionals(self, condition, front, names, step=1):
        """Return functionals of the frames, (n_recordings, n_dims, n_functionals)."""
        if not names:
            return None
        stem = f"functionals-{condition}-{front}-{'-'.join(names)}-{step}.npy"
        path = self.work / stem
        if not path.exists():
            frames, lens = self.frames(condition, front)
            parts = []
            padded = pad(frames, lens)
            for batch in gen_batches(len(lens), 64):
                bounds = np.column_stack([0 * lens[batch], lens[batch]])
                real = mark_real(bounds, padded.shape[1])
                parts.append(summarise(padded[batch], real, names))
            np.save(path, np.concatenate(parts).reshape(len(lens), -1, len(names)))
        return np.load(path)


@lru_cache(maxsize=40)
def _moments(path, encoder):
    prefix = "t" if encoder == "tiny" else ""
    with np.load(path) as file:
        return file[f"{prefix}mean"], file[f"{prefix}std"]


def copies_of(copies):
    """Return the names of copies, of which a number may be given."""
    return COPIES[:copies] if isinstance(copies, int) else tuple(copies)


def parse_front(front):
    """Return encoder and blocks of a name such as "base2+3"."""
    encoder = front.rstrip("+0123456789")
    return encoder, tuple(int(block) for block in front[len(encoder) :].split("+"))


def pad(frames, lens, length=None):
    """Return an array (n_recordings, n_frames, n_dims), padded by 0 behind."""
    padded = np.zeros((len(lens), length or lens.max(), frames.shape[1]), np.float32)
    padded[np.arange(padded.shape[1]) < np.reshape(lens, (-1, 1))] = frames
    return padded


def join(frames, lens, step):
    """Return means of neighbouring frames, `step` each, and the new lengths."""
    if step == 1:
        return frames, lens
    starts = np.concatenate([np.arange(0, n, step) for n in lens])
    begin = np.repeat(np.cumsum(lens) - lens, -(-lens // step)) + starts
    sums = np.add.reduceat(frames, begin, axis=0)
    counts = np.diff(np.append(begin, len(frames)))
    return sums / counts[:, np.newaxis].astype(np.float32), -(-lens // step)
