"""The persistent map against a dict."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

from lindref.state.digest import digest
from lindref.state.pmap import LIMIT, Node, PMap

# Near each other, far apart, at the edges of nodes.
KEYS = st.one_of(
    st.integers(0, 70),
    st.integers(0, LIMIT - 1),
    st.builds(lambda bit, d: max(0, min(LIMIT - 1, (1 << bit) + d)), st.integers(0, 64), st.integers(-2, 2)),
    st.builds(lambda n, d: 0xFFFFF - 32 * n + d, st.integers(0, 40), st.integers(0, 3)),
)
VALUES = st.integers(0, 5)
DICTS = st.dictionaries(KEYS, VALUES, max_size=40)


def shape_holds(node: Node | None) -> None:
    """A node's kids lie in its span, a branch parts at least two, sizes add up."""
    todo = [] if node is None else [node]
    while todo:
        n = todo.pop()
        assert n.kids
        assert len(n.kids) <= 32
        assert {q >> 5 for q in n.kids} == {n.prefix}
        if n.shift:
            assert n.shift % 5 == 0
            assert len(n.kids) >= 2
            assert n.size == sum(kid.size for kid in n.kids.values())
            for q, kid in n.kids.items():
                assert kid.shift < n.shift
                assert kid.prefix << 5 << kid.shift >> n.shift == q
            todo.extend(n.kids.values())
        else:
            assert n.size == len(n.kids)


class AgainstDict(RuleBasedStateMachine):
    """Maps are made from maps; every one ever made must still be what it was."""

    maps = Bundle("maps")

    def __init__(self) -> None:
        super().__init__()
        self.made: list[tuple[PMap[int], dict[int, int]]] = []

    def keep(self, m: PMap[int], d: dict[int, int]) -> int:
        shape_holds(m.root)
        self.made.append((m, d))
        return len(self.made) - 1

    @rule(target=maps, d=DICTS)
    def build(self, d: dict[int, int]) -> int:
        return self.keep(PMap(d), d)

    @rule(target=maps, i=maps, k=KEYS, v=VALUES)
    def set(self, i: int, k: int, v: int) -> int:
        m, d = self.made[i]
        return self.keep(m.set(k, v), {**d, k: v})

    @rule(target=maps, i=maps, more=DICTS)
    def update(self, i: int, more: dict[int, int]) -> int:
        m, d = self.made[i]
        return self.keep(m.update(more), {**d, **more})

    @rule(target=maps, i=maps, data=st.data())
    def remove(self, i: int, data: st.DataObject) -> int:
        m, d = self.made[i]
        k = data.draw(st.sampled_from(sorted(d))) if d else 0
        if not d:
            with pytest.raises(KeyError):
                m.remove(k)
            return i
        return self.keep(m.remove(k), {a: v for a, v in d.items() if a != k})

    @rule(target=maps, i=maps, a=KEYS, b=KEYS)
    def cut(self, i: int, a: int, b: int) -> int:
        m, d = self.made[i]
        return self.keep(m.cut(a, b), {k: v for k, v in d.items() if not a <= k < b})

    @rule(i=maps, k=KEYS)
    def look(self, i: int, k: int) -> None:
        m, d = self.made[i]
        assert m.get(k) == d.get(k)
        assert m.get(k, "none") == d.get(k, "none")
        assert (k in m) == (k in d)
        below = [a for a in d if a <= k]
        assert m.floor(k) == ((max(below), d[max(below)]) if below else None)
        assert list(m.items(k)) == sorted((a, v) for a, v in d.items() if a >= k)
        assert list(m.keys(k)) == sorted(a for a in d if a >= k)

    @rule(i=maps, j=maps)
    def compare(self, i: int, j: int) -> None:
        (m, d), (n, e) = self.made[i], self.made[j]
        assert m.changed(n) == sorted(k for k in d.keys() | e.keys() if d.get(k) != e.get(k))
        assert (m == n) == (d == e)
        assert (digest(m) == digest(n)) == (d == e)
        assert m.changed(n) == n.changed(m)

    @invariant()
    def nothing_changed(self) -> None:
        for m, d in self.made:
            assert list(m.items()) == sorted(d.items())
            assert len(m) == len(d)


TestAgainstDict = AgainstDict.TestCase


@given(DICTS, st.permutations(range(40)))
def test_shape_follows_from_keys(d: dict[int, int], order: list[int]) -> None:
    items = list(d.items())
    m: PMap[int] = PMap()
    for i in order:
        if i < len(items):
            m = m.set(*items[i])
    for i in order:
        m = m.set(10**6 + 37 * i, 1)
    for i in order:
        m = m.remove(10**6 + 37 * i) if 10**6 + 37 * i not in d else m.set(10**6 + 37 * i, d[10**6 + 37 * i])

    def shape(node: Node | None) -> object:
        if node is None:
            return None
        kids = {q: shape(kid) if isinstance(kid, Node) else kid for q, kid in node.kids.items()}
        return node.shift, node.prefix, kids

    assert shape(m.root) == shape(PMap(d).root)


def test_small_map_is_one_node() -> None:
    m = PMap(dict.fromkeys(range(32), 0))
    assert m.root is not None
    assert m.root.shift == 0


def test_unchanged_is_the_same_object() -> None:
    value = object()
    m = PMap(dict.fromkeys(range(0, 5000, 7), value))
    assert m.set(49, value) is m
    assert m.update({49: value, 7: value}) is m
    assert m.cut(1, 7) is m
    assert m.update({}) is m


def test_changed_skips_what_is_shared() -> None:
    class Loud:
        compared = 0

        def __eq__(self, other: object) -> bool:
            Loud.compared += 1
            return self is other

        __hash__ = None  # type: ignore[assignment]

    m = PMap({k: Loud() for k in range(10_000)})
    n = m.set(5, Loud()).set(9_999, Loud())
    assert m.changed(n) == [5, 9_999]
    assert Loud.compared == 2


def test_keys_out_of_range() -> None:
    m: PMap[int] = PMap({1: 1})
    for bad in (-1, LIMIT):
        with pytest.raises(ValueError, match=f"key {bad} is not in"):
            m.set(bad, 0)
        with pytest.raises(ValueError, match=f"key {bad} is not in"):
            m.update({bad: 0, 4: 4})
        assert m.get(bad) is None
        assert bad not in m
    assert m.floor(-1) is None
    assert m.floor(LIMIT + 5) == (1, 1)
    with pytest.raises(KeyError):
        m[2]


def test_equality_is_exact() -> None:
    assert PMap({1: 0.0}) != PMap({1: -0.0})
    assert PMap({1: 1}) != PMap({1: True})
    assert PMap({1: float("nan")}) == PMap({1: float("nan")})
    assert PMap({1: 1}) != {1: 1}
    assert PMap() == PMap()
