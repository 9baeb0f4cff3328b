"""strace's filter words: which calls a trace shows (``-e trace=…``)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from lindref.posix.params import CallRow, ParamKind, ReturnKind
from lindref.posix.table import CALLS
from lindref.threei.numbers import COPY_DATA_BETWEEN_CAGES, COPY_HANDLER_TABLE_TO_CAGE, REGISTER_HANDLER
from lindref.trace.format import Record

#: 3i's own calls by name.
THREEI_NAMES: dict[str, int] = {
    "register_handler": REGISTER_HANDLER,
    "copy_data_between_cages": COPY_DATA_BETWEEN_CAGES,
    "copy_handler_table_to_cage": COPY_HANDLER_TABLE_TO_CAGE,
}

_NAMES = {number: name for name, number in THREEI_NAMES.items()}


def call_name(number: int) -> str:
    """A call's name, for people."""
    row = CALLS.get(number)
    return row.name if row is not None else _NAMES.get(number, f"call_{number}")


_BY_NAME: dict[str, frozenset[str]] = {
    "process": frozenset("clone execve exit exit_group wait4 kill".split()),
    "network": frozenset(
        "socket connect accept accept4 sendto recvfrom sendmsg recvmsg shutdown bind listen getsockname "
        "getpeername socketpair setsockopt getsockopt".split()
    ),
    "signal": frozenset("rt_sigaction rt_sigprocmask rt_sigsuspend kill setitimer".split()),
    "memory": frozenset("mmap munmap mprotect brk shmat shmdt".split()),
    "ipc": frozenset("shmget shmat shmctl shmdt futex".split()),
}
_SYNONYMS = {"desc": "descriptor", "desc.": "descriptor"}


class FilterError(ValueError):
    """A filter word that means nothing; one line."""


def _class(word: str, rows: Mapping[int, CallRow]) -> set[int] | None:
    """The calls of a class word, or ``None`` if it is none."""
    word = _SYNONYMS.get(word, word)
    if word == "all":
        return set(rows) | set(THREEI_NAMES.values())
    if word == "none":
        return set()
    if word == "3i":
        return set(THREEI_NAMES.values())
    if word == "file":
        return {n for n, row in rows.items() if any(p.kind is ParamKind.PATH for p in row.params)}
    if word == "descriptor":
        kinds = (ParamKind.FD, ParamKind.DIRFD)
        return {
            n
            for n, row in rows.items()
            if row.returns is ReturnKind.FD or any(p.kind in kinds for p in row.params)
        }
    if word in _BY_NAME:
        return {n for n, row in rows.items() if row.name in _BY_NAME[word]}
    return None


def parse_filter(text: str, rows: Mapping[int, CallRow]) -> frozenset[int]:
    """The call numbers that ``-e trace=…`` names: calls and classes (``%file`` or ``file``), separated by commas; a
    leading ``!`` takes them away from all. Raises ``FilterError``."""
    text = text.removeprefix("trace=")
    negated = text.startswith("!")
    words: Iterable[str] = (w for w in text.removeprefix("!").split(",") if w)
    names = {row.name: n for n, row in rows.items()} | THREEI_NAMES
    chosen: set[int] = set()
    for word in words:
        found = _class(word.removeprefix("%"), rows)
        if found is None and word in names:
            found = {names[word]}
        if found is None and word.isdigit():
            found = {int(word)}
        if found is None:
            raise FilterError(f"-e trace={text}: {word!r} is neither a call nor a class of calls")
        chosen |= found
    everything = set(rows) | set(THREEI_NAMES.values())
    return frozenset(everything - chosen if negated else chosen)


def parse_filters(texts: Iterable[str], rows: Mapping[int, CallRow]) -> frozenset[int] | None:
    """What all of several ``-e`` leave; ``None`` for everything. Raises ``FilterError``."""
    chosen = [parse_filter(text, rows) for text in texts]
    return frozenset.intersection(*chosen) if chosen else None


def in_cages(records: Iterable[Record], chosen: Iterable[frozenset[int]]) -> Iterator[Record]:
    """The events of the cages in any of ``chosen``, and what belongs to none; all where none is chosen (``-p``)."""
    cages = frozenset[int]().union(*chosen)
    for record in records:
        if not cages or record.get("cage") in cages or "cage" not in record:
            yield record
