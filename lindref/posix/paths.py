"""Path arguments: from a guest pointer to a place in the tree.

Rules PATH-1 to PATH-12 in spec/paths.md. Profile ``lind`` normalises a path as text before the kernel sees it;
profile ``spec`` walks it as it is.
"""

from __future__ import annotations

from lindref import classes
from lindref.posix import fdtable
from lindref.posix import usermem as user
from lindref.posix.call import Call
from lindref.posix.constants import PATH_MAX
from lindref.posix.errno import EBADF, EFAULT, ENAMETOOLONG, ENOENT, ENOTDIR
from lindref.posix.errors import fail
from lindref.posix.fs import inodes
from lindref.posix.fs.numbers import AT_FDCWD
from lindref.posix.fs.walk import Follow, Last, Place, root_of, walk
from lindref.posix.kernel import Kernel
from lindref.posix.result import Refused, RuntimeFault

#: How far profile ``lind`` looks for the NUL of a path.
_FAR = 1 << 20


@classes.frozen
class Path:
    """A path argument, read but not yet walked: its bytes and the inode that relative ones begin at."""

    text: bytes
    start: int

    def walk(self, kernel: Kernel, follow: Follow = Follow.YES) -> Place:
        """The place it means."""
        return walk(kernel, self.text, self.start, follow)


def normalise(cwd: bytes, path: bytes) -> bytes:
    """``path`` as an absolute path without ``.``, ``..`` and empty components, worked out as text alone; a slash at
    its end stays (PATH-LEXICAL). The empty path is ``cwd``.
    """
    parts: list[bytes] = []
    for part in (path if path.startswith(b"/") else cwd + b"/" + path).split(b"/"):
        if part == b"..":
            del parts[-1:]
        elif part and part != b".":
            parts.append(part)
    text = b"/" + b"/".join(parts)
    return text + b"/" if path.endswith(b"/") and text != b"/" else text


def text(kernel: Kernel, call: Call, slot: int, what: str = "the path") -> bytes:
    """The bytes of the string in argument ``slot``: EFAULT for NULL or where reading faults (PATH-1), ENAMETOOLONG
    from PATH_MAX on (PATH-2); in profile ``lind`` also EFAULT for what is not UTF-8 (PATH-UTF8).
    """
    address = call.value(slot)
    lexical = kernel.profile.has("PATH-LEXICAL")
    found = user.cstring(kernel, address, _FAR if lexical else PATH_MAX)
    if found is None:
        if address:
            user.require_mapped(kernel, mapped=False, what=f"{kernel.rows[call.number].name}: {what}")
        raise Refused(fail(EFAULT, "PATH-1"))
    if kernel.profile.has("PATH-UTF8") and not _is_utf8(found):
        raise Refused(fail(EFAULT, "PATH-12"))
    if not lexical:
        _require_short(found)
    return found


def path(kernel: Kernel, call: Call, slot: int) -> Path:
    """The path in argument ``slot``, relative to the working directory of the argument's cage (PATH-4)."""
    given = text(kernel, call, slot)
    if not given and not kernel.profile.has("PATH-EMPTY"):
        raise Refused(fail(ENOENT, "PATH-3"))
    cage = kernel.cage(call.cage(slot))
    if not kernel.profile.has("PATH-LEXICAL"):
        return Path(given, cage.cwd_inode)
    short = normalise(cage.cwd, given)
    _require_short(short)
    return Path(short, root_of(kernel))


def path_at(kernel: Kernel, call: Call, dirfd: int, slot: int, *, empty: bool = False, panics: bool = True) -> Path:
    """The path in argument ``slot`` of an *at call, relative to the directory in argument ``dirfd`` (PATH-11).

    ``empty``: the empty path means the file that ``dirfd`` refers to (AT_EMPTY_PATH). ``panics``: in profile ``lind``
    a path that cannot be read ends the host when a real descriptor is given (PATH-NULL-DIRFD).
    """
    if call.i32(dirfd) == AT_FDCWD:
        if not empty:
            return path(kernel, call, slot)
        given = text(kernel, call, slot)
        return path(kernel, call, slot) if given else Path(b"", kernel.cage(call.cage(slot)).cwd_inode)
    opened = fdtable.argument(kernel, call, dirfd)
    if kernel.profile.has("DIRFD-ALWAYS") and opened is None:
        raise Refused(fail(EBADF, "PATH-11"))
    try:
        given = text(kernel, call, slot)
    except Refused as refusal:
        if panics and kernel.profile.has("PATH-NULL-DIRFD") and not isinstance(refusal.result, RuntimeFault):
            name = kernel.rows[call.number].name
            raise Refused(RuntimeFault(f"{name}: a path that cannot be read", "PATH-NULL-DIRFD")) from None
        raise
    _require_short(given)
    if given.startswith(b"/"):
        return Path(given, root_of(kernel))
    if not given and not empty:
        raise Refused(fail(ENOENT, "PATH-3"))
    if opened is None:
        raise Refused(fail(EBADF, "PATH-11"))
    if not given and not opened.file.inode:
        return Path(given, 0)
    if given and (not opened.file.inode or not inodes.get(kernel, opened.file.inode).is_directory):
        raise Refused(fail(ENOTDIR, "PATH-11"))
    return Path(given, opened.file.inode)


def target(kernel: Kernel, where: Path, follow: Follow) -> Place:
    """The place ``where`` means; for an empty path (AT_EMPTY_PATH) its start itself."""
    if where.text:
        return where.walk(kernel, follow)
    return Place(where.start, b"", Last.DOT, where.start, slash=False)


def _require_short(given: bytes) -> None:
    """Refuse a path that with its NUL is longer than PATH_MAX (PATH-2)."""
    if len(given) >= PATH_MAX:
        raise Refused(fail(ENAMETOOLONG, "PATH-2"))


def _is_utf8(given: bytes) -> bool:
    try:
        given.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
