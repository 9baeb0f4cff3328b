"""SysV shared memory: segments by key, and their attachments. Rules SHM-1 to SHM-5 in spec/shm.md.

Who has a segment attached is seen in the maps: each piece of one is an attachment. The recorded implementation counts
by itself (SHM-COUNT).
"""

from __future__ import annotations

from lindref.posix import usermem as user
from lindref.posix import vmmap
from lindref.posix.cage import Cage, Mapping
from lindref.posix.call import Call
from lindref.posix.constants import MAP_SHARED, PAGE, PAGES, PROT_READ, PROT_WRITE
from lindref.posix.errno import EACCES, EEXIST, EFAULT, EINVAL, ENOENT, ENOMEM, EPERM
from lindref.posix.errors import ErrorSet, fail
from lindref.posix.kernel import Hooks, IdKind, Kernel
from lindref.posix.mapping import access, commit
from lindref.posix.params import CallRow, Direction, Param, ParamKind, ReturnKind
from lindref.posix.result import Done, Refused, Result, RuntimeFault
from lindref.posix.structs import SHMID_DS
from lindref.state.records import record, replace

IPC_PRIVATE = 0
IPC_CREAT = 0x200
IPC_EXCL = 0x400
IPC_RMID = 0
IPC_SET = 1
IPC_STAT = 2
SHM_RDONLY = 0x1000
SHM_RND = 0x2000
SHM_REMAP = 0x4000

#: Bytes of the largest segment.
_LARGEST = 0xFEFFFFFF

#: The bit of the mode that says a segment is to go.
_DEST = 0o1000

#: Whose the recorded implementation says all segments are.
_RECORDED_OWNER = 1000


@record("posix.segment")
class Segment:
    """A segment. ``key``: 0 for none; ``size``: bytes as reported; ``pages``: pages of ``backing``; ``mode``:
    permissions, and whether it is to go; times in seconds since 1970. ``attached``: (cage, first page) of the
    attachments that shmdt knows, and ``count`` how many there were less those detached (only as recorded: SHM-COUNT).
    """

    key: int
    size: int
    pages: int
    mode: int
    backing: int
    uid: int
    gid: int
    creator: int
    atime: int = 0
    dtime: int = 0
    ctime: int = 0
    last: int = 0
    attached: tuple[tuple[int, int], ...] = ()
    count: int = 0


def _seconds(kernel: Kernel) -> int:
    return kernel.wall // 10**9


def _change(kernel: Kernel, number: int, **changes: object) -> Segment:
    segment: Segment = replace(kernel.segments[number], **changes)
    kernel.segments = kernel.segments.set(number, segment)
    return segment


def _pieces(cage: Cage, number: int) -> list[Mapping]:
    """The pieces of segment ``number`` in a cage's map."""
    return [piece for piece in cage.vmmap.values() if piece.segment == number]


def _attachments(kernel: Kernel, number: int) -> int:
    """How many attachments a segment has (SHM-3)."""
    if kernel.profile.has("SHM-COUNT"):
        count: int = kernel.segments[number].count
        return count
    return sum(len(_pieces(cage, number)) for cage in kernel.cages.values())


def _sweep(kernel: Kernel) -> None:
    """Segments that are to go and that nobody has attached are gone (SHM-4)."""
    for number, segment in tuple(kernel.segments.items()):
        if segment.mode & _DEST and not _attachments(kernel, number):
            kernel.segments = kernel.segments.remove(number)
            kernel.backings.drop(segment.backing)


def _existing(kernel: Kernel, call: Call) -> int:
    """The segment in argument 0; EINVAL without one."""
    _sweep(kernel)
    number = call.i32(0)
    if number < 0 or number not in kernel.segments:
        raise Refused(fail(EINVAL, "SHM-2"))
    return number


def _granted(kernel: Kernel, segment: Segment, wanted: int) -> bool:
    """Whether the segment's mode grants the bits ``wanted``: 4 to read, 2 to write (SHM-1)."""
    who = kernel.identity
    if who.uid == 0 or kernel.profile.has("SHM-PLAIN"):
        return True
    shift = 6 if who.uid == segment.uid else 3 if who.gid == segment.gid else 0
    return not wanted & ~(segment.mode >> shift)


# Calls.


