"""Decoders neither write to the terminal, nor swallow what a file object raises."""

import io
import os
import subprocess
import sys

import numpy as np
import pytest
import soundfile

from skemotion.audio import load_audio
from skemotion.audio._sound import _Guard

pytestmark = pytest.mark.filterwarnings(
    "ignore::skemotion.exceptions.IncompleteAudioWarning"
)

RATE = 16000
SIGNAL = 0.3 * np.sin(np.arange(RATE // 4) / 9)


def written(format, subtype=None, signal=SIGNAL, rate=RATE):
    file = io.BytesIO()
    soundfile.write(file, signal, rate, subtype, format=format)
    return file.getvalue()


def outcome(recording):
    try:
        return load_audio(recording)
    except ValueError as error:
        return str(error)


@pytest.mark.parametrize("size", [254, 600, 900, -1])
def test_mpeg_that_is_cut(size, tmp_path, capfd):
    path = tmp_path / "a.mp3"
    path.write_bytes(written("MP3")[:size] + b"\x00\x11" * 20)
    outcome(path)
    outcome(io.BytesIO(path.read_bytes()))
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("place", [600, 1152, 1444])
def test_mpeg_that_is_damaged_in_its_middle(place, tmp_path, capfd):
    """It is read twice: to tell whether it is cut, too."""
    content = written("MP3")
    path = tmp_path / "a.mp3"
    path.write_bytes(content[:place] + bytes.fromhex("20c8b41b") * 400)
    outcome(path)
    outcome(io.BytesIO(path.read_bytes()))
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("bits", [0x7F800001, 0xFF812345, 0x7FC00000])
def test_channels_that_hold_any_kind_of_nan(bits):
    """Those that signal make NumPy warn when they become of double precision."""
    samples = np.tile(np.float32([0.1, -0.2]), (900, 1))
    content = bytearray(written("WAV", "FLOAT", samples))
    content[-8:-4] = bits.to_bytes(4, "little")
    assert outcome(io.BytesIO(content)) == "it holds NaN or infinite samples"


class Talking(io.BytesIO):
    """Writes to standard error while a decoder reads it, as another thread may."""

    n_said = 0

    def read(self, size=-1):
        self.n_said += 1
        os.write(2, b"said by another\n")
        return super().read(size)


def test_what_others_say_meanwhile_is_not_lost(capfd):
    file = Talking(written("MP3")[:900])
    load_audio(file)
    said = capfd.readouterr().err.splitlines()
    assert said == ["said by another"] * file.n_said


def test_without_standard_error(tmp_path):
    path = tmp_path / "a.mp3"
    path.write_bytes(written("MP3"))
    code = "import os, sys; os.close(2); import skemotion.audio as a; "
    code += "print(len(a.load_audio(sys.argv[1])))"
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE, check=True
    )
    assert done.stdout.split() == [str(len(SIGNAL)).encode()]


@pytest.mark.parametrize(
    ("place", "is_cut"),
    [
        *((21, False), (22, False), (21 + 127, False), (22 + 3 * 127, False)),
        *((21, True), (22, True)),
    ],
)
def test_sample_dump_that_is_damaged(place, is_cut, tmp_path):
    """Libsndfile prints to standard output then, which a table may go to."""
    content = bytearray(written("SDS"))
    path = tmp_path / "a.sds"
    path.write_bytes(content)
    whole = load_audio(path)
    np.testing.assert_array_equal(load_audio(io.BytesIO(content)), whole)
    if is_cut:
        del content[place:]
    else:
        content[place] ^= 0x55
    path.write_bytes(content)
    code = "import io, sys; from skemotion.audio import check_audio, load_audio\n"
    code += "for each in (sys.argv[1], io.BytesIO(open(sys.argv[1], 'rb').read())):\n"
    code += " try: load_audio(each)\n except ValueError as error: print(error)\n"
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True
    )
    number = (place - 21) // 127
    message = f"block {number} of this MIDI Sample Dump is damaged"
    assert done.stdout.splitlines() == [message] * 2
    assert done.stderr == ""


@pytest.mark.parametrize("format", ["AIFF", "CAF", "WAV", "W64", "AU"])
def test_headers_that_lead_before_the_start(format, capfd):
    content = written(format)
    for place in range(4, 64, 2):
        for number in (b"\xff\xff\xff\xf0", b"\x80\0\0\0", b"\xf0\xff\xff\xff"):
            changed = content[:place] + number + content[place + 4 :]
            outcome(io.BytesIO(changed))
    assert capfd.readouterr() == ("", "")


def test_no_file_is_moved_before_its_start():
    guard = _Guard(io.BytesIO(b"0123456789"))
    assert guard.seek(4) == 4
    assert guard.seek(-1) == 4
    assert guard.seek(-9, os.SEEK_CUR) == 4
    assert guard.seek(-2, os.SEEK_CUR) == 2
    assert guard.seek(-3, os.SEEK_END) == 7
    assert guard.seek(-99, os.SEEK_END) == 0
    guard.raise_error()


class Failing(io.BytesIO):
    """Fails after some reads."""

    def __init__(self, content, n_reads, error):
        super().__init__(content)
        self.n_reads, self.error = n_reads, error

    def read(self, size=-1):
        if size:
            self.n_reads -= 1
        if self.n_reads < 0:
            raise self.error
        return super().read(size)


@pytest.mark.parametrize("n_reads", [2, 3, 5, 8])
@pytest.mark.parametrize("format", ["WAV", "FLAC", "MP3"])
def test_what_a_file_object_raises_is_told(n_reads, format, capfd):
    content = written(format, signal=np.tile(SIGNAL, 30))
    for error in (OSError("the disk is gone"), RuntimeError("the disk is gone")):
        with pytest.raises(ValueError, match=r"cannot be read \(the disk is gone\)"):
            load_audio(Failing(content, n_reads, error))
    with pytest.raises(KeyboardInterrupt):
        load_audio(Failing(content, n_reads, KeyboardInterrupt()))
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("value", [3e38, np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("rate", [RATE, 44100])
def test_channels_that_no_average_can_hold(value, rate):
    signal = np.full((4000, 2), value, dtype=np.float32)
    signal[::2] *= -1
    file = io.BytesIO(written("WAV", "FLOAT", signal, rate))
    for recording in (file, {"array": signal.T, "sampling_rate": rate}):
        with pytest.raises(ValueError, match="NaN or infinite samples"):
            load_audio(recording)


def test_doubles_that_are_too_large():
    with pytest.raises(ValueError, match="NaN or infinite samples"):
        load_audio((np.full(4000, 1e300), RATE))


def test_samples_too_large_to_be_resampled():
    signal = np.where(np.arange(8000) % 2, 3e38, -3e38).astype(np.float32)
    signal[::7] = 3.2e38
    assert np.isfinite(load_audio((signal, RATE))).all()
    with pytest.raises(ValueError, match="its largest sample is 3.2e[+]38"):
        load_audio((signal, 44100))
