"""Arguments as people read them: derived from the row of the call table and the memory the call sees, nothing else."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from lindref import classes
from lindref.posix import flags
from lindref.posix.call import UNUSED, i32, i64, u32
from lindref.posix.params import RESULT, CallRow, Direction, Param, ParamKind, ReturnKind
from lindref.posix.structs import LAYOUTS, Field, Layout
from lindref.system.events import Pair

#: Reads ``count`` bytes at a host address, or ``None``.
Reader = Callable[[int, int], bytes | None]

MAX_STRING = 32
MAX_ITEMS = 8
#: Structures of which, as strace does, only these fields are shown.
BRIEF: dict[str, tuple[str, ...]] = {
    "stat": ("st_mode", "st_size"),
    "clone_args": ("flags", "exit_signal", "stack", "stack_size"),
}
_FILE_TYPES = {
    0o010000: "S_IFIFO",
    0o020000: "S_IFCHR",
    0o040000: "S_IFDIR",
    0o060000: "S_IFBLK",
    0o100000: "S_IFREG",
    0o120000: "S_IFLNK",
    0o140000: "S_IFSOCK",
}
_AT_FDCWD = -100
_PATH_MAX = 4096
_PLAIN: dict[ParamKind, Callable[[int], str]] = {
    ParamKind.INT: lambda v: str(i32(v)),
    ParamKind.UINT: lambda v: str(u32(v)),
    ParamKind.LONG: lambda v: str(i64(v)),
    ParamKind.SIZE: str,
    ParamKind.HEX: hex,
    ParamKind.MODE: lambda v: f"0{u32(v):o}",
    ParamKind.DEVICE: hex,
    ParamKind.FD: lambda v: str(i32(v)),
    ParamKind.DIRFD: lambda v: "AT_FDCWD" if i32(v) == _AT_FDCWD else str(i32(v)),
    ParamKind.SIGNAL: lambda v: flags.signal(i32(v)),
    ParamKind.PID: lambda v: str(i32(v)),
    ParamKind.TID: lambda v: str(i32(v)),
    ParamKind.UID: lambda v: str(u32(v)) if u32(v) != 0xFFFFFFFF else "-1",
    ParamKind.GUEST_ADDRESS: lambda v: "NULL" if not u32(v) else hex(u32(v)),
    ParamKind.IGNORED: lambda v: "unused" if v == UNUSED else hex(v),
    ParamKind.POINTER: lambda v: "NULL" if not v else hex(v),
    ParamKind.VARIES: lambda v: "unused" if v == UNUSED else hex(v),
}


def quoted(data: bytes, more: bool = False) -> str:
    """Bytes in strace's quotes: C escapes, at most ``MAX_STRING`` of them, ``...`` behind a cut."""
    out = []
    for i, byte in enumerate(data[:MAX_STRING]):
        char = chr(byte)
        if char in '"\\':
            out.append("\\" + char)
        elif 32 <= byte < 127:
            out.append(char)
        elif char in "\n\t\r\v\f":
            out.append({"\n": "\\n", "\t": "\\t", "\r": "\\r", "\v": "\\v", "\f": "\\f"}[char])
        else:
            following = data[i + 1 : i + 2]
            out.append(f"\\{byte:03o}" if following.isdigit() else f"\\{byte:o}")
    return '"' + "".join(out) + '"' + ("..." if more or len(data) > MAX_STRING else "")


