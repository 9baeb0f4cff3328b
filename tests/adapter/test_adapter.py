"""``lindref dap`` from end to end: sessions over standard input and output and over TCP, and what is not understood."""

from __future__ import annotations

import base64
import io
import json
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from dapclient import Client, Refused, Started

from lindref.dap.adapter import Adapter
from lindref.dap.protocol import ProtocolError, Unreadable, read_message

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "tests" / "data"
SOURCE = {"path": str(DATA / "walk.c")}


def line(text: str) -> int:
    found = [n for n, one in enumerate((DATA / "walk.c").read_text().splitlines(), 1) if text in one]
    assert len(found) == 1, text
    return found[0]


@pytest.fixture
def client() -> Iterator[Client]:
    """A client of an adapter that runs in a thread of its own."""
    ours, theirs = socket.socketpair()
    with ours, theirs, theirs.makefile("rb") as incoming, theirs.makefile("wb") as outgoing:
        adapter = Adapter(incoming, outgoing, cwd=str(DATA))
        thread = threading.Thread(target=adapter.serve, daemon=True)
        thread.start()
        with ours.makefile("rb") as answers, ours.makefile("wb") as requests:
            made = Client(answers, requests)
            yield made
            made.send("disconnect")
            thread.join(20)
            ours.shutdown(socket.SHUT_RDWR)
            assert not thread.is_alive()


def walk(client: Client, *lines: str, functions: tuple[Any, ...] = (), **more: Any) -> None:
    """Begin a session with breakpoints at these lines."""

    def configure() -> None:
        points = [{"line": line(text)} for text in lines]
        found = client.do("setBreakpoints", source=SOURCE, breakpoints=points)["breakpoints"]
        assert all(one["verified"] for one in found)
        named = [f if isinstance(f, dict) else {"name": f} for f in functions]
        client.do("setFunctionBreakpoints", breakpoints=named)

    client.launch("walk.wasm", configure=configure, root=str(DATA), **more)


def test_a_session_over_standard_input_and_output() -> None:
    client = Started()
    capabilities = client.do("initialize", adapterID="x")
    assert capabilities["supportsStepBack"] and capabilities["supportsDataBreakpoints"]
    client.do("launch", program=str(DATA / "walk.wasm"), stopOnEntry=True)
    client.event("initialized")
    client.do("configurationDone")
    assert client.event("stopped")["reason"] == "entry"
    client.do("continue", threadId=1)
    assert client.event("exited") == {"exitCode": 0}
    client.event("terminated")
    assert client.output == "child\nWalk"
    client.do("disconnect")
    assert client.close() == 0


def test_a_session_over_tcp() -> None:
    words = [sys.executable, str(ROOT / "tests" / "adapter" / "start.py"), "--port", "0", "--once"]
    with subprocess.Popen(words, stderr=subprocess.PIPE, env={"PYTHONPATH": str(ROOT)}, text=True) as process:
        assert process.stderr is not None
        port = int(process.stderr.readline().rpartition(":")[2])
        with (
            socket.create_connection(("127.0.0.1", port), 20) as connection,
            connection.makefile("rb") as incoming,
            connection.makefile("wb") as outgoing,
        ):
            client = Client(incoming, outgoing)
            walk(client, "int total = 0")
            assert client.event("stopped")["reason"] == "breakpoint" and client.where() == (
                "sum",
                line("int total"),
            )
            client.do("disconnect")
            assert process.wait(20) == 0
            assert not client.take()


