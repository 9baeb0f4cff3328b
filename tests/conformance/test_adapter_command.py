"""Adapters in other languages: a command that answers lines of JSON; and what goes wrong with one."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from lindref.conformance.adapters.command import CommandError, described, observed
from lindref.conformance.adapters.find import make
from lindref.conformance.campaign.command import main
from lindref.conformance.campaign.suites import Wanted, cases
from lindref.conformance.vectors.command import main as vectors

#: A runtime in the shell: it runs `lindref run`, and has no JSON of its own but what it prints.
SHELL = """#!/bin/sh
while read -r line; do
    case $line in
    *'"do": "describe"'*) echo '{"name": "shell", "version": "1", "features": ["stdin"]}' ;;
    *'"do": "run"'*)
        folder=$(echo "$line" | sed 's/.*"folder": "\\([^"]*\\)".*/\\1/')
        cd "$folder"
        out=$(PYTHONPATH=%(path)s %(python)s -m lindref.cli.main run main.wasm | od -An -v -tx1 | tr -d ' \\n')
        echo "{\\"status\\": 0, \\"stdout\\": {\\"hex\\": \\"$out\\"}}" ;;
    *) echo '{}' ;;
    esac
done
"""

#: A tiny RawPOSIX, with two faults: dup takes the highest number, and closing twice works.
TOY = """import json, sys
CALLS = {"getpid", "dup", "close", "lseek"}

def play(script):
    steps, log, open_, results = script["programs"]["main"]["steps"], [], {0, 1, 2}, {}
    for step in steps:
        if step["op"] != "call" or step["name"] not in CALLS:
            return {"not_applicable": "no such call here"}
        fd = step["args"][0] if step["args"] else 0
        if isinstance(fd, dict):
            fd = results.get(fd["res"][0], 0)
        if step["name"] == "getpid":
            ret = 1
        elif step["name"] == "close":
            ret = 0
            open_.discard(fd)
        elif fd not in open_:
            ret = -9
        elif step["name"] == "lseek":
            ret = -29
        else:
            ret = max(open_) + 1
            open_.add(ret)
        results[step["id"]] = ret
        log.append({"cage": 1, "step": step["id"], "ret": ret})
    return {"seen": {"outcome": "exit", "code": 0, "log": log}}

for line in sys.stdin:
    asked = json.loads(line)
    answer = {}
    if asked["do"] == "describe":
        answer = {"name": "toy", "kinds": ["script"], "features": []}
    elif asked["do"] == "run":
        answer = play(asked["case"]["script"])
    print(json.dumps(answer), flush=True)
"""

#: Goes wrong in the way that its first word says, with every case but those called after hello.
WRONG = """import json, os, sys, time
for line in sys.stdin:
    asked = json.loads(line)
    if asked["do"] == "describe":
        print(json.dumps({"name": "wrong", "observes": ["enter"] if sys.argv[1] == "notrace" else []}), flush=True)
    elif asked["do"] == "run" and asked["case"]["id"].endswith("hello") and sys.argv[1] != "notrace":
        print(json.dumps({"stdout": "hello, world\\n", "status": 0}), flush=True)
    elif asked["do"] == "run":
        match sys.argv[1]:
            case "exit":
                sys.stderr.write("out of luck\\n")
                sys.exit(3)
            case "crash":
                os.abort()
            case "hang":
                time.sleep(600)
            case "garbage":
                print("Segmentation fault", flush=True)
            case "binary":
                sys.stdout.buffer.write(bytes(range(256)) + b"\\n")
                sys.stdout.flush()
            case "list":
                print("[1]", flush=True)
            case "deep":
                print("[" * 100000, flush=True)
            case "field":
                print(json.dumps({"colour": "red"}), flush=True)
            case "type":
                print(json.dumps({"status": "0"}), flush=True)
            case "nothing":
                print("{}", flush=True)
            case "error":
                print(json.dumps({"error": "no disk"}), flush=True)
            case "huge":
                print(json.dumps({"stdout": "x" * (8 << 20), "status": 0}), flush=True)
            case "endless":
                while True:
                    sys.stdout.write("x" * (1 << 20))
            case "notrace":
                print(json.dumps({"status": 0}), flush=True)
            case "badtrace":
                print(json.dumps({"status": 0, "trace": "/nosuch/trace"}), flush=True)
    else:
        print("{}", flush=True)
"""


#: Answers with the arguments of the first call, and with how the module's file begins.
ECHO = """import json, sys
for line in sys.stdin:
    module = json.loads(line).get("case", {}).get("module")
    answer = {"name": "echo"}
    if module:
        with open(module["path"], "rb") as file:
            answer = {"results": [module["calls"][0][1], str(file.read(4))]}
    print(json.dumps(answer), flush=True)