@classes.frozen
class Decoder:
    """Shows the arguments of calls; ``read`` reaches the cages' memories by host address."""

    read: Reader

    def before(self, row: CallRow, args: Sequence[Pair]) -> list[str | None]:
        """The arguments that can be shown when the call enters; ``None`` for those that its result brings."""
        shown: list[str | None] = []
        for param, (value, _) in zip(row.params, args, strict=False):
            if param.only_if is not None and not self._named(row, args, param.only_if[0]) & param.only_if[1]:
                continue
            later = param.direction is Direction.OUT and value != 0
            shown.append(None if later else self._show(param, row, args, value, None))
        return shown

    @staticmethod
    def _named(row: CallRow, args: Sequence[Pair], name: str) -> int:
        """The value of the parameter with a name."""
        return args[next(i for i, p in enumerate(row.params) if p.name == name)][0]

    def after(self, row: CallRow, args: Sequence[Pair], result: int) -> dict[int, str]:
        """The arguments that the call wrote, by position; addresses where it failed."""
        shown: dict[int, str] = {}
        for i, (param, (value, _)) in enumerate(zip(row.params, args, strict=False)):
            if param.direction is not Direction.IN and value != 0:
                failed = -4096 < result < 0
                if param.direction is Direction.OUT and failed:
                    shown[i] = hex(value)
                elif not failed:
                    shown[i] = self._show(param, row, args, value, result)
        return shown

    def _show(self, param: Param, row: CallRow, args: Sequence[Pair], value: int, result: int | None) -> str:
        plain = _PLAIN.get(param.kind)
        if plain is not None:
            return plain(value)
        if param.kind is ParamKind.FLAGS:
            return flags.flags(param.names or "", u32(value))
        if param.kind is ParamKind.ENUM:
            return flags.enum(param.names or "", u32(value))
        if value == 0:
            return "NULL"
        return self._pointed(param, value, self._length(param, row, args, result)) or hex(value)

    def _length(self, param: Param, row: CallRow, args: Sequence[Pair], result: int | None) -> int:
        """How many bytes (or items) a buffer (or array) argument has."""
        length: int
        if param.length is None:
            length = 1
        elif param.length == RESULT:
            length = result if result is not None else 0
        elif isinstance(param.length, int):
            length = param.length
        else:
            index = next(i for i, p in enumerate(row.params) if p.name == param.length)
            length = u32(args[index][0])
            if row.params[index].kind is ParamKind.INT_CELL:
                cell = self.read(args[index][0], 4)
                length = int.from_bytes(cell, "little") if cell else 0
        counts = row.returns is ReturnKind.COUNT and param.kind is ParamKind.BUFFER
        if counts and param.direction is Direction.OUT and result is not None:
            length = min(length, max(result, 0))
        return length

    def size(self, param: Param, row: CallRow, args: Sequence[Pair]) -> int:
        """How many bytes the call may read or write where the argument points to; 0 where that is not known."""
        length = self._length(param, row, args, None)
        match param.kind:
            case ParamKind.STRUCT | ParamKind.ARRAY:
                return LAYOUTS[param.struct or ""].size * (length if param.kind is ParamKind.ARRAY else 1)
            case ParamKind.WAIT_STATUS | ParamKind.INT_CELL:
                return 4
            case ParamKind.LONG_CELL | ParamKind.SIGSET:
                return 8
            case ParamKind.FD_SET:
                return 128
            case ParamKind.BUFFER | ParamKind.SOCKADDR:
                return length
            case _:
                return 0

    def _pointed(self, param: Param, address: int, length: int) -> str | None:
        """What lies at ``address``; ``None`` where it cannot be read."""
        match param.kind:
            case ParamKind.PATH | ParamKind.CSTRING:
                return self._string(address)
            case ParamKind.BUFFER | ParamKind.SOCKADDR:
                data = self.read(address, min(length, MAX_STRING + 1)) if length else b""
                return None if data is None else quoted(data, more=length > MAX_STRING)
            case ParamKind.STRUCT:
                return self._struct(LAYOUTS[param.struct or ""], address)
            case ParamKind.ARRAY:
                layout = LAYOUTS[param.struct or ""]
                items = [self._struct(layout, address + i * layout.size) for i in range(min(length, MAX_ITEMS))]
                if None in items:
                    return None
                return "[" + ", ".join(i for i in items if i) + (", ..." if length > MAX_ITEMS else "") + "]"
            case ParamKind.IOVEC:
                return self._iovec(address, length)
            case ParamKind.STRINGS:
                return self._strings(address)
            case ParamKind.SIGSET:
                data = self.read(address, 8)
                return None if data is None else flags.signal_set(int.from_bytes(data, "little"))
            case ParamKind.WAIT_STATUS:
                data = self.read(address, 4)
                return None if data is None else f"[{wait_status(int.from_bytes(data, 'little'))}]"
            case ParamKind.INT_CELL | ParamKind.LONG_CELL:
                width = 4 if param.kind is ParamKind.INT_CELL else 8
                data = self.read(address, width)
                return None if data is None else f"[{int.from_bytes(data, 'little', signed=True)}]"
            case ParamKind.FD_SET:
                data = self.read(address, 128)
                if data is None:
                    return None
                bits = int.from_bytes(data, "little")
                return "[" + " ".join(str(i) for i in range(1024) if bits >> i & 1) + "]"
            case _:
                return None

    def _string(self, address: int) -> str | None:
        out = b""
        while len(out) < _PATH_MAX:
            chunk = self.read(address + len(out), 64 - (address + len(out)) % 64)
            if chunk is None:
                return None
            end = chunk.find(b"\0")
            if end >= 0:
                text = out + chunk[:end]
                return '"' + quoted_all(text) + '"'
            out += chunk
        return quoted(out, more=True)

    def _strings(self, address: int) -> str | None:
        items: list[str] = []
        while len(items) < MAX_ITEMS:
            cell = self.read(address + 8 * len(items), 8)
            if cell is None:
                return None
            pointer = int.from_bytes(cell, "little")
            if not pointer:
                return "[" + ", ".join(items) + "]"
            items.append(self._string(pointer) or hex(pointer))
        return "[" + ", ".join(items) + ", ...]"

    def _iovec(self, address: int, count: int) -> str | None:
        items = []
        for i in range(min(count, MAX_ITEMS)):
            cell = self.read(address + 16 * i, 16)
            if cell is None:
                return None
            base, length = int.from_bytes(cell[:8], "little"), int.from_bytes(cell[8:], "little")
            data = self.read(base, min(length, MAX_STRING + 1)) if length else b""
            shown = hex(base) if data is None else quoted(data, more=length > MAX_STRING)
            items.append(f"{{iov_base={shown}, iov_len={length}}}")
        return "[" + ", ".join(items) + (", ..." if count > MAX_ITEMS else "") + "]"

    def _struct(self, layout: Layout, address: int) -> str | None:
        data = self.read(address, layout.size)
        if data is None:
            return None
        values = layout.unpack(data)
        brief = BRIEF.get(layout.name)
        shown = [f for f in layout.fields if brief is None or f.name in brief]
        parts = [f"{f.name}={_field(f, values[f.name])}" for f in shown] + ([] if brief is None else ["..."])
        return "{" + ", ".join(parts) + "}"