def test_threads_stack_scopes_and_variables(client: Client) -> None:
    walk(client, "total += twice")
    assert client.event("stopped")["hitBreakpointIds"] == [1]
    assert client.do("threads") == {"threads": [{"id": 1, "name": "cage 1 · thread 1 · walk.wasm"}]}
    frames = client.frames()
    assert [f["name"] for f in frames] == ["sum", "_start"]
    assert frames[0]["source"]["path"] == SOURCE["path"] and frames[1]["line"] == line("counter = sum")
    assert client.do("stackTrace", threadId=1, startFrame=1, levels=1)["stackFrames"][0]["name"] == "_start"
    here = client.scope("Locals")
    assert set(here) == {"list", "total", "p"} and here["total"]["value"] == "0"
    node = client.opened(here["p"]["variablesReference"])
    assert (
        node["colour"]["value"] == "GREEN" and node["flags"]["value"] == "5" and node["name"]["value"].endswith('"one"')
    )
    assert client.opened(node["at"]["variablesReference"])["x"]["value"] == "1"
    both = client.opened(node["both"]["variablesReference"])
    assert both["whole"]["value"] == str(0x01020304) and len(client.opened(both["parts"]["variablesReference"])) == 4
    statics = client.scope("Statics")
    assert statics["counter"]["value"] == "7" and statics["text"]["value"] == '"walk"'
    assert statics["nodes"]["type"] == "struct node [3]"
    third = client.do("variables", variablesReference=statics["nodes"]["variablesReference"], start=2, count=1)
    assert [v["name"] for v in third["variables"]] == ["[2]"]
    assert client.value(third["variables"][0]["evaluateName"] + ".weight") == "3.0"
    assert client.scope("Wasm locals") and client.scope("Wasm globals")["__stack_pointer"]["value"]
    assert client.scope("Cage")["program"]["value"] == "/walk.wasm"
    assert client.scope("Descriptors")["1"]["value"].startswith("1: console")
    assert any("RawPOSIX" in v["value"] for v in client.scope("Handler table").values())
    assert "3I-ROUTE-2" in "".join(v["value"] for v in client.scope("Call").values())
    assert client.scope("Memory")["0"]["value"].endswith("rw")
    assert isinstance(client.scope("Operand stack"), dict)


def test_expressions_in_frames(client: Client) -> None:
    walk(client, functions=({"name": "factorial", "condition": "n == 3"},))
    assert client.event("stopped")["reason"] == "function breakpoint"
    ids = [f["id"] for f in client.frames()]
    assert [client.value("n", frameId=i) for i in ids[:3]] == ["3", "4", "5"]
    assert client.value("nodes[1].next->both.parts[0] + 1", context="hover") == "5"
    found = client.do("evaluate", expression="&nodes[1]", context="watch")
    assert found["type"] == "struct node *" and found["variablesReference"] and found["memoryReference"]
    for wrong, why in (("nothing", "no nothing here"), ("1 +", "ends too soon"), ("n = 3", "for the console")):
        with pytest.raises(Refused, match=why):
            client.value(wrong, context="watch")


def test_steps_of_every_kind(client: Client) -> None:
    walk(client, "counter = sum")
    client.event("stopped")
    assert client.go("stepIn")["reason"] == "step" and client.where()[0] == "sum"
    client.go("next")
    client.go("stepOut")
    assert client.where() == ("_start", line("counter = sum"))
    client.go("stepBack")
    client.go("stepBack")
    assert client.where() == ("_start", line("fill();"))
    before = client.frames()[0]["instructionPointerReference"]
    client.go("next", granularity="instruction")
    assert client.frames()[0]["instructionPointerReference"] != before
    client.go("stepBack", granularity="instruction")
    assert client.frames()[0]["instructionPointerReference"] == before
    assert client.go("continue")["reason"] == "breakpoint"
    assert client.go("reverseContinue")["reason"] == "start"