def shmget(kernel: Kernel, call: Call) -> Result:
    """The segment with a key, made if it is missing and may be (SHM-1)."""
    # Arguments.
    key, size, flags = call.u32(0), call.value(1), call.u32(2)
    plain = kernel.profile.has("SHM-PLAIN")
    _sweep(kernel)
    # Errors.
    if key == IPC_PRIVATE and plain:
        return RuntimeFault("shmget: IPC_PRIVATE", "SHM-PLAIN")
    found = next((n for n, one in kernel.segments.items() if key and one.key == key), None)
    errors = ErrorSet()
    if found is not None:
        held: Segment = kernel.segments[found]
        both = IPC_CREAT | IPC_EXCL
        errors.add(flags & both == both, EEXIST, "SHM-1")
        errors.add(not _granted(kernel, held, (flags >> 6 | flags >> 3 | flags) & 6), EACCES, "SHM-1")
        errors.add(size > held.size and not plain, EINVAL, "SHM-1")
        return errors.first() or Done(found)
    errors.add(key != IPC_PRIVATE and not flags & IPC_CREAT, ENOENT, "SHM-1")
    errors.add(not 0 < size <= _LARGEST or -(-size // PAGE) * PAGE > _LARGEST, EINVAL, "SHM-1")
    failed = errors.first()
    if failed is not None:
        return failed
    # Effect.
    pages = -(-size // PAGE)
    number = kernel.new_id(IdKind.SEGMENT)
    who = kernel.identity
    segment = Segment(
        key=key,
        size=pages * PAGE if plain else size,
        pages=pages,
        mode=flags & 0o777,
        backing=kernel.backings.create(),
        uid=_RECORDED_OWNER if plain else who.uid,
        gid=_RECORDED_OWNER if plain else who.gid,
        creator=call.target,
        ctime=_seconds(kernel),
    )
    kernel.segments = kernel.segments.set(number, segment)
    # Result.
    return Done(number)


def shmat(kernel: Kernel, call: Call) -> Result:
    """Attach a segment to the target's memory (SHM-2)."""
    # Arguments.
    number = _existing(kernel, call)
    address, flags = call.value(1), call.u32(2)
    segment: Segment = kernel.segments[number]
    cage = kernel.cage(call.target)
    reads_only = bool(flags & SHM_RDONLY)
    # Errors.
    if not _granted(kernel, segment, 4 if reads_only else 6):
        return fail(EACCES, "SHM-2")
    first = _place(kernel, cage, address, flags, segment.pages)
    if first is None:
        return fail(ENOMEM, "SHM-2")
    # Effect.
    prot = PROT_READ if reads_only else PROT_READ | PROT_WRITE
    mapping = Mapping(
        first,
        segment.pages,
        prot,
        0 if kernel.profile.has("FORK-SHM") else MAP_SHARED,
        backing=segment.backing,
        segment=number,
        max_prot=prot,
    )
    stale = kernel.profile.has("MEM-STALE")
    commit(kernel, cage.id, vmmap.insert(cage.vmmap, mapping, stale=stale))
    memory = kernel.host.memory(cage.id)
    if memory is not None:
        memory.map(first, segment.pages, access(prot), segment.backing, 0, shared=True)
    _change(
        kernel,
        number,
        attached=(*segment.attached, (cage.id, first)),
        count=segment.count + 1,
        atime=_seconds(kernel),
        last=segment.last if kernel.profile.has("SHM-PLAIN") else cage.id,
    )
    # Result.
    return Done(first * PAGE)


def _place(kernel: Kernel, cage: Cage, address: int, flags: int, pages: int) -> int | None:
    """The first page of an attachment: where the caller says, or where there is room; None without any (SHM-2). As
    recorded the low half of the address is only where the search begins (SHM-PLAIN).
    """
    if not address:
        return vmmap.find_space(cage.vmmap, pages)
    if kernel.profile.has("SHM-PLAIN"):
        return vmmap.find_space(cage.vmmap, pages, (address & 0xFFFFFFFF) // PAGE)
    spot = kernel.host.resolve(address)
    if spot is None or spot.cage != cage.id or (spot.offset % PAGE and not flags & SHM_RND):
        raise Refused(fail(EINVAL, "SHM-2"))
    first = spot.offset // PAGE
    taken = any(True for _ in vmmap.overlapping(cage.vmmap, first, first + pages))
    if first + pages > PAGES or (taken and not flags & SHM_REMAP):
        raise Refused(fail(EINVAL, "SHM-2"))
    return first


def shmdt(kernel: Kernel, call: Call) -> Result:
    """Detach what was attached at an address (SHM-3)."""
    # Arguments.
    cage = kernel.cage(call.target)
    spot = kernel.host.resolve(call.value(0))
    # Errors.
    if spot is None or spot.cage != cage.id or spot.offset % PAGE:
        return fail(EINVAL, "SHM-3")
    first = spot.offset // PAGE
    number = _attached_at(kernel, cage, first)
    if number is None:
        return fail(EINVAL, "SHM-3")
    # Effect.
    segment: Segment = kernel.segments[number]
    memory = kernel.host.memory(cage.id)
    for piece in _pieces(cage, number):
        if piece.first - piece.backing_page == first:
            held = kernel.cages[cage.id].vmmap
            commit(kernel, cage.id, vmmap.remove(held, piece.first, piece.end, stale=False))
            if memory is not None:
                memory.unmap(piece.first, piece.count)
    _change(
        kernel,
        number,
        attached=tuple(one for one in segment.attached if one != (cage.id, first)),
        count=segment.count - 1,
        dtime=_seconds(kernel),
        last=segment.last if kernel.profile.has("SHM-PLAIN") else cage.id,
    )
    _sweep(kernel)
    # Result.
    return Done(0)


def _attached_at(kernel: Kernel, cage: Cage, first: int) -> int | None:
    """The segment that is attached to a cage from page ``first`` on, or None (SHM-3)."""
    if kernel.profile.has("SHM-COUNT"):
        return next((n for n, one in kernel.segments.items() if (cage.id, first) in one.attached), None)
    piece = cage.vmmap.get(first)
    return piece.segment if piece is not None and piece.backing_page == 0 else None


def shmctl(kernel: Kernel, call: Call) -> Result:
    """Ask about a segment, change it, or let it go (SHM-4, SHM-5)."""
    # Arguments.
    command, address = call.i32(1), call.value(2)
    known = (IPC_RMID, IPC_STAT) if kernel.profile.has("SHM-PLAIN") else (IPC_RMID, IPC_STAT, IPC_SET)
    if command not in known:
        return fail(EINVAL, "SHM-5")
    named = call.i32(0) >= 0
    data = user.copy_in(kernel, address, SHMID_DS.size) if command == IPC_SET and named else b""
    if data is None:
        return fail(EFAULT, "SHM-5")
    number = _existing(kernel, call)
    segment: Segment = kernel.segments[number]
    if command == IPC_STAT:
        return _tell(kernel, number, segment, address)
    # Errors.
    if kernel.identity.uid not in (0, segment.uid) and not kernel.profile.has("SHM-PLAIN"):
        return fail(EPERM, "SHM-5")
    # Effect.
    if command == IPC_SET:
        fields = SHMID_DS.unpack(data)
        mode = segment.mode & ~0o777 | fields["mode"] & 0o777
        _change(kernel, number, uid=fields["uid"], gid=fields["gid"], mode=mode, ctime=_seconds(kernel))
        return Done(0)
    key = segment.key if kernel.profile.has("SHM-PLAIN") else IPC_PRIVATE
    _change(kernel, number, mode=segment.mode | _DEST, key=key)
    _sweep(kernel)
    # Result.
    return Done(0)


def _tell(kernel: Kernel, number: int, segment: Segment, address: int) -> Result:
    """IPC_STAT: the structure of a segment (SHM-5)."""
    if not _granted(kernel, segment, 4):
        return fail(EACCES, "SHM-5")
    data = SHMID_DS.pack(
        key=segment.key,
        uid=segment.uid,
        gid=segment.gid,
        cuid=segment.uid,
        cgid=segment.gid,
        mode=segment.mode,
        segsz=segment.size,
        atime=segment.atime,
        dtime=segment.dtime,
        ctime=segment.ctime,
        cpid=segment.creator,
        lpid=segment.last,
        nattch=_attachments(kernel, number),
    )
    if not user.copy_out(kernel, address, data):
        user.require_mapped(kernel, mapped=False, what="shmctl: the structure")
        return fail(EFAULT, "SHM-5")
    return Done(0)


# As cages come and go.


def _gone(kernel: Kernel, cage: int) -> None:
    """A cage ended or has a new image: its map is empty (SHM-3); as recorded the counts stay (SHM-COUNT)."""
    for number, segment in tuple(kernel.segments.items()):
        kept = tuple(one for one in segment.attached if one[0] != cage)
        if len(kept) != len(segment.attached):
            _change(kernel, number, attached=kept)
    _sweep(kernel)


HOOKS = Hooks(execed=_gone, ended=_gone)

_ID = Param("shmid")

CALLS: tuple[CallRow, ...] = (
    CallRow(
        29,
        "shmget",
        (Param("key", ParamKind.HEX), Param("size", ParamKind.SIZE), Param("shmflg", ParamKind.FLAGS, names="ipc")),
        shmget,
        ReturnKind.INT,
    ),
    CallRow(
        30,
        "shmat",
        (_ID, Param("shmaddr", ParamKind.POINTER), Param("shmflg", ParamKind.FLAGS, names="shm")),
        shmat,
        ReturnKind.ADDRESS,
    ),
    CallRow(
        31,
        "shmctl",
        (
            _ID,
            Param("cmd", ParamKind.ENUM, names="ipc-cmd"),
            Param("buf", ParamKind.STRUCT, Direction.INOUT, struct="shmid_ds"),
        ),
        shmctl,
    ),
    CallRow(67, "shmdt", (Param("shmaddr", ParamKind.POINTER),), shmdt),
)
