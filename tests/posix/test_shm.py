"""SysV shared memory: rules SHM-1 to SHM-5."""

from __future__ import annotations

import pytest
from fileworld import AUX, BUF, NOWHERE, Files

from lindref.posix import processes
from lindref.posix.result import RuntimeFault
from lindref.posix.structs import SHMID_DS
from lindref.posix.table import thaw
from lindref.state.codec import decode, encode, same

BOTH = pytest.mark.parametrize("profile", ["spec", "lind"])
CREAT, EXCL, RDONLY, RND, REMAP = 0x200, 0x400, 0x1000, 0x2000, 0x4000
RMID, SET, STAT = 0, 1, 2


def get(w: Files, key: int, size: int = 4096, flags: int = CREAT | 0o666) -> int:
    return w.do("shmget", key, size, flags)


def attach(w: Files, number: int, where: int = 0, flags: int = 0, cage: int = 1) -> int:
    """The guest address, or the error."""
    value = w.do("shmat", number, w.ptr(where, cage) if where else 0, flags, cage=cage)
    return value if -4096 < value < 0 else value & 0xFFFFFFFF


def state(w: Files, number: int) -> dict[str, int]:
    assert w.do("shmctl", number, STAT, w.ptr(AUX)) == 0
    return SHMID_DS.unpack(w.get(1, AUX, SHMID_DS.size))


@BOTH
def test_keys(profile):
    """SHM-1: vectors mem.shm.ids, mem.shm.err."""
    w = Files(profile)
    spec = profile == "spec"
    assert get(w, 5, flags=0o666) == -2
    assert [get(w, 5), get(w, 6), get(w, 5), get(w, 5, 99, 0)] == [1, 2, 1, 1]
    assert get(w, 5, flags=CREAT | EXCL) == -17
    for size in (0, 0xFEFFFFFF + 1, 1 << 63):
        assert get(w, 7, size) == -22
    assert get(w, 5, 5000) == (-22 if spec else 1)
    private = w.call("shmget", 0, 100, 0o600)
    if not spec:
        assert isinstance(private, RuntimeFault)
        return
    assert [private.value, w.do("shmget", 0, 100, 0o600)] == [3, 4]
    w.as_user(8, 8)
    assert get(w, 9, flags=CREAT | 0o640) == 5
    w.as_user(7, 7)
    assert get(w, 9, flags=0o600) == -13
    assert get(w, 9, flags=0) == 5
    assert attach(w, 5) == -13


@BOTH
def test_shared_memory_is_shared(profile):
    """SHM-2: also with those that come later; read only where asked so."""
    w = Files(profile)
    number = get(w, 5, 8000)
    one, other = attach(w, number), attach(w, number, flags=RDONLY)
    w.put(1, one + 4090, b"across pages")
    assert w.get(1, other + 4090, 12) == b"across pages"
    assert not w.memories[1].try_write(other, b"x")
    child = w.fork()
    late = attach(w, number, cage=child)
    assert w.get(child, late + 4090, 12) == b"across pages"
    assert attach(w, 99) == -22


@BOTH
def test_what_a_child_has(profile):
    """SHM-3, FORK-SHM, SHM-COUNT: vector mem.shm.fork_inherit."""
    w = Files(profile)
    number = get(w, 5)
    place = attach(w, number)
    child = w.fork()
    w.put(child, place, b"child")
    assert w.get(1, place, 5) == (b"child" if profile == "spec" else bytes(5))
    assert state(w, number)["nattch"] == (2 if profile == "spec" else 1)
    assert w.do("shmdt", w.ptr(place, child), cage=child) == (0 if profile == "spec" else -22)
    assert state(w, number)["nattch"] == 1


@BOTH
def test_ends_of_cages(profile):
    """SHM-3 and SHM-COUNT: vector mem.shm.exit_no_detach."""
    w = Files(profile)
    number = get(w, 5)
    child = w.fork()
    attach(w, number, cage=child)
    assert state(w, number)["nattch"] == 1
    w.exit(child)
    assert state(w, number)["nattch"] == (0 if profile == "spec" else 1)
    attach(w, number)
    processes.execed(w.kernel, 1, ())
    w.load(1)
    assert state(w, number)["nattch"] == (0 if profile == "spec" else 2)


