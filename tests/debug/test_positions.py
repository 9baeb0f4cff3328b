"""Positions finer than an event: a turn in pieces comes to the same, and each place is one and the same (TRAVEL-6)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scenes import GUESTS
from walking import session, where

import lindref
from lindref.debug.debugger import Debugger
from lindref.state.codec import digest
from lindref.system import state as states
from lindref.system.cursor import Cursor
from lindref.system.position import Position
from lindref.system.session import System
from lindref.system.turn import Turn


def guest(name: str) -> System:
    folder = GUESTS / name
    argv = json.loads((folder / "expected.json").read_text()).get("argv", ["main.wasm"])
    return lindref.boot(argv[0], argv[1:], root=folder)


class Nobody:
    """Events are made in full where somebody looks."""

    def on_event(self, event: Any) -> None:
        pass


def observed(engine: Any) -> Any:
    engine.observers.append(Nobody())
    return engine


def here(cursor: Cursor) -> bytes:
    return digest(states.freeze(cursor.engine))


@pytest.mark.parametrize("accesses", ["", "shared"])
def test_a_turn_in_pieces_comes_to_the_same(accesses: str) -> None:
    """Every turn of two programs, cut at many places, against the turn taken whole."""
    from lindref.system.boot import boot
    from lindref.system.runtime import Config

    folder = GUESTS / "grate_redirect"
    argv = json.loads((folder / "expected.json").read_text())["argv"]
    made: list[System] = []
    boot(
        argv[0], argv[1:], root=folder, config=Config(accesses=accesses), observe=lambda e: made.append(System(e))
    )  # fmt: skip
    system = made[0]
    system.make_fine()
    for number in range(60):
        turn = Turn(observed(states.thaw(system.snapshot(), like=system.engine)))
        size = 1 + number % 7
        while not turn.over:
            if number % 3:
                turn.take(size)
            else:
                turn.to_tick(turn.place[0] + size)
            if number % 5 == 0 and not turn.over and turn.machine is not None:
                place = turn.place
                turn = Turn.thaw(turn.freeze(), like=system.engine)
                observed(turn.system)
                assert turn.place == place
        going = system.step()
        assert digest(states.freeze(turn.system)) == digest(system.snapshot())
        if not going:
            return


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_every_place_is_the_same_from_everywhere(data: st.DataObject) -> None:
    """TRAVEL-6: walk some way entry by entry, then go to places at random."""
    cursor = Cursor(session())
    start = data.draw(st.integers(0, 14))
    assert cursor.session.goto_turn(start)
    known: list[tuple[Position, bytes]] = [(cursor.position, here(cursor))]
    for _ in range(60):
        cursor.step()
        known.append((cursor.position, here(cursor)))
    places = [position for position, _ in known]
    assert places == sorted(places) and len(set(places)) == len(places)
    for _ in range(6):
        position, expected = data.draw(st.sampled_from(known))
        assert cursor.goto(position) and cursor.position == position
        assert here(cursor) == expected


def test_back_is_forward_reversed() -> None:
    """Instruction by instruction over fork, exit, a signal's handler and a worker of a grate, one thread after the
    other as they run; the places of the way back are those of the way there."""
    cursor = Cursor(session())
    cursor.session.goto_turn(4)
    forward = [cursor.position]
    while cursor.step() and len(forward) < 2_500:
        forward.append(cursor.position)
    assert cursor.session.engine.outcome is not None and cursor.session.stdout == b"child\nWalk"
    for expected in reversed(forward[-400:-1]):
        position = cursor.position
        found = cursor.before(position)
        if found is None:
            inside = position > Position(position.turn)
            found = Position(position.turn) if inside else cursor.last_entry(position.turn - 1)
            found = found or Position(position.turn - 1)
        assert found == expected
        assert cursor.goto(found)


def test_places_that_are_not_there() -> None:
    cursor = Cursor(session())
    assert not cursor.goto(Position(4, 10**6, 0)) and cursor.position == Position(5)
    assert not cursor.goto(Position(10**6)) and cursor.session.engine.outcome is not None
    assert cursor.goto(Position(0)) and cursor.position == Position(0)


def test_the_session_moves_beneath_a_cursor() -> None:
    system = session()
    cursor = Cursor(system)
    place = Position(1, 9, 5)
    assert cursor.goto(place)
    system.goto_turn(7)
    assert cursor.position == Position(7) and cursor.turn is None
    assert cursor.goto(place) and cursor.position == place


def test_the_last_write_is_exact() -> None:
    """TRAVEL-5: the instruction, its function and line; the call, where a call wrote."""
    debugger = Debugger(session())
    system = debugger.session
    system.run()
    debugger.cursor.forget()
    system.goto_turn(system.turn - 2)
    address = next(v for v in debugger.stack()[0].symbols.globals() if v.name == "text")
    value = debugger.stack()[0].value(address)
    assert value.address is not None
    found = system.last_write(value.address, 1)
    assert found is not None and (found.before, found.after) == (b"w", b"W")
    assert found.where.startswith("_start (walk.c:") and found.position is not None
    here = system.turn
    debugger.goto(found.position)
    assert where(debugger)[0] == "_start" and system.turn == found.turn - 1 < here
    assert debugger.evaluate("text[0]", debugger.stack()[0]).number() == ord("w")
    debugger.step("in", lines=False)
    assert debugger.evaluate("text[0]", debugger.stack()[0]).number() == ord("W")


def test_a_write_by_a_call_is_told_as_one() -> None:
    system = session()
    debugger = Debugger(system)
    system.run_until(call="rt_sigaction")
    debugger.cursor.forget()
    frame = next(f for f in debugger.stack() if f.name == "_start")
    status = debugger.evaluate("&status", frame).number()
    found = system.last_write(int(status), 1, 4)
    assert found is not None and found.position is None and found.event is not None
    assert found.event.kind in ("exit", "spawn", "end") and found.after == (3 << 8).to_bytes(4, "little")


def test_changes_by_hand_are_a_new_line_of_history() -> None:
    """TRAVEL-7: within a turn, and between turns; going back and forth keeps them; the original is left alone."""
    system = session()
    told: list[Any] = []

    class Watcher:
        def on_event(self, event: Any) -> None:
            told.append(event.n)

    system.run()
    system.back()
    system.back()
    end, last = digest(system.snapshot()), system.turn
    other = system.branch()
    other.engine.observers.append(Watcher())
    debugger = Debugger(other)
    debugger.goto(Position(1, 9, 5))
    frame = debugger.stack()[0]
    address = debugger.evaluate("&counter", frame).number()
    place = debugger.position
    assert debugger.write(1, int(address) + 40, b"xyz") is True
    assert debugger.write(1, 0xFFFFFFF0, b"x") is False
    assert debugger.position == place
    before = digest(states.freeze(debugger.engine))
    other.run()
    other.goto_turn(last)
    changed = digest(other.snapshot())
    assert changed != end
    debugger.goto(place)
    assert digest(states.freeze(debugger.engine)) == before
    debugger.goto(Position(2))
    other.goto_turn(last)
    assert digest(other.snapshot()) == changed
    assert told == sorted(told)
    other.goto_turn(9)
    debugger.cursor.forget()
    debugger.write(1, int(address) + 44, b"q")
    at = digest(other.snapshot())
    other.run()
    other.goto_turn(3)
    other.goto_turn(9)
    assert digest(other.snapshot()) == at
    system.goto_turn(1)
    system.goto_turn(last)
    assert digest(system.snapshot()) == end
