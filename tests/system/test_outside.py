"""What comes from outside: the host's network, the real clock, standard input; and replays that need none of it."""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import sys
import termios
import threading
import time
from pathlib import Path

import pytest
from scenes import CallStep, Recorder, World, exits

from lindref.cli.run import main
from lindref.posix.constants import EPOCH
from lindref.posix.net.hostnet import HostNet
from lindref.system import state as states
from lindref.system.boot import boot_script
from lindref.system.events import Input
from lindref.system.runtime import Config
from lindref.system.script_runner import Pointer, ScriptState, StoreStep
from lindref.trace.inputs import read_recording

DATA = Path(__file__).resolve().parents[1] / "data"
SERVER = DATA / "http_server.wasm"
LOOP = socket.inet_aton("127.0.0.1")
SOCKET, CONNECT, SENDTO, RECVFROM, SHUTDOWN, BIND, LISTEN, ACCEPT, POLL = 41, 42, 44, 45, 48, 49, 50, 43, 7
ADDR, BUF, POLLED = 0x100, 0x1000, 0x200
STREAM, DGRAM, NONBLOCK = 1, 2, 0o4000


def inet(port: int, host: bytes = LOOP) -> bytes:
    return b"\2\0" + port.to_bytes(2, "big") + host + bytes(8)


def joined(*steps: object, net: str = "loopback", **more: object) -> World:
    """A script that runs with the host's network."""
    made: list[Recorder] = []
    config = Config(net=net, **more)  # type: ignore[arg-type]
    system = boot_script(ScriptState(steps), config=config, observe=lambda new: made.append(Recorder(new)))
    system.kernel.outside.net = HostNet(net)
    return World(system, made[0])


@pytest.fixture
def listener():
    """A listening socket of the host."""
    with socket.create_server(("127.0.0.1", 0)) as real:
        real.settimeout(10)
        yield real


# A guest server and a real client.


