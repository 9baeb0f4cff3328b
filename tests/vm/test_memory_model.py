"""Memories and backings against a naive model, page by page: every access, mapping, fork, freeze and thaw."""

from __future__ import annotations

import copy
import random
import struct
from dataclasses import dataclass, field

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, multiple, rule

from lindref.state.codec import decode, digest, encode
from lindref.vm.limits import Budget
from lindref.vm.memory import Memory
from lindref.vm.pages import PAGE, ZERO, Backings, PageStore
from lindref.vm.regions import PAGES, READ, WRITE, Region
from lindref.vm.traps import MEMORY_BOUNDS, Trap

Pages = dict[int, bytearray]


@dataclass
class Model:
    """One memory: by page its protection and what it shows, and its own pages that were written."""

    prot: dict[int, tuple[int, int | None, int, bool]] = field(default_factory=dict)  # prot, backing, its page, private
    own: Pages = field(default_factory=dict)


class World:
    """All memories and backings, as the model has them."""

    def __init__(self) -> None:
        self.backings: dict[int, Pages] = {}
        self.memories: list[Model] = []

    def allowed(self, m: Model, a: int, n: int, prot: int) -> bool:
        if n == 0:
            return a <= PAGES * PAGE
        return all(p in m.prot and m.prot[p][0] & prot == prot for p in range(a // PAGE, (a + n - 1) // PAGE + 1))

    def page(self, m: Model, p: int) -> bytes:
        _, backing, number, private = m.prot[p]
        if backing is None or (private and p in m.own):
            return bytes(m.own.get(p, ZERO))
        return bytes(self.backings[backing].get(number, ZERO))

    def writable(self, m: Model, p: int) -> bytearray:
        _, backing, number, private = m.prot[p]
        if backing is not None and not private:
            return self.backings[backing].setdefault(number, bytearray(PAGE))
        if p not in m.own:
            m.own[p] = bytearray(self.page(m, p))
        return m.own[p]

    def read(self, m: Model, a: int, n: int) -> bytes:
        first = a // PAGE
        pages = range(first, (a + n - 1) // PAGE + 1) if n else ()
        return b"".join(self.page(m, p) for p in pages)[a - first * PAGE :][:n]

    def write(self, m: Model, a: int, data: bytes) -> None:
        while data:
            p, at = divmod(a, PAGE)
            size = min(PAGE - at, len(data))
            self.writable(m, p)[at : at + size] = data[:size]
            a, data = a + size, data[size:]

    def fill(self, m: Model, a: int, value: int, n: int) -> None:
        while n:
            p, at = divmod(a, PAGE)
            size = min(PAGE - at, n)
            if value or m.prot[p][1] is not None or p in m.own:
                self.writable(m, p)[at : at + size] = bytes([value]) * size
            a, n = a + size, n - size

    def copy(self, m: Model, to: int, source: Model, a: int, n: int) -> None:
        if n <= PAGE:
            self.write(m, to, self.read(source, a, n))
            return
        parts = []
        while n:
            p, at = divmod(a, PAGE)
            size = min(PAGE - at, n)
            written = source.prot[p][1] is not None or p in source.own
            parts.append(self.read(source, a, size) if written else size)
            a, n = a + size, n - size
        for part in parts:
            if isinstance(part, int):
                self.fill(m, to, 0, part)
                to += part
            else:
                self.write(m, to, part)
                to += len(part)

    def regions(self, m: Model) -> list[Region]:
        """The runs of pages that are alike."""
        found: list[Region] = []
        for p in sorted(m.prot):
            region = Region(p, 1, *m.prot[p])
            if found and found[-1].joins(region):
                last = found[-1]
                region = Region(last.first, last.count + 1, last.prot, last.backing, last.backing_page, last.private)
                found.pop()
            found.append(region)
        return found

    def present(self) -> int:
        return sum(len(m.own) for m in self.memories) + sum(len(b) for b in self.backings.values())


FIRST = st.one_of(st.integers(0, 10), st.integers(PAGES - 6, PAGES - 1))
COUNT = st.integers(0, 6)
NEAR = st.one_of(
    st.builds(lambda p, d: max(0, p * PAGE + d), st.integers(0, 12), st.integers(-9, 9)),
    st.integers(0, 12 * PAGE),
    st.builds(lambda p, d: (PAGES - p) * PAGE + d, st.integers(0, 7), st.integers(-9, 9)),
    st.sampled_from([2**32 - 1, 2**32, 2**32 + 5, 2**33 - 1, 2**33]),
)
ODD_LENGTH = st.sampled_from([PAGE - 1, PAGE, PAGE + 1, 2 * PAGE + 3])
LENGTH = st.one_of(st.integers(0, 9), ODD_LENGTH, st.integers(0, 3 * PAGE))
DATA = st.builds(
    lambda seed, n: (seed * -(-n // len(seed)))[:n], st.binary(min_size=1, max_size=7), LENGTH
)
PROT = st.sampled_from([READ | WRITE, READ | WRITE, READ, WRITE, 0])
WIDTH = st.sampled_from([1, 2, 4, 8])
CODES = {1: "<B", 2: "<H", 4: "<I", 8: "<Q"}


class Against(RuleBasedStateMachine):
    """The real thing beside the model."""

    numbers = Bundle("numbers")

    @initialize(target=numbers)
    def begin(self) -> object:
        self.budget = Budget()
        self.backings = Backings(self.budget)
        self.real: list[Memory] = [Memory.lind(self.backings, self.budget)]
        self.world = World()
        self.world.memories.append(Model())
        self.kept: list[tuple[object, bytes, World]] = []
        first = self.backings.create()
        self.world.backings[first] = {}
        self.map(0, 0, 4, READ | WRITE)
        return first

    def pick(self, which: int) -> tuple[Memory, Model]:
        i = which % len(self.real)
        return self.real[i], self.world.memories[i]

    # Mapping.

    @rule(target=numbers)
    def create(self) -> object:
        if len(self.world.backings) > 2:
            return multiple()
        number = self.backings.create()
        self.world.backings[number] = {}
        return number

    @rule(which=st.integers(0, 9), first=FIRST, count=COUNT, prot=PROT)
    def map(self, which: int, first: int, count: int, prot: int) -> None:
        self.map_backing(which, first, count, prot, None, 0, False)

    @rule(
        which=st.integers(0, 9),
        first=FIRST,
        count=COUNT,
        prot=PROT,
        number=numbers,
        at=st.integers(0, 4),
        shared=st.booleans(),
    )
    def map_backing(
        self, which: int, first: int, count: int, prot: int, number: int | None, at: int, shared: bool
    ) -> None:
        memory, m = self.pick(which)
        if first + count > PAGES:
            with pytest.raises(ValueError, match="not within"):
                memory.map(first, count, prot, number, at, shared=shared)
            return
        memory.map(first, count, prot, number, at, shared=shared)
        for i in range(count):
            m.own.pop(first + i, None)
            m.prot[first + i] = (prot, number, at + i, not shared) if number is not None else (prot, None, 0, False)

    @rule(which=st.integers(0, 9), first=FIRST, count=COUNT)
    def unmap(self, which: int, first: int, count: int) -> None:
        memory, m = self.pick(which)
        count = min(count, PAGES - first)
        memory.unmap(first, count)
        for p in range(first, first + count):
            m.own.pop(p, None)
            m.prot.pop(p, None)

    @rule(which=st.integers(0, 9), first=FIRST, count=COUNT, prot=PROT)
    def protect(self, which: int, first: int, count: int, prot: int) -> None:
        memory, m = self.pick(which)
        memory.protect(first, count, prot)
        for p in range(first, first + count):
            if p in m.prot:
                m.prot[p] = (prot, *m.prot[p][1:])

    # Access, as the machine does it.

    @rule(which=st.integers(0, 9), a=NEAR, width=WIDTH)
    def machine_load(self, which: int, a: int, width: int) -> None:
        memory, m = self.pick(which)
        try:
            value = struct.unpack_from(CODES[width], memory.rp[a >> 12], a & 4095)[0]
        except (KeyError, struct.error):
            if not self.world.allowed(m, a, width, READ):
                with pytest.raises(Trap, match=f"^{MEMORY_BOUNDS}$"):
                    memory.load_slow(a, width)
                return
            value = memory.load_slow(a, width)
        assert self.world.allowed(m, a, width, READ)
        assert value == int.from_bytes(self.world.read(m, a, width), "little")

    @rule(which=st.integers(0, 9), a=NEAR, width=WIDTH, value=st.integers(0, 2**64 - 1))
    def machine_store(self, which: int, a: int, width: int, value: int) -> None:
        memory, m = self.pick(which)
        value &= (1 << 8 * width) - 1
        allowed = self.world.allowed(m, a, width, WRITE)
        try:
            struct.pack_into(CODES[width], memory.wp[a >> 12], a & 4095, value)
            done = True
        except (KeyError, struct.error):
            done = self.trapping(lambda: memory.store_slow(a, width, value))
        assert done == allowed
        if allowed:
            self.world.write(m, a, value.to_bytes(width, "little"))

    @staticmethod
    def trapping(action: object) -> bool:
        try:
            action()  # type: ignore[operator]
        except Trap as trap:
            message = trap.message
        else:
            return True
        assert message == MEMORY_BOUNDS
        return False

    @rule(which=st.integers(0, 9), a=NEAR, n=LENGTH)
    def load(self, which: int, a: int, n: int) -> None:
        memory, m = self.pick(which)
        if self.world.allowed(m, a, n, READ):
            assert memory.try_read(a, n) == self.world.read(m, a, n)
            assert memory.readable(a, n)
            if n:
                assert memory.load(a, n) == self.world.read(m, a, n)
        else:
            assert memory.try_read(a, n) is None
            assert memory.readable(a, n) == (n == 0)
            if n:
                with pytest.raises(Trap, match=MEMORY_BOUNDS):
                    memory.load(a, n)

    @rule(which=st.integers(0, 9), a=NEAR, data=DATA, how=st.integers(0, 2))
    def store(self, which: int, a: int, data: bytes, how: int) -> None:
        memory, m = self.pick(which)
        allowed = self.world.allowed(m, a, len(data), WRITE)
        assert memory.writable(a, len(data)) == (allowed or not data)
        if how == 0 and data:
            done = self.trapping(lambda: memory.store(a, data))
        elif how == 1:
            done = self.trapping(lambda: memory.init(a, memoryview(data)))
        else:
            done = memory.try_write(a, bytearray(data))
        assert done == allowed
        if allowed:
            self.world.write(m, a, data)

    @rule(which=st.integers(0, 9), a=NEAR, value=st.sampled_from([0, 0, 1, 255]), n=LENGTH)
    def fill(self, which: int, a: int, value: int, n: int) -> None:
        memory, m = self.pick(which)
        allowed = self.world.allowed(m, a, n, WRITE)
        assert self.trapping(lambda: memory.fill(a, value, n)) == allowed
        if allowed:
            self.world.fill(m, a, value, n)

    @rule(
        which=st.integers(0, 9),
        other=st.integers(0, 9),
        to=NEAR,
        a=NEAR,
        n=LENGTH,
        near=st.one_of(st.none(), st.integers(-9, 9)),
    )
    def copy(self, which: int, other: int, to: int, a: int, n: int, near: int | None) -> None:
        memory, m = self.pick(which)
        source, s = self.pick(other)
        if near is not None:
            to = max(0, a + near)
        allowed = self.world.allowed(m, to, n, WRITE) and self.world.allowed(s, a, n, READ)
        assert self.trapping(lambda: memory.copy(to, a, n, None if source is memory else source)) == allowed
        if allowed:
            self.world.copy(m, to, s, a, n)

    @rule(which=st.integers(0, 9), a=NEAR, limit=LENGTH)
    def read_cstr(self, which: int, a: int, limit: int) -> None:
        memory, m = self.pick(which)
        found: bytes | None = b""
        while found is not None and len(found) < limit:
            at = a + len(found)
            if not self.world.allowed(m, at, 1, READ):
                found = None
                break
            rest = self.world.read(m, at, min(limit - len(found), PAGE - at % PAGE))
            found += rest.split(b"\0")[0]
            if 0 in rest:
                break
        assert memory.read_cstr(a, limit) == found

    @rule(which=st.integers(0, 9), a=NEAR)
    def place(self, which: int, a: int) -> None:
        memory, m = self.pick(which)
        entry = m.prot.get(a // PAGE)
        if entry is None:
            assert memory.place(a) is None
        elif entry[1] is None or entry[3]:
            assert memory.place(a) == (None, a)
        else:
            assert memory.place(a) == (entry[1], entry[2] * PAGE + a % PAGE)

    # Access to backings, as a kernel does it for files.

    @rule(number=numbers, offset=st.integers(0, 5 * PAGE), data=DATA)
    def file_write(self, number: int, offset: int, data: bytes) -> None:
        self.backings.store(number).write(offset, data)
        m = Model({p: (3, number, p, False) for p in range(20)})
        self.world.write(m, offset, data)

    @rule(number=numbers, offset=st.integers(0, 5 * PAGE), n=LENGTH)
    def file_read(self, number: int, offset: int, n: int) -> None:
        m = Model({p: (3, number, p, False) for p in range(20)})
        assert self.backings.store(number).read(offset, n) == self.world.read(m, offset, n)

    @rule(number=numbers, offset=st.integers(0, 5 * PAGE), n=LENGTH)
    def file_clear(self, number: int, offset: int, n: int) -> None:
        self.backings.store(number).clear(offset, n)
        pages = self.world.backings[number]
        for p in list(pages):
            low, high = max(offset, p * PAGE), min(offset + n, (p + 1) * PAGE)
            if high - low == PAGE:
                del pages[p]
            elif high > low:
                pages[p][low - p * PAGE : high - p * PAGE] = bytes(high - low)

    # Copies and values.

    @rule(which=st.integers(0, 9))
    def fork(self, which: int) -> None:
        if len(self.real) < 4:
            memory, m = self.pick(which)
            self.real.append(memory.fork())
            self.world.memories.append(copy.deepcopy(m))

    @rule()
    def close_last(self) -> None:
        if len(self.real) > 1:
            self.real.pop().close()
            self.world.memories.pop()

    @rule(which=st.integers(0, 9))
    def freeze_one(self, which: int) -> None:
        memory, _ = self.pick(which)
        assert memory.freeze() is memory.freeze()

    @rule()
    def freeze_backings(self) -> None:
        assert self.backings.freeze() is self.backings.freeze()

    @rule()
    def freeze(self) -> None:
        state = (self.backings.freeze(), tuple(memory.freeze() for memory in self.real))
        self.kept.append((state, digest(state), copy.deepcopy(self.world)))

    @rule(which=st.integers(0, 9), coded=st.booleans())
    def thaw(self, which: int, coded: bool) -> None:
        if not self.kept:
            return
        state, name, world = self.kept[which % len(self.kept)]
        if coded:
            state = decode(encode(state))
        self.budget = Budget()
        self.backings = Backings.thaw(state[0], self.budget)  # type: ignore[index]
        self.real = [Memory.thaw(m, self.backings, self.budget) for m in state[1]]  # type: ignore[index]
        # Only the backings that were there then are used from now on; numbers made since are made again.
        for number in self.world.backings:
            if number not in world.backings:
                world.backings[number] = {}
        while len(self.backings.numbers()) < len(world.backings):
            self.backings.create()
        assert self.backings.numbers() == sorted(world.backings)
        self.world = copy.deepcopy(world)
        again = (self.backings.freeze(), tuple(memory.freeze() for memory in self.real))
        if len(self.backings.numbers()) == len(state[0].pages):  # type: ignore[index]
            assert digest(again) == name

    @invariant()
    def all_is_as_in_the_model(self) -> None:
        if not hasattr(self, "world"):
            return
        assert self.budget.used == self.world.present()
        for memory, m in zip(self.real, self.world.memories, strict=True):
            assert list(memory.regions.values()) == self.world.regions(m)
            assert [r.first for r in memory.regions.values()] == list(memory.regions)
            assert memory.pages.present_in(0, PAGES) == sorted(m.own)
            assert len(memory.pages) == len(m.own)
            for p, page in memory.rp.items():
                assert m.prot[p][0] & READ
                assert page == self.world.page(m, p)
                if p in memory.wp:
                    assert memory.wp[p] is page
            for p, live in memory.wp.items():
                assert m.prot[p][0] & WRITE
                assert live == self.world.page(m, p)

    def teardown(self) -> None:
        if not hasattr(self, "world"):
            return
        for memory, m in zip(self.real, self.world.memories, strict=True):
            state = memory.freeze()
            assert {p: page.data for p, page in state.pages.items()} == m.own
        files = self.backings.freeze().pages
        assert {n: {p: page.data for p, page in pages.items()} for n, pages in files.items()} == self.world.backings
        for kept, name, _ in self.kept:
            assert digest(decode(encode(kept))) == name


TestAgainst = Against.TestCase


@pytest.mark.parametrize("seed", range(6))
def test_many_pages_forked_over_and_over(seed: int) -> None:
    """Forks lay what was written over what there was, thick and thin: every copy is what it was then, and as a value
    the same as if each page had been frozen at once."""
    choices = random.Random(seed)
    budget = Budget()
    copies: list[tuple[PageStore, dict[int, bytes]]] = [(PageStore(budget), {})]
    for _ in range(60):
        store, model = choices.choice(copies)
        for _ in range(choices.choice((0, 1, 3, 90, 200))):
            p = choices.randrange(300)
            page = store.own(p)
            page[choices.randrange(3)] = choices.randrange(3)
            model[p] = bytes(page)
        match choices.randrange(5):
            case 0:
                start = choices.randrange(300)
                stop = start + choices.choice((1, 10, 100))
                store.cut(start, stop)
                for p in range(start, stop):
                    model.pop(p, None)
            case 1:
                plain = PageStore.thaw(store.freeze())
                assert {p: bytes(page.data) for p, page in plain.frozen.items()} == model
            case _:
                copies.append((store.fork(), dict(model)))
        if len(copies) > 8:
            gone, _ = copies.pop(choices.randrange(8))
            gone.close()
        for store, model in copies:
            assert store.present_in(0, 400) == sorted(model)
            assert len(store) == len(model)
        assert budget.used == sum(len(model) for _, model in copies)
    for store, model in copies:
        assert {p: store.read(p * PAGE, PAGE) for p in range(300)} == {p: model.get(p, ZERO) for p in range(300)}
        fresh = PageStore()
        for p, data in model.items():
            fresh.write(p * PAGE, data)
        assert digest(store.freeze()) == digest(fresh.freeze())
