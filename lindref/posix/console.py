"""Standard streams: where the first cage's descriptors 0, 1 and 2 lead.

Input is fed by the system, or fetched by it when all cages wait and one waits for input; output is kept in the state
and told to an observer at once. Rules CONS-1 to CONS-4 in spec/descriptors.md.
"""

from __future__ import annotations

from typing import Any

from lindref import classes
from lindref.posix import fdtable, openfile
from lindref.posix.errno import ENXIO
from lindref.posix.errors import fail
from lindref.posix.fs.numbers import O_RDONLY, O_WRONLY, S_IFCHR, S_IFIFO, device
from lindref.posix.kernel import Kernel
from lindref.posix.openfile import POLLHUP, POLLIN, POLLOUT, POLLRDNORM, POLLWRNORM, Block, OpenFile, Ops
from lindref.posix.outside import STDIN as INPUT
from lindref.posix.result import Key, Refused, WaitKey
from lindref.state.pmap import PMap
from lindref.state.records import record, replace

STDIN = 0
STDOUT = 1
STDERR = 2

#: Pieces of output shorter than this get more appended.
_PIECE = 4096

#: Terminals are pseudo-terminals number 0.
_TTY_DEVICE = device(136, 0)


@record("posix.console", version=2)
class Console:
    """One standard stream. ``pending``: input not yet read; ``ended``: no more comes; ``fetched``: pieces that were
    fetched so far; ``output``: all that was written, in pieces; ``tty``: whether it is a terminal, of ``size`` (rows,
    columns); ``mode``: the permissions that it was given, ``None`` before.
    """

    pending: bytes = b""
    ended: bool = False
    fetched: int = 0
    output: PMap[bytes] = classes.field(factory=PMap)
    tty: bool = False
    size: tuple[int, int] = (24, 80)
    mode: int | None = None


def get(kernel: Kernel, stream: int) -> Console:
    """Standard stream ``stream`` (0, 1 or 2)."""
    console: Console = kernel.consoles.get(stream) or Console()
    return console


def _change(kernel: Kernel, stream: int, **changes: Any) -> None:
    kernel.consoles = kernel.consoles.set(stream, replace(get(kernel, stream), **changes))


def feed_stdin(kernel: Kernel, data: bytes) -> None:
    """Put ``data`` behind the input not yet read (CONS-1)."""
    _change(kernel, STDIN, pending=get(kernel, STDIN).pending + data)
    kernel.touch(Key.CONSOLE, STDIN)


def end_stdin(kernel: Kernel) -> None:
    """No more input comes: reads behind the pending bytes see end of file (CONS-1)."""
    _change(kernel, STDIN, ended=True)
    kernel.touch(Key.CONSOLE, STDIN)


def pull(kernel: Kernel) -> bool:
    """Fetch the next piece of input from outside (CONS-2); False when it has ended or there is no source. For the
    system, when no cage can run and one waits for `Key.CONSOLE`.
    """
    held = get(kernel, STDIN)
    piece = None if held.ended else kernel.outside.fetch(held.fetched)
    if piece is None:
        return False
    if kernel.told is not None:
        kernel.told(INPUT, held.fetched, piece)
    _change(kernel, STDIN, fetched=held.fetched + 1)
    if piece:
        feed_stdin(kernel, piece)
    else:
        end_stdin(kernel)
    return True


def output(kernel: Kernel, stream: int) -> bytes:
    """All that was written to ``stream`` so far (CONS-3)."""
    return b"".join(get(kernel, stream).output.values())


def set_terminal(kernel: Kernel, stream: int, rows: int, columns: int) -> None:
    """Let ``stream`` be a terminal of that size (CONS-4)."""
    _change(kernel, stream, tty=True, size=(rows, columns))


def open_standard(kernel: Kernel, cage: int) -> None:
    """Give ``cage`` descriptors 0, 1 and 2 (CONS-1, CONS-3)."""
    for stream, flags in ((STDIN, O_RDONLY), (STDOUT, O_WRONLY), (STDERR, O_WRONLY)):
        description = openfile.make(kernel, "console", flags, object=stream)
        fdtable.install(kernel, cage, stream, description)


def open_terminal(kernel: Kernel, flags: int) -> int:
    """A description of the terminal that the standard streams are; ENXIO when they are none (CONS-4)."""
    stream = next((one for one in (STDOUT, STDERR, STDIN) if get(kernel, one).tty), None)
    if stream is None:
        raise Refused(fail(ENXIO, "CONS-4"))
    return openfile.make(kernel, "console", flags, object=stream)


# The kind "console". Reading takes input of stream 0 whatever the stream, as from one terminal.


def _peek(kernel: Kernel, number: int, file: OpenFile, count: int) -> bytes | Block:
    """Input that is there, nothing at its end, or that it is waited for (CONS-1)."""
    held = get(kernel, STDIN)
    if not held.pending and not held.ended:
        return Block(_keys(kernel, number, file), "for standard input")
    if held.tty:  # a terminal gives a line at a time
        end = held.pending.find(b"\n") + 1
        return held.pending[: min(count, end or count)]
    return held.pending[:count]


def _take(kernel: Kernel, number: int, file: OpenFile, count: int) -> None:
    del number, file
    _change(kernel, STDIN, pending=get(kernel, STDIN).pending[count:])


def _send(kernel: Kernel, number: int, file: OpenFile, data: bytes) -> int | Block:
    """All is taken (CONS-3)."""
    del number
    stream = file.object or STDOUT
    held = get(kernel, stream)
    piece = len(held.output) - 1
    if piece >= 0 and len(held.output[piece]) < _PIECE:
        _change(kernel, stream, output=held.output.set(piece, held.output[piece] + data))
    else:
        _change(kernel, stream, output=held.output.set(piece + 1, data))
    if kernel.outside.wrote is not None:
        kernel.outside.wrote(stream, data)
    return len(data)


def _ready(kernel: Kernel, number: int, file: OpenFile) -> int:
    del number
    bits = POLLOUT | POLLWRNORM if file.writes else 0
    held = get(kernel, STDIN)
    if file.reads and held.pending:
        bits |= POLLIN | POLLRDNORM
    elif file.reads and held.ended:
        bits |= POLLHUP
    return bits


def _keys(kernel: Kernel, number: int, file: OpenFile) -> tuple[WaitKey, ...]:
    del kernel, number, file
    return (WaitKey(Key.CONSOLE, STDIN),)


def _status(kernel: Kernel, number: int, file: OpenFile) -> dict[str, int]:
    del number
    held = get(kernel, _inode(kernel, file))
    if held.tty:
        mode = 0o620 if held.mode is None else held.mode
        return {"mode": S_IFCHR | mode, "rdev": _TTY_DEVICE, "inode": 3, "links": 1}
    return {"mode": S_IFIFO | (0o600 if held.mode is None else held.mode), "inode": 3 + file.object, "links": 1}


def _inode(kernel: Kernel, file: OpenFile) -> int:
    """The stream that keeps the mode: streams that are terminals are one terminal."""
    if not get(kernel, file.object).tty:
        return file.object
    return next(one for one in (STDIN, STDOUT, STDERR) if get(kernel, one).tty)


def _chmod(kernel: Kernel, number: int, file: OpenFile, mode: int) -> None:
    del number
    _change(kernel, _inode(kernel, file), mode=mode)


openfile.register("console", Ops(_peek, _take, _send, _ready, _keys, status=_status, chmod=_chmod))
