"""Print ``lindref/guest/src/math/tables.h``: the constants of the guest kit's mathematics, from 80 decimal digits.

A pair is a number as the sum of two doubles.
"""

from __future__ import annotations

from decimal import Decimal, getcontext

getcontext().prec = 80
ONE = Decimal(1)
LN2 = Decimal(2).ln()
LN10 = Decimal(10).ln()


def arctan(x: Decimal) -> Decimal:
    """By its series; |x| is at most 1/2."""
    total, power, n = Decimal(0), x, 1
    while abs(power) > Decimal(10) ** -90:
        total += power / n if n % 4 == 1 else -power / n
        power *= x * x
        n += 2
    return total


PI = 4 * (4 * arctan(ONE / 5) - arctan(ONE / 239))


def top(x: Decimal, bits: int) -> float:
    """The first ``bits`` bits of a positive number."""
    whole = float(x)
    scale = Decimal(2) ** (
        bits - 1 - (whole.as_integer_ratio()[0].bit_length() - whole.as_integer_ratio()[1].bit_length())
    )
    return float(int(x * scale) / scale)


def pair(x: Decimal) -> str:
    """A number as the sum of two doubles."""
    high = float(x)
    return f"{{{high.hex()}, {float(x - Decimal(high)).hex()}}}"


def parts(x: Decimal, bits: int, count: int) -> str:
    """A number as a sum of short doubles and one whole one."""
    out = []
    for _ in range(count):
        out.append(top(x, bits))
        x -= Decimal(out[-1])
    return "{" + ", ".join(v.hex() for v in [*out, float(x)]) + "}"


def zeta(k: int) -> Decimal:
    """By the Euler-Maclaurin formula from 30 on."""
    n, total = 30, Decimal(0)
    for i in range(1, n):
        total += ONE / Decimal(i) ** k
    total += Decimal(n) ** (1 - k) / (k - 1) + ONE / (2 * Decimal(n) ** k)
    factor = Decimal(k)
    for j, b in enumerate(BERNOULLI, 1):
        total += b / FACTORIAL[2 * j] * factor * Decimal(n) ** -(k + 2 * j - 1)
        factor *= (k + 2 * j - 1) * (k + 2 * j)
    return total


FACTORIAL = [ONE]
for _n in range(1, 60):
    FACTORIAL.append(FACTORIAL[-1] * _n)
BERNOULLI = [
    Decimal(a) / b
    for a, b in (
        (1, 6), (-1, 30), (1, 42), (-1, 30), (5, 66), (-691, 2730), (7, 6), (-3617, 510), (43867, 798),
        (-174611, 330), (854513, 138), (-236364091, 2730),
    )
]  # fmt: skip


def euler() -> Decimal:
    """Euler's constant, by the Euler-Maclaurin formula for the harmonic numbers."""
    n = 200
    total = sum((ONE / i for i in range(1, n + 1)), Decimal(0)) - Decimal(n).ln() - ONE / (2 * n)
    for j, b in enumerate(BERNOULLI, 1):
        total += b / (2 * j) / Decimal(n) ** (2 * j)
    return total


def rows(name: str, kind: str, items: list[str], per_line: int = 1) -> None:
    """Print an array."""
    print(f"static const {kind} {name}[{len(items)}] = {{")
    for i in range(0, len(items), per_line):
        print("    " + ", ".join(items[i : i + per_line]) + ",")
    print("};")


def main() -> None:
    """Print the file."""
    print("/* Constants of the mathematics, made by tools/make_math_tables.py. A pair is the sum of two doubles. */")
    for name, value in {
        "LN2": LN2, "LN10": LN10, "INV_LN2": 1 / LN2, "INV_LN10": 1 / LN10, "PI": PI, "HALF_PI": PI / 2,
        "QUARTER_PI": PI / 4, "TWO_BY_SQRT_PI": 2 / PI.sqrt(), "HALF_LN_TWO_PI": (2 * PI).ln() / 2, "EULER": euler(),
    }.items():  # fmt: skip
        print(f"static const dd {name} = {pair(value)};")
    print(f"static const double LN2_BY_64[3] = {parts(LN2 / 64, 34, 2)};")
    print(f"static const double LN2_PARTS[3] = {parts(LN2, 40, 2)};")
    print(f"static const double HALF_PI_PARTS[4] = {parts(PI / 2, 26, 3)};")
    print("/* 2^(j/64) */")
    rows("POWERS", "dd", [pair((LN2 * j / 64).exp()) for j in range(64)])
    print("/* 128/i for i = 89..183, and the logarithm of what it is the reciprocal of */")
    reciprocals = [float(Decimal(128) / i) for i in range(89, 184)]
    rows("RECIPROCALS", "double", [c.hex() for c in reciprocals], 4)
    rows("LOGARITHMS", "dd", [pair(-Decimal(c).ln()) for c in reciprocals])
    print("/* arctan(j/16) */")
    angles = []
    for j in range(17):
        x = Decimal(j) / 16
        angles.append(pair(arctan(x) if j <= 8 else PI / 4 - arctan((1 - x) / (1 + x))))
    rows("ANGLES", "dd", angles)
    print("/* 2/pi, 32 bits at a time, from the first bit behind the point. */")
    getcontext().prec = 450
    more = 4 * (4 * _precise_arctan(5) - _precise_arctan(239))
    bits = int(Decimal(2) / more * Decimal(2) ** (32 * 40))
    rows("TWO_BY_PI", "uint32_t", [f"0x{bits >> (32 * (39 - i)) & 0xFFFFFFFF:08x}" for i in range(40)], 8)
    getcontext().prec = 80
    print("/* zeta(k)/k for k = 2.. */")
    rows("ZETA", "double", [float(zeta(k) / k).hex() for k in range(2, 50)], 4)
    print("/* B(2k)/(2k(2k-1)) for k = 1.. */")
    rows("STIRLING", "double", [float(b / (2 * k * (2 * k - 1))).hex() for k, b in enumerate(BERNOULLI, 1)], 4)


def _precise_arctan(divisor: int) -> Decimal:
    """arctan(1/divisor) in the precision that is set."""
    total, power, n = Decimal(0), ONE / divisor, 1
    limit = Decimal(10) ** -460
    while power > limit:
        total += power / n if n % 4 == 1 else -power / n
        power /= divisor * divisor
        n += 2
    return total


if __name__ == "__main__":
    main()
