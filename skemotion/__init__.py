"""Speech emotion recognition with scikit-learn pipelines."""

import lazy_loader

from skemotion._version import __version__

_getattr, __dir__, _public = lazy_loader.attach_stub(__name__, __file__)
