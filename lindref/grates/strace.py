"""strace as a grate: what passes through it, on its own standard error.

lindref run --grate lindref.grates.strace:Strace app.wasm
"""

from __future__ import annotations

import lindref
from lindref.posix.errno import name_of
from lindref.posix.params import ParamKind
from lindref.posix.table import CALLS


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
        """The arguments as text: paths as strings, other pointers as numbers."""
        row = CALLS.get(call.number)
        if row is None:
            return [hex(value) for value in call.values()]
        return [self.shown(param.kind, value) for param, value in zip(row.params, call.values(), strict=False)]

    def shown(self, kind: ParamKind, value: int) -> str:
        """One argument."""
        if kind is ParamKind.PATH and value:
            try:
                return f'"{self.read_string(value)}"'
            except lindref.BadAddress:
                return hex(value)
        return str(value) if -10_000 < value < 10_000 else hex(value)
