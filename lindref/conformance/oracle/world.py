"""What was there before the run, as far as it is known: the root, standard input, the first cage's memory (JUDGE-5).

What is not known is whatever the trace needs: a file that is found was there, and is from then on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from lindref import classes
from lindref.conformance.oracle.inputs import UNSEEN
from lindref.conformance.oracle.names import Pairs
from lindref.conformance.oracle.observed import EMPTY
from lindref.posix import console, fdtable, openfile
from lindref.posix.call import i32, i64, u32
from lindref.posix.constants import MAP_ANONYMOUS, MAP_SHARED
from lindref.posix.errno import EEXIST, EFAULT, EISDIR, ENODEV, ENOENT, ENOEXEC, ENOTDIR, ENOTEMPTY, EOVERFLOW
from lindref.posix.fdtable import Opened
from lindref.posix.fs import content, inodes, roots, tree, walk
from lindref.posix.fs.numbers import O_CREAT, O_DIRECTORY, RENAME_EXCHANGE, S_IFDIR, S_IFLNK, S_IFMT
from lindref.posix.fs.records import Directory
from lindref.posix.kernel import Kernel
from lindref.posix.params import CallRow, Direction, ParamKind
from lindref.posix.result import Refused
from lindref.posix.structs import LAYOUTS
from lindref.system.loader import files
from lindref.system.threads import Blocked, Thread
from lindref.trace import encode
from lindref.trace.format import Record

if TYPE_CHECKING:
    from lindref.conformance.oracle.course import Course
    from lindref.conformance.oracle.observed import ObservedSystem

_AT_FDCWD = -100
#: Calls that move bytes from a descriptor: where the count is, and the position (None: the description's offset).
_READS: Mapping[int, tuple[int | None, int | None]] = {0: (2, None), 17: (2, 3), 19: (None, None), 295: (None, 3)}
_LSEEK, _FSTAT, _MMAP, _SEEK_END = 8, 5, 9, 2
_SEEK_DATA, _SEEK_HOLE = 3, 4
#: Calls that work on folders alone (or on files alone): where the descriptor is.
_FOLDER_CALLS: Mapping[int, int] = {78: 0, 81: 0, 9: 4}
_POLLS = frozenset({7, 271})
_SELECT = 23
#: Fields of structures that are facts about the host.
_HOST_FIELDS = frozenset(
    {"f_type", "f_bsize", "f_blocks", "f_bfree", "f_bavail", "f_files", "f_ffree", "f_fsid", "f_frsize"}
)
#: Most bytes that are made up for a file nobody has seen.
_MOST = 1 << 26


@classes.define
class World:
    """What is known of the start. ``root``: the host directory that was the root; without one it is ``unknown``.
    ``virtual``: times of the trace are the model's own. ``unseen``: some bytes stand for others that were not observed.
    """

    root: str | None = None
    mode: str = "cow"
    unknown: bool = True
    virtual: bool = True
    unseen: bool = False
    bare: frozenset[int] = frozenset()
    #: Puts into the root what was there beside.
    furnish: Callable[[Kernel], None] | None = None
    #: Paths of which it was seen whether there is something.
    decided: set[bytes] = classes.field(factory=set)
    #: Files that programs have had in their memories, to be changed.
    mapped: set[int] = classes.field(factory=set)
    #: Files that were there before, of which not all is known: whether their size is.
    loose: dict[int, bool] = classes.field(factory=dict)

    def open(self, kernel: Kernel) -> None:
        """Make the root. Raises `RootError`."""
        roots.open_root(kernel, "blank" if self.root is None else self.mode, self.root)
        if self.unknown and kernel.profile.has("DEV-PLAIN"):  # there, a root has nothing but what was put into it
            for path in (b"/dev/null", b"/dev", b"/tmp"):
                tree.remove_name(kernel, walk.walk(kernel, path, walk.root_of(kernel), walk.Follow.NO))

        if self.furnish is not None:
            self.furnish(kernel)

    def copy(self) -> World:
        """The same for another state."""
        return classes.evolve(self, decided=set(self.decided), mapped=set(self.mapped), loose=dict(self.loose))

    # Programs and memory.

    def image(self, system: ObservedSystem, path: bytes) -> bytes:
        """What stands for the program at ``path``, which is there."""
        found = None if self.unknown else files.open_module(system.kernel, path)
        if found is not None:
            return found.data
        if self._find(system.kernel, path) is None:
            self._add(system.kernel, path, "program")
        return EMPTY

    def bare_memory(self, system: ObservedSystem, cage: int) -> None:
        """What is mapped in a cage's memory was not observed."""
        del system
        self.bare |= {cage}

    def is_bare(self, cage: int) -> bool:
        """Whether what is mapped in a cage's memory is known."""
        return cage in self.bare

    def opaque(self, course: Course, later: Record | None) -> None:
        """Give the next call the result that was observed, whatever it is."""
        ret = later.get("ret") if later is not None else None
        if isinstance(ret, int):
            course.system.overrides = {course.system.call_count + 1: ret}

    # What a call needs.

    def supply(
        self, system: ObservedSystem, record: Record, later: Record | None, row: CallRow | None, pairs: Pairs
    ) -> None:
        """Put in place what the call was seen to find."""
        if row is not None and row.number == _MMAP:
            self._shown(system, pairs)
        if row is None or later is None:
            return
        ret = later.get("ret")
        cage = pairs[0][1]
        if row.number in _READS or row.number in _POLLS or row.number == _SELECT:
            self._input(system, row.number, pairs, later)
        if not self.unknown:
            return
        if (
            row.number in _FOLDER_CALLS
            and isinstance(ret, int)
            and ret == (-ENODEV if row.number == _MMAP else max(ret, 0))
        ):
            self._folder_opened(system, pairs, _FOLDER_CALLS[row.number])
        if row.number in _READS or row.number in (_LSEEK, _FSTAT):
            self._size(system, row.number, cage, pairs, later)
        if any(param.kind is ParamKind.PATH for param in row.params):
            self._paths(system, record, later, row, pairs, ret if isinstance(ret, int) else 0)

    def _opened(self, system: ObservedSystem, pairs: Pairs, at: int = 0) -> Opened | None:
        if pairs[at][1] not in system.kernel.cages:
            return None
        return fdtable.find(system.kernel, pairs[at][1], i64(pairs[at][0]))

    def _shown(self, system: ObservedSystem, pairs: Pairs) -> None:
        """A file that a program has in its memory can be changed there, unseen."""
        if u32(pairs[3][0]) & (MAP_SHARED | MAP_ANONYMOUS) == MAP_SHARED:
            found = self._opened(system, pairs, 4)
            if found is not None and found.file.inode:
                self.mapped.add(found.file.inode)

    # Standard input.

    def _input(self, system: ObservedSystem, number: int, pairs: Pairs, later: Record) -> None:
        """What comes in is what was seen to come in."""
        ret = later.get("ret")
        if not isinstance(ret, int) or ret < 0:
            return
        if number in _READS:
            found = self._opened(system, pairs)
            if found is not None and found.file.kind == "console" and found.file.reads:
                self._feed(system, ret)
            return
        held = console.get(system.kernel, console.STDIN)
        if held.pending or held.ended or not ret:
            return
        for fd, events in _ready(number, later):
            entry = fdtable.find(system.kernel, pairs[0][1], fd) if pairs[0][1] in system.kernel.cages else None
            if entry is not None and entry.file.kind == "console" and entry.file.reads:
                if "POLLIN" in events:
                    console.feed_stdin(system.kernel, UNSEEN)
                elif "POLLHUP" in events:
                    console.end_stdin(system.kernel)

    @staticmethod
    def _feed(system: ObservedSystem, count: int) -> None:
        kernel = system.kernel
        held = console.get(kernel, console.STDIN)
        kernel.consoles = kernel.consoles.set(console.STDIN, classes.evolve(held, pending=b""))
        if count:
            console.feed_stdin(kernel, UNSEEN * count)
        else:
            console.end_stdin(kernel)

    def from_outside(self, system: ObservedSystem, thread: Thread, status: Blocked, record: Record) -> bool:
        """Whether something comes in that ends the wait."""
        del thread
        if not any(key.kind == "console" for key in status.keys):
            return False
        pairs = tuple((arg.value, arg.cage) for arg in status.pending.args)
        self._input(system, status.pending.number, pairs, record)
        return True

    # Files.

    def _size(self, system: ObservedSystem, number: int, cage: int, pairs: Pairs, later: Record) -> None:
        """A file that was there is as long as it was seen to be."""
        del cage
        found = self._opened(system, pairs)
        ret = later.get("ret")
        inode = found.file.inode if found is not None else 0
        if found is None or self.loose.get(inode, True) or not isinstance(ret, int):
            return
        kernel = system.kernel
        if ret in (-EFAULT, -EOVERFLOW):  # neither comes of an empty file
            self._resize(kernel, inode, found.file.offset + 4096)
            return
        if ret < 0:
            return
        if number == _FSTAT:
            self._stated(kernel, inode, later.get("shown", {}).get("1", ""))
        elif number == _LSEEK:
            if i32(pairs[2][0]) == _SEEK_END:
                self._resize(kernel, inode, ret - i64(pairs[1][0]))
                self.loose[inode] = True
            elif i32(pairs[2][0]) in (_SEEK_DATA, _SEEK_HOLE):
                self._resize(kernel, inode, max(ret, i64(pairs[1][0])) + (i32(pairs[2][0]) == _SEEK_DATA))
        else:
            count_at, place_at = _READS[number]
            end = (found.file.offset if place_at is None else i64(pairs[place_at][0])) + ret
            if end > inodes.get(kernel, inode).size and ret:
                self._resize(kernel, inode, end)
            if count_at is not None and ret < pairs[count_at][0]:
                self._resize(kernel, inode, end)
                self.loose[inode] = True

    def _folder_opened(self, system: ObservedSystem, pairs: Pairs, at: int) -> None:
        """What was opened turns out to be a folder."""
        found = self._opened(system, pairs, at)
        if found is not None and found.file.inode:
            self._is_folder(system.kernel, found.file.inode)

    def _is_folder(self, kernel: Kernel, number: int) -> None:
        """What was taken for a file is a folder."""
        if self.loose.get(number, True) or not inodes.get(kernel, number).is_file:
            return
        inodes.change(
            kernel, number, mode=S_IFDIR | 0o755, size=4096, nlink=2, directory=Directory(walk.root_of(kernel))
        )
        self.loose[number] = True
        for description, file in tuple(kernel.descriptions.items()):
            if file.inode == number and file.kind == "file":
                openfile.change(kernel, description, kind="directory")

    def _stated(self, kernel: Kernel, number: int, text: str) -> None:
        """A file is as stat showed it."""
        fields = dict(part.partition("=")[::2] for part in encode.parts(text[1:-1]))
        packed = encode.struct(LAYOUTS["stat"], text)
        if packed is None:
            return
        shown = LAYOUTS["stat"].unpack(packed)
        inode = inodes.get(kernel, number)
        if "st_mode" in fields and shown["st_mode"] & S_IFMT == inode.mode & S_IFMT:
            inodes.change(kernel, number, mode=shown["st_mode"])
        if "st_size" in fields:
            if inode.is_file:
                self._resize(kernel, number, shown["st_size"])
            else:
                inodes.change(kernel, number, size=shown["st_size"])
            self.loose[number] = True

    def _resize(self, kernel: Kernel, number: int, size: int) -> None:
        inode = inodes.get(kernel, number)
        if not inode.is_file or not 0 <= size <= _MOST:
            return
        before = inode.size
        if size > before:
            self.unseen = True
            content.write(kernel, number, before, UNSEEN * (size - before))
        else:
            content.resize(kernel, number, size)

    # Names.

    def _paths(
        self, system: ObservedSystem, record: Record, later: Record, row: CallRow, pairs: Pairs, ret: int
    ) -> None:
        shown = record.get("shown", ())
        first = True
        for at, param in enumerate(row.params):
            if param.kind is not ParamKind.PATH or at >= len(shown) or shown[at] is None:
                continue
            found = encode.string(shown[at])
            base = at - 1 if at and row.params[at - 1].kind is ParamKind.DIRFD else None
            if base is not None and i32(pairs[base][0]) != _AT_FDCWD:
                self._folder_opened(system, pairs, base)
            path = self._absolute(system, found[0], pairs, at, base) if found is not None else None
            if path is None:
                continue
            self._path(system.kernel, row.name, path, pairs, later, ret, source=first)
            first = False

    def _absolute(self, system: ObservedSystem, text: bytes, pairs: Pairs, at: int, base: int | None) -> bytes | None:
        """The path from the root; ``None`` where it means nothing."""
        kernel = system.kernel
        if not text or pairs[at][1] not in kernel.cages:
            return None
        if text.startswith(b"/"):
            return text
        start = kernel.cages[pairs[at][1]].cwd_inode
        if base is not None and i32(pairs[base][0]) != _AT_FDCWD:
            found = self._opened(system, pairs, base)
            start = found.file.inode if found is not None else 0
        if not start or not inodes.exists(kernel, start) or not inodes.get(kernel, start).is_directory:
            return None
        folder = walk.path_of(kernel, start)
        return None if folder is None else folder.rstrip(b"/") + b"/" + text

    def _path(
        self, kernel: Kernel, name: str, path: bytes, pairs: Pairs, later: Record, ret: int, *, source: bool
    ) -> None:
        """Have at ``path`` what the call found there, if nothing says otherwise."""
        key = _plain(path)
        known = key in self.decided
        self.decided.add(key)
        kind = _kind(name, pairs, ret, source=source)
        folders = key.split(b"/")[1:-1] if ret >= 0 else []
        for count in range(1, len(folders) + 1):
            above = self._find(kernel, b"/" + b"/".join(folders[:count]))
            if above is not None:
                self._is_folder(kernel, above)
        held = self._find(kernel, key)
        if held is not None and not self.loose.get(held, True):
            if kind == "folder":
                self._is_folder(kernel, held)
            elif kind == "program":
                roots.add_file(kernel, key, EMPTY, 0o755)
        if known and key.rpartition(b"/")[0] in self.decided:
            return
        if kind == "parent":
            kind, path = "folder", path.rstrip(b"/").rpartition(b"/")[0] or b"/"
        elif kind == "no folder":
            kind, path = "file", path.rstrip(b"/").rpartition(b"/")[0] or b"/"
        path = path.rstrip(b"/") or b"/"
        if kind is None or (known and kind != "folder"):
            return
        found = self._find(kernel, path)
        if found is None:
            self._add(kernel, path, kind, later)
        elif kind == "folder":
            self._is_folder(kernel, found)
        elif found in self.loose and kind == "stat":
            self._stated(kernel, found, later.get("shown", {}).get("1" if name != "newfstatat" else "2", ""))

    @staticmethod
    def _find(kernel: Kernel, path: bytes) -> int | None:
        try:
            return walk.walk(kernel, path, walk.root_of(kernel), walk.Follow.NO).inode
        except Refused:
            return None

    def _add(self, kernel: Kernel, path: bytes, kind: str, later: Record | None = None) -> None:
        """Put something at ``path`` that was there before."""
        text = ""
        if kind == "stat" and later is not None:
            text = next((t for t in later.get("shown", {}).values() if t.startswith("{st_mode")), "")
            packed = encode.struct(LAYOUTS["stat"], text)
            mode = LAYOUTS["stat"].unpack(packed)["st_mode"] & S_IFMT if packed is not None else 0
            kind = {S_IFDIR: "folder", S_IFLNK: "link"}.get(mode, "file")
        try:
            match kind:
                case "folder" | "full folder":
                    made = roots.add_dir(kernel, path)
                    if kind == "full folder":
                        roots.add_file(kernel, path.rstrip(b"/") + b"/unseen", b"")
                case "link":
                    target = encode.string(next(iter((later or {}).get("shown", {}).values()), '"?"'))
                    made = roots.add_symlink(kernel, path, target[0] if target is not None else b"?")
                case "program":
                    made = roots.add_file(kernel, path, EMPTY, 0o755)
                case "no program":
                    made = roots.add_file(kernel, path, b"?", 0o755)
                case _:
                    made = roots.add_file(kernel, path, b"", 0o666)
        except roots.RootError:
            return  # something that is known stands in the way
        if kind == "file":
            self.loose[made.number] = False
        elif text:
            self.loose[made.number] = True
        if text:
            self._stated(kernel, made.number, text)

    # What is taken as it was seen.

    def depends(self, system: ObservedSystem, enter: Record) -> bool:
        """Whether the end of a call tells of what was in a root that is not known."""
        row = system.kernel.rows.get(enter["number"])
        if not self.unknown or row is None:
            return False
        if row.name == "getcwd" or any(param.kind is ParamKind.PATH for param in row.params):
            return True
        if any(p.kind is ParamKind.SOCKADDR and p.direction is Direction.IN for p in row.params):
            return any(text is not None and text.startswith('"\\1\\0') for text in enter.get("shown", ()))
        args = enter.get("args", ())
        for at, param in enumerate(row.params):
            if param.kind is ParamKind.FD and at < len(args):
                value, owner = args[at]
                cage = enter["cage"] if owner is None else owner
                found = fdtable.find(system.kernel, cage, i64(value)) if cage in system.kernel.cages else None
                if found is not None and (found.file.inode in self.loose or found.file.kind == "directory"):
                    return True
        return False

    def takes_result(self, system: ObservedSystem, enter: Record, seen: int, model: int) -> bool:
        """Whether a result that differs says something about what was not known."""
        name = enter.get("name") or getattr(system.kernel.rows.get(enter["number"]), "name", "")
        if name == "getdents64":
            return self.unknown and seen >= 0 and model >= 0
        if name in ("mprotect", "munmap", "msync"):
            return enter["cage"] in self.bare and seen == 0
        if name in ("getuid", "getgid", "geteuid", "getegid"):
            return self.unknown and seen >= 0
        return False

    @staticmethod
    def takes_field(name: str) -> bool:
        """Whether a field of what a call wrote is a fact about the host."""
        return name in _HOST_FIELDS

    def any_content(self, system: ObservedSystem, enter: Record, row: CallRow) -> bool:
        """Whether what was read comes from outside, so that it can be anything."""
        if not row.params or row.params[0].kind is not ParamKind.FD or not enter.get("args"):
            return False
        value, owner = enter["args"][0]
        cage = enter["cage"] if owner is None else owner
        if cage not in system.kernel.cages:
            return False
        found = fdtable.find(system.kernel, cage, i64(value))
        if found is None:
            return False
        return found.file.inode in self.mapped or found.file.kind in ("console", "random", "device", "proc")


