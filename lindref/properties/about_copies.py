"""Statements about copying data between cages (3i.md 9, numbers 33 to 36)."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from lindref.properties.copies import PAGE, STRIDE, Copier, Pages
from lindref.properties.statements import states
from lindref.properties.tables import NOT_THERE

_ABORTED = NOT_THERE  # the same number, for another reason


#: What can be wrong with a copy; most examples have one of these, some none or two.
_WRONG = ["same cage", "long", "kind", "null", "hole", "hole there", "fixed", "no cage", "no cage there", "end"]
_WRONG += ["end there"]
_SPOILERS = st.tuples(st.sampled_from(["", *_WRONG]), st.sampled_from([""] * len(_WRONG) + _WRONG))
_LENGTHS = st.sampled_from([0, 1, 3, 4, 10, PAGE, PAGE + 2, 2 * PAGE])
_EDGES = st.sampled_from([0, 1, PAGE - 4, PAGE - 1, PAGE])


def _example(data: Any) -> tuple[Pages, tuple[int, int, int, int, int, int]]:
    """Memories of cages 1 and 2, three pages each, and a copy between them, spoiled in some way or not."""
    wrong = data.draw(_SPOILERS)
    strings = data.draw(st.booleans())
    memory: dict[int, list[bytes | None]] = {
        cage: [(letter * (PAGE - 3) + b"\0yz") if strings else letter * PAGE for letter in (b"a", b"b", b"c")]
        for cage in (1, 2)
    }
    if "hole" in wrong:
        memory[1][data.draw(st.integers(0, 2))] = None
    if "hole there" in wrong:
        memory[2][data.draw(st.integers(0, 2))] = None
    fixed = frozenset((2, page) for page in range(data.draw(st.integers(1, 3)) if "fixed" in wrong else 0))
    cage = 3 if "no cage" in wrong else 1
    other = cage if "same cage" in wrong else 4 if "no cage there" in wrong else 2
    source = cage * STRIDE + (3 * PAGE - 2 if "end" in wrong else data.draw(_EDGES))
    dest = other * STRIDE + (3 * PAGE - 2 if "end there" in wrong else data.draw(_EDGES))
    length = (1 << 32) + 1 if "long" in wrong else data.draw(_LENGTHS)
    kind = 2 if "kind" in wrong else data.draw(st.integers(0, 1))
    return Pages(memory, fixed), (0 if "null" in wrong else source, cage, dest, other, length, kind)


@states("33", "copies", "a copy succeeds exactly when cages, length, kind and ranges allow it; else nothing changes")
def _(copier: Copier, data: Any) -> None:
    pages, (source, cage, dest, dest_cage, length, kind) = _example(data)
    before = pages.contents()
    wanted: bytes | None = None
    if cage != dest_cage and length < 1 << 32 and source and {cage, dest_cage} <= {1, 2} and kind in (0, 1):
        read = pages.read if kind == 0 else pages.read_string
        wanted = read(cage, source, length) if length or kind else b""
    if wanted is not None and wanted and not pages.reach(dest_cage, dest, len(wanted), write=True):
        wanted = None
    result = copier.copy(pages, source, cage, dest, dest_cage, length, kind)
    if wanted is None:
        assert result == _ABORTED
        assert pages.contents() == before
    else:
        assert result != _ABORTED
        assert pages.read(dest_cage, dest, len(wanted)) == wanted if wanted else pages.contents() == before


@states("34", "copies", "a string is copied up to its NUL and no further, or not at all")
def _(copier: Copier, data: Any) -> None:
    text = data.draw(st.binary(max_size=5)).replace(b"\0", b"x")
    limit = data.draw(st.integers(0, 8))
    last = data.draw(st.booleans())
    start = PAGE - len(text) - 1 if last else 7
    page = (bytes([1]) * start + text + b"\0").ljust(PAGE, b"\2")
    pages = Pages({1: [page, None], 2: [b"." * PAGE]})
    result = copier.copy(pages, STRIDE + start, 1, 2 * STRIDE + 16, 2, limit, 1)
    there = pages.cages[2][0]
    assert there is not None
    if limit <= len(text):
        assert result == _ABORTED
        assert there == b"." * PAGE
    else:
        assert result != _ABORTED
        assert there == (b"." * 16 + text + b"\0").ljust(PAGE, b".")


@states("35", "copies", "bytes are copied exactly, and none of them from and to anywhere in cages that exist")
def _(copier: Copier, data: Any) -> None:
    length = data.draw(st.integers(0, 40))
    page = bytes(i % 251 for i in range(PAGE))
    pages = Pages({1: [page], 2: [b"." * PAGE]})
    assert copier.copy(pages, STRIDE + 5, 1, 2 * STRIDE + 3, 2, length, 0) != _ABORTED
    there = pages.cages[2][0]
    assert there == (b"..." + page[5 : 5 + length]).ljust(PAGE, b".")
    assert copier.copy(pages, data.draw(st.integers(1, 1 << 60)), 1, 12345, 2, 0, 0) != _ABORTED
    assert copier.copy(pages, 12345, 1, 12345, 3, 0, 0) == _ABORTED


@states("36", "copies", "the result is the low half of the destination's address")
def _(copier: Copier, data: Any) -> None:
    offset = data.draw(st.integers(0, PAGE - 1))
    pages = Pages({1: [b"a" * PAGE], 2: [b"." * PAGE]})
    result = copier.copy(pages, STRIDE, 1, 2 * STRIDE + offset, 2, 1, 0)
    assert result & 0xFFFFFFFF == (2 * STRIDE + offset) & 0xFFFFFFFF
    far = (1 << 40) + (1 << 31) + offset
    assert copier.copy(pages, STRIDE, 1, far, 2, 0, 0) & 0xFFFFFFFF == far & 0xFFFFFFFF
    assert -(1 << 31) <= copier.copy(pages, STRIDE, 1, far, 2, 0, 0) < 1 << 31
