"""mmap, munmap, mprotect, brk: rules MEM-1 to MEM-15 and what the recorded implementation does otherwise."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from world import IMAGE, World

from lindref.posix import memory as mem
from lindref.posix.fs import roots
from lindref.posix.result import RuntimeFault

ANON = 0x22
SHARED = 0x21
FIXED = 0x10
BOTH = pytest.mark.parametrize("profile", ["spec", "lind"])


def addr(value: int) -> int:
    return value & 0xFFFFFFFF


@BOTH
def test_placement(profile):
    """MEM-2: vector mem.mmap.gap."""
    w = World(profile)
    a, b, c = (w.do("mmap", 0, 8192, 3, ANON, -1, 0) for _ in range(3))
    assert (a, b, c) == (-12288, -24576, -36864)
    assert w.do("munmap", w.ptr(addr(b)), 8192) == 0
    assert w.do("mmap", 0, 4096, 3, ANON, -1, 0) == -45056
    assert w.do("mmap", 0, 12288, 3, ANON, -1, 0) == -61440
    assert w.do("mmap", 0, 8192, 3, ANON, -1, 0) == -73728


@BOTH
def test_hint(profile):
    """MEM-2: vector mem.mmap.hint."""
    w = World(profile)
    assert w.do("mmap", 0xD0000000, 4096, 3, ANON, -1, 0) == -8192
    assert w.do("mmap", 0xD0000000, 4096, 3, ANON, -1, 0) == -16384


def test_hint_that_cannot_be_had():
    """MEM-2: MMAP-STRICT makes it ENOMEM."""
    assert World().do("mmap", 0xFFFFF000, 4096, 3, ANON, -1, 0) == -8192
    assert World("lind").do("mmap", 0xFFFFF000, 4096, 3, ANON, -1, 0) == -12


@BOTH
def test_fixed(profile):
    """MEM-3, MEM-5: vectors mem.mmap.fixed and fixed_top."""
    w = World(profile)
    at = 0xE0000000
    assert addr(w.do("mmap", at, 8192, 3, ANON | FIXED, -1, 0)) == at
    w.put(1, at, b"abcd")
    assert addr(w.do("mmap", at, 4096, 3, ANON | FIXED, -1, 0)) == at
    assert w.get(1, at, 4) == bytes(4)
    assert w.do("mmap", 0xFFFFF000, 4096, 3, ANON | FIXED, -1, 0) == -4096
    assert w.do("mmap", 0xFFFFF000, 8192, 3, ANON | FIXED, -1, 0) == -22
    assert w.do("mmap", 1 << 32, 4096, 3, ANON | FIXED, -1, 0) == 0


@BOTH
@pytest.mark.parametrize(
    ("args", "errno"),
    [
        ((0, 4096, 3, 0x20, -1, 0), 22),
        ((0, 4096, 3, 0x23, -1, 0), 22),
        ((0xE0000001, 4096, 3, ANON | FIXED, -1, 0), 22),
        ((0, 4096, 3, ANON | 0x40000, -1, 0), 22),
        ((0, 4096, 3, 2, -1, 0), 9),
        ((0, 4096, 3, 2, 50, 0), 9),
        ((0, 1 << 33, 3, ANON, -1, 0), 12),
        ((0, 1 << 32, 3, ANON, -1, 0), 12),
        ((0, 4096, 3, 2, 3, 100), 22),
    ],
)
def test_mmap_errors(profile, args, errno):
    """MEM-5, MEM-6, MEM-8."""
    w = World(profile)
    before = w.kernel.cages[1]
    assert w.do("mmap", *args) == -errno
    assert w.kernel.cages[1] == before


@pytest.mark.parametrize(
    ("args", "spec"),
    [
        ((0, 4096, 5, ANON, -1, 0), -22),
        ((0, 4096, 3, ANON | 0x4000, -1, 0), -8192),
        ((0, 4096, 3, ANON | 0x20000, -1, 0), -8192),
        ((0xE0000000, 4096, 3, ANON | 0x100000, -1, 0), 0xE0000000 - (1 << 32)),
        ((0, 4096, 3, ANON | 0x100000, -1, 0), -17),
        ((0, 0, 3, ANON, -1, 0), -22),
    ],
)
def test_mmap_abort(args, spec):
    """MEM-5, MEM-6, MEM-7 and deviation MMAP-ABORT."""
    assert World().do("mmap", *args) == spec
    fault = World("lind").call("mmap", *args)
    assert isinstance(fault, RuntimeFault)
    assert fault.rule == "MMAP-ABORT"
    assert fault.code == -6


def test_mmap_strict():
    """MEM-5, MMAP-STRICT: hints and offsets that do not matter; one that is no multiple of a page does."""
    for args, spec, lind in (
        ((4097, 4096, 3, ANON, -1, 0), -8192, -22),
        ((0, 4096, 3, ANON, -1, 100), -22, -22),
        ((0, 4096, 3, ANON, -1, -100), -22, -22),
        ((0, 4096, 3, ANON, -1, -4096), -8192, -22),
        ((0xE0000000, 0, 3, ANON | FIXED, -1, 0), -22, 0xE0000000 - (1 << 32)),
    ):
        assert World().do("mmap", *args) == spec
        assert World("lind").do("mmap", *args) == lind


@BOTH
def test_protections(profile):
    """MEM-4, MEM-11: what can be written can be read; nothing may be done with PROT_NONE."""
    w = World(profile)
    memory = w.memories[1]
    at = addr(w.do("mmap", 0, 4096, 2, ANON, -1, 0))
    assert memory.readable(at, 4)
    assert memory.writable(at, 4)
    for prot, reads, writes in ((1, True, False), (0, False, False), (3, True, True), (2, True, True)):
        assert w.do("mprotect", w.ptr(at), 4096, prot) == 0
        assert (memory.readable(at, 1), memory.writable(at, 1)) == (reads, writes)
        fresh = World(profile)  # one that no check has looked at yet
        assert addr(fresh.do("mmap", 0, 4096, 2, ANON, -1, 0)) == at
        assert fresh.do("mprotect", fresh.ptr(at), 4096, prot) == 0
        assert mem.permits(fresh.kernel, 1, at, 1, write=False) is reads  # MEM-14
        assert mem.permits(fresh.kernel, 1, at, 1, write=True) is writes
    assert w.do("mprotect", w.ptr(at), 4096, 8) == -22
    assert w.do("mprotect", w.ptr(at), 4096, 4) == -22  # MEM-7
    assert w.do("mprotect", w.ptr(at), 4096, -1) == -22
    assert w.do("mprotect", w.ptr(at + 1), 4096, 1) == -22
    assert w.do("mprotect", w.ptr(at), 0, 1) == 0
    assert w.do("mprotect", at, 4096, 1) == -22  # a guest address is no host address


@BOTH
def test_a_check_asks_the_map_as_it_is(profile):
    """MEM-14; as recorded, what a check found last passes for ever (MEM-CHECK-CACHE)."""
    w = World(profile)
    at = addr(w.do("mmap", 0, 4096, 3, ANON, -1, 0))
    assert mem.permits(w.kernel, 1, at, 4096, write=True)
    assert w.do("munmap", w.ptr(at), 4096) == 0
    assert mem.permits(w.kernel, 1, at, 4096, write=True) is (profile == "lind")


def test_mprotect_holes():
    """MEM-11 and MPROTECT-HOLES: a page never mapped."""
    at = 0xF0000000
    w = World()
    assert w.do("mprotect", w.ptr(at), 4096, 3) == -12
    w = World("lind")
    assert w.do("mprotect", w.ptr(at), 4096, 3) == 0
    w.put(1, at, b"x")
    assert not mem.permits(w.kernel, 1, at, 1, write=False)
    child = w.fork()
    assert w.memories[child].try_read(at, 1) is None


@BOTH
def test_munmap(profile):
    """MEM-10: vectors mem.munmap.*."""
    w = World(profile)
    at = addr(w.do("mmap", 0, 8192, 3, ANON, -1, 0))
    assert w.do("munmap", w.ptr(at), 0) == -22
    assert w.do("munmap", w.ptr(at + 1), 4096) == -22
    assert w.do("munmap", w.ptr(at), -1) == (0 if profile == "lind" else -22)
    assert w.do("munmap", w.ptr(at), 4096) == 0
    assert w.do("munmap", w.ptr(at), 4096) == 0
    assert w.memories[1].try_read(at, 1) is None
    assert w.memories[1].try_read(at + 4096, 1) == b"\0"
    assert w.do("munmap", w.ptr(0xFFFFF000), 8192) == -22


@BOTH
@pytest.mark.parametrize("extra", [1, 4095, 4096, 4097, 10000, 65536])
def test_brk(profile, extra):
    """MEM-12, MEM-13; property 50 of 3i.md: rounded up, contents below unchanged."""
    w = World(profile)
    start = w.do("brk", 0)
    assert start == IMAGE
    w.put(1, IMAGE - 4, b"keep")
    assert w.do("brk", start + extra) == start + -(-extra // 4096) * 4096
    assert w.get(1, IMAGE - 4, 4) == b"keep"
    w.put(1, start + extra - 1, b"x")
    assert w.do("brk", start) == start
    assert w.memories[1].try_read(start, 1) is None
    assert w.do("brk", start + extra) > start
    assert w.get(1, start + extra - 1, 1) == b"\0"  # zero again
    assert w.do("brk", start - 1) == -12


def test_brk_overlap():
    """MEM-13 and BRK-OVERLAP: growing into another mapping."""
    for profile in ("spec", "lind"):
        w = World(profile)
        for page in (1, 2):
            w.do("mmap", IMAGE + page * 4096, 4096, 3, ANON | FIXED, -1, 0)
        w.put(1, IMAGE + 4096, b"x")
        assert w.do("brk", IMAGE + 3 * 4096) == (-12 if profile == "spec" else IMAGE + 3 * 4096)
        assert w.get(1, IMAGE + 4096, 1) == (b"x" if profile == "spec" else b"\0")
        w = World(profile)
        w.do("mmap", IMAGE, 8192, 3, ANON | FIXED, -1, 0)
        assert w.do("brk", IMAGE + 8192) == -12  # all of it is taken


@BOTH
def test_fork_private_and_shared(profile):
    """MEM-9, MEM-15; property 42: private writes stay, shared ones are seen both ways."""
    w = World(profile)
    private = addr(w.do("mmap", 0, 4096, 3, ANON, -1, 0))
    shared = addr(w.do("mmap", 0, 4096, 3, SHARED, -1, 0))
    w.put(1, private, b"a")
    child = w.fork()
    w.put(child, private, b"b")
    w.put(child, shared, b"c")
    w.put(1, shared + 1, b"d")
    assert w.get(1, private, 1) == b"a"
    assert w.get(1, shared, 2) == w.get(child, shared, 2) == b"cd"
    backings = w.kernel.backings.numbers()
    w.exit(child)
    assert w.kernel.backings.numbers() == backings
    assert w.do("munmap", w.ptr(shared), 4096) == 0
    assert w.kernel.backings.numbers() == [n for n in backings if n != max(backings)]  # nobody maps it any more


def test_fork_loses_what_lies_behind_a_hole():
    """MEM-STALE: vector mem.munmap.middle; in spec nothing is lost."""
    for profile, behind, hole in (("spec", b"\3", None), ("lind", b"\0", b"\0")):
        w = World(profile)
        at = addr(w.do("mmap", 0, 12288, 3, ANON, -1, 0))
        w.put(1, at, b"\1")
        w.put(1, at + 8192, b"\3")
        w.do("munmap", w.ptr(at + 4096), 4096)
        child = w.fork()
        assert w.get(child, at, 1) == b"\1"
        assert w.get(child, at + 8192, 1) == behind
        assert w.memories[child].try_read(at + 4096, 1) == hole
        assert w.get(1, at + 8192, 1) == b"\3"


def test_fork_none():
    """FORK-NONE: vector mem.mprotect.fork_none."""
    for profile, expected in (("spec", b"\x09"), ("lind", b"\0")):
        w = World(profile)
        at = addr(w.do("mmap", 0, 4096, 3, ANON, -1, 0))
        w.put(1, at, b"\x09")
        w.do("mprotect", w.ptr(at), 4096, 0)
        child = w.fork()
        assert w.do("mprotect", w.ptr(at, child), 4096, 3, cage=child) == 0
        assert w.get(child, at, 1) == expected


def test_other_cage():
    """MEM-10: an address in somebody else's memory is not one's own."""
    w = World()
    child = w.fork()
    assert w.do("munmap", w.ptr(0), 4096, cage=child) == -22
    assert w.do("mprotect", w.ptr(0), 4096, 1, cage=child) == -22
    assert not mem.permits(w.kernel, 77, 0, 0, write=False)  # MEM-14: no such cage
    assert mem.permits(w.kernel, child, 0xF0000000, 0, write=True)
    assert not mem.permits(w.kernel, child, 0xFFFFFFFF, 2, write=False)


def open_file(w: World, flags: int) -> int:
    roots.add_file(w.kernel, b"/tmp/a", b"hello world")
    w.put(1, 0x400, b"/tmp/a\0")
    return w.do("open", w.ptr(0x400), flags, 0)


@BOTH
def test_file_mappings(profile):
    """MEM-8, MEM-9: contents, zero tail, private and shared writes."""
    w = World(profile)
    fd = open_file(w, 2)
    private = addr(w.do("mmap", 0, 4096, 3, 2, fd, 0))
    shared = addr(w.do("mmap", 0, 4096, 3, 1, fd, 0))
    assert w.get(1, private, 13) == b"hello world\0\0"
    w.put(1, private, b"J")
    w.put(1, shared + 1, b"u")
    assert w.do("pread64", fd, w.ptr(0x800), 5, 0) == 5
    assert w.get(1, 0x800, 5) == b"hullo"
    assert w.get(1, private, 2)[:1] == b"J"
    w.do("close", fd)
    assert w.get(1, shared, 5) == b"hullo"


@BOTH
def test_file_mapping_errors(profile):
    """MEM-8."""
    w = World(profile)
    fd = open_file(w, 1)
    assert w.do("mmap", 0, 4096, 3, 2, fd, 0) == -13
    assert w.do("mmap", 0, 4096, 1, 1, fd, 0) == -13
    fd = w.do("open", w.ptr(0x400), 0, 0)
    assert w.do("mmap", 0, 4096, 3, 1, fd, 0) == -13
    at = addr(w.do("mmap", 0, 4096, 1, 1, fd, 0))
    assert w.do("mprotect", w.ptr(at), 4096, 3) == -13
    w.put(1, 0x400, b"/tmp\0")
    fd = w.do("open", w.ptr(0x400), 0, 0)
    assert w.do("mmap", 0, 4096, 1, 2, fd, 0) == -19


def test_removed_file_lives_while_mapped():
    """MEM-9: the inode goes when the last mapping goes."""
    w = World()
    fd = open_file(w, 2)
    shared = addr(w.do("mmap", 0, 4096, 3, 1, fd, 0))
    w.do("close", fd)
    w.do("unlink", w.ptr(0x400))
    child = w.fork()
    assert w.do("munmap", w.ptr(shared), 4096) == 0
    assert w.get(child, shared, 5) == b"hello"
    inodes = len(w.kernel.inodes)
    w.exit(child)
    assert len(w.kernel.inodes) == inodes - 1


PAGE_RANGE = st.tuples(st.integers(0, 12), st.integers(1, 5))
OPS = st.lists(
    st.one_of(
        st.tuples(st.just("mmap"), PAGE_RANGE, st.sampled_from([0, 1, 3]), st.booleans()),
        st.tuples(st.just("munmap"), PAGE_RANGE, st.just(0), st.just(False)),
        st.tuples(st.just("mprotect"), PAGE_RANGE, st.sampled_from([0, 1, 3]), st.just(False)),
        st.tuples(st.just("fork"), st.just((0, 1)), st.just(0), st.just(False)),
    ),
    max_size=12,
)


@given(OPS)
def test_memory_follows_the_map(steps):
    """MEM-1, MEM-3, MEM-15: in spec the memory of each cage allows exactly what its map says; property 49."""
    w = World()
    base = 0xE0000000
    cages = [1]
    for what, (first, count), prot, shared in steps:
        cage = cages[-1]
        at = base + first * 4096
        if what == "mmap":
            flags = FIXED | (SHARED if shared else ANON)
            assert addr(w.do("mmap", at, count * 4096, prot, flags, -1, 0, cage=cage)) == at
        elif what == "munmap":
            assert w.do("munmap", w.ptr(at, cage), count * 4096, cage=cage) == 0
        elif what == "mprotect":
            assert w.do("mprotect", w.ptr(at, cage), count * 4096, prot, cage=cage) in (0, -12)
        else:
            cages.append(w.fork(cage))
    for cage in cages:
        for page in range(20):
            at = base + page * 4096
            for write in (False, True):
                allowed = w.memories[cage].writable(at, 4096) if write else w.memories[cage].readable(at, 4096)
                assert allowed == mem.permits(w.kernel, cage, at, 4096, write=write)
    for cage in reversed(cages):
        w.exit(cage)
    assert not w.kernel.shares
    assert not w.kernel.cages


@BOTH
def test_heap_is_one_mapping(profile):
    """MEM-13: however often it grows, and what the end of a heap gave back stays gone in a child."""
    w = World(profile)
    for page in range(1, 9):
        w.do("brk", IMAGE + page * 4096)
    assert len(w.kernel.cages[1].vmmap) == 2
    w.do("brk", IMAGE + 4096)
    child = w.fork()
    assert w.memories[child].try_read(IMAGE, 1) == b"\0"
    assert w.memories[child].try_read(IMAGE + 4096, 1) is None


def test_large_ranges_are_cheap():
    """MPROTECT-HOLES, MEM-STALE: what is not there costs nothing."""
    w = World("lind")
    assert w.do("mprotect", w.ptr(IMAGE), (1 << 32) - IMAGE, 1) == 0
    w = World("lind")
    at = addr(w.do("mmap", 0, 1 << 30, 3, ANON, -1, 0))
    w.put(1, at, b"a")
    w.do("munmap", w.ptr(at + (1 << 29)), 4096)
    child = w.fork()
    assert w.get(child, at, 1) == b"a"


def test_fork_with_the_hole_filled_again():
    """MEM-STALE: nothing is lost when what fills the hole can be read; the last one decides protections."""
    w = World("lind")
    at = addr(w.do("mmap", 0, 12288, 3, ANON, -1, 0))
    w.do("munmap", w.ptr(at + 4096), 4096)
    assert addr(w.do("mmap", at + 4096, 4096, 1, ANON | FIXED, -1, 0)) == at + 4096
    w.put(1, at + 8192, b"\3")
    child = w.fork()
    assert w.get(child, at + 8192, 1) == b"\3"
    assert w.memories[child].writable(at + 4096, 4096)
    assert not w.memories[1].writable(at + 4096, 4096)