def quoted_all(data: bytes) -> str:
    """All of ``data`` escaped, without quotes: paths are never cut."""
    return "".join(quoted(data[i : i + MAX_STRING])[1:-1] for i in range(0, len(data), MAX_STRING))


def _field(field: Field, value: int) -> str:
    """A structure's field."""
    match field.show:
        case "hex":
            return hex(value)
        case "octal":
            return f"0{value:o}"
        case "mode":
            kind = _FILE_TYPES.get(value & 0o170000)
            return f"{kind}|0{value & 0o7777:o}" if kind else f"0{value:o}"
        case "flags":
            return flags.flags(field.names or "", value)
        case "enum":
            return flags.enum(field.names or "", value)
        case "signal":
            return flags.signal(value)
        case "signals":
            return flags.signal_set(value)
        case "handler":
            return {0: "SIG_DFL", 1: "SIG_IGN"}.get(value, str(value))
        case _:
            return str(value)


def wait_status(status: int) -> str:
    """A wait status as strace shows it."""
    if status & 0xFFFF == 0xFFFF:
        return "{WIFCONTINUED(s)}"
    if status & 0x7F == 0:
        return f"{{WIFEXITED(s) && WEXITSTATUS(s) == {status >> 8 & 255}}}"
    if status & 0xFF == 0x7F:
        return f"{{WIFSTOPPED(s) && WSTOPSIG(s) == {flags.signal(status >> 8 & 255)}}}"
    return f"{{WIFSIGNALED(s) && WTERMSIG(s) == {flags.signal(status & 127)}}}"


def shown_result(row: CallRow | None, result: int) -> str:
    """A result that is no error."""
    if row is not None and row.returns is ReturnKind.ADDRESS:
        return hex(u32(result))
    if row is not None and row.returns is ReturnKind.MODE:
        return f"0{result:o}"
    return str(result)
