"""Keeping what an implementation showed, so that the adapter ``recorded`` judges it again later without it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lindref.conformance.adapters.case import Case
from lindref.conformance.adapters.interface import Adapter, Description, Observed
from lindref.conformance.adapters.recorded import save


class Kept:
    """An adapter, and what it showed last."""

    def __init__(self, adapter: Adapter) -> None:
        self._adapter = adapter
        self._seen: Any = None

    def describe(self) -> Description:
        """As the adapter says."""
        return self._adapter.describe()

    def run(self, case: Case) -> Observed:
        """As the adapter does."""
        self._seen = None
        self._seen = self._adapter.run(case)
        return self._seen  # type: ignore[no-any-return]  # whatever it is: that is looked at where it is judged

    def save(self, folder: Path, case: Case) -> None:
        """Write it into ``folder``, where there is anything. Raises ``OSError``."""
        if isinstance(self._seen, Observed):
            save(folder, case, self._seen)
