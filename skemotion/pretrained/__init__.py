"""The models that come with the package; MODEL_CARD.md says what they are good for."""

from skemotion._lazy import attach_stub as _attach_stub

__getattr__, __dir__, __all__ = _attach_stub(__name__, __file__)
