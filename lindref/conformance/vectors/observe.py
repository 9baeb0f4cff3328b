"""What a step lets be seen: its result and the memory it dumps, in the normal form of the recordings.

What a form needs to know beside the result are values of the moment, listed by ``wanted``; players find them out each
in its way and give them to ``seen``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from lindref.conformance.vectors.model import Json, Step
from lindref.conformance.vectors.show import show
from lindref.threei.numbers import COPY_DATA_BETWEEN_CAGES, UNUSED, UNUSED_CAGE

if TYPE_CHECKING:
    from lindref.system.host import SystemHost

_BIT_63 = 1 << 63


def i32(value: int) -> int:
    """The low 32 bits, signed."""
    value &= 0xFFFFFFFF
    return value - (1 << 32) if value >> 31 else value


def signed(value: int) -> int:
    """64 bits as a signed number."""
    value &= (1 << 64) - 1
    return value - (1 << 64) if value & _BIT_63 else value


def earlier_step(step: Step) -> str | None:
    """The step that a result is told in relation to."""
    how = step.get("ret_as")
    return how["rel"] if isinstance(how, dict) else None


def destination_of(step: Step) -> Json | None:
    """Where a call that copies data copies to."""
    copies = step.get("n") == COPY_DATA_BETWEEN_CAGES and len(step.get("pairs", ())) > 1
    return step["pairs"][1] if copies else None


def wanted(step: Step) -> list[Json]:
    """The values that are looked at when the step is over: those of ``ret_as``, then place and length of each dump.

    A pair stands for its value as it is sent.
    """
    found: list[Json] = []
    earlier, destination = earlier_step(step), destination_of(step)
    if earlier is not None:
        found.append({"res": [earlier, 0]})
    if destination is not None:
        found.append(destination)
    for how in step.get("dump", ()):
        length = how["len"]
        found += [how["at"], {"res": [length["res"], 0]} if isinstance(length, dict) else length]
    return found


def seen(step: Step, result: int, values: Sequence[int], host: SystemHost) -> dict[str, Json]:
    """The entry of a step that has a result; ``values`` are those of ``wanted``, 64 bits each."""
    left = list(values)
    earlier = left.pop(0) if earlier_step(step) is not None else None
    destination = left.pop(0) if destination_of(step) is not None else None
    dumps = [
        _memory(host, left[2 * number], signed(left[2 * number + 1])) for number, _ in enumerate(step.get("dump", ()))
    ]
    return entry(step, result, earlier, destination, dumps)


def entry(
    step: Step, result: int, earlier: int | None, destination: int | None, dumps: Sequence[bytes | None]
) -> dict[str, Json]:
    """The entry of a step with that result: ``earlier`` and ``destination`` are what the first of ``wanted`` are for,
    ``dumps`` the memory that it looks at, ``None`` where there is none.
    """
    found: dict[str, Json] = {"ret": _result(step, result, earlier, destination)}
    if step.get("dump"):
        found["dump"] = [show(data, how) for how, data in zip(step["dump"], dumps, strict=True)]
    return found


def _result(step: Step, result: int, earlier: int | None, destination: int | None) -> Json:
    """A result in the normal form of the log."""
    how = step.get("ret_as")
    if earlier is not None and isinstance(how, dict):
        return {"rel": [how["rel"], i32(result - earlier)]}
    if how == "brk":
        return "BRK0"
    if how == "shape":
        return result if -4096 < result < 0 else "ok"
    if how == "pos":
        return "positive" if result > 0 else result
    if destination is not None and result == i32(destination):
        return "DEST"
    return result


def _memory(host: SystemHost, address: int, length: int) -> bytes | None:
    """The bytes at a host address; ``None`` where there are none."""
    place = host.resolve(address)
    memory = host.memory(place.cage) if place is not None else None
    if place is None or memory is None:
        return None
    return memory.try_read(place.offset, max(length, 0))


def words(numbers: bytes) -> list[int]:
    """A list of signed 32-bit numbers."""
    return [int.from_bytes(numbers[i : i + 4], "little", signed=True) for i in range(0, len(numbers), 4)]


def strings(given: Sequence[bytes]) -> list[str]:
    """Arguments or environment as text."""
    return [word.decode("utf-8", "backslashreplace") for word in given]


def handled(step: Step, own: int, given: Sequence[int]) -> dict[str, Json]:
    """The entry of ``hargs``: six values and cages, pointers and what is unused by name."""
    pairs: list[Json] = []
    for i in range(6):
        value, cage = given[2 * i], given[2 * i + 1]
        shown: Json = signed(value)
        if value == UNUSED:
            shown = "unused"
        elif i + 1 in step["ptr"] and value:
            shown = "PTR"
        pairs.append([shown, "unused" if cage == UNUSED_CAGE else cage])
    return {"own": own, "pairs": pairs}
