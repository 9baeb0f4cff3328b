"""execve: finding the image, scripts, and the strings that the new image gets (rules EXEC-1 to EXEC-8 in
spec/processes.md).
"""

from __future__ import annotations

import re

from lindref import classes
from lindref.posix import paths
from lindref.posix import usermem as user
from lindref.posix.call import Call
from lindref.posix.constants import PATH_MAX
from lindref.posix.errno import E2BIG, EACCES, EFAULT, ELOOP, ENOENT, ENOEXEC
from lindref.posix.errors import fail
from lindref.posix.fs import access, content
from lindref.posix.fs.numbers import X_OK
from lindref.posix.fs.records import Inode
from lindref.posix.fs.walk import walk
from lindref.posix.kernel import Kernel
from lindref.posix.params import CallRow, Param, ParamKind, ReturnKind
from lindref.posix.result import Exec, Refused, Result

#: How a module begins.
MAGIC = b"\0asm"

#: Bytes of one argument or environment string, and of all together, NULs included.
STRING_MAX = 128 << 10
TOTAL_MAX = 2 << 20

#: The interpreter and the rest of the line, without the blanks before them.
_WORDS = re.compile(rb"[ \t]*([^ \t]+)[ \t]*(.*)", re.DOTALL)

#: Bytes of a script that are looked at for its interpreter.
_LINE = 255

#: Scripts that may stand before the module (EXEC-5).
_LEVELS = 5
_LEVELS_RECORDED = 3


@classes.frozen
class _Found:
    """The module that a path leads to in the end, and the arguments it gets."""

    path: bytes
    inode: Inode
    argv: tuple[bytes, ...]


def execve(kernel: Kernel, call: Call) -> Result:
    """Replace the image of the target (EXEC-1 to EXEC-6)."""
    # Arguments.
    cage = kernel.cage(call.target)
    path, start = _path(kernel, call)
    argv = _strings(kernel, call.value(1), "argv")
    env = _strings(kernel, call.value(2), "envp")
    if kernel.profile.has("EXEC-ENV"):
        env = tuple(entry for entry in env if b"=" in entry) or cage.env
    # Errors.
    if sum(len(one) + 1 for one in argv + env) > TOTAL_MAX:
        return fail(E2BIG, "EXEC-2")
    found = _find(kernel, path, start, argv)
    # Result.
    given = found.argv or (b"",)
    if kernel.profile.has("EXEC-ARGV0"):
        given = (found.path, *given[1:])
    image = content.read(kernel, found.inode.number, 0, found.inode.size)
    return Exec(cage.id, found.path, image, given, env)


def _path(kernel: Kernel, call: Call) -> tuple[bytes, int]:
    """The path argument and the inode that relative paths begin at (EXEC-1)."""
    if not kernel.profile.has("HOST-CWD"):
        given = paths.path(kernel, call, 0)
        return given.text, given.start
    text = user.cstring(kernel, call.value(0), PATH_MAX)
    if text is None:
        user.require_mapped(kernel, not call.value(0), "execve: the path")
        raise Refused(fail(EFAULT, "EXEC-1"))
    # The path is read lossily and resolved against the host's working directory (EXEC-LOSSY).
    return _lossy(text), kernel.host_cwd or kernel.cage(call.cage(0)).cwd_inode


def _lossy(text: bytes) -> bytes:
    """``text`` with what is not UTF-8 replaced by U+FFFD."""
    return text.decode("utf-8", "replace").encode()


