"""Arguments of handlers in Python: typed for every call of the call table, and for 3i's own (PY-10)."""

from __future__ import annotations

import random

import pytest

from lindref import Address, Fd, Flags, Grate, GrateError, Mode, Served, Signal, serves
from lindref.posix.call import UNUSED, Arg
from lindref.posix.fs.numbers import AT_FDCWD
from lindref.posix.params import CallRow, ParamKind
from lindref.posix.table import CALLS, NUMBERS
from lindref.posix.usermem import model_base
from lindref.system.python.arguments import flags_of
from lindref.testing import Script
from lindref.trace.decode import Decoder

#: Kinds that are no pointers, and of which a trace shows the same text.
_PLAIN = frozenset({ParamKind.FD, ParamKind.DIRFD, ParamKind.MODE, ParamKind.SIGNAL, ParamKind.FLAGS, ParamKind.ENUM})
_PLAIN |= {ParamKind.INT, ParamKind.UINT, ParamKind.LONG, ParamKind.SIZE, ParamKind.PID, ParamKind.TID}
_NUMBERS = _PLAIN | {ParamKind.UID, ParamKind.DEVICE, ParamKind.HEX, ParamKind.IGNORED, ParamKind.VARIES}
_NUMBERS |= {ParamKind.GUEST_ADDRESS}


def values_of(row: CallRow, *values: int) -> tuple[int, ...]:
    """What a handler of the call gets for these values of cage 4."""
    args = tuple(Arg(value, 4) for value in (*values, *[UNUSED] * 6)[:6])
    return Served(row.number, row.name, 4, args).values()


@pytest.mark.parametrize("row", CALLS.values(), ids=lambda row: row.name)
def test_every_call(row: CallRow) -> None:
    """Each argument has the sign, the type and the text that its kind says, and its bits are those that came."""
    draw = random.Random(row.number)
    decoder = Decoder(lambda address, count: None)
    for _ in range(20):
        sent = [draw.choice((0, 1, 5, 0o644, AT_FDCWD % 2**64, 2**32 - 1, draw.getrandbits(64))) for _ in range(6)]
        shown = decoder.before(row, [(value, 4) for value in sent])
        got = values_of(row, *sent)
        assert len(got) == len(row.params)
        for param, value, bits, text in zip(row.params, got, sent, shown, strict=False):
            assert int(value) % 2**32 == bits % 2**32
            assert isinstance(value, Address) == (param.kind not in _NUMBERS)
            assert not isinstance(value, Address) or value == bits
            if param.kind in _PLAIN:
                assert str(value) == text, (param, bits)


def test_addresses() -> None:
    """An address says where it lies; one that is somewhere in it is one too."""
    place = values_of(CALLS[NUMBERS["open"]], model_base(7) + 0x420)[0]
    assert isinstance(place, Address)
    assert (place.cage, place.offset, (place + 8).offset, str(place)) == (7, 0x420, 0x428, hex(model_base(7) + 0x420))
    nowhere = Address(12345)
    assert (nowhere.cage, nowhere.offset, str(Address(0))) == (None, None, "NULL")


def test_what_varies() -> None:
    """The third argument of ioctl and fcntl is an address where it is one, else a C int."""
    assert values_of(CALLS[NUMBERS["ioctl"]], 3, 0x541B, model_base(4) + 64)[2] == Address(model_base(4) + 64)
    assert isinstance(values_of(CALLS[NUMBERS["ioctl"]], 3, 0x541B, model_base(4) + 64)[2], Address)
    assert values_of(CALLS[NUMBERS["fcntl"]], 3, 0, 2**64 - 1)[2] == -1


