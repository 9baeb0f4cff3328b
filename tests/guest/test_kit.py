"""The C library of the guest kit, through guests that do what standard input asks for."""

from __future__ import annotations

import math
import random
import shutil
from collections.abc import Callable
from decimal import Decimal, getcontext
from pathlib import Path

import pytest

from lindref.classes import evolve
from lindref.guest import cc, kit
from lindref.guest.build_guests import GUESTS, load_guest
from lindref.guest.toolchain import GuestBuildError, find_toolchain
from tests.guest.running import copied, run, run_natively

Draw = Callable[[random.Random], float]


def text_of(lines: list[str]) -> str:
    return "".join(line + "\n" for line in lines)


def asked(name: str, lines: list[str]) -> list[str]:
    """What guest ``name`` answers to ``lines``."""
    done = run(evolve(load_guest(GUESTS / name), stdin=text_of(lines)), record=False)
    assert (done.status, done.stderr) == (0, "")
    return done.stdout.splitlines()


# Mathematics.


def wide(r: random.Random) -> float:
    return r.choice([r.gauss(0, 1), r.gauss(0, 100), math.ldexp(r.uniform(-2, 2), r.randint(-60, 60))])


def angle(r: random.Random) -> float:
    return r.choice([r.uniform(-4, 4), r.uniform(-1e5, 1e5), math.ldexp(r.uniform(1, 2), r.randint(26, 1000))])


def unit(r: random.Random) -> float:
    return r.uniform(-1, 1) * r.choice([1, 0.5, 1e-4])


def exponent(r: random.Random) -> float:
    return r.choice([r.uniform(-700, 700), r.uniform(-1, 1), r.gauss(0, 10)])


def positive(r: random.Random) -> float:
    return r.choice([math.exp(r.uniform(-740, 700)), abs(1 + r.gauss(0, 0.05)), r.uniform(0.5, 2)])


def above_minus_one(r: random.Random) -> float:
    return r.choice([r.gauss(0, 0.01), r.uniform(-0.99, 10), 1e-12 * r.random()])


def above_one(r: random.Random) -> float:
    return 1 + abs(r.choice([1e-6, 1.0, 1e5]) * r.gauss(0, 1))


def moderate(r: random.Random) -> float:
    return r.choice([r.uniform(-6, 6), r.uniform(-1, 1), r.uniform(0, 26)])


def exact(formula: Callable[[Decimal], Decimal]) -> Callable[[float], Decimal]:
    """A function in 400 decimal digits, which is more than any cancellation takes."""

    def value(x: float) -> Decimal:
        getcontext().prec = 400
        return formula(Decimal(x))

    return value


ONE = Decimal(1)
EXACT: dict[str, tuple[Callable[[float], Decimal], Draw]] = {
    "exp": (exact(lambda x: x.exp()), exponent),
    "expm1": (exact(lambda x: x.exp() - 1), exponent),
    "sinh": (exact(lambda x: (x.exp() - (-x).exp()) / 2), exponent),
    "cosh": (exact(lambda x: (x.exp() + (-x).exp()) / 2), exponent),
    "tanh": (exact(lambda x: ((2 * x).exp() - 1) / ((2 * x).exp() + 1)), unit),
    "log": (exact(lambda x: x.ln()), positive),
    "log2": (exact(lambda x: x.ln() / Decimal(2).ln()), positive),
    "log10": (exact(lambda x: x.log10()), positive),
    "log1p": (exact(lambda x: (1 + x).ln()), above_minus_one),
    "asinh": (exact(lambda x: (x + (x * x + 1).sqrt()).ln()), wide),
    "acosh": (exact(lambda x: (x + (x * x - 1).sqrt()).ln()), above_one),
    "atanh": (exact(lambda x: ((1 + x) / (1 - x)).ln() / 2), unit),
    "cbrt": (exact(lambda x: abs(x) ** (ONE / 3) * (1 if x > 0 else -1)), wide),
}
"""Functions whose exact value is easily had."""

NEAR: dict[str, tuple[Callable[[float], float], Draw]] = {
    "sin": (math.sin, angle),
    "cos": (math.cos, angle),
    "tan": (math.tan, angle),
    "asin": (math.asin, unit),
    "acos": (math.acos, unit),
    "atan": (math.atan, wide),
    "exp2": (math.exp2, exponent),
    "erf": (math.erf, moderate),
    "erfc": (math.erfc, moderate),
}
"""Functions that the host has to within a unit of the last place."""


def far(got: float, wanted: float) -> float:
    """How far apart, in units of the last place."""
    return abs(got - wanted) / math.ulp(wanted)


def test_functions_of_one_number() -> None:
    """Hardly more than half a unit of the last place from the exact value."""
    r = random.Random(1)
    cases = [(name, draw(r)) for name, (_, draw) in EXACT.items() for _ in range(8)]
    for (name, x), answer in zip(cases, asked("kit_math", [f"{n} {x.hex()}" for n, x in cases]), strict=False):
        wanted, got = EXACT[name][0](x), float.fromhex(answer)
        assert abs(Decimal(got) - wanted) <= Decimal(math.ulp(got)) * Decimal("0.75"), (name, x.hex(), answer)