def test_breakpoints_of_every_kind(client: Client) -> None:
    walk(
        client,
        "int result = factorial",
        functions=("factorial", "syscall write fd=1", "event spawn", "syscall open nonsense"),
    )
    assert client.event("stopped")["description"].startswith("breakpoint: spawn in cage 1")
    assert client.go("continue")["text"] == "write in cage 2"
    client.do(
        "setFunctionBreakpoints", breakpoints=[{"name": "nothing()"}, {"name": "factorial()", "hitCondition": "3"}]
    )
    assert client.go("continue")["reason"] == "breakpoint" and client.where()[1] == line("int result = factorial")
    info = client.do("dataBreakpointInfo", name="counter")
    assert info["accessTypes"] == ["write"]
    found = client.do(
        "setDataBreakpoints",
        breakpoints=[{"dataId": info["dataId"]}, {"dataId": "x"}, {"dataId": info["dataId"], "accessType": "read"}],
    )
    assert [one["verified"] for one in found["breakpoints"]] == [True, False, False]
    assert client.go("continue")["reason"] == "function breakpoint" and client.value("n") == "3"
    stop = client.go("continue")
    assert stop["reason"] == "data breakpoint" and stop["text"].endswith("12 → 1143")
    assert client.go("reverseContinue")["reason"] == "data breakpoint" and client.value("counter") == "12"
    assert client.do("dataBreakpointInfo", name="$0")["dataId"] is None
    client.do("setDataBreakpoints", breakpoints=[])
    reference = client.frames()[0]["instructionPointerReference"]
    found = client.do(
        "setInstructionBreakpoints", breakpoints=[{"instructionReference": reference}, {"instructionReference": "0x5"}]
    )
    assert [one["verified"] for one in found["breakpoints"]] == [True, False]
    client.go("stepBack")
    assert client.go("continue")["reason"] == "instruction breakpoint"
    assert client.frames()[0]["instructionPointerReference"] == reference


def test_log_points_and_conditions(client: Client) -> None:
    def configure() -> None:
        points = [{"line": line("return n * factorial"), "logMessage": "n={n}", "condition": "n % 2 == 0"}]
        client.do("setBreakpoints", source=SOURCE, breakpoints=points)
        client.do("setExceptionBreakpoints", filters=["trap"], filterOptions=[{"filterId": "signal", "condition": "0"}])

    client.launch("walk.wasm", configure=configure, root=str(DATA), stopAtEnd=True)
    assert client.event("stopped")["reason"] == "end"
    logs = [e["body"]["output"] for e in client.events if e["event"] == "output" and e["body"]["category"] == "console"]
    assert logs == ["n=4\n", "n=2\n"]


def test_changes_by_hand_and_a_trap(client: Client) -> None:
    walk(client, "if (crash)")
    client.event("stopped")
    client.do("setExceptionBreakpoints", filters=["trap"])
    frame = client.frames()[0]["id"]
    scopes = {s["name"]: s["variablesReference"] for s in client.do("scopes", frameId=frame)["scopes"]}
    assert client.do("setVariable", variablesReference=scopes["Locals"], name="result", value="6 * 7")["value"] == "42"
    assert client.value("result", frameId=frame) == "42"
    assert client.do("setExpression", expression="text[1]", value="'o'", frameId=frame)["value"] == "111 'o'"
    assert client.value("crash = 1", context="repl") == "1"
    client.event("invalidated")
    at = client.do("evaluate", expression="&text[2]")["memoryReference"]
    assert client.do("writeMemory", memoryReference=at, data=base64.b64encode(b"rk").decode())["bytesWritten"] == 2
    data = client.do("readMemory", memoryReference=at, offset=-2, count=4)
    assert base64.b64decode(data["data"]) == b"Work"
    for name, value, why in (("result", "nothing", "no nothing"), ("nothing", "1", "cannot be changed")):
        with pytest.raises(Refused, match=why):
            client.do("setVariable", variablesReference=scopes["Locals"], name=name, value=value)
    stop = client.go("continue")
    assert stop["reason"] == "exception" and "out of bounds" in stop["text"] and client.value("result") == "42"
    assert client.do("exceptionInfo", threadId=1)["exceptionId"] == "trap"
    client.go("stepBack")
    client.go("stepBack")
    assert client.where()[1] == line("if (crash)")
    assert client.go("continue")["reason"] == "exception"
    client.do("continue", threadId=1)
    assert client.event("exited") == {"exitCode": 70}


