"""
Emotions of a microphone, while somebody speaks
===============================================

Needs the library sounddevice (``pip install sounddevice``) and a microphone::

    python examples/listen.py --seconds 30

It prints each segment as soon as it is certain, with the model that comes with the
package, which learnt from acted German speech. Ctrl-C ends it.
"""

import argparse

from skemotion import iter_timeline, load_pretrained


def hear(seconds, rate=16000, block=0.1):
    """Yield what the microphone gives, in blocks of shape (n_samples, 1)."""
    import sounddevice

    with sounddevice.InputStream(
        samplerate=rate, channels=1, dtype="float32"
    ) as stream:
        for _ in range(round(seconds / block)):
            samples, overflowed = stream.read(round(block * rate))
            if overflowed:
                print("some samples were lost: this machine is too slow")
            yield samples, rate


parser = argparse.ArgumentParser(description="Tell emotions of a microphone.")
parser.add_argument("--seconds", type=float, help="how long to listen")
seconds = parser.parse_args().seconds
if seconds is None:
    parser.print_help()
else:
    model = load_pretrained()
    print("speak")
    for piece in iter_timeline(model, hear(seconds)):
        for start, end, emotion, confidence in piece.segments:
            print(f"{start:6.1f} to {end:6.1f} s  {emotion}  ({confidence:.2f})")
