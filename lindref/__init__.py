"""lindref: the executable reference of Lind-Wasm (cages, grates, 3i, RawPOSIX) in pure Python.

``boot`` runs programs under Lind; ``Module`` and ``instantiate`` are plain wasm. Names are loaded when first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lindref.api import Module, instantiate
    from lindref.system.boot import BootError
    from lindref.system.python.arguments import Address, Fd, Flags, Mode, Signal
    from lindref.system.python.grate import BadAddress, Grate, GrateError, Served, serves
    from lindref.system.session import System, boot

__version__ = "0.1.0"

__all__ = [
    "Address",
    "BadAddress",
    "BootError",
    "Fd",
    "Flags",
    "Grate",
    "GrateError",
    "Mode",
    "Module",
    "Served",
    "Signal",
    "System",
    "boot",
    "instantiate",
    "serves",
]

_HOMES = {
    "Module": "lindref.api",
    "instantiate": "lindref.api",
    "BootError": "lindref.system.boot",
    "BadAddress": "lindref.system.python.grate",
    **dict.fromkeys(("Address", "Fd", "Flags", "Mode", "Signal"), "lindref.system.python.arguments"),
    "Grate": "lindref.system.python.grate",
    "GrateError": "lindref.system.python.grate",
    "Served": "lindref.system.python.grate",
    "serves": "lindref.system.python.grate",
    "System": "lindref.system.session",
    "boot": "lindref.system.session",
}


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'lindref' has no attribute {name!r}")
    return getattr(import_module(home), name)
