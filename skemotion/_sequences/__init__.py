"""What a sequence is: its base class, names, padding and functionals."""

from skemotion._lazy import attach_stub as _attach_stub

__getattr__, __dir__, __all__ = _attach_stub(__name__, __file__)
