"""The benchmarks measure what they say: programs by hand do what the modules do, C programs end as expected."""

import subprocess
import sys
from pathlib import Path

import pytest

import lindref
from benchmarks import calls, fork, hand, large, whole
from benchmarks.bars import Bar, ratio_bars
from benchmarks.engines import PROGRAMS, WORK

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize(
    ("program", "n"), [("fib", 9), ("sieve", 200), ("crc32", 300), ("xorshift", 7), ("nbody", 3), ("indirect", 9)]
)
def test_by_hand_as_in_wasm(program: str, n: int) -> None:
    module = lindref.Module.from_text((PROGRAMS / f"{program}.wat").read_text(encoding="utf-8"))
    result = lindref.instantiate(module, {}, engine="reference").exports["run"](n)
    assert getattr(hand, program)(n) == result & 0xFFFF_FFFF
    assert set(WORK) == {"fib", "sieve", "crc32", "xorshift", "nbody", "indirect"}


@pytest.mark.parametrize(
    ("program", "argument", "out"),
    [
        ("json", "1", b"133 bytes, the same again: yes, sum 6afbef4e\n"),
        ("lz", "300", b"the same again: yes\n"),
        ("forth", "30", b"10 primes below 30 in 1454 steps\n"),
        ("stdio", "2", b"sum f667d872\n"),
        ("malloc", "50", b"sum 24\n"),
        ("strings", "1", b"sum 731\n"),
    ],
)
def test_programs_in_c(program: str, argument: str, out: bytes) -> None:
    _, found = whole.run(program, [argument], "reference")
    assert found.endswith(out)


def test_calls_are_measured() -> None:
    assert calls.straight(calls.GETPID, expect=1) > 0
    assert fork.deep(1, "reference") > 0


def test_a_large_program_differs_from_group_to_group() -> None:
    text = "".join(large.source(3))
    assert text.count("static u32 step_") == 3
    assert len(set(text.split("struct record_"))) > 3


def test_bars() -> None:
    assert Bar("a", 2, least=2).met
    assert not Bar("a", 1.9, least=2).met
    assert Bar("a", 2, most=2).met
    assert not Bar("a", 2.1, most=2).met
    assert "MISSED" in Bar("a", 2.1, most=2).line()
    assert ratio_bars("a over b", {}, "mean", 8) == []


def test_wrong_use_is_one_line() -> None:
    for words, said in (
        (["nothing"], "unknown program"),
        (["--part", "x"], "unknown part"),
        (["--repeat", "0"], "--repeat"),
    ):
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks", *words], cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert done.returncode == 2
        assert said in done.stderr
        assert "Traceback" not in done.stderr