def test_types_by_name() -> None:
    """Flags can be asked for by name; a name that the set has not is a mistake that is said."""
    args = tuple(Arg(value, 1) for value in (2**64 - 100, 0, 0o1101, 0o640, 0, 0))
    named = Served(NUMBERS["openat"], "openat", 1, args).named()
    assert {name: type(value).__name__ for name, value in named.items()} == {
        "dirfd": "DirFd",
        "path": "Address",
        "flags": "Flags",
        "mode": "Mode",
    }
    opened = named["flags"]
    assert isinstance(opened, Flags)
    assert ("O_CREAT" in opened, "O_WRONLY" in opened, "O_RDONLY" in opened, "O_EXCL" in opened) == (1, 1, 0, 0)
    assert str(opened) == "O_WRONLY|O_CREAT|O_TRUNC"
    with pytest.raises(ValueError, match="no flag of this call is called 'O_CRAET'"):
        _ = "O_CRAET" in opened
    assert (str(named["dirfd"]), str(Fd(3)), str(Mode(0o755)), str(Signal(15))) == ("AT_FDCWD", "3", "0755", "SIGTERM")
    assert flags_of("whence", one=True) is flags_of("whence", one=True)


class Sees(Grate):
    """Keeps what the calls of 3i name, and what it got of others as keys, answers and arguments of its own."""

    def register_handler(self, call: Served, cage: int, number: int, grate: int, address: int) -> int:
        self.state["registered"] = (*self.state.get("registered", ()), (cage, number, grate, address))
        return self.forward()

    def copy_data_between_cages(
        self, call: Served, source: Address, owner: int, to: Address, to_owner: int, length: int, kind: int
    ) -> int:
        self.state["copied"] = (owner, source.offset, to_owner, to.offset, length, kind)
        return self.forward()

    def copy_handler_table_to_cage(self, call: Served, source: int, target: int) -> int:
        self.state["table"] = (source, target)
        return self.forward()

    def openat(self, call: Served, folder: Fd, path: Address, flags: Flags, mode: Mode) -> int:
        self.cage_state(call.caller)[folder, flags] = (path, mode)
        fd = self.forward(folder, path, flags, mode)
        self.state["seen"] = (self.read_bytes(path, 2), self.read_string(path + 1), fd)
        return fd


def test_typed_values_are_plain_data() -> None:
    """PY-7: they are kept, asked and sent like the numbers that they are."""
    script = Script()
    script.call("openat", AT_FDCWD % 2**64, "/f", 0, 0)
    played = script.play(Sees, files={"/f": b""})
    assert (played.results("openat"), played.notes) == ([3], [])
    assert played.grates[3001].state["seen"] == (b"/f", "f", 3)


def test_calls_of_3i() -> None:
    """PY-10: 1001, 1002 and 1003 as methods, with the arguments that stand in their pairs."""

    class Inner(Grate):
        def getpid(self, call: Served) -> int:
            return self.copy_table(self.id, call.caller)

    script = Script()
    script.call("getpid")
    played = script.play(Sees, Inner)
    kept = played.grates[3001].state
    assert kept["registered"] == ((1, 39, 3002, 39),)
    assert kept["table"] == (3002, 1)
    args = (Arg(model_base(1) + 8, 1), Arg(model_base(3002) + 16, 3002), Arg(5, 1), Arg(1, 1), Arg(0, 0), Arg(0, 0))
    copied = Served(1002, "copy_data_between_cages", 3002, args)
    assert copied.values() == (model_base(1) + 8, 1, model_base(3002) + 16, 3002, 5, 1)
    assert copied.named()["destination_cage"] == 3002


def test_who_serves_a_call_that_several_methods_name() -> None:
    """A class goes before what it inherits; two of one class are a mistake."""

    class Base(Grate):
        def unlink(self, call: Served) -> int:
            return -1

        @serves("rmdir", "mkdir")
        def folders(self, call: Served) -> int:
            return -2

    class More(Base):
        @serves("unlink", "rmdir")
        def gone(self, call: Served) -> int:
            return -3

        def mkdir(self, call: Served) -> int:
            return -4

    assert [Base.served[NUMBERS[name]] for name in ("unlink", "rmdir", "mkdir")] == ["unlink", "folders", "folders"]
    assert [More.served[NUMBERS[name]] for name in ("unlink", "rmdir", "mkdir")] == ["gone", "gone", "mkdir"]
    both = {"a": serves("unlink", "rmdir")(lambda self, call: 0), "b": serves("rmdir")(lambda self, call: 0)}
    with pytest.raises(GrateError, match=r"^Twice: rmdir is served by a and by b$"):
        type("Twice", (Grate,), both)
