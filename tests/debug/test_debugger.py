"""Breakpoints and steps in both directions, over forks, signals and grates."""

from __future__ import annotations

from typing import Any

import pytest
from walking import debugger, line, names, where

from lindref.debug.breakpoints import (
    AtAddress,
    AtCall,
    AtChange,
    AtEvent,
    AtFunction,
    AtLine,
    BreakpointError,
    parse_call,
)
from lindref.debug.debugger import Debugger
from lindref.system.position import Position
from lindref.system.scan import Range


def at(name: str, **options: Any) -> Debugger:
    """A debugger at the beginning of a function."""
    one = debugger(**options)
    made = one.add(AtFunction(name))
    assert not made.problem
    stop = one.run()
    assert stop.reason == "breakpoint" and stop.hits == (made,)
    one.remove(made.id)
    return one


def test_breakpoints_about_code() -> None:
    one = debugger()
    by_line = one.add(AtLine("walk.c", line("int total = 0")))
    by_name = one.add(AtFunction("factorial"), condition="n == 1")
    nowhere = one.add(AtFunction("nothing"))
    assert by_line.line == line("int total = 0") and nowhere.problem
    assert one.run().hits == (by_line,) and where(one) == ("sum", by_line.line)
    assert one.run().hits == (by_name,)
    frames = [f for f in one.stack() if f.name == "factorial"]
    assert [one.evaluate("n", f).number() for f in frames] == [1, 2, 3, 4, 5]
    assert one.run().reason == "end"
    assert one.reverse().hits == (by_name,) and one.reverse().hits == (by_line,)
    assert one.reverse().reason == "start" and one.position == Position(0)
    exact = one.add(AtAddress(by_line.offset))
    by_line.enabled = False
    assert one.run().hits == (exact,) and where(one)[0] == "sum"


def test_a_line_without_code_slides_to_one_that_has() -> None:
    one = debugger()
    made = one.add(AtLine("walk.c", line("/* A handler") + 1))
    assert made.line == line("int given = ")
    assert one.add(AtLine("other.c", 3)).problem and one.add(AtLine("walk.c", 900)).problem


def test_breakpoints_about_calls_and_events() -> None:
    one = debugger()
    wait = one.add(AtCall("wait4"))
    assert one.run().hits == (wait,)
    assert one.stack()[0].name == "call" and one.evaluate("number", one.stack()[0]).number() == 61
    one.remove(wait.id)
    back = one.add(parse_call("* returns=6"))
    assert one.run().hits == (back,) and one.engine.threads[one.key].cage == 2
    in_first = one.add(AtCall("write", fd=1), cage=1)
    handler = one.add(AtEvent("SIGUSR1"))
    stop = one.run()
    assert stop.hits == (handler,) and stop.reason == "exception" and "SIGUSR1" in stop.text
    assert one.run().hits == (in_first,) and one.run().reason == "end"
    assert one.reverse().hits == (in_first,) and one.reverse().hits == (handler,) and one.reverse().hits == (back,)
    assert one.reverse().reason == "start"
    for number in list(one.breakpoints):
        one.remove(number)
    spawn, ended = one.add(AtEvent("spawn")), one.add(AtEvent("end"))
    assert one.run().hits == (spawn,) and one.run().hits == (ended,) and one.run().hits == (ended,)
    assert one.add(AtCall("nothing")).problem == "no call is named nothing"


def test_calls_in_words() -> None:
    assert parse_call("open errno=ENOENT") == AtCall("open", "ENOENT")
    assert parse_call("read fd=0, returns=0") == AtCall("read", "", 0, 0)
    assert parse_call("* fails") == AtCall("*", "*")
    assert parse_call("read returns=-1 fd=3") == AtCall("read", "", -1, 3)
    for wrong in ("", "open errno=EWHAT", "open nonsense", "read fd=x"):
        with pytest.raises(BreakpointError):
            parse_call(wrong)


def test_data_breakpoints_stop_at_the_instruction() -> None:
    one = at("fill")
    address = int(one.evaluate("&counter", one.stack()[0]).number())
    watch = one.add(AtChange(Range(1, address, 4)))
    stop = one.run()
    assert stop.hits == (watch,) and stop.text.endswith("7 → 12") and where(one) == ("_start", line("call(CLONE"))
    after = one.position
    assert one.evaluate("counter", one.stack()[0]).number() == 12
    assert "12 → 1143" in one.run().text and one.run().reason == "end"
    assert one.reverse().text.endswith("12 → 1143") and one.evaluate("counter", one.stack()[0]).number() == 12
    assert one.reverse().text.endswith("7 → 12") and one.position < after
    assert one.evaluate("counter", one.stack()[0]).number() == 7
    child = one.add(AtChange(Range(2, address, 4)))
    assert one.run().hits == (watch,) and one.run().hits == (child,) and one.engine.threads[one.key].cage == 2


