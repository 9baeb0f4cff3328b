"""The smallest grate: another effective user.

lindref run --grate lindref.grates.geteuid:GetEuid,uid=42 app.wasm
"""

from __future__ import annotations

import lindref


class GetEuid(lindref.Grate):
    """Cages beneath it have effective user and group ``uid``."""

    def __init__(self, uid: int = 1000) -> None:
        self.uid = uid

    @lindref.serves("geteuid", "getegid")
    def effective(self, call: lindref.Served) -> int:
        """The id that was asked for, whatever it is beneath."""
        return self.uid
