"""Calls and returns (spec §4.4.8.9 on, §4.4.10): a call pushes a ``Frame``, a return goes back to its parent.

No guest call uses the Python stack. A host function is never called here: its name and arguments are an outcome,
and the results that ``Machine.resume`` brings are pushed on the stack of the frame that is then on top. A call is a
tick, a function's entry a delivery point, and so are the places before a ``return`` and before a function's end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lindref.vm.frame import Frame
from lindref.vm.handler import Handler
from lindref.vm.outcomes import Attention, BarrierReturned, HostCall, Returned, Stop
from lindref.vm.traps import (
    INDIRECT_CALL_MISMATCH,
    NULL_FUNCTION,
    STACK_EXHAUSTED,
    UNDEFINED_ELEMENT,
    UNINITIALIZED_ELEMENT,
    Trap,
)
from lindref.vm.values import FuncInst, HostFunc, Value
from lindref.wasm.types import DefType
from lindref.wasm.typing import matches_heap

if TYPE_CHECKING:
    from lindref.vm.machine import Machine
    from lindref.vm.program import Body
    from lindref.vm.store import View


def take(m: Machine, count: int) -> list[Value]:
    """Pops ``count`` operands, in the order in which they were pushed."""
    s = m.stack
    if count == 1:
        return [s.pop()]
    if not count:
        return []
    taken = s[-count:]
    del s[-count:]
    return taken


def enter(m: Machine, view: View, body: Body, args: list[Value]) -> None:
    """A new frame on top, standing at the function's entry; ``args`` becomes its locals."""
    code = body.code
    if code is None:
        code = body.prepare()
    caller = m.frame
    assert caller is not None
    depth = caller.depth + body.weight
    if depth > m.max_depth:
        raise Trap(STACK_EXHAUSTED)
    caller.pc = m.pc
    args += body.zeros
    m.frame = frame = Frame(view, body, args, caller, depth)
    m.code = code
    m.pc = 0
    m.locals = args
    m.stack = frame.stack
    if view is not m.view:
        m.switch(view)
    m.fuel -= 1
    if not m.fuel or m.attention:
        m.at_tick()


def leave(m: Machine, count: int) -> None:
    """Back to the parent frame with ``count`` results."""
    s = m.stack
    frame = m.frame.parent  # type: ignore[union-attr]  # a guest frame always has one: the host's
    assert frame is not None
    m.frame = frame
    frame.state = None
    m.code = frame.body.code  # type: ignore[assignment]  # a frame's body is prepared
    m.pc = frame.pc
    m.locals = frame.locals
    m.stack = t = frame.stack
    if count == 1:
        t.append(s[-1])
    elif count:
        t += s[-count:]
    if frame.view is not m.view:
        m.switch(frame.view)


def return_(m: Machine, count: int) -> None:
    """``return``, and the end of a function. The code's next entry is ``leave``: where to go on after attention."""
    if m.attention:
        raise Stop(Attention())
    leave(m, count)


def call(m: Machine, body: Body) -> None:
    """``call x`` of a function that the module defines."""
    assert m.view is not None
    enter(m, m.view, body, take(m, body.n_params))


def call_import(m: Machine, index: int) -> None:
    """``call x`` of an imported function."""
    assert m.view is not None
    invoke(m, m.view.instance.imports[index])


def invoke(m: Machine, func: FuncInst | HostFunc) -> None:
    """A call of any function with the operands on the stack."""
    if isinstance(func, HostFunc):
        args = tuple(take(m, len(func.type.params)))
        m.awaiting = len(func.type.results)
        raise Stop(HostCall(func, args))
    view = m.store.views[func.instance]
    body = view.instance.program.body(func.index)
    enter(m, view, body, take(m, body.n_params))


def _pop_func(m: Machine) -> FuncInst | HostFunc:
    """The function reference on top of the stack, for ``call_ref``."""
    func = m.stack.pop()
    if func is None:
        raise Trap(NULL_FUNCTION)
    return func  # type: ignore[no-any-return]  # validation: it is a function


def _pop_element(m: Machine, imm: tuple[int, DefType]) -> FuncInst | HostFunc:
    """The function at the table index on top of the stack, of the expected type, for ``call_indirect``."""
    table, expected = imm
    assert m.view is not None
    elements = m.view.tables[table].elements
    index = m.stack.pop()
    if index >= len(elements):
        raise Trap(UNDEFINED_ELEMENT)
    func = elements[index]
    if func is None:
        raise Trap(f"{UNINITIALIZED_ELEMENT} {index}")
    actual = m.store.type_of(func)
    if actual is not expected and not matches_heap(actual, expected):
        raise Trap(INDIRECT_CALL_MISMATCH)
    return func  # type: ignore[no-any-return]  # only functions have a function type


def call_ref(m: Machine, _: int) -> None:
    """``call_ref x``."""
    invoke(m, _pop_func(m))


def call_indirect(m: Machine, imm: tuple[int, DefType]) -> None:
    """``call_indirect x y``; the immediate is table and expected type."""
    invoke(m, _pop_element(m, imm))


def _tail(m: Machine, func: FuncInst | HostFunc) -> None:
    """The frame on top is left before the call: its parent gets the results."""
    count = len(m.store.func_type(func).params)
    leave(m, count)
    invoke(m, func)


def return_call(m: Machine, index: int) -> None:
    """``return_call x``."""
    assert m.view is not None
    _tail(m, m.view.instance.func(index))


def return_call_ref(m: Machine, _: int) -> None:
    """``return_call_ref x``."""
    _tail(m, _pop_func(m))


def return_call_indirect(m: Machine, imm: tuple[int, DefType]) -> None:
    """``return_call_indirect x y``."""
    _tail(m, _pop_element(m, imm))


def host_enter(m: Machine, _: None) -> None:
    """What a host's frame begins with: the call it was made for (its third local)."""
    invoke(m, m.locals[2])


def host_finish(m: Machine, _: None) -> None:
    """What a host's frame ends with: its operands are the results, for the host."""
    frame = m.frame
    assert frame is not None
    barrier, awaiting, _func = frame.locals
    values = tuple(frame.stack)
    m.cut(frame.parent, awaiting)
    raise Stop(Returned(values) if frame.parent is None else BarrierReturned(barrier, values))


HANDLERS: dict[str, Handler] = {"call_ref": call_ref, "return_call": return_call, "return_call_ref": return_call_ref}