"""


def campaign(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    status = main(["run", *words])
    return status, capsys.readouterr().out


def script(place: Path, name: str, text: str) -> str:
    (place / name).write_text(text)
    return f"command:{sys.executable} {place / name}"


def test_a_runtime_in_the_shell(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    here = Path(__file__).resolve().parents[2]
    path = tmp_path / "runtime"
    path.write_text(SHELL % {"path": here, "python": sys.executable})
    path.chmod(0o755)
    words = ("guests", "--only", "guests.hello", "--only", "guests.calendar", "--only", "guests.pipeline")
    status, told = campaign(capsys, *words, "--adapter", f"command:{path}", "--verbose")
    assert status == 0, told
    assert "2 allowed, 1 not applicable" in told


def test_a_tiny_rawposix_with_two_faults(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each is named with its rule and the shortest script; and that is played again in its form as a vector."""

    def vector(name: str, *calls: tuple[str, int, list[object]]) -> dict[str, object]:
        steps = [
            {"id": f"s{n}", "op": "call", "n": number, "name": call, "args": args}
            for n, (call, number, args) in enumerate(calls, 1)
        ]
        seen = {"outcome": "exit", "code": 0, "log": []}
        return {"id": name, "files": [], "programs": {"main": {"steps": steps}}, "observed": {"lind": seen}}

    pid, close, dup = ("getpid", 39, []), ("close", 3, [1]), ("dup", 32, [0])
    given = [
        vector("x.right", pid, dup, ("lseek", 8, [0, 0, 0])),
        vector("x.dup", pid, dup, dup, ("close", 3, [3]), pid, ("lseek", 8, [2, 0, 0]), dup, pid),
        vector("x.close", pid, dup, close, pid, close, dup),
        vector("x.more", ("open", 2, [{"str": "/"}, 0])),
    ]
    (tmp_path / "mine.json").write_text(json.dumps(given))
    report = tmp_path / "report.json"
    words = ("vectors", "--vectors", str(tmp_path / "mine.json"), "--json", str(report))
    status, told = campaign(capsys, *words, "--adapter", script(tmp_path, "toy.py", TOY), "--verbose")
    assert status == 1
    assert "1 allowed, 2 forbidden, 1 not applicable" in told
    results = {one["case"]: one for one in json.loads(report.read_text())["results"]}
    for name, calls, rule in (("vectors.x.dup", 2, "FD-"), ("vectors.x.close", 2, "FD-")):
        found = results[name]
        assert found["rules"][0].startswith(rule), found
        assert 0 < found["scripts"]["script"].count("\n") - 2 <= calls, found["scripts"]["script"]
        path = tmp_path / "again.json"
        path.write_text(found["scripts"]["vector"])
        # The vector has what the toy answered, which the model does not.
        assert vectors([str(path), "--profile", "lind"]) == 1
    capsys.readouterr()


@pytest.mark.parametrize(
    ("how", "says"),
    [
        ("exit", "the command ended with status 3: out of luck"),
        ("crash", "the command ended by signal 6"),
        ("garbage", "not a line with a JSON object: 'Segmentation fault"),
        ("binary", "not a line with a JSON object: "),
        ("list", "not a line with a JSON object: '[1]"),
        ("deep", "not a line with a JSON object: '[[["),
        ("field", "run: there is no 'colour' (there are status, stdout,"),
        ("type", "run: status is str"),
        ("nothing", "the adapter observed nothing"),
        ("error", "no disk"),
        ("endless", "an answer of more than 67108864 bytes"),
        ("hang", "no answer within 1 seconds"),
        ("notrace", "no trace, though the adapter says that it observes enter"),
        ("badtrace", "No such file or directory"),
    ],
)
def test_what_goes_wrong_is_one_broken_case(
    how: str, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The campaign goes on: the next case is right again."""
    words = ("guests", "--only", "guests.getopt", "--only", "guests.hello", "--limit", "1" if how == "hang" else "20")
    _, told = campaign(capsys, *words, "--adapter", script(tmp_path, "wrong.py", WRONG) + " " + how, "--verbose")
    assert f"guests.getopt: broken: {'' if how == 'hang' else 'the adapter raised CommandError: '}{says}" in told or (
        f"guests.getopt: broken: {says}" in told or ("guests.getopt: broken: " in told and says in told)
    ), told
    if how != "notrace":
        assert "guests.hello: allowed" in told, told


def test_much_output_is_only_output(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("guests", "--only", "guests.getopt", "--only", "guests.hello")
    _, told = campaign(capsys, *words, "--adapter", script(tmp_path, "wrong.py", WRONG) + " huge", "--verbose")
    assert "guests.getopt: forbidden: stdout line 1: 'xxxx" in told
    assert max(map(len, told.splitlines())) < 1000


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("command:", "no command (command:./my-runtime)"),
        ("command:/nosuch/runtime", "No such file or directory: '/nosuch/runtime'"),
        ("command:true", "the command ended with status 0"),
        ("command:echo hello", "not a line with a JSON object: 'hello"),
    ],
)
def test_no_command_is_one_line(command: str, says: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "guests", "--adapter", command]) == 2
    told = capsys.readouterr().err
    assert says in told
    assert told.count("\n") == 1


def test_what_it_says_of_itself_is_looked_at() -> None:
    wrong = (({}, "no 'name'"), ({"name": 1}, "name is int"), ({"name": "x", "kinds": "y"}, "kinds is str"))
    for answer, says in wrong:
        with pytest.raises(CommandError, match=says):
            described(answer)
    with pytest.raises(CommandError, match="neither a text nor a list"):
        observed({"results": [[1]]}, Path())
    seen = observed({"results": [[["i32", 1]], "trap: unreachable"]}, Path())
    assert seen.results == ((("i32", 1),), "trap: unreachable")


def test_a_module_is_a_file(tmp_path: Path) -> None:
    """What is sent of a module: its file, and calls with the bits of their arguments."""
    adapter = make(script(tmp_path, "echo.py", ECHO), {})
    (case,) = cases(["modules"], Wanted(count=1))
    seen = adapter.run(case)
    assert case.calls is not None
    assert seen.results == (case.calls.calls[0][1], "b'\\x00asm'")
    adapter._end()  # type: ignore[attr-defined]
