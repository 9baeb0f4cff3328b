"""What a call returned and wrote, against what the model's call did (JUDGE-4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lindref.conformance.oracle.inputs import UNSEEN
from lindref.conformance.oracle.observed import Ended
from lindref.conformance.oracle.verdict import Contradiction
from lindref.posix import errno
from lindref.posix.params import CallRow, ParamKind, ReturnKind
from lindref.profile import LIND
from lindref.threei.numbers import BENEATH, ThreeIError
from lindref.trace import encode
from lindref.trace.format import Record
from lindref.trace.normal import Symbol, text_term
from lindref.trace.recorder import is_error
from lindref.trace.strace import written_argument

if TYPE_CHECKING:
    from lindref.conformance.oracle.course import Course

_CLONE, _GETDENTS, _GETRANDOM = 56, 78, 318
#: Bytes at the start of a directory entry that are numbers of the file system's own: inode and position.
_ENTRY_NUMBERS = 16
#: Bytes of an address that are always written.
_ADDRESS = 16
_TIMES = frozenset({"atime", "dtime", "ctime"})


def result(course: Course, enter: Record, record: Record, ended: Ended, *, beneath: bool) -> None:
    """Compare the end of a call; raises `Contradiction`. ``beneath``: no grate served it."""
    model, seen = ended.event.result, record.get("ret", ended.event.result)
    if model == seen and "ret" in record:
        name = record.get("errno")
        row = course.system.kernel.rows.get(enter["number"])
        if name is not None and (model is None or name != _errno(row, model)):
            _wrong(course, enter, record, ended, f"is called {name}")
        if not beneath:
            return
        if record.get("shown", ended.shown) != ended.shown:
            _written(course, enter, record, ended)
        if model is not None and model > 0 and row is not None and row.returns is ReturnKind.PID:
            _same_id(course, enter, row, model, model, ended, record)
        return
    _result(course, enter, record, ended)
    if beneath and "shown" in record and record["shown"] != ended.shown:
        _written(course, enter, record, ended)


def _errno(row: CallRow | None, value: int) -> str:
    return errno.name_of(-value) if is_error(row, value) else ""


def told(enter: Record, record: Record) -> str:
    """A result as it was observed."""
    ret = record.get("ret")
    if ret is None:
        return "no result" if "ret" in record else str(record.get("errno", "a result"))
    name = record.get("errno") or (errno.name_of(-ret) if -4096 < ret < 0 else "")
    del enter
    return f"{ret} {name}".strip()


def _model_told(row: CallRow | None, value: int | None) -> str:
    if value is None:
        return "never to return"
    return f"{value} {_errno(row, value)}".strip()


def _result(course: Course, enter: Record, record: Record, ended: Ended) -> None:
    """The result itself, where it is not the same number."""
    model = ended.event.result
    row = course.system.kernel.rows.get(enter["number"])
    if "ret" not in record:
        name = record.get("errno")
        if name is not None and (model is None or name != _errno(row, model)):
            if not _may_be(course, ended, name):
                _wrong(course, enter, record, ended, f"fails with {name}")
        return
    seen = record["ret"]
    if seen is None or model is None:
        _wrong(course, enter, record, ended, "does not return" if seen is None else f"returns {told(enter, record)}")
    assert isinstance(seen, int)
    assert isinstance(model, int)
    if is_error(row, seen) and is_error(row, model) and _may_be(course, ended, errno.name_of(-seen)):
        return
    if seen > 0 and model > 0 and row is not None and row.returns is ReturnKind.PID:
        if _same_id(course, enter, row, seen, model, ended, record):
            return
    if enter["number"] == 1002 and "data" not in enter and enter.get("args", [[0]] * 4)[3][0] == 1:
        return  # whether the string fits was not observed
    if seen > 0 and model > 0 and enter["number"] == 1002:
        return  # the low half of the destination's address, whose base is the implementation's own
    if course.world.takes_result(course.system, enter, seen, model):
        return
    _wrong(course, enter, record, ended, f"returns {told(enter, record)}")


def _may_be(course: Course, ended: Ended, name: str) -> bool:
    """Whether another error holds as well: a specification lets any be reported, an implementation has its order."""
    if course.system.profile.name == LIND.name:
        return False
    return any(errno.name_of(failure.errno) == name for failure in ended.failures)


def _same_id(course: Course, enter: Record, row: CallRow, seen: int, model: int, ended: Ended, record: Record) -> bool:
    """Whether two ids of cages or threads go together."""
    seen_target: int = enter["target"] if "target" in enter else enter["cage"]
    target = course.names.cage(seen_target)
    if row.name == "gettid" or (row.number == _CLONE and model not in course.system.kernel.cages):
        return course.names.bind("thread", (enter.get("target"), seen), (target, model))
    if row.number == _CLONE and "CLONE_VM" in str(enter.get("shown")):
        return course.names.bind("thread", (enter.get("target"), seen), (target, model))
    if model in BENEATH or course.names.bind_cage(seen, model):
        return True
    _wrong(course, enter, record, ended, f"returns cage {seen}")
    return False


def _wrong(course: Course, enter: Record, record: Record, ended: Ended, what: str) -> None:
    """The result is none that the model gives."""
    row = course.system.kernel.rows.get(enter["number"])
    model = ended.event.result
    seen = record.get("ret")
    if "errno" in record and (seen is None or seen == model) and record["errno"] in errno.NUMBERS:
        seen = -errno.NUMBERS[record["errno"]]
    held = [failure.rule for failure in ended.failures]
    if ended.event.rule and (model is None or model < 0 or model in tuple(ThreeIError) or not held):
        held = [ended.event.rule, *held]
    if model is not None and model >= 0 and row is not None:
        held = []
    rule = course.why.differs(enter["number"], seen, model, held, ended.ran)
    told_errors = [f"-{f.errno} {errno.name_of(f.errno)} ({f.rule})" for f in ended.failures]
    if course.system.profile.name == LIND.name:
        told_errors = told_errors[:1]
    raise Contradiction(rule, f"the call {what}", *(told_errors or [_model_told(row, model)]), told=True)


# What a call wrote.


def _written(course: Course, enter: Record, record: Record, ended: Ended) -> None:
    row = course.system.kernel.rows.get(enter["number"])
    seen = record.get("shown", {})
    if row is None or ended.event.result != record.get("ret", ended.event.result):
        if row is None or ended.event.result is None or ended.event.result < 0:
            return
    for at, model in ended.shown.items():
        text = seen.get(at)
        if text is None or text == model or int(at) >= len(row.params):
            continue
        if not _same_text(course, enter, row, ended, int(at), text, model):
            name = row.params[int(at)].name
            told, allowed = (written_argument(row, at, one) for one in (text, model))
            what = f"the call writes {name}={told}"
            raise Contradiction(course.why.written(row.number, ended.ran), what, f"{name}={allowed}", told=True)


def _same_text(course: Course, enter: Record, row: CallRow, ended: Ended, at: int, seen: str, model: str) -> bool:
    """Whether two shown texts say the same, up to symbols and what was not observed."""
    if row.number == _GETRANDOM or course.world.any_content(course.system, enter, row):
        return True
    if seen[:1] == '"' and model[:1] == '"':
        if row.params[at].kind is ParamKind.SOCKADDR and course.system.profile.has("SOCK-NAME-CUT"):
            return _same_address(seen, model)
        return _same_bytes(course, row, seen, model)
    if seen.startswith("[{iov_base") and model.startswith("[{iov_base"):
        moved = ended.event.result or 0
        return _same_buffers(course, moved, seen, model)
    return _same_terms(course, seen, model)


def _same_terms(course: Course, seen: str, model: str) -> bool:
    one, other = text_term(seen, written=True), text_term(model, written=True)
    if len(one) != len(other):
        return False
    for a, b in zip(one, other, strict=True):
        if isinstance(a, Symbol) and isinstance(b, Symbol):
            if a.kind != b.kind:
                return False
            if a.kind == "name" and a.value != b.value:
                return False
            if a.kind not in ("time", "name") and not course.names.bind(a.kind, a.value, b.value):
                return False
        elif a != b and not (isinstance(a, str) and isinstance(b, str) and _same_plain(course, a, b)):
            return False
    return True


def _same_plain(course: Course, seen: str, model: str) -> bool:
    """Two lists of fields, some of which are times."""
    one, other = encode.parts(seen.strip("{}[]")), encode.parts(model.strip("{}[]"))
    if len(one) != len(other):
        return False
    for a, b in zip(one, other, strict=True):
        (name, _, x), (name2, _, y) = a.partition("="), b.partition("=")
        if name != name2:
            return False
        if name in _TIMES or x == y:
            continue
        if name.endswith("pid") and x.isdigit() and y.isdigit() and course.names.bind_cage(int(x), int(y)):
            continue
        if not course.world.takes_field(name):
            return False
    return True


def _same_address(seen: str, model: str) -> bool:
    """Addresses of which only a part is written: what stands behind it is the program's own (SOCK-NAME-CUT)."""
    one, other = encode.string(seen), encode.string(model)
    return one is not None and other is not None and one[0][:_ADDRESS] == other[0][:_ADDRESS]


def _same_bytes(course: Course, row: CallRow, seen: str, model: str) -> bool:
    one, other = encode.string(seen), encode.string(model)
    if one is None or other is None:
        return False
    a, b = one[0], other[0]
    if row.number == _GETDENTS:
        if course.world.unknown or course.unordered:
            return True  # in which order names came is not known where calls overlap
        a, b = a[_ENTRY_NUMBERS:], b[_ENTRY_NUMBERS:]
    if len(a) != len(b):
        return False
    return a == b or (course.world.unseen and all(x == y or y == UNSEEN[0] for x, y in zip(a, b, strict=True)))


def _same_buffers(course: Course, moved: int, seen: str, model: str) -> bool:
    one, other = encode.iovec(seen), encode.iovec(model)
    if one is None or other is None or len(one) != len(other):
        return seen == model
    a = b"".join(buffer.data or b"" for buffer in one)[:moved]  # what lies behind is the program's own
    b = b"".join(buffer.data or b"" for buffer in other)[:moved]
    same = len(a) == len(b) and all(
        x == y or (course.world.unseen and y == UNSEEN[0]) for x, y in zip(a, b, strict=True)
    )
    return same and [buffer.length for buffer in one] == [buffer.length for buffer in other]


__all__ = ["result", "told"]
