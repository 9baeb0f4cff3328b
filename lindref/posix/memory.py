"""Memory of a cage: mmap, munmap, mprotect, brk, and what happens to the map when cages come and go.

The map (`vmmap`) in the cage's record decides; the cage's `Memory` follows it. Addresses are offsets in the target's
linear memory, except for munmap and mprotect, which get host addresses. Rules MEM-1 to MEM-15 in spec/memory.md.
"""

from __future__ import annotations

from lindref.posix import fdtable, limits, vmmap
from lindref.posix.cage import Cage, Mapping
from lindref.posix.call import Call
from lindref.posix.constants import (
    MAP_ANONYMOUS,
    MAP_FIXED,
    MAP_FIXED_NOREPLACE,
    MAP_HUGETLB,
    MAP_PRIVATE,
    MAP_SHARED,
    PAGE,
    PAGES,
    PROT_EXEC,
    PROT_READ,
    PROT_WRITE,
)
from lindref.posix.errno import EACCES, EBADF, EEXIST, EINVAL, ENODEV, ENOMEM
from lindref.posix.errors import ErrorSet, fail
from lindref.posix.flags import SETS
from lindref.posix.flags import flags as flag_names
from lindref.posix.fs import inodes, populate
from lindref.posix.fs.numbers import O_PATH
from lindref.posix.kernel import Hooks, Kernel
from lindref.posix.mapping import access, commit, holes, lay, lose, release_all, retain_all
from lindref.posix.params import CallRow, Param, ParamKind, ReturnKind
from lindref.posix.result import Done, Refused, Result, RuntimeFault
from lindref.state.pmap import PMap
from lindref.state.records import replace

#: The flags of mmap that the recorded implementation knows; any other ends it (deviation ``MMAP-ABORT``).
_KNOWN_FLAGS = 0x8033

#: All flags that mmap accepts; those not acted on only hint (MEM-6).
_ACCEPTED_FLAGS = sum(SETS["map"]) & ~MAP_HUGETLB