def _plain(path: bytes) -> bytes:
    """A path by its components."""
    return b"/" + b"/".join(part for part in path.split(b"/") if part and part != b".")


def _ready(number: int, later: Record) -> list[tuple[int, str]]:
    """The descriptors that poll or select found ready, with what for."""
    shown = later.get("shown", {})
    if number == _SELECT:
        return [(int(word), "POLLIN") for word in shown.get("1", "[]")[1:-1].split() if word.isdigit()]
    found = []
    for item in (encode.items(shown.get("0", "[]")) or ([], False))[0]:
        fields = dict(part.partition("=")[::2] for part in encode.parts(item[1:-1]))
        if fields.get("fd", "").isdigit():
            found.append((int(fields["fd"]), fields.get("revents", "")))
    return found


#: What a call that works found at its path.
_WORKS = {
    **dict.fromkeys(("stat", "lstat", "newfstatat"), "stat"),
    **dict.fromkeys(("readlink", "readlinkat"), "link"),
    **dict.fromkeys(("chdir", "rmdir"), "folder"),
    **dict.fromkeys(("mkdir", "symlink", "symlinkat", "mknod"), "parent"),
    "execve": "program",
}


def _kind(name: str, pairs: Pairs, ret: int, *, source: bool) -> str | None:
    """What there was at a path, as far as the call's end tells."""
    opens = name in ("open", "openat")
    flags = u32(pairs[1 if name == "open" else 2][0]) if opens else 0
    if ret >= 0:
        if opens and flags & O_CREAT:
            return "parent"
        if opens:
            return "folder" if flags & O_DIRECTORY else "file"
        if not source and name == "renameat2" and u32(pairs[4][0]) & RENAME_EXCHANGE:
            return "file"
        if not source:
            return "parent"  # the new name of a link or a file that is moved
        if name == "unlinkat":
            return "folder" if u32(pairs[2][0]) & 0x200 else "file"
        return _WORKS.get(name, "file")
    return {
        EEXIST: "file",
        EISDIR: "folder",
        ENOTEMPTY: "full folder",
        ENOEXEC: "no program",
        ENOTDIR: "file" if name in ("chdir", "rmdir") or flags & O_DIRECTORY else "no folder",
        ENOENT: None,
    }.get(-ret)
