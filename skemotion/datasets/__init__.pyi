from ._check import CorpusCheck as CorpusCheck
from ._check import check_corpus as check_corpus
from ._emodb import load_emodb as load_emodb
from ._fetch import fetch_emodb as fetch_emodb
from ._fetch import get_data_home as get_data_home
from ._recordings import load_recordings as load_recordings
from ._synthetic import make_emotional_speech as make_emotional_speech