def _pages(length: int) -> int:
    """Pages that ``length`` bytes take."""
    return -(-length // PAGE)


# mmap.


def mmap(kernel: Kernel, call: Call) -> Result:
    """Map pages (MEM-5 to MEM-9). The descriptor is looked up in the target's table."""
    # Arguments.
    address, length, prot, flags = call.u32(0), call.value(1), call.i32(2), call.u32(3)
    fd, offset = call.i32(4), call.i64(5)
    cage = kernel.cage(call.target)
    count = _pages(length)
    fixed = bool(flags & (MAP_FIXED | MAP_FIXED_NOREPLACE))
    strict = kernel.profile.has("MMAP-STRICT")
    _abort_unsupported(kernel, prot, flags)
    # Errors.
    errors = ErrorSet()
    errors.add(bool(flags & MAP_HUGETLB) or bool(flags & ~_ACCEPTED_FLAGS & ~MAP_HUGETLB), EINVAL, "MEM-6")
    errors.add(bool(prot & PROT_EXEC), EINVAL, "MEM-7")
    errors.add(bool(address % PAGE) and (fixed or strict), EINVAL, "MEM-5")
    errors.add(bool(offset % PAGE), EINVAL, "MEM-5")
    errors.add(offset < 0 and (strict or not flags & MAP_ANONYMOUS), EINVAL, "MEM-5")
    if errors:
        return errors.first() or Done(-EINVAL)
    if length == 0 and not (strict and fixed):
        if kernel.profile.has("MMAP-ABORT"):
            raise Refused(RuntimeFault("mmap: an empty interval", "MMAP-ABORT"))
        return fail(EINVAL, "MEM-5")
    first = address // PAGE if fixed else _find(cage, count, address, strict=strict)
    kinds = flags & (MAP_SHARED | MAP_PRIVATE)
    errors.add(first is None, ENOMEM, "MEM-2")
    errors.add(limits.memory_full(cage, count), ENOMEM, "LIMIT-3")
    errors.add(fixed and address // PAGE + count > PAGES, EINVAL, "MEM-5")
    errors.add(kinds not in (MAP_SHARED, MAP_PRIVATE), EINVAL, "MEM-6")
    taken = fixed and any(True for _ in vmmap.overlapping(cage.vmmap, address // PAGE, address // PAGE + count))
    errors.add(bool(flags & MAP_FIXED_NOREPLACE) and taken, EEXIST, "MEM-6")
    max_prot = PROT_READ | PROT_WRITE
    if not flags & MAP_ANONYMOUS:
        max_prot = _check_file(kernel, call.target, fd, prot, errors, shared=kinds == MAP_SHARED)
    failed = errors.first()
    if failed is not None or first is None:
        return failed or Done(-ENOMEM)
    if count == 0:
        return Done(address)  # as recorded: a fixed mapping of nothing succeeds
    # Effect.
    mapping = Mapping(first, count, prot & (PROT_READ | PROT_WRITE), flags | MAP_FIXED, max_prot=max_prot)
    if not flags & MAP_ANONYMOUS:
        mapping = _with_file(kernel, call.target, fd, mapping, offset // PAGE)
    elif kinds == MAP_SHARED:
        mapping = lay(mapping, kernel.backings.create())
    place_mapping(kernel, cage.id, mapping)
    # Result.
    return Done(first * PAGE)


def _abort_unsupported(kernel: Kernel, prot: int, flags: int) -> None:
    """As recorded: what mmap does not know ends the host (``MMAP-ABORT``); MAP_HUGETLB is refused before that."""
    if not kernel.profile.has("MMAP-ABORT") or flags & MAP_HUGETLB:
        return
    if flags & ~_KNOWN_FLAGS:
        raise Refused(RuntimeFault(f"mmap: unsupported flags {flag_names('map', flags)}", "MMAP-ABORT"))
    if prot & PROT_EXEC:
        raise Refused(RuntimeFault("mmap: PROT_EXEC is not allowed", "MMAP-ABORT"))


def _find(cage: Cage, count: int, hint: int, *, strict: bool) -> int | None:
    """The first page for ``count`` pages: at or above the hint, else (not as recorded) anywhere (MEM-2)."""
    found = vmmap.find_space(cage.vmmap, count, hint // PAGE)
    if found is None and hint and not strict:
        found = vmmap.find_space(cage.vmmap, count)
    return found


def _check_file(kernel: Kernel, cage: int, fd: int, prot: int, errors: ErrorSet, *, shared: bool) -> int:
    """The errors of mapping descriptor ``fd`` (MEM-8), and what mprotect may allow later."""
    found = fdtable.find(kernel, cage, fd)
    if errors.add(found is None or bool(found.file.flags & O_PATH), EBADF, "MEM-8") or found is None:
        return 0
    writes = shared and bool(prot & PROT_WRITE)
    errors.add(not found.file.reads or (writes and not found.file.writes), EACCES, "MEM-8")
    regular = found.file.inode != 0 and inodes.get(kernel, found.file.inode).is_file
    errors.add(not regular, ENODEV, "MEM-8")
    return PROT_READ | PROT_WRITE if found.file.writes or not shared else PROT_READ


def _with_file(kernel: Kernel, cage: int, fd: int, mapping: Mapping, page: int) -> Mapping:
    """``mapping`` showing the file behind ``fd`` from its page ``page`` on."""
    found = fdtable.find(kernel, cage, fd)
    assert found is not None
    inode = populate.file_of(kernel, found.file.inode)
    backing = inode.backing
    if backing is None:
        backing = kernel.backings.create()
        inodes.change(kernel, inode.number, backing=backing)
    return lay(mapping, backing, page, inode.number)


def place_mapping(kernel: Kernel, number: int, mapping: Mapping) -> None:
    """Put ``mapping`` into the map of a cage and its memory, in place of what was there (MEM-3)."""
    stale = kernel.profile.has("MEM-STALE")
    commit(kernel, number, vmmap.insert(kernel.cages[number].vmmap, mapping, stale=stale))
    memory = kernel.host.memory(number)
    if memory is not None:
        shared = bool(mapping.flags & MAP_SHARED)
        rights = access(mapping.prot)
        memory.map(mapping.first, mapping.count, rights, mapping.backing, mapping.backing_page, shared=shared)


# munmap, mprotect.


def _own_page(kernel: Kernel, call: Call) -> int | None:
    """The offset in the target's memory that host address argument 0 means; NULL is offset 0. None for any other
    place.
    """
    value = call.value(0)
    if value == 0:
        return 0
    found = kernel.host.resolve(value)
    return found.offset if found is not None and found.cage == call.target else None


def munmap(kernel: Kernel, call: Call) -> Result:
    """Unmap pages; parts that are not mapped do not matter (MEM-10)."""
    # Arguments.
    offset, length = _own_page(kernel, call), call.value(1)
    cage = kernel.cage(call.target)
    # Errors.
    errors = ErrorSet()
    errors.add(length == 0, EINVAL, "MEM-10")
    errors.add(offset is None or bool(offset % PAGE), EINVAL, "MEM-10")
    wraps = kernel.profile.has("MUNMAP-WRAP") and length + PAGE - 1 >= 1 << 64
    first = (offset or 0) // PAGE
    end = first + (0 if wraps else _pages(length))  # as recorded, rounding up wraps round to nothing
    errors.add(end > PAGES, EINVAL, "MEM-10")
    failed = errors.first()
    if failed is not None:
        return failed
    # Effect.
    unmap_pages(kernel, cage.id, first, end, stale=kernel.profile.has("MEM-STALE"))
    # Result.
    return Done(0)


def unmap_pages(kernel: Kernel, number: int, first: int, end: int, *, stale: bool = False) -> None:
    """Take pages ``[first, end)`` out of the map of a cage and its memory. Attached SysV segments keep their memory
    (``SHM-UNMAP``), although the map forgets them.
    """
    held = kernel.cages[number].vmmap
    kept = kernel.profile.has("SHM-UNMAP")
    holes = [
        (max(piece.first, first), min(piece.end, end))
        for piece in vmmap.overlapping(held, first, end)
        if piece.segment is not None and kept
    ]
    commit(kernel, number, vmmap.remove(held, first, end, stale=stale))
    memory = kernel.host.memory(number)
    if memory is not None and first < end:
        at = first
        for low, high in [*holes, (end, end)]:
            if at < low:
                memory.unmap(at, low - at)
            at = high


def mprotect(kernel: Kernel, call: Call) -> Result:
    """Change the protection of pages (MEM-11)."""
    # Arguments.
    offset, length, prot = _own_page(kernel, call), call.value(1), call.i32(2)
    cage = kernel.cage(call.target)
    loose = kernel.profile.has("MPROTECT-HOLES")
    first = (offset or 0) // PAGE
    end = first + _pages(length)
    # Errors.
    errors = ErrorSet()
    errors.add(bool(prot & ~(PROT_READ | PROT_WRITE | PROT_EXEC)), EINVAL, "MEM-11")
    errors.add(bool(prot & PROT_EXEC), EINVAL, "MEM-7")
    errors.add(offset is None or bool(offset % PAGE), EINVAL, "MEM-11")
    errors.add(end > PAGES, ENOMEM, "MEM-11")
    if not errors:
        errors.add(not loose and not vmmap.covered(cage.vmmap, first, end), ENOMEM, "MEM-11")
        pieces = vmmap.overlapping(cage.vmmap, first, end)
        errors.add(any(prot & ~piece.max_prot for piece in pieces), EACCES, "MEM-8")
    failed = errors.first()
    if failed is not None:
        return failed
    # Effect.
    if first < end:
        commit(kernel, cage.id, vmmap.protect(cage.vmmap, first, end, prot))
        _protect_memory(kernel, cage.id, first, end, prot)
    # Result.
    return Done(0)


def _protect_memory(kernel: Kernel, number: int, first: int, end: int, prot: int) -> None:
    """Let the memory follow; as recorded, a hole becomes usable although the map does not know (``MPROTECT-HOLES``)."""
    memory = kernel.host.memory(number)
    if memory is None:
        return
    for low, high in tuple(holes(memory, first, end)):
        memory.map(low, high - low, 0)
    memory.protect(first, end - first, access(prot))


# brk.


def set_heap(kernel: Kernel, number: int, start: int) -> None:
    """A new image is in memory: its heap begins at offset ``start`` (a multiple of the page size) and is empty
    (MEM-12).
    """
    assert start % PAGE == 0, start
    kernel.update(number, heap_start=start, brk=start)


def brk(kernel: Kernel, call: Call) -> Result:
    """Move the end of the heap; 0 asks where it is (MEM-12, MEM-13)."""
    # Arguments.
    asked = call.u32(0)
    cage = kernel.cage(call.target)
    if asked == 0:
        return Done(cage.brk)
    before, after = cage.brk // PAGE, _pages(asked)
    # Errors.
    errors = ErrorSet()
    errors.add(asked < cage.heap_start, ENOMEM, "MEM-13")
    errors.add(after >= PAGES, ENOMEM, "MEM-13")
    if before < after and not errors:
        taken = vmmap.overlapping(cage.vmmap, before, after)
        whole = vmmap.covered(cage.vmmap, before, after)
        errors.add(whole if kernel.profile.has("BRK-OVERLAP") else any(True for _ in taken), ENOMEM, "MEM-13")
        heap = after - cage.heap_start // PAGE
        errors.add(limits.memory_full(cage, after - before, heap=heap), ENOMEM, "LIMIT-3")
    failed = errors.first()
    if failed is not None:
        return failed
    # Effect.
    if before < after:
        _grow(kernel, cage, before, after)
    elif after < before:
        unmap_pages(kernel, cage.id, after, before)
    kernel.update(cage.id, brk=after * PAGE)
    # Result.
    return Done(after * PAGE)


def _grow(kernel: Kernel, cage: Cage, before: int, after: int) -> None:
    """Let the heap, which ends at page ``before``, end at page ``after``; the map keeps it in one piece."""
    grown = Mapping(before, after - before, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED)
    place_mapping(kernel, cage.id, grown)
    last = cage.vmmap.floor(before - 1) if before else None
    if last is None or last[1].first * PAGE < cage.heap_start:
        return
    heap = last[1]
    if (heap.end, heap.prot, heap.flags) == (before, grown.prot, grown.flags):
        whole = replace(heap, count=after - heap.first)
        commit(kernel, cage.id, vmmap.insert(kernel.cages[cage.id].vmmap, whole))


# Asked from outside.


def permits(kernel: Kernel, number: int, offset: int, length: int, *, write: bool) -> bool:
    """Whether the map of cage ``number`` lets ``length`` bytes at ``offset`` be read (written too): what call 1002 and
    the runtime's own imports ask (MEM-14). Nothing at all may be done in a cage that does not exist.
    """
    cage = kernel.cages.get(number)
    if cage is None:
        return False
    if length == 0:
        return True
    if offset < 0 or offset + length > PAGES * PAGE:
        return False
    first, end = offset // PAGE, _pages(offset + length)
    known = cage.checked
    if known is not None and known.first <= first and end <= known.end and known.prot and (
        not write or known.prot & PROT_WRITE
    ):
        return True
    allowed = vmmap.permits(cage.vmmap, first, end, write=write, stale=kernel.profile.has("MEM-STALE"))
    if allowed and kernel.profile.has("MEM-CHECK-CACHE"):
        last = cage.vmmap.floor(end - 1)
        kernel.update(number, checked=None if last is None else last[1])
    return allowed


# Cages come and go.


def _forked(kernel: Kernel, parent: int, child: int) -> None:
    """The child's map is the parent's (MEM-15)."""
    del parent
    retain_all(kernel, kernel.cages[child].vmmap)


def memory_forked(kernel: Kernel, parent: int, child: int) -> None:
    """The system made the child's memory as a fork of the parent's. As recorded, some of it is lost again
    (``MEM-STALE``,
    ``FORK-NONE``, ``MPROTECT-HOLES``, ``FORK-SHM``).
    """
    lose(kernel, parent, child)


def _ended(kernel: Kernel, number: int) -> None:
    """What the cage had mapped is mapped no more."""
    release_all(kernel, kernel.cages[number].vmmap)
    kernel.update(number, vmmap=PMap())


def _execed(kernel: Kernel, number: int) -> None:
    """A new image starts with an empty map (MEM-15), and in a new memory."""
    _ended(kernel, number)
    kernel.update(number, heap_start=0, brk=0, checked=None)


HOOKS = Hooks(fork=_forked, execed=_execed, ended=_ended)

CALLS: tuple[CallRow, ...] = (
    CallRow(
        9,
        "mmap",
        (
            Param("addr", ParamKind.GUEST_ADDRESS),
            Param("length", ParamKind.SIZE),
            Param("prot", ParamKind.FLAGS, names="prot"),
            Param("flags", ParamKind.FLAGS, names="map"),
            Param("fd", ParamKind.FD),
            Param("offset", ParamKind.LONG),
        ),
        mmap,
        ReturnKind.ADDRESS,
    ),
    CallRow(
        10,
        "mprotect",
        (
            Param("addr", ParamKind.POINTER),
            Param("len", ParamKind.SIZE),
            Param("prot", ParamKind.FLAGS, names="prot"),
        ),
        mprotect,
    ),
    CallRow(11, "munmap", (Param("addr", ParamKind.POINTER), Param("length", ParamKind.SIZE)), munmap),
    CallRow(12, "brk", (Param("addr", ParamKind.GUEST_ADDRESS),), brk, ReturnKind.ADDRESS),
)