def _strings(kernel: Kernel, address: int, what: str) -> tuple[bytes, ...]:
    """The strings of a NULL-terminated array of 64-bit pointers; a null array has none (EXEC-2)."""
    if not address:
        user.require_mapped(kernel, mapped=False, what=f"execve: {what}")
        return ()
    out: list[bytes] = []
    total = 0
    while True:
        cell = user.copy_in(kernel, address + 8 * len(out), 8)
        pointer = int.from_bytes(cell or b"", "little")
        text = user.cstring(kernel, pointer, STRING_MAX) if pointer else b""
        user.require_mapped(kernel, cell is not None and text is not None, f"execve: {what}")
        if cell is None or text is None:
            raise Refused(fail(EFAULT, "EXEC-2"))
        if not pointer:
            return tuple(out)
        total += len(text) + 1
        if len(text) >= STRING_MAX or total > TOTAL_MAX or 8 * len(out) > TOTAL_MAX:
            raise Refused(fail(E2BIG, "EXEC-2"))
        out.append(_lossy(text) if kernel.profile.has("EXEC-LOSSY") else text)


def _find(kernel: Kernel, path: bytes, start: int, argv: tuple[bytes, ...]) -> _Found:
    """Follow scripts to the module (EXEC-3 to EXEC-5)."""
    recorded = kernel.profile.has("EXEC-SCRIPTS")
    levels = 0
    while True:
        inode = _executable(kernel, path, start)
        head = content.read(kernel, inode.number, 0, _LINE) if inode.is_file else b""
        if head.startswith(MAGIC):
            return _Found(path, inode, argv)
        beside = _beside(kernel, path, start)
        if beside is not None:
            return _Found(beside[0], beside[1], argv)
        line = _interpreter(head, recorded=recorded)
        if line is None:
            raise Refused(fail(ENOEXEC, "EXEC-4"))
        levels += 1
        if levels > (_LEVELS_RECORDED if recorded else _LEVELS):
            raise Refused(fail(ELOOP, "EXEC-5"))
        argv = (*line, *(argv if recorded else (path, *argv[1:])))
        path = line[0]


def _beside(kernel: Kernel, path: bytes, start: int) -> tuple[bytes, Inode] | None:
    """The plain module beside a file of machine code, with its path (EXEC-11)."""
    stem, _, ending = path.rpartition(b".")
    for other in (stem + b".wasm", stem + b".so") if ending == b"cwasm" else ():
        place = walk(kernel, other, start)
        inode = None if place.inode is None else place.found(kernel)
        if inode is not None and inode.is_file and content.read(kernel, inode.number, 0, 4) == MAGIC:
            return other, inode
    return None


def _executable(kernel: Kernel, path: bytes, start: int) -> Inode:
    """The file that is to be executed: there, and unless as recorded a regular file with permission (EXEC-3). As
    recorded (EXEC-MISSING) nobody asks why it is not there."""
    if not path:
        raise Refused(fail(ENOENT, "EXEC-3"))
    try:
        inode = walk(kernel, path, start).found(kernel)
    except Refused:
        if kernel.profile.has("EXEC-MISSING"):
            raise Refused(fail(ENOENT, "EXEC-3")) from None
        raise
    if not kernel.profile.has("EXEC-UNCHECKED"):
        if not inode.is_file:
            raise Refused(fail(EACCES, "EXEC-3"))
        access.require(kernel, inode, X_OK, "EXEC-3")
    return inode


def _interpreter(head: bytes, *, recorded: bool) -> tuple[bytes, ...] | None:
    """The interpreter that a script's first line names, and its one argument if there is one; None for no script
    (EXEC-5). As recorded a CR at the end of the line goes and blanks after the argument stay.
    """
    if not head.startswith(b"#!"):
        return None
    line = head[2:].split(b"\n", 1)[0]
    words = _WORDS.match(line.rstrip(b"\r") if recorded else line.rstrip(b" \t"))
    if words is None:
        return None
    return (words[1], words[2]) if words[2] else (words[1],)


CALLS: tuple[CallRow, ...] = (
    CallRow(
        59,
        "execve",
        (
            Param("path", ParamKind.PATH),
            Param("argv", ParamKind.STRINGS),
            Param("envp", ParamKind.STRINGS),
        ),
        execve,
        ReturnKind.NEVER,
    ),
)
