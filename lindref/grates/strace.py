"""strace as a grate: what passes through it, on its own standard error.

lindref run --grate lindref.grates.strace:Strace app.wasm
"""

from __future__ import annotations

from contextlib import suppress

import lindref
from lindref.posix.errno import name_of
from lindref.posix.params import Direction, Param, ParamKind
from lindref.posix.table import CALLS

#: Bytes of a buffer that are shown.
SHOWN = 32


class Strace(lindref.Grate):
    """Shows each call when it is back; one that does not come back (exit, exec) is shown before."""

    def __init__(self, fd: int = 2) -> None:
        self.fd = fd

    def any_call(self, call: lindref.Served) -> int:
        """Pass it on, and say what it was."""
        shown = f"[cage {call.caller}] {call.name}({', '.join(self.arguments(call))})"
        if call.name in ("exit", "exit_group", "execve"):
            self.print(f"{shown} = ?\n", self.fd)
            return self.forward()
        result = self.forward()
        failed = -134 < result < 0
        self.print(f"{shown} = {f'-1 {name_of(-result)}' if failed else result}\n", self.fd)
        return result

    def arguments(self, call: lindref.Served) -> list[str]:
        """The arguments as text: flags by name, paths and what is written as strings, other pointers as they are."""
        row = CALLS.get(call.number)
        if row is None:
            return [hex(value) for value in call.values()]
        named = call.named()
        return [self.shown(param, named) for param in row.params]

    def shown(self, param: Param, named: dict[str, int]) -> str:
        """One argument; a pointer that leads nowhere as a number."""
        value = named[param.name]
        with suppress(lindref.BadAddress):
            if param.kind is ParamKind.PATH and value:
                return f'"{self.read_string(value)}"'
            if param.kind is ParamKind.BUFFER and param.direction is Direction.IN and param.length in named:
                length = named[str(param.length)]
                data = self.read_bytes(value, min(length, SHOWN)).decode("latin-1").encode("unicode_escape")
                return f'"{data.decode()}"' + "..." * (length > SHOWN)
        return str(value) if -10_000 < value < 10_000 else hex(value)