@pytest.mark.parametrize(("times", "ns"), [("2", [4]), (">=4", [2, 1]), ("%2", [4, 2]), ("<= 1", [5])])
def test_times_that_count(times: str, ns: list[int]) -> None:
    one = debugger()
    one.add(AtFunction("factorial"), times=times)
    seen = []
    while one.run().reason == "breakpoint":
        seen.append(one.evaluate("n", one.stack()[0]).number())
    assert seen == ns
    back = []
    while one.reverse().reason == "breakpoint":
        back.append(one.evaluate("n", one.stack()[0]).number())
    assert back == ns[::-1]


def test_what_times_mean_nothing() -> None:
    for wrong in ("x", "%0", "=>3", "-1"):
        with pytest.raises(BreakpointError):
            debugger().add(AtFunction("factorial"), times=wrong)


def test_logs_tell_and_do_not_stop() -> None:
    said: list[str] = []
    one = debugger()
    one.logged = lambda _, text: said.append(text)
    one.add(AtFunction("factorial"), log="n is {n}, {nonsense} {", condition="n > 3")
    assert one.run().reason == "end"
    assert said == ["n is 5, <no nonsense here> {", "n is 4, <no nonsense here> {"]


def test_steps_over_lines_and_back() -> None:
    one = at("_start")
    forward = [(where(one), one.position)]
    while one.step().reason == "step" and one.key == 1 and 1 in one.engine.threads:
        forward.append((where(one), one.position))
    lines = [at_line for (_, at_line), _ in forward]
    wanted = [
        line(t) for t in ("fill();", "counter = sum", "call(CLONE", "if (child == 0)", "int status", "call(WAIT4")
    ]
    assert lines[1:7] == wanted
    assert one.outcome is not None or 1 not in one.engine.threads
    one.goto(forward[-1][1])
    for place, position in reversed(forward[:-1]):
        one.back()
        assert (where(one), one.position) == (place, position)


def test_steps_into_and_out_and_back() -> None:
    one = at("_start")
    one.step()
    one.step()
    one.step("in")
    assert where(one) == ("sum", line("int total = 0"))
    for _ in range(4):
        one.step()
    one.back("out")
    assert where(one) == ("_start", line("counter = sum"))
    one.step("in")
    one.step("out")
    assert where(one) == ("_start", line("counter = sum"))
    one.back("in")
    assert where(one)[0] == "sum"
    one.back("out")
    one.back()
    assert where(one)[1] == line("counter = sum")
    one.back()
    assert where(one)[1] == line("fill();")


def test_recursion() -> None:
    one = at("factorial")
    depths = [names(one).count("factorial")]
    for _ in range(4):
        while one.step("in").reason == "step" and names(one).count("factorial") == depths[-1]:
            pass
        depths.append(names(one).count("factorial"))
    assert depths == [1, 2, 3, 4, 5]
    one.step("out")
    assert names(one).count("factorial") == 4
    one.step("over")
    one.back("in")
    one.back("out")
    assert where(one)[1] == line("return n * factorial")


def test_steps_over_a_fork_stay_with_the_thread() -> None:
    one = at("_start")
    made = one.add(AtLine("walk.c", line("call(CLONE")))
    one.run()
    one.remove(made.id)
    one.step()
    assert where(one) == ("_start", line("if (child == 0)")) and one.engine.threads[one.key].cage == 1
    assert one.evaluate("child", one.stack()[0]).number() == 2
    child = next(t for t in one.engine.threads.values() if t.cage == 2)
    one.step(key=child.key)
    one.step()
    assert where(one) == ("_start", line("if (child == 0)"))
    assert one.evaluate("child", one.stack()[0]).number() == 0 and one.evaluate("$cage", one.stack()[0]).number() == 2
    one.step()
    assert where(one) == ("_start", line("counter = 99"))
    for _ in range(3):
        stop = one.step()
    assert stop.text == "the thread has ended" and child.key not in one.engine.threads
    assert one.key == 1
    one.step()
    assert one.engine.threads[1].cage == 1


def test_steps_into_the_grate_that_serves_a_call_and_out_of_it() -> None:
    one = at("_start")
    made = one.add(AtLine("walk.c", line("int uid = call(GETUID")))
    one.run()
    one.remove(made.id)
    for _ in range(12):
        one.step("in")
        if where(one)[0] == "my_uid":
            break
    assert where(one) == ("my_uid", line("int given = "))
    worker = one.engine.threads[one.key]
    assert worker.slot == 1 and names(one)[1] == "pass_fptr_to_wt"
    assert [v.name for v in one.stack()[0].variables()] == ["grate", "a", "ac", "given"]
    one.step("out")
    one.step("out")
    assert one.engine.threads[one.key].slot == 0 and names(one)[0] == "call"
    one.back("over")
    assert one.engine.threads[one.key].slot == 0


