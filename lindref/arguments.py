"""Command lines whose mistakes are one line on standard error and exit status 2."""

from __future__ import annotations

import argparse
import sys
from typing import NoReturn

USAGE = 2


class Arguments(argparse.ArgumentParser):
    """As ``argparse.ArgumentParser``; what is wrong is said in one line, without the usage."""

    def error(self, message: str) -> NoReturn:
        """Say ``message`` and leave with status 2."""
        sys.stderr.write(f"{self.prog}: {message} (see {self.prog} --help)\n")
        raise SystemExit(USAGE)