def test_functions_as_the_host_has_them() -> None:
    """Within one unit of the last place of the host's."""
    r = random.Random(7)
    cases = [(name, draw(r)) for name, (_, draw) in NEAR.items() for _ in range(16)]
    for (name, x), answer in zip(cases, asked("kit_math", [f"{n} {x.hex()}" for n, x in cases]), strict=False):
        wanted = NEAR[name][0](x)
        assert far(float.fromhex(answer), wanted) <= 1, (name, x.hex(), answer, wanted.hex())


def test_functions_of_two_numbers() -> None:
    """Powers and angles within one unit; remainders exactly; the fused product exactly."""
    r = random.Random(2)
    lines, wanted, allowed = [], [], []
    for _ in range(30):
        x, y = abs(r.gauss(0, 10)), r.choice([1, 30, 300]) * r.gauss(0, 1)
        if abs(y * math.log(x)) < 700:
            lines.append(f"pow {x.hex()} {y.hex()}")
            wanted.append(math.pow(x, y))
            allowed.append(1)
        for name, function, error in (
            ("atan2", math.atan2, 1),
            ("hypot", math.hypot, 1),
            ("fmod", math.fmod, 0),
            ("remainder", math.remainder, 0),
        ):
            a, b = wide(r), wide(r)
            lines.append(f"{name} {a.hex()} {b.hex()}")
            wanted.append(function(a, b))
            allowed.append(error)
        a, b, c = r.gauss(0, 1), r.gauss(0, 1), r.gauss(0, 1)
        getcontext().prec = 400
        lines.append(f"fma {a.hex()} {b.hex()} {(-a * b * c).hex()}")
        wanted.append(float(Decimal(a) * Decimal(b) + Decimal(-a * b * c)))
        allowed.append(0)
    for line, answer, value, error in zip(lines, asked("kit_math", lines), wanted, allowed, strict=False):
        assert far(float.fromhex(answer), value) <= error, (line, answer, value.hex())


def test_gamma() -> None:
    """Against what defines it: gamma(x + 1) = x gamma(x), and factorials."""
    r = random.Random(3)
    points = [r.uniform(0.1, 160) for _ in range(12)]
    lines = [f"gamma {v.hex()}" for x in points for v in (x, x + 1)] + [f"gamma {n}" for n in range(1, 24)]
    answers = [float.fromhex(line) for line in asked("kit_math", lines)[: len(lines)]]
    for i, x in enumerate(points):
        below, above = answers[2 * i : 2 * i + 2]
        # x + 1 was rounded, and gamma changes by its derivative, about gamma(x) log(x), with it.
        slope = 1 + abs(math.log(x)) * x
        assert abs(above - x * below) <= (4 + slope) * math.ulp(above)
    assert answers[2 * len(points) :] == [float(math.factorial(n)) for n in range(23)]
    logs = [0.9, 1.001, 1.25, 2.003, 3.5, 30.0, 1e6, -1.5, -7.25]
    for x, line in zip(logs, asked("kit_math", [f"lgamma {x!r}" for x in logs]), strict=False):
        assert math.isclose(float.fromhex(line), math.lgamma(x), rel_tol=1e-12)


# Text and numbers.


def number_text(r: random.Random) -> str:
    """Some text that begins like a number."""
    kind = r.randrange(6)
    if kind == 0:
        return repr(wide(r))
    if kind == 1:
        digits = "".join(r.choice("0123456789") for _ in range(r.randint(1, 40)))
        return f"{digits[:9]}.{digits[9:]}e{r.randint(-340, 330)}"
    if kind == 2:
        return wide(r).hex()
    if kind == 3:
        return f"{r.randint(0, 10**25)}"
    if kind == 4:
        x = abs(wide(r))
        return f"{Decimal(x) + Decimal(math.ulp(x)) / 2:f}"  # a tie
    return r.choice(["inf", "-Infinity", ".5", "5.", "0e9", "+7", "-0", "1e-400", "1e400"])


def python_value(text: str) -> float:
    return float.fromhex(text) if "0x" in text else float(text)


def test_strtod() -> None:
    """Every value is the nearest double."""
    r = random.Random(4)
    texts = [number_text(r) for _ in range(80)]
    for text, line in zip(texts, asked("kit_scan", [f"d {text}" for text in texts]), strict=True):
        value, left, _ = line.split()
        wanted = python_value(text)
        assert (float.fromhex(value), left) == (wanted, "0"), text
        assert math.copysign(1, float.fromhex(value)) == math.copysign(1, wanted)


