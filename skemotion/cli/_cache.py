"""``skemotion cache``."""

from skemotion.feature_extraction._cache import FeatureCache


def run(options):
    """Count or delete the entries of a cache."""
    cache = FeatureCache(options.folder)
    if options.action == "info":
        print(f"{_describe(cache.info())} in {options.folder}")
    else:
        print(f"deleted {_describe(cache.clear())} from {options.folder}")


def _describe(info):
    noun = "entry" if info.n_entries == 1 else "entries"
    return f"{info.n_entries} {noun} of {info.n_bytes / 1e6:.1f} MB"
