"""Sources as the client sees them: files of the host where they are there, else the disassembly of a function."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from lindref.dap.arguments import RequestError
from lindref.debug import disassembly

if TYPE_CHECKING:
    from lindref.debug.frames import GuestFrame
    from lindref.vm.program import Program

#: Code addresses begin here: the number of the program, then the offset in its file.
CODE = 1 << 62
#: Bits of an offset in a file.
_OFFSET = 40


class Sources:
    """Numbers for what has no file: disassembled functions; and for programs, in the order in which they were met."""

    def __init__(self, mapping: tuple[tuple[str, str], ...], folders: Iterable[str]) -> None:
        """``mapping``: beginnings of paths and what they are here; ``folders``: where relative paths may start."""
        self._mapping = mapping
        self._folders = tuple(map(os.path.abspath, folders))
        self._functions: list[tuple[Program, int]] = []
        self._programs: list[Program] = []
        self._paths: dict[str, str] = {}

    def path(self, file: str) -> str:
        """Where a file that debug information names is on this host; empty if it is not there."""
        found = self._paths.get(file)
        if found is None:
            found = self._paths[file] = self._find(file)
        return found

    def _find(self, file: str) -> str:
        names = [new + file[len(old) :] for old, new in self._mapping if file.startswith(old)]
        for name in (*names, file):
            for path in (os.path.join(folder, name) for folder in self._folders):
                if os.path.isfile(path):
                    return os.path.normpath(path)
        return ""

    def known_as(self, path: str, files: Iterable[str] = ()) -> str:
        """What debug information calls a file of the client's: the one of ``files`` that it is, or that has the most of
        its last parts; else the mapping backwards, or the path as it is."""
        names = dict.fromkeys(files)
        found = next((file for file in names if self.path(file) == path), None)
        if found is not None:
            return found
        parts = path.replace("\\", "/").split("/")
        for first in range(1, len(parts)):
            tail = "/".join(parts[first:])
            if any(file == tail or file.endswith(f"/{tail}") for file in names):
                return tail
        for old, new in self._mapping:
            if path.startswith(new):
                return old + path[len(new) :]
        return path

    # Disassembly.

    def function(self, program: Program, index: int) -> int:
        """The number of a disassembled function, from 1."""
        key = program, index
        if key not in self._functions:
            self._functions.append(key)
        return self._functions.index(key) + 1

    def numbered(self, number: int) -> tuple[Program, int]:
        """The function of a number; raises ``RequestError``."""
        if not 0 < number <= len(self._functions):
            raise RequestError(f"no source {number}")
        return self._functions[number - 1]

    def text(self, number: int) -> str:
        """A disassembled function."""
        program, index = self.numbered(number)
        lines = disassembly.function(program, index)
        return "".join(f"{line.offset:#08x}  {'  ' * line.depth}{line.text}\n" for line in lines)

    def offset(self, number: int, line: int) -> int | None:
        """The offset of a line of a disassembled function."""
        program, index = self.numbered(number)
        lines = disassembly.function(program, index)
        return lines[line - 1].offset if 0 < line <= len(lines) else None

    def place(self, frame: GuestFrame) -> tuple[dict[str, Any], int, int]:
        """The source, line and column of a frame."""
        path = self.path(frame.file) if frame.line else ""
        if path:
            return {"name": os.path.basename(path), "path": path}, frame.line, frame.column
        index = frame.frame.body.index
        lines = disassembly.function(frame.program, index)
        line = next((n for n, one in enumerate(lines, 1) if one.offset >= frame.offset), len(lines))
        name = f"{frame.program.func_name(index) or f'func {index}'}.wat"
        source: dict[str, Any] = {"name": name, "sourceReference": self.function(frame.program, index)}
        if frame.line:
            source["origin"] = f"{frame.file}:{frame.line} is not here"
        return source, line, 1

    # Addresses.

    def address(self, program: Program, offset: int) -> str:
        """A code address, as the client has it."""
        if program not in self._programs:
            self._programs.append(program)
        return hex(CODE | self._programs.index(program) << _OFFSET | offset)

    def code(self, reference: str, shift: int = 0) -> tuple[Program, int]:
        """The program and offset that a code address means; raises ``RequestError``."""
        number = number_of(reference) + shift
        index = (number & ~CODE) >> _OFFSET
        if not number & CODE or not index < len(self._programs):
            raise RequestError(f"{reference} is no address of code")
        return self._programs[index], number & (1 << _OFFSET) - 1


def memory_address(cage: int, address: int) -> str:
    """An address in a cage's memory, as the client has it."""
    return hex(cage << 32 | address & 0xFFFFFFFF)


def memory_of(reference: str, cage: int) -> tuple[int, int]:
    """The cage and address that a memory reference means; one below 4 GiB is of ``cage``. Raises ``RequestError``."""
    number = number_of(reference)
    if number & CODE:
        raise RequestError(f"{reference} is an address of code")
    return number >> 32 or cage, number & 0xFFFFFFFF


def number_of(reference: str) -> int:
    """A number in decimal or, after ``0x``, hexadecimal; raises ``RequestError``."""
    try:
        number = int(reference, 0)
    except ValueError:
        raise RequestError(f"{reference[:40]!r} is no address") from None
    if not 0 <= number < 1 << 63:
        raise RequestError(f"{reference[:40]} is no address")
    return number
