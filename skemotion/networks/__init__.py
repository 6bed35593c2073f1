"""Networks and how they are trained and run; they know nothing of scikit-learn."""

from skemotion.networks._backend import import_keras, names_from_the_start
from skemotion.networks._blstm import ATTENTION_LAYER, BLSTM
from skemotion.networks._custom import CustomNetwork
from skemotion.networks._network import Network

__all__ = [
    "ATTENTION_LAYER",
    "BLSTM",
    "CustomNetwork",
    "Network",
    "import_keras",
    "names_from_the_start",
]
