"""What is asked of the figures: each bar with what was measured, and whether that is enough."""

from __future__ import annotations

from collections.abc import Iterable

from lindref import classes


@classes.frozen
class Bar:
    """A bar: what is measured, its value, and the least or the most that it may be (with its unit, for people)."""

    what: str
    value: float
    least: float | None = None
    most: float | None = None
    unit: str = ""

    @property
    def met(self) -> bool:
        """Whether the value is within the bar."""
        return (self.least is None or self.value >= self.least) and (self.most is None or self.value <= self.most)

    def line(self) -> str:
        """For people."""
        asked = f"at least {self.least:g}" if self.least is not None else f"at most {self.most:g}"
        return f"{'met   ' if self.met else 'MISSED'}  {self.what:66}{self.value:10.2f} {self.unit:4} ({asked})"


def ratio_bars(what: str, ratios: dict[str, float], mean: str, least: float) -> list[Bar]:
    """The bar of a geometric mean; none where one of the two was not measured."""
    return [Bar(f"{what}, {mean}", ratios[mean], least=least, unit="x")] if mean in ratios else []


def show(bars: Iterable[Bar]) -> str:
    """One line each."""
    return "\n".join(bar.line() for bar in bars)
