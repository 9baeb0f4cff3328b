"""What ``launch`` says: which program to debug, and how it is to run."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from lindref import classes
from lindref.dap.arguments import RequestError, may, strings, want
from lindref.system.boot import BootError
from lindref.system.choices import ScheduleError
from lindref.system.session import System, boot

#: Attributes of ``launch`` that are ours; whatever else a client adds is its own.
KNOWN = frozenset(
    "program args cwd root rootMode profile seed schedule env stdin grates engine workers maxTicks maxMemory "
    "strictCapabilities net clock stopOnEntry stopAtEnd sourceMap strace".split()
)


@classes.frozen
class Launch:
    """The attributes of ``launch`` that are about the debugger. ``source_map``: beginnings of paths in debug
    information and what they are here."""

    stop_on_entry: bool
    stop_at_end: bool
    source_map: tuple[tuple[str, str], ...]
    strace: bool


def options(arguments: Mapping[str, Any]) -> Launch:
    """What the debugger is to do; raises ``RequestError``."""
    mapping = may(arguments, "sourceMap", dict, {})
    if not all(isinstance(value, str) for value in mapping.values()):
        raise RequestError("sourceMap: strings were expected")
    return Launch(
        may(arguments, "stopOnEntry", bool, otherwise=False),
        may(arguments, "stopAtEnd", bool, otherwise=False),
        tuple(mapping.items()),
        may(arguments, "strace", bool, otherwise=False),
    )


def start(arguments: Mapping[str, Any], libraries: Callable[[], Sequence[str]] | None = None) -> System:
    """The system that is to be debugged, about to run; raises ``RequestError``. ``libraries`` as for ``boot``."""
    env = may(arguments, "env", dict, {})
    variables = {key: value for key, value in env.items() if value is not None}
    if not all(isinstance(value, str) for value in variables.values()):
        raise RequestError("env: strings were expected")
    cwd = may(arguments, "cwd", str, "")
    program, root = want(arguments, "program", str), may(arguments, "root", str, "") or None
    if cwd:
        if not os.path.isdir(cwd):
            raise RequestError(f"cwd {cwd}: no such directory")
        root = None if root is None else os.path.join(cwd, root)
        program = os.path.join(cwd, program) if root is None else program
        if cwd not in sys.path:
            sys.path.insert(0, cwd)  # where grates in Python may lie
    seed = arguments.get("seed")
    most = {name: arguments.get(name) for name in ("maxTicks", "maxMemory")}
    for name, value in {"seed": seed, **most}.items():
        if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < 0):
            raise RequestError(f"{name}: a whole number was expected")
    mode, profile = may(arguments, "rootMode", str, "cow"), may(arguments, "profile", str, "spec")
    if mode not in ("cow", "blank"):
        raise RequestError(f"rootMode {mode}: cow or blank was expected")
    workers = may(arguments, "workers", int, 32)
    if not 1 <= workers <= 32:
        raise RequestError(f"workers {workers}: 1 to 32 were expected")
    here = os.getcwd()
    try:
        if cwd:
            os.chdir(cwd)
        return boot(
            program,
            strings(arguments, "args"),
            root=root,
            root_mode=mode,
            profile=profile,
            seed=seed,
            schedule=may(arguments, "schedule", str, "") or None,
            env=variables,
            stdin=may(arguments, "stdin", str, "").encode(),
            workers=workers,
            max_ticks=most["maxTicks"],
            max_memory=most["maxMemory"],
            strict_capabilities=may(arguments, "strictCapabilities", bool, otherwise=False),
            engine=may(arguments, "engine", str, "auto"),
            grates=strings(arguments, "grates"),
            net=may(arguments, "net", str, ""),
            clock=may(arguments, "clock", str, "virtual"),
            libraries=libraries,
        )
    except (BootError, ScheduleError, ValueError) as error:
        raise RequestError(str(error)) from None
    finally:
        os.chdir(here)
