"""The way from recordings to emotions, as one estimator."""

from skemotion._lazy import attach_stub as _attach_stub

__getattr__, __dir__, __all__ = _attach_stub(__name__, __file__)
