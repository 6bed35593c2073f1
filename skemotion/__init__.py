"""Speech emotion recognition with scikit-learn pipelines."""

import lazy_loader

from skemotion._version import __version__ as __version__

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