def ask_all(port: int, count: int) -> None:
    """Requests on one connection that is kept, then each on its own."""
    kept = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    for n in range(count // 2):
        kept.request("GET", "/hello" if n % 7 else "/nowhere")
        answer = kept.getresponse()
        assert (answer.status, len(answer.read())) == ((200, 18) if n % 7 else (404, 13))
    kept.close()
    for n in range(count - count // 2):
        one = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        body = b"z" * (n * 30)
        if n % 20 == 9:
            one.request("GET", "/big", headers={"Connection": "close"})
            assert one.getresponse().read() == b"x" * 300_000
        else:
            one.request("POST", "/echo", body=body, headers={"Connection": "close"})
            assert one.getresponse().read() == body
        one.close()


def test_http_server(tmp_path, capfdbinary):
    """SOCK-14 with 200 requests, and TRACE-1, TRACE-2: the replay needs neither client nor network."""
    trace, again = tmp_path / "trace", tmp_path / "again"
    command = [sys.executable, "-m", "lindref.cli.main", "run", "--net", "host", "--trace", str(trace), str(SERVER)]
    with subprocess.Popen([*command, "200"], stdout=subprocess.PIPE) as server:
        assert server.stdout is not None
        port = int(server.stdout.readline())
        ask_all(port, 200)
        assert server.stdout.read() == b"done\n"
    assert server.returncode == 0
    assert main(["--replay", str(trace), "--trace", str(again), str(SERVER), "200"]) == 0
    assert capfdbinary.readouterr().out == b"%d\ndone\n" % port
    assert again.read_bytes() == trace.read_bytes()
    assert b"/hello" in trace.read_bytes()


def test_clients_at_once():
    """SOCK-14: connections at the same time; the slow one stops nobody."""
    command = [sys.executable, "-m", "lindref.cli.main", "run", "--net", "host", str(SERVER), "31"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as server:
        assert server.stdout is not None
        port = int(server.stdout.readline())
        with socket.create_connection(("127.0.0.1", port), 30) as slow:
            slow.sendall(b"GET /hello HT")
            done: list[int] = []

            def client() -> None:
                ask_all(port, 10)
                done.append(1)

            clients = [threading.Thread(target=client) for _ in range(3)]
            for one in clients:
                one.start()
            for one in clients:
                one.join()
            slow.sendall(b"TP/1.1\r\n\r\n")
            assert slow.recv(12) == b"HTTP/1.1 200"
        assert server.stdout.read() == b"done\n"
    assert len(done) == 3


# Scripts with the host's network.


def test_guest_connects(listener):
    """SOCK-14: a connection out, both ways of waiting for it."""
    address = inet(listener.getsockname()[1])
    steps = (
        StoreStep(ADDR, address),
        StoreStep(BUF, b"question"),
        CallStep(SOCKET, (2, STREAM, 0)),
        CallStep(CONNECT, (3, Pointer(ADDR), 16)),
        CallStep(CONNECT, (3, Pointer(ADDR), 16)),
        CallStep(SENDTO, (3, Pointer(BUF), 8, 0, 0, 0)),
        CallStep(SHUTDOWN, (3, 1)),
        CallStep(RECVFROM, (3, Pointer(BUF), 100, 0x100, 0, 0)),
        CallStep(RECVFROM, (3, Pointer(BUF), 100, 0, 0, 0)),
        CallStep(1, (1, Pointer(BUF), 6)),
        exits(0),
    )
    heard = []

    def serve() -> None:
        peer, _ = listener.accept()
        with peer:
            while data := peer.recv(100):
                heard.append(data)
            peer.sendall(b"answer")

    thread = threading.Thread(target=serve)
    thread.start()
    run = joined(*steps)
    assert run.run() == 0
    thread.join()
    assert b"".join(heard) == b"question"
    assert [result for _, result in run.results[:7]] == [3, 0, -106, 8, 0, 6, 0]
    assert run.out == b"answer"


def test_connecting_without_waiting(listener):
    """SOCK-14: EINPROGRESS, then poll says when, and SO_ERROR how it went."""
    dead = socket.socket()
    dead.bind(("127.0.0.1", 0))
    for port, error in ((listener.getsockname()[1], 0), (dead.getsockname()[1], 111)):
        steps = (
            StoreStep(ADDR, inet(port)),
            StoreStep(POLLED, b"\3\0\0\0\4\0\0\0"),
            StoreStep(BUF, b"\4\0\0\0"),
            CallStep(SOCKET, (2, STREAM | NONBLOCK, 0)),
            CallStep(CONNECT, (3, Pointer(ADDR), 16)),
            CallStep(POLL, (Pointer(POLLED), 1, 5000)),
            CallStep(55, (3, 1, 4, Pointer(BUF + 16), Pointer(BUF))),
            CallStep(1, (1, Pointer(BUF + 16), 4)),
            exits(0),
        )
        run = joined(*steps)
        run.run()
        begun = run.results[1][1]
        assert begun in (-115, -111)
        if begun == -115:
            assert run.results[2] == ("poll", 1)
            assert int.from_bytes(run.out, "little") == error
    dead.close()


def test_refused_and_beyond():
    """SOCK-14: nobody listens; SOCK-15: other hosts are out of reach, and any address is the loopback's."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        steps = (
            StoreStep(ADDR, inet(port)),
            StoreStep(ADDR + 32, inet(80, b"\x08\x08\x08\x08")),
            StoreStep(ADDR + 64, inet(port, bytes(4))),
            CallStep(SOCKET, (2, STREAM, 0)),
            CallStep(CONNECT, (3, Pointer(ADDR), 16)),
            CallStep(CONNECT, (3, Pointer(ADDR + 32), 16)),
            CallStep(BIND, (3, Pointer(ADDR + 32), 16)),
            CallStep(BIND, (3, Pointer(ADDR), 16)),
            CallStep(BIND, (3, Pointer(ADDR + 64), 16)),
            exits(0),
        )
        run = joined(*steps)
        run.run()
        assert [result for _, result in run.results[1:6]] == [-111, -101, -99, -98, -98]
    net = HostNet("loopback")
    error, port = net.bind(1, socket.AF_INET, bytes(4), 0, stream=True, reuse=False)
    assert error == ""
    assert net.listen(1, 1) == ""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        reachable = probe.connect_ex(("192.0.2.1", 9)) == 0  # nothing is sent: it says what our address would be
        other = probe.getsockname()[0]
    if reachable and not other.startswith("127."):
        with socket.socket() as beyond:
            beyond.settimeout(1)
            assert beyond.connect_ex((other, port)) != 0
    assert net.connect(2, socket.AF_INET, b"\x08\x08\x08\x08", 80) == "ENETUNREACH"
    net.finish()


def test_datagrams():
    """SOCK-14: to the host, and from it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as real:
        real.bind(("127.0.0.1", 0))
        real.settimeout(10)

        def answer() -> None:
            data, sender = real.recvfrom(100)
            real.sendto(data[::-1], sender)

        thread = threading.Thread(target=answer)
        thread.start()
        run = joined(
            StoreStep(ADDR, inet(real.getsockname()[1])),
            StoreStep(ADDR + 32, inet(0)),
            StoreStep(BUF, b"abc"),
            CallStep(SOCKET, (2, DGRAM, 0)),
            CallStep(BIND, (3, Pointer(ADDR + 32), 16)),
            CallStep(SENDTO, (3, Pointer(BUF), 3, 0, Pointer(ADDR), 16)),
            CallStep(RECVFROM, (3, Pointer(BUF), 100, 0, 0, 0)),
            CallStep(1, (1, Pointer(BUF), 3)),
            exits(0),
        )
        assert run.run() == 0
        thread.join()
    assert run.out == b"cba"


def test_what_is_sent_goes(listener):
    """SOCK-14: more than any buffer holds, from a cage that ends at once."""
    size = 60_000
    run = joined(
        StoreStep(ADDR, inet(listener.getsockname()[1])),
        CallStep(9, (0x100000, size, 3, 0x32, -1, 0)),
        CallStep(SOCKET, (2, STREAM, 0)),
        CallStep(CONNECT, (3, Pointer(ADDR), 16)),
        *[CallStep(SENDTO, (3, Pointer(0x100000), size, 0, 0, 0))] * 20,
        exits(0),
    )
    got = []

    def read() -> None:
        peer, _ = listener.accept()
        with peer:
            while data := peer.recv(1 << 16):
                got.append(len(data))
                time.sleep(0.001)

    thread = threading.Thread(target=read)
    thread.start()
    assert run.run() == 0
    run.system.kernel.outside.net.finish()
    thread.join()
    assert sum(got) == 20 * size


def test_going_back(listener):
    """TRACE-3: what was heard is heard again, what was sent is not sent twice."""
    run = joined(
        StoreStep(ADDR, inet(listener.getsockname()[1])),
        StoreStep(BUF, b"once"),
        CallStep(SOCKET, (2, STREAM, 0)),
        CallStep(CONNECT, (3, Pointer(ADDR), 16)),
        CallStep(SENDTO, (3, Pointer(BUF), 4, 0, 0, 0)),
        CallStep(SHUTDOWN, (3, 1)),
        CallStep(RECVFROM, (3, Pointer(BUF), 4, 0, 0, 0)),
        CallStep(1, (1, Pointer(BUF), 4)),
        exits(0),
    )
    begun = states.freeze(run.system)
    got = []

    def serve() -> None:
        peer, _ = listener.accept()
        with peer:
            while data := peer.recv(100):
                got.append(data)
            peer.sendall(b"back")

    thread = threading.Thread(target=serve)
    thread.start()
    assert run.run() == 0
    thread.join()
    again = states.thaw(begun, like=run.system)
    recorder = Recorder(again)
    assert again.run().status == 0
    assert recorder.events == run.recorder.events
    assert b"".join(got) == b"once"


# The real clock, and standard input.

SLEEP = (
    StoreStep(0x100, (0).to_bytes(8, "little") + (200_000_000).to_bytes(8, "little")),
    CallStep(228, (0, Pointer(0x200))),
    CallStep(35, (1, 0, Pointer(0x100), 0)),
    CallStep(1, (1, Pointer(0x200), 8)),
    exits(0),
)


def test_real_clock():
    """TIME-8, and TRACE-1: it is in the trace."""
    made: list[Recorder] = []
    config = Config(clock="real", start_time=time.time_ns() - EPOCH)
    system = boot_script(ScriptState(SLEEP), config=config, observe=lambda new: made.append(Recorder(new)))
    zero = time.monotonic_ns() - config.start_time
    system.kernel.outside.clock = lambda: time.monotonic_ns() - zero
    begun = time.monotonic()
    run = World(system, made[0])
    assert run.run() == 0
    assert time.monotonic() - begun >= 0.19
    assert abs(int.from_bytes(run.out, "little") - time.time()) < 5
    inputs = made[0].of(Input)
    assert {event.what for event in inputs} <= {"clock", "wait"}
    # The recording alone gives the same.
    again = boot_script(ScriptState(SLEEP), config=config, observe=lambda new: made.append(Recorder(new)))
    again.kernel.outside.replay([], {event.index: (event.what, event.data) for event in inputs})
    begun = time.monotonic()
    assert again.run().status == 0
    assert time.monotonic() - begun < 0.15
    assert made[1].events == made[0].events


READS = "(drop (call $call3 (i32.const 0) (i64.const 0) (call $at (i32.const 256)) (i64.const 8)))"


def test_replayed_input(tmp_path, capfdbinary, monkeypatch):
    """TRACE-1, TRACE-2: standard input and choices come from the trace; a trace that is none is one line."""
    from scenes import program

    guest = tmp_path / "reads.wasm"
    guest.write_bytes(program(f"{READS} (call $write (i32.const 1) (i32.const 256) (i32.const 8)) {READS}"))
    monkeypatch.chdir(tmp_path)
    reader, writer = os.pipe()
    os.write(writer, b"12345678rest")
    os.close(writer)
    keep = os.dup(0)
    os.dup2(reader, 0)
    try:
        assert main(["--seed", "3", "--profile", "lind", "--trace", "t", "reads.wasm"]) == 0
        assert main(["--replay", "t", "--trace", "u", "reads.wasm"]) == 0
    finally:
        os.dup2(keep, 0)
        os.close(keep)
        os.close(reader)
    out = capfdbinary.readouterr().out
    assert out[:8] == out[8:] == b"1234\0\0\0\0"  # the seed makes the read short
    assert Path("t").read_bytes() == Path("u").read_bytes()
    recording = read_recording(Path("t"))
    assert recording.pieces[0] == b"12345678rest"
    assert recording.profile == "lind"
    lines = Path("t").read_text().splitlines()
    for name, text in {
        "empty": "",
        "other": "{}\n",
        "words": "no trace\n",
        "bytes": "\x00\xff",
        "bad": f'{lines[0]}\n{{"event":"input","what":"wait","index":0,"data":3}}\n',
        "head": json.dumps({**json.loads(lines[0]), "workers": None}),
    }.items():
        Path(name).write_text(text, encoding="latin-1")
        assert main(["--replay", name, "reads.wasm"]) == 2
        error = capfdbinary.readouterr().err
        assert error.count(b"\n") == 1
        assert name.encode() in error
    assert main(["--replay", "nothing-there", "reads.wasm"]) == 2
    assert main(["--replay", "t", "--seed", "1", "reads.wasm"]) == 2


MAKES = """(drop (call $call3 (i32.const 2) (call $at (i32.const 256)) (i64.const 0x241) (i64.const 420)))
  (call $write (i32.const 3) (i32.const 256) (i32.const 5))"""


def test_written_root_replayed(tmp_path, monkeypatch, capfd):
    """ROOT-8 from the command line; TRACE-2: a replay writes nothing."""
    from scenes import program

    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "makes.wasm").write_bytes(program(MAKES, '(data (i32.const 256) "/made\\00")'))
    monkeypatch.chdir(tmp_path)
    command = ["--root", "root", "--root-mode", "write", "--trace"]
    assert main([*command, "t", "/makes.wasm"]) == 0
    made = tmp_path / "root" / "made"
    assert made.read_bytes() == b"/made"
    assert sorted(os.listdir("root")) == ["made", "makes.wasm"]
    made.unlink()
    assert main(["--replay", "t", *command, "u", "/makes.wasm"]) == 0
    assert not made.exists()
    assert Path("t").read_bytes() == Path("u").read_bytes()
    assert capfd.readouterr().err == ""


def test_terminals(tmp_path):
    """CONS-4: what is a terminal outside is one inside, in a replay as it was (TRACE-2)."""
    import pty

    from scenes import program

    guest = tmp_path / "size.wasm"
    body = """(drop (call $call3 (i32.const 16) (i64.const 1) (i64.const 0x5413) (call $at (i32.const 256))))
      (call $write (i32.const 1) (i32.const 256) (i32.const 4))"""
    guest.write_bytes(program(body))
    leader, follower = pty.openpty()
    termios.tcsetwinsize(follower, (0x2F, 0x5F))
    command = [sys.executable, "-m", "lindref.cli.main", "run"]
    assert subprocess.run([*command, "--trace", tmp_path / "t", guest], stdout=follower, check=False).returncode == 0
    assert os.read(leader, 4) == b"/\0_\0"
    os.close(leader)
    os.close(follower)
    again = [*command, "--replay", tmp_path / "t", "--trace", tmp_path / "u", guest]
    assert subprocess.run(again, capture_output=True, check=True).stdout == b"/\0_\0"
    assert (tmp_path / "t").read_bytes() == (tmp_path / "u").read_bytes()
    assert b'"terminals":{"1":[47,95]}' in (tmp_path / "t").read_bytes()
