"""What a file of a model may ask of the machine that loads it."""

import re

# The numbers of one recording's frames, and of the filters for them: 256 MB.
MAX_NUMBERS = 2**26
MAX_DURATION = 600.0  # seconds that are looked at together
MAX_WINDOWS_A_SECOND = 100
MAX_LABEL_BYTES = 2**20
LABEL_DTYPE = re.compile(r"[<>]U\d{1,4}|[<>|][iu][1248]|\|b1|\|O", re.ASCII)
