"""``lindref objdump`` as a person uses it."""

from __future__ import annotations

import os
import random
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import attrs
import pytest
from wasm.strategies import module_from

from lindref.cli.main import main
from lindref.wasm.binary.decoder import decode
from lindref.wasm.binary.encoder import encode
from lindref.wasm.module import Custom, Module
from lindref.wasm.names import Names
from lindref.wasm.sections import name_section
from lindref.wasm.text.parser import parse_module

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "tests" / "data"
LINES, SHARED = DATA / "lines5.wasm", DATA / "shared.wasm"
HELLO = ROOT / "conformance" / "guests" / "hello" / "main.wasm"
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def objdump(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """Run the command: status, standard output, standard error. Bytes are put in a file."""

    def run(*words: str | Path | bytes) -> tuple[int, str, str]:
        given = []
        for word in words:
            if isinstance(word, bytes):
                path = tmp_path / "m.wasm"
                path.write_bytes(word)
                word = path
            given.append(str(word))
        try:
            status = main(["objdump", *given])
        except SystemExit as leaving:
            status = int(leaving.code or 0)
        out, err = capsys.readouterr()
        return status, out, err

    return run


@pytest.mark.parametrize("path", [HELLO, LINES, SHARED], ids=lambda path: path.parent.name + "/" + path.stem)
@pytest.mark.parametrize("flags", [[], ["-o"], ["-l"], ["-ol", "--validate"]], ids=" ".join)
def test_the_text_is_the_module(objdump: Run, path: Path, flags: list[str]) -> None:
    status, out, err = objdump(*flags, path)
    assert status == 0
    assert parse_module(out) == decode(path.read_bytes())
    unknown = any("l" in flag for flag in flags[:1]) and path is not LINES
    assert err == ("lindref objdump: warning: no lines: the module has no debug information\n" if unknown else "")


def test_text_is_read_as_well(objdump: Run) -> None:
    status, out, err = objdump(b'(module (func $f (export "g")))')
    assert (status, err) == (0, "")
    assert parse_module(out) == parse_module('(module (func $f (export "g")))')
    assert "$f" in out


def test_names_are_shown(objdump: Run) -> None:
    out = objdump(LINES)[1]
    assert "(func $four_times (;2;) (type 1) (param i32) (result i32)" in out
    assert "global $__stack_pointer (;0;) (mut i32)" in out
    assert "call $__errno_location\n" in objdump(HELLO)[1]


@pytest.mark.parametrize("wanted", ["twice", "$twice", "1"])
def test_one_function(objdump: Run, wanted: str) -> None:
    status, out, err = objdump("--func", wanted, LINES)
    assert (status, err) == (0, "")
    assert out.startswith("(func $twice (;1;)")
    assert out.count("(func") == 1
    assert objdump("-f", wanted, "-f", "0", LINES)[1].startswith(out + "(func $sum (;0;)")


@pytest.mark.parametrize("wanted", ["thrice", "3", "99999999999999", "", "$", "-1", "²"])
def test_no_such_function(objdump: Run, wanted: str) -> None:
    assert objdump(f"--func={wanted}", LINES) == (2, "", f"lindref objdump: {LINES}: no function {wanted}\n")


def test_offsets_are_those_of_the_file(objdump: Run) -> None:
    data = HELLO.read_bytes()
    out = objdump("-o", HELLO)[1]
    shown = [int(number, 16) for number in re.findall(r";; (0x[0-9a-f]+)$", out, re.MULTILINE)]
    assert shown == [instr.offset for code in decode(data).codes for instr in code.body[:-1]]
    calls = [line for line in out.splitlines() if line.strip().startswith("call $")]
    assert calls
    assert all(data[int(line.split(";; ")[1], 16)] == 0x10 for line in calls)


def test_lines_are_those_of_the_source(objdump: Run) -> None:
    out = objdump("-l", "-f", "sum", LINES)[1]
    source = (DATA / "lines.c").read_text().splitlines()
    shown = {int(line) for line in re.findall(r";; lines\.c:(\d+):\d+$", out, re.MULTILINE)}
    first = next(n for n, line in enumerate(source, 1) if "sum" in line and "(" in line)
    assert shown
    assert all(first - 1 <= line <= first + 8 for line in shown)
    loop = next(n for n, line in enumerate(source, 1) if "for" in line)
    assert loop in shown


def test_lines_of_text_are_its_own(objdump: Run) -> None:
    out = objdump("-o", b"(module\n(func\n nop\n nop))")[1]
    assert [line.strip() for line in out.splitlines() if "nop" in line] == ["nop  ;; line 3", "nop  ;; line 4"]


def test_a_module_without_lines_says_so(objdump: Run) -> None:
    status, out, err = objdump("-l", b"\0asm\1\0\0\0")
    assert (status, out) == (0, "(module\n)\n")
    assert err == "lindref objdump: warning: no lines: the module has no debug information\n"


def test_sections(objdump: Run) -> None:
    status, out, err = objdump("--sections", SHARED)
    assert (status, err) == (0, "")
    rows = re.findall(r"^section +(\w+(?: count)?) +at 0x([0-9a-f]+) +(\d+) bytes", out, re.MULTILINE)
    data = SHARED.read_bytes()
    end = 8
    for _, offset, size in rows:
        assert end + 2 <= int(offset, 16) <= end + 6  # id and size stand between
        end = int(offset, 16) + int(size)
    assert end == len(data)
    assert [row[0] for row in rows[:4]] == ["custom", "type", "import", "function"]
    for line in (
        "import    func    env.weak_one",
        "export    func    first = 6",
        "start     func 5",
        "name      shared.wasm",
        "names     8 of 8 functions",
        "producers processed-by: clang 22.1.8",
        "dylink.0  memory 60 bytes, aligned to 16",
        "dylink.0  export per_thread: flags 0x100",
    ):
        assert line in out.splitlines()


def test_sections_of_anything(objdump: Run) -> None:
    for seed in range(40):
        status, out, err = objdump("-s", encode(module_from(seed)))
        assert status == 0
        assert all(line.isprintable() for line in out.splitlines())
        assert all(line.startswith("lindref objdump: warning: ") for line in err.splitlines())
        assert objdump(encode(module_from(seed)))[0] == 0


def with_custom(*customs: Custom) -> bytes:
    return encode(Module(customs=customs))


@pytest.mark.parametrize(
    ("custom", "warning"),
    [
        (Custom("name", b"\1\xff"), "name section: "),
        (Custom("name", b"\0\2\x05a"), "name section: subsection 0: "),
        (Custom("producers", b"\1\4"), "producers section: "),
        (Custom("dylink.0", b"\1\2\0\0"), "unexpected end of section or function (dylink.0 section, "),
    ],
    ids=lambda value: value.name if isinstance(value, Custom) else "",
)
@pytest.mark.parametrize("flags", [[], ["-s"]], ids=["text", "sections"])
def test_bad_notes_are_warnings(objdump: Run, custom: Custom, warning: str, flags: list[str]) -> None:
    status, out, err = objdump(*flags, with_custom(custom))
    assert status == 0
    assert custom.name in out
    (line,) = err.splitlines()
    assert line.startswith(f"lindref objdump: warning: {warning}")


def test_damaged_debug_information_is_a_warning(objdump: Run) -> None:
    module = decode(LINES.read_bytes())
    customs = [c if c.name != ".debug_info" else Custom(c.name, c.data[:40], c.after) for c in module.customs]
    status, out, err = objdump("-l", encode(attrs.evolve(module, customs=tuple(customs))))
    assert status == 0
    assert "(func $twice" in out
    assert all(line.startswith("lindref objdump: warning: debug_") for line in err.splitlines())
    assert err


def test_names_with_any_characters_keep_to_their_line(objdump: Run) -> None:
    odd = Names(module="a\nb\x1b[31m", funcs={0: "x\r\ny"})
    module = attrs.evolve(parse_module('(module (func (export "p\\0aq")))'), customs=(name_section(odd),))
    for flags in ([], ["-s"], ["-o"]):
        status, out, _ = objdump(*flags, encode(module))
        assert status == 0
        assert out.replace("\n", "").isprintable()
    assert parse_module(objdump(encode(module))[1]) == decode(encode(module))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", ""),
        (b"\0asm", "unexpected end"),
        (b"\0asm\2\0\0\0", "unknown binary version (offset 0x4)"),
        (b"\0asm\1\0\0\0\x0e\0", "malformed section id (offset 0x8)"),
        (b"(module (func junk))", "unknown operator junk (line 1, column 15)"),
        (b"\x7fELF\1\1\1\0", "illegal character (line 1, column 1)"),
        (b"\xff\xfe", "malformed UTF-8 encoding (line 1, column 1)"),
    ],
)
def test_what_is_no_module(objdump: Run, data: bytes, message: str) -> None:
    status, out, err = objdump(data)
    if not message:  # no fields at all are a module
        assert (status, out, err) == (0, "(module\n)\n", "")
        return
    assert (status, out) == (2, "")
    (line,) = err.splitlines()
    assert line.startswith("lindref objdump: ")
    assert f"m.wasm: {message}" in line


