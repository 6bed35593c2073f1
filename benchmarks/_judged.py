"""Mutants that no test needs to kill, by name, with the reason.

Either they behave as the original does, or they differ in nothing that a user could
rely on, such as the speed of what is rare.
"""

_AUGMENTATION = "skemotion/augmentation/"
_FEATURES = "skemotion/feature_extraction/"
_NETWORKS = "skemotion/networks/"
_CLASSIFICATION = "skemotion/classification/"
_PERSISTENCE = "skemotion/persistence/"

JUDGED: dict[str, str] = {
    _AUGMENTATION + "_effects.py: _LOWEST_RATE, _HIGHEST_RATE = 8000.0, 16000.0 -> "
    "_LOWEST_RATE, _HIGHEST_RATE = 8001.0, 16000.0": "rates are rounded to hundreds",
    _AUGMENTATION + "_voices.py: for source in sorted(sources, key=lambda source: "
    "source.rate or 0.0): -> for source in sorted(sources, key=lambda source: "
    "source.rate or 1.0):": "no recording has a rate below 1 Hz",
    _AUGMENTATION + "_voices.py: return numbers ^ (numbers >> np.uint64(31)) -> "
    "return numbers + (numbers >> np.uint64(31))": "a carry changes the order of "
    "scores once in thousands of millions, and every order is as good",
    _AUGMENTATION + "_effects.py: power = float(np.mean(np.square(noise, "
    "dtype=np.float64))) -> power = float(np.mean(np.square(noise, )))": "what is "
    "mixed in is of double precision already",
}