def test_printf_of_floats() -> None:
    """As Python formats, which has the same rules for these conversions."""
    r = random.Random(5)
    cases = []
    for _ in range(80):
        flags = "".join(f for f in "+- #0" if r.random() < 0.25)
        width, precision = r.choice(["", "", "7", "25"]), r.choice(["", ".0", ".1", ".3", ".17", ".30"])
        cases.append((f"%{flags}{width}{precision}{r.choice('feEgG')}", wide(r)))
    answers = asked("kit_scan", [f"f {form} {x!r}" for form, x in cases])
    for (form, x), line in zip(cases, answers, strict=True):
        wanted = form % x
        assert line == f"{wanted} {len(wanted)}", (form, x)


def scan_line(r: random.Random) -> str:
    """A line for kit_scan that has no counterpart in Python."""
    kind = r.randrange(3)
    if kind == 0:
        digits = r.choice(["0x", "0", "", "-", "+", " "]) + "".join(
            r.choice("0123456789afzAZ") for _ in range(r.randint(0, 24))
        )
        return f"i {r.choice([0, 2, 8, 10, 16, 36])} {digits}"
    if kind == 1:
        flags = "".join(f for f in "+- #0" if r.random() < 0.3)
        form = f"%{flags}{r.choice(['', '4', '22'])}{r.choice(['', '.0', '.5', '.21'])}ll{r.choice('duxXo')}"
        return f"n {form} {r.choice([0, 1, -1, 255, -(2**63), 2**63 - 1, r.randint(-(10**9), 10**9)])}"
    conversion = r.choice(["%d", "%2d", "%i", "%x", "%lf", "%5lf", "%s", "%3s", "%[a-c1]", "%[^ ,]", "%c%*c%c"])
    between = r.choice([" ", ",", "", "%%"])
    form = between.join([conversion] * (1 if "c%" in conversion else r.randint(1, 3)))
    text = "".join(
        r.choice(["1", "23", "-4", "0x1f", "017", "abc", " ", ",", "%", ".5", "e3", "+"])
        for _ in range(r.randint(0, 8))
    )
    return f"s {form}|{text}"


@pytest.mark.skipif(shutil.which("gcc") is None, reason="no gcc to compile the guest natively")
def test_scanning_and_printing_as_natively(tmp_path: Path) -> None:
    """Random formats and texts give what the host's C library gives."""
    r = random.Random(6)
    lines = [scan_line(r) for _ in range(160)] + [f"d {number_text(r)}{r.choice(['', 'x', ' 1'])}" for _ in range(40)]
    native, _, status = run_natively(evolve(copied("kit_scan", tmp_path), stdin=text_of(lines)))
    assert status == 0
    for line, ours, theirs in zip(lines, asked("kit_scan", lines), native.splitlines(), strict=True):
        assert ours == theirs, line


# Memory and strings.


@pytest.mark.parametrize("seed", [2, 3])
def test_malloc_scripts(seed: int) -> None:
    """Random scripts of allocation: nothing is lost, overlaps or lies askew."""
    done = run(load_guest(GUESTS / "malloc"), ("main.wasm", str(seed)), record=False)
    assert done.stdout.startswith("wrong 0, unaligned 0, not zero 0,")


@pytest.mark.parametrize("seed", [2, 3])
def test_string_functions(seed: int) -> None:
    """The functions of string.h against plain definitions."""
    done = run(load_guest(GUESTS / "kit_string"), ("main.wasm", str(seed), "60"), record=False)
    assert done.stdout == "60 rounds, 0 failures\n"


# The library as a whole.


def test_every_function_is_there(tmp_path: Path) -> None:
    """Base names of the sources are distinct, and nothing in the library wants what nobody defines."""
    sources = kit.kit_sources()
    assert len({path.stem for path in sources}) == len(sources)
    try:
        folder = kit.build_kit(find_toolchain())
    except GuestBuildError as missing:
        pytest.skip(f"the library is not linked: {missing}")
    source = tmp_path / "whole.c"
    source.write_text("int main(int argc, char **argv) { return argc - 1 + !argv; }")
    objects = [str(path) for path in kit.kit_objects(folder)[1]]
    assert cc.main([str(source), *objects, "-Wl,--no-gc-sections", "-o", str(tmp_path / "whole.wasm")]) == 0


# The compiler driver.


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["x.c", "-o"], "lindref cc: -o: needs a value"),
        (["--strange", "x.c"], "lindref cc: --strange: unknown option (see lindref cc --help)"),
        ([], "lindref cc: no input file (see lindref cc --help)"),
        (["absent.c"], "lindref cc: absent.c: no such file"),
        (["--stack-size", "much", "x.c"], "lindref cc: --stack-size much: not a number of bytes"),
    ],
)
def test_wrong_usage(words: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    """One line, exit status 2."""
    assert cc.main(words) == 2
    assert capsys.readouterr().err == message + "\n"


def test_help(capsys: pytest.CaptureFixture[str]) -> None:
    """Help has an example, and the headers are where they are said to be."""
    assert cc.main(["--help"]) == 0
    assert "example: lindref cc" in capsys.readouterr().out
    assert cc.main(["--print-include"]) == 0
    assert Path(capsys.readouterr().out.strip(), "lind_syscall.h").is_file()