def test_validation_is_asked_for(objdump: Run) -> None:
    wrong = b"(module (func (result i32)))"
    assert objdump(wrong)[0] == 0
    status, out, err = objdump("--validate", wrong)
    assert (status, out) == (2, "")
    assert "type mismatch" in err
    assert err.count("\n") == 1


def test_damaged_files(objdump: Run) -> None:
    """One line or a dump, whatever the bytes."""
    chance = random.Random(8)
    sound = {path: path.read_bytes() for path in (LINES, SHARED, HELLO)}
    seen = set()
    for _ in range(200):
        data = bytearray(chance.choice(list(sound.values())))
        for _ in range(chance.randint(1, 3)):
            data[chance.randrange(8, len(data))] = chance.randrange(256)
        if chance.random() < 0.2:
            del data[chance.randrange(8, len(data)) :]
        flags = chance.choice((["-s"], ["-l"], ["-o"], ["--validate", "-ol"]))
        status, out, err = objdump(*flags, bytes(data))
        seen.add(status)
        assert status in {0, 2}
        assert err.count("\n") == 1 if status else all("warning: " in line for line in err.splitlines())
        assert bool(out) == (status == 0)
    assert seen == {0, 2}


def test_files_that_cannot_be_read(objdump: Run, tmp_path: Path) -> None:
    missing = tmp_path / "none.wasm"
    assert objdump(missing) == (2, "", f"lindref objdump: {missing}: No such file or directory\n")
    assert objdump(tmp_path) == (2, "", f"lindref objdump: {tmp_path}: Is a directory\n")


@pytest.mark.parametrize("words", [[], ["--frobnicate", "x"], ["a", "b"], ["-f"]], ids=" ".join)
def test_a_wrong_command_line_is_one_line(objdump: Run, words: list[str]) -> None:
    status, out, err = objdump(*words)
    assert (status, out) == (2, "")
    assert err.startswith("lindref objdump: ")
    assert err.count("\n") == 1
    assert "--help" in err


def test_help(objdump: Run) -> None:
    status, out, err = objdump("--help")
    assert (status, err) == (0, "")
    assert "usage: lindref objdump" in out
    assert "Example: " in out


def test_output_that_goes_nowhere_and_output_of_few_characters() -> None:
    source = '(module (func $"é☃" (export "é")))'
    command = [sys.executable, "-m", "lindref.cli.main", "objdump", "/dev/stdin"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(command, input=source.encode(), env=environment, capture_output=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (0, b"")
    assert b'(func $"\\xe9\\u2603"' in done.stdout
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "wb") as nowhere:
        done = subprocess.run(
            [*command[:-1], str(HELLO)],
            stdout=nowhere,
            stderr=subprocess.PIPE,
            env=environment,
            check=False,
            timeout=60,
        )
    assert done.stderr == b""