def test_memory_code_and_sources(client: Client) -> None:
    walk(client, functions=("sum",))
    client.event("stopped")
    frame = client.frames()[0]
    found = client.do(
        "disassemble", memoryReference=frame["instructionPointerReference"], instructionOffset=-4, instructionCount=9
    )
    assert len(found["instructions"]) == 9
    assert found["instructions"][4]["address"] == frame["instructionPointerReference"]
    assert found["instructions"][4]["line"] == frame["line"]
    far = client.do(
        "disassemble",
        memoryReference=frame["instructionPointerReference"],
        instructionOffset=-5000,
        instructionCount=10,
    )
    assert {one["instruction"] for one in far["instructions"]} == {"(no code)"}
    assert client.do("readMemory", memoryReference="0xfffffff0", count=32)["unreadableBytes"] == 32
    assert client.do("readMemory", memoryReference="0x0", count=0)["data"] == ""
    for reference in ("x", "-1", frame["instructionPointerReference"]):
        with pytest.raises(Refused, match="address"):
            client.do("readMemory", memoryReference=reference, count=4)
    with pytest.raises(Refused, match="no address of code"):
        client.do("disassemble", memoryReference="0x10", instructionCount=4)
    assert [s["path"] for s in client.do("loadedSources")["sources"]] == [SOURCE["path"]]
    assert client.do("modules")["modules"][0]["symbolStatus"] == "DWARF"
    lines = client.do("breakpointLocations", source=SOURCE, line=1, endLine=200)["breakpoints"]
    assert {"line": line("int total")} in lines and {"line": 1} not in lines


def test_without_sources_the_code_is_shown_disassembled(client: Client, tmp_path: Path) -> None:
    image = (DATA / "walk.wasm").read_bytes()
    (tmp_path / "walk.wasm").write_bytes(image)
    client.launch("walk.wasm", root=str(tmp_path), cwd=str(tmp_path), configure=lambda: client.do(
        "setFunctionBreakpoints", breakpoints=[{"name": "sum"}]))  # fmt: skip
    client.event("stopped")
    top = client.frames()[0]
    assert top["source"]["name"] == "sum.wat"
    text = client.do("source", source=top["source"], sourceReference=top["source"]["sourceReference"])[
        "content"
    ].splitlines()
    assert "local" in text[top["line"] - 1] or "i32" in text[top["line"] - 1]
    points = [{"line": top["line"] + 3}, {"line": 10**6}]
    found = client.do(
        "setBreakpoints", source={"sourceReference": top["source"]["sourceReference"]}, breakpoints=points
    )
    assert [one["verified"] for one in found["breakpoints"]] == [True, False]
    assert client.go("continue")["reason"] == "instruction breakpoint" and client.frames()[0]["line"] == top["line"] + 3


def test_forks_threads_and_events(client: Client) -> None:
    walk(client, "counter = 99")
    stop = client.event("stopped")
    assert stop["threadId"] == 2 and client.where(2)[0] == "_start"
    assert {e["body"]["threadId"] for e in client.events if e["event"] == "thread"} == {1, 2}
    names = [t["name"] for t in client.do("threads")["threads"]]
    assert names == ["cage 1 · thread 1 · walk.wasm", "cage 2 · thread 1 · walk.wasm"]
    assert client.value("$cage") == "2" and client.scope("Cage", thread=2)["parent"]["value"] == "1"
    assert client.frames(1)[0]["name"] == "call"


