"""``python -m skemotion`` is the command line."""

import sys

from skemotion.cli import main

sys.exit(main())
