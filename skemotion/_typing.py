"""Types that parameters of several estimators have."""

import os
from typing import Any

import numpy as np

RandomState = int | np.random.RandomState | None
File = str | os.PathLike[str]
Memory = File | Any  # joblib's, or whatever has its interface