def test_going_to_lines_and_events(client: Client) -> None:
    walk(client, "int status")
    client.event("stopped")
    targets = client.do("gotoTargets", source=SOURCE, line=line("return 1;"))["targets"]
    client.do("goto", threadId=1, targetId=targets[0]["id"])
    assert client.event("stopped")["reason"] == "goto" and client.where() == ("factorial", line("return 1;"))
    targets = client.do("gotoTargets", source=SOURCE, line=line("int total"))["targets"]
    client.do("goto", threadId=1, targetId=targets[1]["id"])
    assert client.event("stopped") and client.where()[0] == "sum"
    with pytest.raises(Refused, match="does not run before"):
        client.do("goto", threadId=1, targetId=targets[1]["id"])
    said = client.do("evaluate", expression=".help", context="repl")["result"]
    assert ".lastwrite" in said
    assert "event" in client.do("evaluate", expression=".event 12", context="repl")["result"]
    assert "event" in client.event("stopped")["description"]
    assert "clone" in client.do("evaluate", expression=".calls", context="repl")["result"]
    assert "cage 1" in client.do("evaluate", expression=".cages", context="repl")["result"]
    assert "RawPOSIX" in client.do("evaluate", expression=".journey", context="repl")["result"]
    with pytest.raises(Refused, match="no command"):
        client.do("evaluate", expression=".nonsense", context="repl")


def test_the_last_write_from_the_console(client: Client) -> None:
    walk(client, "text[0] = 'W'")
    client.event("stopped")
    client.do("evaluate", expression=".lastwrite counter", context="repl")
    client.event("stopped")
    assert client.where() == ("_start", line("counter += result"))
    with pytest.raises(Refused, match="not in memory"):
        client.do("evaluate", expression=".lastwrite 3 + 4", context="repl")


def test_pause_cancel_and_restart(client: Client, tmp_path: Path) -> None:
    from lindref.wasm.binary.encoder import encode
    from lindref.wasm.text.parser import parse_module

    endless = '(module (import "env" "memory" (memory 1 65536 shared)) (func (export "_start") (loop (br 0))))'
    (tmp_path / "endless.wasm").write_bytes(encode(parse_module(endless)))
    client.launch("endless.wasm", root=str(tmp_path))
    client.send("pause", threadId=1)
    assert client.event("stopped")["reason"] == "pause"
    client.do("continue", threadId=1)
    waiting = client.send("threads")
    client.send("cancel", requestId=waiting)
    client.send("pause", threadId=1)
    assert client.event("stopped")["reason"] == "pause"
    assert client.answer(waiting)["message"] == "cancelled"
    client.do("restart", arguments={"program": "walk.wasm", "root": str(DATA), "stopOnEntry": True})
    assert client.event("stopped")["reason"] == "entry"
    client.do("continue", threadId=1)
    assert client.event("exited") == {"exitCode": 0}
    client.do("terminate")
    client.event("terminated")


def test_restart_keeps_breakpoints(client: Client) -> None:
    walk(client, "int total = 0")
    client.event("stopped")
    client.go("next")
    client.do("restart")
    assert client.event("stopped")["reason"] == "breakpoint" and client.where() == ("sum", line("int total"))


