"""Finding an adapter by the name or place that the command line gives."""

from __future__ import annotations

import inspect
import os
import sys
from collections.abc import Mapping
from importlib import import_module
from typing import Any

from lindref.conformance.adapters.command import PREFIX, Command
from lindref.conformance.adapters.interface import KINDS, Adapter, AdapterError, Description
from lindref.profile import LIND, SPEC

#: Name → where it is, what it is.
ADAPTERS: Mapping[str, tuple[str, str]] = {
    "lindref": ("lindref.conformance.adapters.own:Lindref", "lindref itself: another profile, engine or schedule"),
    "wasmtime": ("lindref.conformance.adapters.wasmtime_.adapter:Wasmtime", "that engine, with our 3i and RawPOSIX"),
    "linux": ("lindref.conformance.adapters.native:Linux", "the host: programs compiled by its cc, under strace"),
    "lind-boot": ("lindref.conformance.adapters.lind_boot:LindBoot", "a real installation of Lind-Wasm"),
    "recorded": ("lindref.conformance.adapters.recorded:Recorded", "files: recorded vectors, traces, saved cases"),
}


def make(name: str, options: Mapping[str, str]) -> Adapter:
    """The adapter called ``name``: of ``ADAPTERS``, ``module:Class``, or ``command:words``. Raises ``AdapterError``."""
    if name.startswith(PREFIX):
        return Command(name.removeprefix(PREFIX), options)
    place = ADAPTERS[name][0] if name in ADAPTERS else name
    module, colon, attribute = place.partition(":")
    if not colon:
        raise AdapterError(f"no adapter {name!r} (one of {', '.join(ADAPTERS)}, or MODULE:CLASS, or command:WORDS)")
    if name not in ADAPTERS and os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    try:
        found: Any = import_module(module)
    except ModuleNotFoundError as error:
        raise AdapterError(f"adapter {name}: no module {error.name!r}") from None
    except Exception as error:  # whatever a module of somebody else does when it is loaded
        raise AdapterError(f"adapter {name}: {type(error).__name__}: {error}") from error
    for part in attribute.split("."):
        found = getattr(found, part, None)
    if not callable(found):
        raise AdapterError(f"adapter {name}: {module} has no {attribute!r}")
    try:
        inspect.signature(found).bind(**options)
    except TypeError as error:
        raise AdapterError(f"adapter {name}: option: {error}") from None
    try:
        made: Adapter = found(**options)
    except AdapterError:
        raise
    except Exception as error:
        raise AdapterError(f"adapter {name}: {type(error).__name__}: {error}") from error
    return made


def described(adapter: Adapter, name: str) -> Description:
    """What an adapter says of itself, checked. Raises ``AdapterError``."""
    try:
        said = adapter.describe()
    except AdapterError:
        raise
    except Exception as error:
        raise AdapterError(f"adapter {name}: describe(): {type(error).__name__}: {error}") from error
    if not isinstance(said, Description):
        raise AdapterError(f"adapter {name}: describe() gave {type(said).__name__}, not a Description")
    if said.profile not in (SPEC.name, LIND.name):
        raise AdapterError(f"adapter {name}: profile {said.profile!r} (spec or lind)")
    odd = sorted(set(said.kinds) - set(KINDS))
    if odd:
        raise AdapterError(f"adapter {name}: there is no kind of case {odd[0]!r} (there are {', '.join(KINDS)})")
    return said


__all__ = ["ADAPTERS", "described", "make"]