def test_places():
    """SHM-2, and SHM-PLAIN: an address is where it goes, or a hint."""
    w = Files()
    number = get(w, 5, 4096)
    assert attach(w, number, 0x400000) == 0x400000
    assert attach(w, number, 0x400000) == -22
    assert attach(w, number, 0x400000, REMAP) == 0x400000
    assert attach(w, number, 0x500010) == -22
    assert attach(w, number, 0x500010, RND) == 0x500000
    assert w.do("shmat", number, 12345, 0) == -22
    assert w.do("shmdt", w.ptr(0x500001)) == -22
    assert w.do("shmdt", w.ptr(0x600000)) == -22
    assert w.do("shmdt", w.ptr(0x500000)) == 0
    assert w.memories[1].try_read(0x500000, 1) is None
    w = Files("lind")
    assert attach(w, get(w, 5, 4096), 0x400000) != 0x400000


def test_unmapping():
    """SHM-3: munmap ends an attachment."""
    w = Files()
    number = get(w, 5)
    place = attach(w, number)
    assert w.do("munmap", w.ptr(place), 4096) == 0
    assert state(w, number)["nattch"] == 0
    assert w.do("shmdt", w.ptr(place)) == -22


@BOTH
def test_letting_go(profile):
    """SHM-4: vector mem.shm.rmid; the memory goes with the last attachment."""
    w = Files(profile)
    number = get(w, 5)
    place = attach(w, number)
    backings = len(w.kernel.backings.numbers())
    assert w.do("shmctl", number, RMID, 0) == 0
    assert get(w, 5, flags=0) == (-2 if profile == "spec" else number)
    assert state(w, number)["mode"] == 0o1666
    w.put(1, place, b"still")
    assert w.do("shmdt", w.ptr(place)) == 0
    assert len(w.kernel.backings.numbers()) == backings - 1
    assert get(w, 5, flags=0) == -2
    assert attach(w, number) == -22
    assert w.do("shmctl", number, STAT, w.ptr(AUX)) == -22
    again = get(w, 5)
    assert again == number + 1
    assert w.do("shmctl", again, RMID, 0) == 0
    assert w.do("shmctl", again, RMID, 0) == -22


def test_the_end_of_the_last_holder():
    """SHM-3, SHM-4: a cage that ends takes the last attachment."""
    w = Files()
    number = get(w, 5)
    child = w.fork()
    attach(w, number, cage=child)
    w.do("shmctl", number, RMID, 0)
    assert number in w.kernel.segments
    w.exit(child)
    assert number not in w.kernel.segments


def test_state_of_a_segment():
    """SHM-5 and SHM-PLAIN: vector mem.shm.stat."""
    for profile in ("spec", "lind"):
        w = Files(profile)
        spec = profile == "spec"
        number = get(w, 100, 5000, CREAT | 0o640)
        attach(w, number)
        told = state(w, number)
        assert (told["key"], told["mode"], told["cpid"], told["nattch"]) == (100, 0o640, 1, 1)
        assert (told["segsz"], told["uid"], told["cuid"]) == ((5000, 0, 0) if spec else (8192, 1000, 1000))
        result = w.call("shmctl", number, STAT, w.ptr(NOWHERE))
        assert result.value == -14 if spec else isinstance(result, RuntimeFault)
        w.put(1, BUF, SHMID_DS.pack(uid=4, gid=5, mode=0o604))
        assert w.do("shmctl", number, SET, w.ptr(BUF)) == (0 if spec else -22)
        assert w.do("shmctl", number, 3, w.ptr(BUF)) == -22
        if spec:
            told = state(w, number)
            assert (told["uid"], told["gid"], told["mode"]) == (4, 5, 0o604)
            assert w.do("shmctl", number, SET, w.ptr(NOWHERE)) == -14
            w.as_user(9, 5)
            assert w.do("shmctl", number, STAT, w.ptr(AUX)) == -13
            assert w.do("shmctl", number, RMID, 0) == -1
            w.as_user(4, 9)
            assert w.do("shmctl", number, RMID, 0) == 0


@BOTH
def test_round_trip(profile):
    """Segments are part of the state."""
    w = Files(profile)
    w.put(1, attach(w, get(w, 5)), b"kept")
    frozen = w.kernel.freeze()
    assert same(thaw(w, decode(encode(frozen))).freeze(), frozen)
