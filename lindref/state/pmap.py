"""A persistent map over unsigned 64-bit integers.

A radix trie, 32-way, with paths compressed: a node stands for a span of keys and exists only where its keys
part. Its shape follows from its keys alone, so equal maps have equal shapes, and a digest can be kept in each
node. Kids are found by ``key >> shift``, the whole prefix and not just five bits of it, so one failed lookup
also says that a key lies outside the node's span.

Letters: ``k`` key, ``v`` value, ``q`` the prefix ``key >> shift`` under which a node holds a kid.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Generic, TypeVar, overload

from lindref.state.equal import Pairwise, identical

V = TypeVar("V")
D = TypeVar("D")

_BITS = 5
#: Keys are below this.
LIMIT = 1 << 64


class Node:
    """A node; at ``shift`` 0 a leaf, whose kids are values by key, else a branch of at least two nodes.

    ``prefix`` is what all its keys have in common: ``key >> (shift + 5)``. Never changed once made, but for
    ``digest``, which ``state.digest`` fills in.
    """

    __slots__ = ("digest", "kids", "prefix", "shift", "size")

    def __init__(self, shift: int, prefix: int, kids: dict[int, Any], size: int) -> None:
        self.shift = shift
        self.prefix = prefix
        self.kids = kids  # Any: a leaf holds values, a branch nodes; two classes would slow every lookup
        self.size = size
        self.digest: bytes | None = None


class PMap(Pairwise, Generic[V]):
    """An immutable map from ``0 <= k < 2**64`` to values; iterates in the order of its keys.

    ``==`` is equality of states (``state.equal.identical``): exact in types, floats by bits.
    """

    __slots__ = ("_root",)
    _root: Node | None

    def __init__(self, items: Mapping[int, V] | Iterable[tuple[int, V]] = ()) -> None:
        pairs = dict(items)
        self._root = _merge(None, _sorted_keys(pairs), pairs) if pairs else None

    # Looking up.

    @overload
    def get(self, key: int) -> V | None: ...
    @overload
    def get(self, key: int, default: D) -> V | D: ...

    def get(self, key: int, default: object = None) -> object:
        """The value at ``key``, or ``default``."""
        node = self._root
        while node is not None:
            shift = node.shift
            if not shift:
                return node.kids.get(key, default)
            node = node.kids.get(key >> shift)
        return default

    def __getitem__(self, key: int) -> V:
        value: Any = self.get(key, _MISSING)
        if value is _MISSING:
            raise KeyError(key)
        return value  # type: ignore[no-any-return]

    def __contains__(self, key: int) -> bool:
        return self.get(key, _MISSING) is not _MISSING

    def __len__(self) -> int:
        return 0 if self._root is None else self._root.size

    @property
    def root(self) -> Node | None:
        """The top node (for ``state.digest``); ``None`` when empty."""
        return self._root

    def floor(self, key: int) -> tuple[int, V] | None:
        """The entry with the greatest key that is ``<= key``."""
        node = self._root
        below: Node | None = None  # the nearest subtree all of whose keys are smaller
        while node is not None:
            kids = node.kids
            q = key >> node.shift
            if not node.shift and q in kids:
                return key, kids[q]
            if node.shift and q in kids:
                if q != min(kids):
                    below = kids[max(p for p in kids if p < q)]
                node = kids[q]
                continue
            order = sorted(kids)
            at = bisect_right(order, q)
            if at:
                p = order[at - 1]
                if not node.shift:
                    return p, kids[p]
                below = kids[p]
            break
        return None if below is None else _last(below)

    # Going through, in the order of keys.

    def items(self, start: int = 0) -> Iterator[tuple[int, V]]:
        """The entries whose key is ``>= start``."""
        for leaf in _leaves(self._root, start):
            kids = leaf.kids
            for k in sorted(kids):
                if k >= start:
                    yield k, kids[k]

    def keys(self, start: int = 0) -> Iterator[int]:
        """The keys that are ``>= start``."""
        for leaf in _leaves(self._root, start):
            for k in sorted(leaf.kids):
                if k >= start:
                    yield k

    def values(self, start: int = 0) -> Iterator[V]:
        """The values whose key is ``>= start``."""
        for _, v in self.items(start):
            yield v

    def __iter__(self) -> Iterator[int]:
        return self.keys()

    # Changing (that is, making another).

    def set(self, key: int, value: V) -> PMap[V]:
        """This map with ``value`` at ``key``; ``ValueError`` for a key out of range."""
        if not 0 <= key < LIMIT:
            raise ValueError(f"key {key} is not in 0..2**64-1")
        root = self._root
        new = _leaf(key, value) if root is None else _insert(root, key, value)
        return self if new is root else _wrap(new)

    def update(self, items: Mapping[int, V] | Iterable[tuple[int, V]]) -> PMap[V]:
        """This map with all of ``items`` set; costs less than setting them one by one."""
        pairs = items if isinstance(items, dict) else dict(items)
        if not pairs:
            return self
        new = _merge(self._root, _sorted_keys(pairs), pairs)
        return self if new is self._root else _wrap(new)

    def remove(self, key: int) -> PMap[V]:
        """This map without ``key``; ``KeyError`` if it has none."""
        if key not in self:
            raise KeyError(key)
        return self.cut(key, key + 1)

    def cut(self, start: int, stop: int) -> PMap[V]:
        """This map without the keys ``start <= k < stop``."""
        if self._root is None or start >= stop:
            return self
        new = _cut(self._root, start, stop)
        return self if new is self._root else _wrap(new)

    # Comparing.

    def changed(self, other: PMap[V]) -> list[int]:
        """The keys, ascending, at which the two differ; costs what is not shared between them."""
        pairs = _differences(self._root, other.root)
        return sorted(k for k, a, b in pairs if a is _MISSING or b is _MISSING or not identical(a, b))

    def state_pairs(self, other: object) -> Iterable[tuple[object, object]] | None:
        """For ``state.equal``: the values that must be identical, or ``None`` if the keys differ."""
        if not isinstance(other, PMap) or len(self) != len(other):
            return None
        mine, its = self._root, other.root
        if mine is not None and its is not None and mine.digest is not None and its.digest is not None:
            return () if mine.digest == its.digest else None
        pairs = []
        for _, a, b in _differences(mine, its):
            if a is _MISSING or b is _MISSING:
                return None
            pairs.append((a, b))
        return pairs

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, PMap):
            return NotImplemented
        return identical(self, other)

    __hash__ = None  # type: ignore[assignment]  # hash what it stands in: a record

    def __repr__(self) -> str:
        return f"PMap({{{', '.join(f'{k}: {v!r}' for k, v in self.items())}}})"


_MISSING = Node(0, 0, {}, 0)


def _wrap(root: Node | None) -> PMap[Any]:
    made: PMap[Any] = PMap.__new__(PMap)
    made._root = root  # noqa: SLF001 (its own constructor)
    return made


def _leaf(key: int, value: object) -> Node:
    return Node(0, key >> _BITS, {key: value}, 1)


def _sorted_keys(pairs: Mapping[int, object]) -> list[int]:
    """The keys in order; ``ValueError`` for one out of range."""
    order = sorted(pairs)
    if order[0] < 0 or order[-1] >= LIMIT:
        bad = order[0] if order[0] < 0 else order[-1]
        raise ValueError(f"key {bad} is not in 0..2**64-1")
    return order


def _parting(a: int, b: int) -> int:
    """The shift of the node at which two keys part."""
    different = a ^ b
    return (different.bit_length() - 1) // _BITS * _BITS if different else 0


def _insert(node: Node, key: int, value: object) -> Node:
    """``node`` with ``value`` at ``key``: ``node`` itself if it is there already."""
    shift = node.shift
    kids = node.kids
    if key >> shift >> _BITS != node.prefix:
        start = node.prefix << _BITS << shift
        part = _parting(start, key)
        kids = {start >> part: node, key >> part: _leaf(key, value)}
        return Node(part, key >> part >> _BITS, kids, node.size + 1)
    if not shift:
        old = kids.get(key, _MISSING)
        if old is value:
            return node
        kids = kids.copy()
        kids[key] = value
        return Node(0, node.prefix, kids, len(kids))
    q = key >> shift
    kid = kids.get(q)
    new = _leaf(key, value) if kid is None else _insert(kid, key, value)
    if new is kid:
        return node
    kids = kids.copy()
    kids[q] = new
    return Node(shift, node.prefix, kids, node.size + new.size - (0 if kid is None else kid.size))


def _merge(node: Node | None, keys: list[int], pairs: Mapping[int, object]) -> Node:
    """``node`` with what ``pairs`` has at ``keys`` (at least one, ascending)."""
    low, high = keys[0], keys[-1]
    if node is not None and low == high:
        return _insert(node, low, pairs[low])
    part = _parting(low, high)
    kids: dict[int, Any] = {}
    if node is not None:
        start = node.prefix << _BITS << node.shift
        part = max(part, node.shift, _parting(start, low), _parting(start, high))
        if part == node.shift:
            kids = node.kids.copy()
        else:
            kids[start >> part] = node
    if not part:
        for k in keys:
            kids[k] = pairs[k]
        if node is not None and all(node.kids.get(k, _MISSING) is pairs[k] for k in keys):
            return node
        return Node(0, low >> _BITS, kids, len(kids))
    same = node is not None and part == node.shift
    at = 0
    while at < len(keys):
        q = keys[at] >> part
        end = bisect_left(keys, q + 1 << part, at)
        kid = kids.get(q)
        kids[q] = new = _merge(kid, keys[at:end], pairs)
        same = same and new is kid
        at = end
    if same and node is not None:
        return node
    return Node(part, low >> part >> _BITS, kids, sum(kid.size for kid in kids.values()))


def _cut(node: Node, start: int, stop: int) -> Node | None:
    """``node`` without the keys ``start <= k < stop``: ``node`` itself if it has none of them."""
    shift = node.shift
    low = node.prefix << _BITS << shift
    high = low + (1 << _BITS << shift)
    if start <= low and high <= stop:
        return None
    if stop <= low or high <= start:
        return node
    if not shift:
        kids = {k: v for k, v in node.kids.items() if not start <= k < stop}
        if len(kids) == node.size:
            return node
        return Node(0, node.prefix, kids, len(kids)) if kids else None
    touched = range(start >> shift, ((stop - 1) >> shift) + 1)
    kids = {}
    same = True
    for q, kid in node.kids.items():
        new = _cut(kid, start, stop) if q in touched else kid
        same = same and new is kid
        if new is not None:
            kids[q] = new
    if same:
        return node
    if len(kids) <= 1:  # a branch parts its keys, or is not there
        return next(iter(kids.values()), None)
    return Node(shift, node.prefix, kids, sum(kid.size for kid in kids.values()))


def _leaves(root: Node | None, start: int) -> Iterator[Node]:
    """The leaves that may have keys ``>= start``, in order."""
    stack = [] if root is None else [root]
    while stack:
        node = stack.pop()
        if not node.shift:
            yield node
            continue
        q = start >> node.shift
        stack.extend(node.kids[p] for p in sorted(node.kids, reverse=True) if p >= q)


def _last(node: Node) -> tuple[int, Any]:
    """The entry of the greatest key beneath ``node``."""
    while node.shift:
        node = node.kids[max(node.kids)]
    k = max(node.kids)
    return k, node.kids[k]


def _differences(first: Node | None, second: Node | None) -> Iterator[tuple[int, Any, Any]]:
    """``(key, value, value)`` where the values are not one object, ``_MISSING`` standing for none."""
    stack: list[tuple[Node | None, Node | None]] = [(first, second)]
    while stack:
        a, b = stack.pop()
        if a is b:
            continue
        if a is None or b is None:
            for leaf in _leaves(b if a is None else a, 0):
                for k, v in leaf.kids.items():
                    yield (k, _MISSING, v) if a is None else (k, v, _MISSING)
            continue
        if a.digest is not None and a.digest == b.digest:
            continue
        if a.shift == b.shift and a.prefix == b.prefix:
            ours, its = a.kids, b.kids
            every = [*ours, *(q for q in its if q not in ours)]
            if a.shift:
                stack.extend((ours.get(q), its.get(q)) for q in every)
                continue
            for k in every:
                left, right = ours.get(k, _MISSING), its.get(k, _MISSING)
                if left is not right:
                    yield k, left, right
        elif a.shift > b.shift and b.prefix << _BITS << b.shift >> a.shift >> _BITS == a.prefix:
            q = b.prefix << _BITS << b.shift >> a.shift
            stack.extend((kid, None) for p, kid in a.kids.items() if p != q)
            stack.append((a.kids.get(q), b))
        elif b.shift > a.shift and a.prefix << _BITS << a.shift >> b.shift >> _BITS == b.prefix:
            q = a.prefix << _BITS << a.shift >> b.shift
            stack.extend((None, kid) for p, kid in b.kids.items() if p != q)
            stack.append((a, b.kids.get(q)))
        else:
            stack.append((a, None))
            stack.append((None, b))
