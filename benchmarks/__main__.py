"""``python -m benchmarks``: see ``engines``."""

import sys

from benchmarks.engines import main

sys.exit(main())
