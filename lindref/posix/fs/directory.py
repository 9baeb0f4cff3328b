"""What a directory holds, as pure functions on `Directory`.

Names are found by hash; positions number the entries in order of arrival. Entries of a host directory arrive sorted, so
listings never depend on the host's order.
"""

from __future__ import annotations

from collections.abc import Iterator

from lindref.hashing import blake2b
from lindref.posix.fs.records import Directory, Entry
from lindref.state.records import replace as with_fields


def name_hash(name: bytes) -> int:
    """The 64-bit key of a name."""
    return int.from_bytes(blake2b(name, digest_size=8).digest(), "little")


def find(directory: Directory, name: bytes) -> int | None:
    """The position of the entry ``name``, or None."""
    for position in directory.names.get(name_hash(name)) or ():
        if directory.entries[position].name == name:
            return position
    return None


def lookup(directory: Directory, name: bytes) -> int | None:
    """The inode number that ``name`` names, or None."""
    position = find(directory, name)
    return None if position is None else directory.entries[position].inode


def insert(directory: Directory, name: bytes, inode: int) -> Directory:
    """The directory with one entry more; ``name`` must be new."""
    position = directory.next_position
    key = name_hash(name)
    return with_fields(
        directory,
        entries=directory.entries.set(position, Entry(name, inode)),
        names=directory.names.set(key, (*(directory.names.get(key) or ()), position)),
        next_position=position + 1,
    )


def moved_to(directory: Directory, first: int, position: int) -> Directory:
    """The directory whose entries from position ``first`` on, all added since, stand from ``position`` on instead; the
    next one comes at ``first``.
    """
    entries, names = directory.entries, directory.names
    for place, (old, entry) in enumerate(tuple(entries.items(start=first)), position):
        if old >= directory.next_position:
            break  # those were moved before
        entries = entries.remove(old).set(place, entry)
        key = name_hash(entry.name)
        names = names.set(key, tuple(place if one == old else one for one in names[key]))
    return with_fields(directory, entries=entries, names=names, next_position=first)


def replace(directory: Directory, name: bytes, inode: int) -> Directory:
    """The directory with ``name``, which is there, naming ``inode`` instead; the entry keeps its position."""
    position = find(directory, name)
    assert position is not None, f"no entry {name!r}"
    return with_fields(directory, entries=directory.entries.set(position, Entry(name, inode)))


def remove(directory: Directory, name: bytes) -> Directory:
    """The directory without ``name``, which is there."""
    position = find(directory, name)
    assert position is not None, f"no entry {name!r}"
    key = name_hash(name)
    left = tuple(p for p in directory.names[key] if p != position)
    return with_fields(
        directory,
        entries=directory.entries.remove(position),
        names=directory.names.set(key, left) if left else directory.names.remove(key),
    )


def listing(directory: Directory, own: int, start: int = 0) -> Iterator[tuple[int, bytes, int]]:
    """The entries behind position ``start`` as (position, name, inode), ``.`` and ``..`` first. ``own`` is the
    number of the directory's inode."""
    if start < 1:
        yield 1, b".", own
    if start < 2:
        yield 2, b"..", directory.parent
    for position, entry in directory.entries.items(start=max(start + 1, 3)):
        yield position, entry.name, entry.inode