def test_requests_out_of_order_or_wrong(client: Client) -> None:
    with pytest.raises(Refused, match="before initialize"):
        client.do("launch", program="x")
    client.do("initialize", adapterID="x")
    with pytest.raises(Refused, match="done already"):
        client.do("initialize")
    for command in ("threads", "continue", "setBreakpoints", "configurationDone"):
        with pytest.raises(Refused, match="launch first"):
            client.do(command, threadId=1)
    for arguments, why in (
        ({}, "program is missing"),
        ({"program": 3}, "program: a string"),
        ({"program": "nothing.wasm"}, "No such file"),
        ({"program": str(DATA / "walk.c")}, "not a wasm module"),
        ({"program": str(DATA / "walk.wasm"), "profile": "x"}, "unknown profile"),
        ({"program": str(DATA / "walk.wasm"), "engine": "x"}, "no engine"),
        ({"program": str(DATA / "walk.wasm"), "net": "x"}, "'loopback'"),
        ({"program": str(DATA / "walk.wasm"), "env": {"a": 3}}, "env"),
        ({"program": str(DATA / "walk.wasm"), "args": [3]}, "args"),
        ({"program": str(DATA / "walk.wasm"), "schedule": "zz"}, "schedule"),
        ({"program": str(DATA / "walk.wasm"), "grates": ["nothing:X"]}, "nothing"),
        ({"program": str(DATA / "walk.wasm"), "cwd": "/nowhere"}, "no such directory"),
        ({"program": str(DATA / "walk.wasm"), "seed": -1}, "seed"),
    ):
        with pytest.raises(Refused, match=why):
            client.do("launch", **arguments)
    with pytest.raises(Refused, match="use launch"):
        client.do("attach")
    client.do("launch", program=str(DATA / "walk.wasm"), stopOnEntry=True)
    with pytest.raises(Refused, match="before configurationDone"):
        client.do("continue", threadId=1)
    with pytest.raises(Refused, match="launched already"):
        client.do("launch", program="x")
    client.do("configurationDone")
    client.event("stopped")
    for command, arguments, why in (
        ("nonsense", {}, "not supported"),
        ("continue", {}, "threadId is missing"),
        ("next", {"threadId": 77}, "no thread 77"),
        ("next", {"threadId": 1, "granularity": "x"}, "granularity"),
        ("stackTrace", {"threadId": True}, "whole number"),
        ("scopes", {"frameId": 99}, "no frame 99"),
        ("variables", {"variablesReference": 99}, "nothing has"),
        ("setBreakpoints", {"source": {}}, "neither"),
        ("setBreakpoints", {"source": SOURCE, "breakpoints": [3]}, "list of objects"),
        ("source", {"sourceReference": 5}, "no source 5"),
        ("goto", {"threadId": 1, "targetId": 5}, "no target 5"),
        ("exceptionInfo", {"threadId": 1}, "no exception"),
        ("evaluate", {"expression": "1"}, "no function is running"),
        ("readMemory", {"memoryReference": "0x0", "count": -1}, "count"),
        ("writeMemory", {"memoryReference": "0x0", "data": "!"}, "base64"),
        ("configurationDone", {}, "done already"),
    ):  # fmt: skip
        with pytest.raises(Refused, match=why):
            client.do(command, **arguments)
    bad = client.do("setFunctionBreakpoints", breakpoints=[{"name": "x", "hitCondition": "often"}])["breakpoints"][0]
    assert not bad["verified"] and "a number was expected" in bad["message"]


def test_messages_that_are_none(client: Client) -> None:
    for body in (b"{", b"[]", b'{"seq":9,"type":"event"}', b'{"type":"request","command":3}', b"\xff\xfe"):
        client.raw(body)
    client.raw({"seq": 50, "type": "request", "command": "initialize", "arguments": [1]})
    assert client.answer(50)["message"].startswith("arguments")
    client.do("initialize", adapterID="x")


@pytest.mark.parametrize(
    "data",
    [
        b"Content-Length: x\r\n\r\n{}",
        b"Content-Length: 99999999999\r\n\r\n{}",
        b"\r\n\r\n",
        b"hello\r\n\r\n",
        b"X: " + b"y" * 10_000,
        b"Content-Length: 10\r\n\r\n{}",
        b"Content-Length: 10\r\n",
    ],
)
def test_streams_that_are_not_the_protocol(data: bytes) -> None:
    with pytest.raises(ProtocolError):
        read_message(io.BytesIO(data))
    out = io.BytesIO()
    assert Adapter(io.BytesIO(data), out).serve() == 2
    assert b"lindref dap:" in out.getvalue()


def test_headers() -> None:
    body = json.dumps({"seq": 1}).encode()
    assert read_message(io.BytesIO(b"X: 1\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body))) == {"seq": 1}
    assert read_message(io.BytesIO(b"")) is None
    with pytest.raises(Unreadable):
        read_message(io.BytesIO(b"Content-Length: 2\r\n\r\n[]"))


def test_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    from lindref.cli.main import main

    assert main(["dap", "--help"]) == 0 and "--port" in capsys.readouterr().out
    assert main(["dap", "--port", "99999999"]) == 2 and capsys.readouterr().err.count("\n") == 1
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert main(["dap", "--port", str(taken.getsockname()[1])]) == 2
    assert capsys.readouterr().err.startswith("lindref dap: 127.0.0.1:")
