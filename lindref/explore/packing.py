"""Remembered turns as plain data, for files and for other processes: numbers, strings and tuples alone."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from lindref.explore.outcomes import Result
from lindref.explore.running import Key, Remembered, Standing, Turned, Turns, Way
from lindref.explore.watch.footprint import Footprint, Places

#: Turns by state and way, as in ``Turns.remembered``.
Entry = tuple[bool, Key, Way, Turned]


def entries(remembered: Remembered) -> list[Entry]:
    """All that is remembered."""
    return [(*key, turned) for key, found in remembered.items() for turned in found]


class _Numbers:
    """Values that come again and again, by number."""

    def __init__(self) -> None:
        self.values: dict[Any, int] = {}

    def of(self, value: Any) -> int:
        """The number of a value."""
        return self.values.setdefault(value, len(self.values))


def pack(places: Places, turns: Iterable[Entry]) -> tuple[Any, ...]:
    """Turns as plain data."""
    footprints, spots, results = _Numbers(), _Numbers(), _Numbers()
    packed = []
    for timed, key, way, turned in turns:
        to: Any = results.of(turned.to) if isinstance(turned.to, Result) else turned.to
        standing = turned.standing
        packed.append(
            (
                timed,
                key,
                way,
                to,
                None if standing is None else (standing.order, standing.timed, standing.preemptible, standing.threads),
                turned.left,
                turned.answers,
                turned.others,
                tuple((footprints.of(footprint), spots.of(spot)) for footprint, spot in turned.steps),
                turned.able,
                None if turned.end is None else spots.of(turned.end),
            )
        )
    named = tuple((f.reads, f.changes, f.adds) for f in footprints.values)
    ends = tuple((r.stdout, r.stderr, r.exit_status, r.ending, r.text) for r in results.values)
    return tuple(_plain(place) for place in places.bits), named, tuple(spots.values), ends, tuple(packed)


def _plain(place: Any) -> Any:
    """A place without enumerations, which are equal to their numbers."""
    if isinstance(place, tuple):
        return tuple(_plain(part) for part in place)
    return int(place) if isinstance(place, int) else place


def unpack(packed: Any, places: Places) -> list[Entry]:
    """The turns again, with the numbers of ``places``. Whatever is wrong with ``packed`` is a ``ValueError``."""
    try:
        names, masks, spots, ends, turns = packed
        bits = [places.bit(name) for name in names]
        same = all(bit == 1 << number for number, bit in enumerate(bits))
        footprints = [Footprint(*(mask if same else _moved(mask, bits) for mask in three)) for three in masks]
        results = [Result(*end) for end in ends]
        return [_turn(one, footprints, spots, results) for one in turns]
    except (TypeError, IndexError, KeyError) as error:
        raise ValueError(f"no remembered turns: {error}") from None


def _moved(mask: int, bits: list[int]) -> int:
    """A set of places with other numbers."""
    moved = 0
    while mask:
        lowest = mask & -mask
        moved |= bits[lowest.bit_length() - 1]
        mask ^= lowest
    return moved


def _turn(one: Any, footprints: list[Footprint], spots: Any, results: list[Result]) -> Entry:
    timed, key, way, to, standing, left, answers, others, steps, able, end = one
    turned = Turned(
        results[to] if isinstance(to, int) else to,
        None if standing is None else Standing(*standing),
        left,
        answers,
        others,
        tuple((footprints[footprint], spots[spot]) for footprint, spot in steps),
        able,
        None if end is None else spots[end],
    )
    return timed, key, way, turned


def remember(running: Turns, turns: Iterable[Entry]) -> int:
    """Have ``running`` remember turns that were run elsewhere; how many of them it had not."""
    new = 0
    for timed, key, way, turned in turns:
        found = running.remembered.setdefault((timed, key, way), [])
        if not any(known.end == turned.end and known.turns == turned.turns for known in found):
            found.append(turned)
            new += 1
    return new
