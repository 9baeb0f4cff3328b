"""The map of the address space against a naive one, page by page (MEM-1 to MEM-4, MEM-14)."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lindref.posix import vmmap
from lindref.posix.cage import Mapping
from lindref.posix.constants import PAGES
from lindref.state.pmap import PMap

LOW = st.integers(0, 40)
COUNT = st.integers(1, 12)
RANGE = st.tuples(LOW, COUNT)
STEP = st.one_of(
    st.tuples(st.just("insert"), RANGE, st.sampled_from([0, 1, 2, 3])),
    st.tuples(st.just("remove"), RANGE, st.just(0)),
    st.tuples(st.just("protect"), RANGE, st.sampled_from([0, 1, 3])),
)


def run(steps, stale=False):
    """The map after ``steps``, and the naive one: page -> (serial number of the insertion, its page there,
    protection).
    """
    real: vmmap.Map = PMap()
    naive: dict[int, tuple[int, int, int]] = {}
    for serial, (what, (first, count), prot) in enumerate(steps):
        end = first + count
        if what == "insert":
            real = vmmap.insert(real, Mapping(first, count, prot, 2, backing=serial, backing_page=100), stale=stale)
            naive.update({page: (serial, 100 + page - first, prot) for page in range(first, end)})
        elif what == "remove":
            real = vmmap.remove(real, first, end, stale=stale)
            for page in range(first, end):
                naive.pop(page, None)
        else:
            real = vmmap.protect(real, first, end, prot)
            naive.update({p: (*naive[p][:2], prot) for p in range(first, end) if p in naive})
    return real, naive


def flat(real):
    out = {}
    for at, piece in real.items():
        assert at == piece.first
        for page in range(piece.first, piece.end):
            assert page not in out  # MEM-1: mappings never overlap
            out[page] = (piece.backing, piece.backing_page + page - piece.first, piece.prot)
    return out


@given(st.lists(STEP, max_size=14), st.booleans())
def test_pages_are_those_of_the_naive_map(steps, stale):
    """MEM-1, MEM-3: the newest mapping of a page wins, the rest of an older one stays what it was."""
    real, naive = run(steps, stale)
    assert flat(real) == naive


@given(st.lists(STEP, max_size=14))
def test_pieces_say_their_bounds(steps):
    real, _ = run(steps)
    for piece in real.values():
        assert (piece.said_first, piece.said_count) == (piece.first, piece.count)


@given(st.lists(STEP, max_size=10), st.booleans(), RANGE, st.booleans())
def test_ranges(steps, stale, where, write):
    """MEM-14: coverage and permission of a range are those of all its pages."""
    real, naive = run(steps, stale)
    pages = range(where[0], where[0] + where[1])
    assert vmmap.covered(real, pages.start, pages.stop) == all(page in naive for page in pages)
    assert [piece.first for piece in vmmap.overlapping(real, pages.start, pages.stop)] == sorted(
        {piece.first for piece in real.values() if piece.first < pages.stop and pages.start < piece.end}
    )
    allowed = all(page in naive and (naive[page][2] & 2 or (naive[page][2] and not write)) for page in pages)
    assert vmmap.permits(real, pages.start, pages.stop, write=write) == allowed


@given(st.lists(STEP, max_size=10), st.integers(1, 60), st.integers(0, 70))
def test_gaps_and_places(steps, count, hint):
    """MEM-2: the lowest gap with a page to spare, at its top, the last page left free."""
    real, naive = run(steps)
    free = [page for page in range(hint, 200) if page not in naive]
    runs = [(a, b) for a, b in vmmap.gaps(real, hint)]
    assert runs[-1][1] == PAGES
    assert [page for a, b in runs for page in range(a, min(b, 200))] == free
    place = vmmap.find_space(real, count, hint)
    fitting = [(a, b) for a, b in runs if b - a >= count + 1]
    assert place == (fitting[0][1] - 1 - count if fitting else None)


def test_places_of_a_fresh_space():
    """The addresses of 3i.md 6.1 and of vector mem.mmap.gap."""
    space = vmmap.insert(PMap(), Mapping(0, 0x10050, 3, 2))
    seen = []
    for count in (1, 2, 3):
        at = vmmap.find_space(space, count)
        seen.append(at)
        space = vmmap.insert(space, Mapping(at, count, 3, 2))
    assert seen == [0xFFFFE, 0xFFFFB, 0xFFFF7]
    assert vmmap.find_space(space, 1, 0x40000) == 0xFFFF5


def test_stale_bounds_believed():
    """MEM-STALE: after the middle is gone a range check passes across the hole."""
    space = vmmap.insert(PMap(), Mapping(10, 3, 3, 2))
    for stale in (False, True):
        cut = vmmap.remove(space, 11, 12, stale=stale)
        assert vmmap.permits(cut, 10, 13, write=True, stale=stale) is stale
