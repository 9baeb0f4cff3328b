"""The sources that were made of bodies, on disk: one file a unit, below the user's cache directory (MACH-8).

Nothing in it is believed that could have come from somebody else: folder and file must belong to the user who runs
this, and nobody else may write them; a checksum tells what was cut short. Whatever is wrong with an entry, or with the
disk, the source is made again. Several processes may write at once: a file appears whole or not at all.
"""

from __future__ import annotations

import json
import os
import stat
from functools import cache
from pathlib import Path
from typing import Any

from lindref import hashing
from lindref.vm.compiled.source import Source

#: Bytes of the biggest entry.
LARGEST = 8 << 20


def folder() -> Path | None:
    """Where the sources are; ``None`` where there is no home, or no telling what the compiler is."""
    generation = _generation()
    if not generation:
        return None
    base = os.environ.get("XDG_CACHE_HOME", "")
    if not os.path.isabs(base):
        home = os.path.expanduser("~")
        if not os.path.isabs(home):
            return None
        base = os.path.join(home, ".cache")
    return Path(base) / "lindref" / f"compiled-{generation}"


@cache
def _generation() -> str:
    """What the compiler is known by: a digest of the files that decide what it makes, and of lindref's version."""
    here = Path(__file__).parent
    sources = hashing.blake2b(digest_size=8)
    for path in [*sorted(here.glob("*.py")), here.parent / "prepare.py", here.parents[1] / "__init__.py"]:
        try:
            sources.update(path.read_bytes())
        except OSError:
            return ""
    return sources.hexdigest()


def load(key: str) -> Source | None:
    """The source of a unit, if a sound one is there."""
    where = folder()
    if where is None:
        return None
    try:
        if not _ours(os.lstat(where), stat.S_ISDIR):
            return None
        descriptor = os.open(where / key, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    except OSError:
        return None
    with open(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if not _ours(status, stat.S_ISREG) or status.st_size > LARGEST:
            return None
        try:
            data = file.read(LARGEST)
        except OSError:
            return None
    sum_, _, body = data.partition(b"\n")
    if sum_ != _sum(key, body):
        return None
    return _decode(body)


def save(key: str, source: Source) -> None:
    """Keeps a source; if that cannot be, nothing happens."""
    where = folder()
    if where is None:
        return
    states = [list(state) if state else None for state in source.states]
    afters = [[line, *state] for line, state in source.afters.items()]
    body = json.dumps([source.text, states, afters], separators=(",", ":")).encode()
    unfinished = where / f".{key}.{os.getpid()}"
    try:
        where.parent.mkdir(parents=True, exist_ok=True)
        where.mkdir(mode=0o700, exist_ok=True)
        if not _ours(os.lstat(where), stat.S_ISDIR):
            return
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError:
        return
    try:
        with open(descriptor, "wb") as file:
            file.write(_sum(key, body) + b"\n" + body)
        os.replace(unfinished, where / key)
    except OSError:  # a full disk
        _remove(unfinished)


def _remove(path: Path) -> None:
    try:
        path.unlink()
    except OSError:
        return


def _ours(status: os.stat_result, kind: Any) -> bool:
    """Whether it is of a kind, belongs to the user, and nobody else may write it."""
    return kind(status.st_mode) and status.st_uid == os.geteuid() and not status.st_mode & 0o022


def _sum(key: str, body: bytes) -> bytes:
    """A checksum, for this entry alone."""
    return hashing.blake2b(key.encode() + b"\0" + body, digest_size=16).hexdigest().encode()


def _decode(body: bytes) -> Source | None:
    """A source, whose shape is checked: a sum over what another version wrote fits too."""
    try:
        text, states, afters = json.loads(body)
        made = Source(
            str(text),
            tuple(None if state is None else (int(state[0]), str(state[1])) for state in states),
            {int(line): (int(pc), str(operands)) for line, pc, operands in afters},
        )
    except (ValueError, TypeError, LookupError):
        return None
    return made if len(made.states) == made.text.count("\n") else None
