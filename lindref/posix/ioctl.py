"""ioctl: the few requests that mean something here. Rules IOCTL-1 to IOCTL-4 in spec/descriptors.md."""

from __future__ import annotations

from lindref.posix import console, fdtable, openfile, pipes
from lindref.posix import usermem as user
from lindref.posix.call import Call
from lindref.posix.constants import FD_MAX
from lindref.posix.errno import EBADF, EFAULT, ENOTTY
from lindref.posix.errors import fail
from lindref.posix.fdtable import Opened
from lindref.posix.fs import inodes
from lindref.posix.fs.numbers import O_ASYNC, O_NONBLOCK
from lindref.posix.kernel import Kernel
from lindref.posix.net import records as sockets
from lindref.posix.params import CallRow, Param, ParamKind
from lindref.posix.result import Done, Refused, Result, RuntimeFault

TCGETS = 0x5401
TCSETS = 0x5402
TCSETSW = 0x5403
TCSETSF = 0x5404
TIOCGPGRP = 0x540F
TIOCGWINSZ = 0x5413
FIONREAD = 0x541B
FIONBIO = 0x5421
FIONCLEX = 0x5450
FIOCLEX = 0x5451
FIOASYNC = 0x5452

#: What the recorded implementation knows; any other request ends it (IOCTL-ABORT).
_RECORDED = frozenset({FIOCLEX, FIONBIO, FIOASYNC, FIONREAD, TIOCGWINSZ})

#: What only terminals know (IOCTL-4).
_TERMINAL = frozenset({TCGETS, TCSETS, TCSETSW, TCSETSF, TIOCGPGRP, TIOCGWINSZ})

#: The settings of a terminal in its usual mode: input, output, control and local flags, line discipline, characters.
_TERMIOS = (
    b"\x00\x05\x00\x00\x05\x00\x00\x00\xbf\x00\x00\x00\x3b\x8a\x00\x00\x00"
    b"\x03\x1c\x7f\x15\x04\x00\x01\x00\x11\x13\x1a\x00\x12\x0f\x17\x16\x00\x00\x00"
)


def ioctl(kernel: Kernel, call: Call) -> Result:
    """Do a request on an open descriptor (IOCTL-1)."""
    # Arguments.
    request, address = call.u32(1), call.value(2)
    found = fdtable.argument(kernel, call, 0)
    # Errors.
    if request == FIOCLEX and not 0 <= call.i64(0) < FD_MAX and kernel.profile.has("FD-BEYOND"):
        raise Refused(RuntimeFault("ioctl: descriptor index beyond the table", "FD-BEYOND"))
    if found is None or found.file.kind == "path":
        return fail(EBADF, "FD-1")
    if request not in _RECORDED and kernel.profile.has("IOCTL-ABORT"):
        return RuntimeFault(f"ioctl: unsupported request {request:#x}", "IOCTL-ABORT")
    # Effect and result.
    if request in (FIOCLEX, FIONCLEX):
        fdtable.set_cloexec(kernel, call.cage(0), found.fd, on=request == FIOCLEX)
        return Done(0)
    if request in (FIONBIO, FIOASYNC):
        return _set_flag(kernel, found, address, O_NONBLOCK if request == FIONBIO else O_ASYNC)
    if request == FIONREAD:
        return _unread(kernel, found, address)
    if request in _TERMINAL:
        return _terminal(kernel, call, found, request, address)
    return fail(ENOTTY, "IOCTL-1")


def _set_flag(kernel: Kernel, found: Opened, address: int, flag: int) -> Result:
    """FIONBIO, FIOASYNC: set or clear a status flag as the int at ``address`` says (IOCTL-2)."""
    data = user.copy_in(kernel, address, 4)
    if data is None:
        return fail(EFAULT, "IOCTL-2")
    if flag == O_ASYNC and found.file.kind in ("file", "directory"):
        return fail(ENOTTY, "IOCTL-2")
    flags = found.file.flags | flag if any(data) else found.file.flags & ~flag
    openfile.change(kernel, found.number, flags=flags)
    return Done(0)


def _unread(kernel: Kernel, found: Opened, address: int) -> Result:
    """FIONREAD: how many bytes could be read now (IOCTL-3)."""
    file = found.file
    if file.kind == "file":
        count = inodes.get(kernel, file.inode).size - file.offset
    elif file.kind == "pipe":
        count = pipes.get(kernel, file.object).held
    elif file.kind == "socket":
        socket = sockets.get(kernel, file.object)
        count = socket.held if socket.streams or not socket.inbox else len(socket.inbox[0].data)
    elif file.kind == "console":
        count = len(console.get(kernel, console.STDIN).pending)
    else:
        return fail(ENOTTY, "IOCTL-3")
    count = max(-0x80000000, min(count, 0x7FFFFFFF))
    if not user.copy_out(kernel, address, (count & 0xFFFFFFFF).to_bytes(4, "little")):
        return fail(EFAULT, "IOCTL-3")
    return Done(0)


def _terminal(kernel: Kernel, call: Call, found: Opened, request: int, address: int) -> Result:
    """What only terminals answer; settings can be read, and setting them changes nothing (IOCTL-4)."""
    held = console.get(kernel, found.file.object)
    if found.file.kind != "console" or not held.tty:
        return fail(ENOTTY, "IOCTL-4")
    if request in (TCSETS, TCSETSW, TCSETSF):
        return Done(0) if user.readable(kernel, address, len(_TERMIOS)) else fail(EFAULT, "IOCTL-4")
    if request == TIOCGWINSZ:
        rows, columns = held.size
        answer = rows.to_bytes(2, "little") + columns.to_bytes(2, "little") + bytes(4)
    elif request == TIOCGPGRP:
        answer = call.target.to_bytes(4, "little")
    else:
        answer = _TERMIOS
    return Done(0) if user.copy_out(kernel, address, answer) else fail(EFAULT, "IOCTL-4")


CALLS: tuple[CallRow, ...] = (
    CallRow(
        16,
        "ioctl",
        (Param("fd", ParamKind.FD), Param("request", ParamKind.ENUM, names="ioctl"), Param("arg", ParamKind.VARIES)),
        ioctl,
    ),
)
