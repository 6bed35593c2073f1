"""Networks and how they are trained and run; they know nothing of scikit-learn."""

from skemotion.networks._backend import import_keras, names_from_the_start
from skemotion.networks._blstm import ATTENTION_LAYER, BLSTM, name_of_member
from skemotion.networks._custom import CustomNetwork
from skemotion.networks._encoders import Encode, find_encoder, hash_weights
from skemotion.networks._network import Network
from skemotion.networks._whisper import HEAD_WIDTH, N_POSITIONS, WhisperEncoder

__all__ = [
    "ATTENTION_LAYER",
    "BLSTM",
    "HEAD_WIDTH",
    "N_POSITIONS",
    "CustomNetwork",
    "Encode",
    "Network",
    "WhisperEncoder",
    "find_encoder",
    "hash_weights",
    "import_keras",
    "name_of_member",
    "names_from_the_start",
]