def test_a_signals_handler_lies_on_what_it_interrupts() -> None:
    one = at("on_signal")
    stack = one.stack()
    assert [f.name for f in stack][:2] == ["on_signal", "signal_callback"]
    assert any(f.note == "interrupted by signal 10" for f in stack)
    one.step("out")
    one.step("out")
    assert names(one)[0] in ("call", "_start")


def test_instructions_forward_and_back_over_calls() -> None:
    one = at("_start")
    places = [one.position]
    for _ in range(30):
        one.step("over", lines=False)
        assert names(one) == ["_start"]
        places.append(one.position)
    for expected in places[-2::-1]:
        one.back("over", lines=False)
        assert one.position == expected
    one.step("in", lines=False)
    one.back("in", lines=False)
    assert one.position == places[0]


def test_a_trap_stops_before_the_instruction() -> None:
    """A change by hand makes it happen: a new line of history."""
    one = debugger()
    one.add(AtEvent("trap"))
    assert one.run().reason == "end"
    one.reverse()
    made = one.add(AtLine("walk.c", line("if (crash)")))
    one.run()
    one.remove(made.id)
    one.evaluate("crash = 1", one.stack()[0])
    stop = one.run()
    assert stop.reason == "exception" and "out of bounds memory access" in stop.text
    assert (
        where(one) == ("_start", line("*(volatile int *)")) and one.evaluate("result", one.stack()[0]).number() == 120
    )
    assert one.run().reason == "end"
    outcome = one.outcome
    assert outcome is not None and outcome.ending == "trap"
    one.back("in", lines=False)
    one.goto(Position(1))
    assert one.run().reason == "exception"


def test_a_pause_stops_at_the_end_of_a_turn() -> None:
    one = debugger()
    one.pausing = True
    assert one.run().reason == "pause" and not one.pausing
    assert one.run().reason == "end"


def test_optimised_code() -> None:
    one = debugger("walk2.wasm")
    one.add(AtFunction("factorial"), condition="n == 2")
    one.add(AtLine("walk.c", line("total += twice")))
    stop = one.run()
    assert stop.reason == "breakpoint" and names(one)[-1] == "_start"
    frames = one.stack()
    assert frames[0].inlined and "sum" in [f.name for f in frames]
    inner = next(f for f in frames if f.name == "sum")
    assert one.evaluate("me", frames[-1]).number() == 1 and inner.line == line("total += twice")
    one.step("out")
    assert where(one)[0] in ("sum", "_start")
    assert one.run().reason in ("breakpoint", "end")


def test_going_to_lines() -> None:
    one = debugger()
    assert one.goto_line("walk.c", line("int result = factorial"), forwards=True)
    assert where(one) == ("_start", line("int result = factorial"))
    assert one.goto_line("walk.c", line("return 1;"), forwards=True) and names(one).count("factorial") == 5
    assert one.goto_line("walk.c", line("int total = 0"), forwards=False) and where(one)[0] == "sum"
    assert not one.goto_line("walk.c", line("int total = 0"), forwards=False)


def test_events_and_last_writes() -> None:
    one = debugger()
    one.run()
    one.goto_event(20)
    assert one.session.position >= 20
    one.goto_line("walk.c", line("text[0] = 'W'"), forwards=True)
    address = int(one.evaluate("&counter", one.stack()[0]).number())
    stop = one.last_write(1, address, 4)
    assert stop is not None and where(one) == ("_start", line("counter += result"))
    assert one.last_write(1, address, 4) is not None and where(one)[1] == line("counter = sum")


def test_data_breakpoints_over_cages_threads_and_calls() -> None:
    """A word in memory that two cages share, written by either; one that a thread writes, and then a call."""
    from walking import session

    one = Debugger(session("watched.wasm", stdin=b"ABCD"))
    said = one.session.run_until(call="clone")
    assert said is not None
    shared, plain = (int(word, 16) for word in one.session.stdout.split())
    one.goto(Position(0))
    one.add(AtChange(Range(1, shared, 4)))
    one.add(AtChange(Range(1, plain, 4)))
    forward = []
    while (stop := one.run()).reason == "data breakpoint":
        thread = one.engine.threads[one.key]
        forward.append((stop.text.partition(": ")[2], thread.cage, thread.tid))
    assert forward == [
        ("0 → 5", 1, 1),
        ("5 → 6", 2, 1),
        ("6 → 7", 1, 1),
        ("0 → 1", 1, 2),
        ("1 → 2", 1, 2),
        ("2 → 3", 1, 2),
        (f"3 → {int.from_bytes(b'ABCD', 'little')}", 1, 1),
    ]
    back = []
    while (stop := one.reverse()).reason == "data breakpoint":
        back.append((stop.text.partition(": ")[2], one.engine.threads[one.key].cage))
    assert back == [(text, cage) for text, cage, _ in reversed(forward)]
