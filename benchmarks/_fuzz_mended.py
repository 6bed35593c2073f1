"""What fuzzing has found, by target; each is mended, and has a test of its own."""

MENDED = {
    "audio": (
        "words of MP3 decoders on standard error",
        "words of libsndfile on standard output, of MIDI Sample Dumps",
        "tracebacks on standard error, of file objects that a decoder moves before "
        "their start",
        "warnings of NumPy, of channels with NaN or too large samples",
        "infinite samples, after resampling of too large ones",
        "words of MP3 decoders again, from the look at whether a file is cut",
        "a warning of NumPy, of NaN that signals in one of two channels",
    ),
    "bundle": ("a model with a name that UTF-8 does not know loaded, but not saved",),
    "table": ("names that are too long raised OSError",),
    "frame": (
        "names that are too long raised OSError",
        "unknown homes, as ~nobody, raised RuntimeError",
    ),
    "journal": (
        "a changed number of recordings lost or doubled rows without a word",
        "a damaged table of failures raised KeyError, after all of the work",
    ),
    "fold": (
        "headers that NumPy does not read raised TokenError",
        "unknown compression raised NotImplementedError",
        "changed values were taken for results",
    ),
    "archive": ("a claim of gigabytes raised MemoryError",),
}
