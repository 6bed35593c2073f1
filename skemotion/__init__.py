"""Speech emotion recognition with scikit-learn pipelines."""

from skemotion._lazy import attach_stub as _attach_stub
from skemotion._version import __version__ as __version__

__getattr__, __dir__, __all__ = _attach_stub(__name__, __file__)
