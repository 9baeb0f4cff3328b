"""The host functions that answer at once, without a call leaving the cage (ABI-2, ABI-4, ABI-9)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from lindref.posix.errno import EFAULT
from lindref.system import abi
from lindref.system.abi import string_block

if TYPE_CHECKING:
    from lindref.system.wasm_runner import Guest
    from lindref.vm.values import HostFunc

_MAX_RANDOM = 1 << 24


def answer(guest: Guest, func: HostFunc, args: Sequence[Any]) -> list[int] | str:
    """The results of a host function (ABI-2); a text where the guest is to trap with it."""
    memory = guest.memory
    match func.name:
        case "lind-get-memory-base":
            return [guest.base]
        case "lind-get-cage-id":
            return [guest.cage]
        case "args_sizes_get" | "environ_sizes_get":
            strings = guest.argv if func.name[0] == "a" else guest.env
            sizes = (len(strings), sum(len(s) + 1 for s in strings))
            cells = [n.to_bytes(4, "little") for n in sizes]
            fits = all(memory.writable(a, 4) for a in args)
            return [0 if fits and all(map(memory.try_write, args, cells)) else EFAULT]
        case "args_get" | "environ_get":
            strings = guest.argv if func.name[0] == "a" else guest.env
            pointers, data = string_block(strings, args[1])
            fits = memory.writable(args[0], len(pointers)) and memory.writable(args[1], len(data))
            return [0 if fits and memory.try_write(args[0], pointers) and memory.try_write(args[1], data) else EFAULT]
        case "random_get":
            address, count = args
            if not memory.writable(address, count):
                return [EFAULT]
            done = 0
            while done < count:
                part = min(count - done, _MAX_RANDOM)
                memory.try_write(address + done, guest.random_bytes(part))
                done += part
            return [0]
        case abi.DEBUG_PANIC:
            offset = args[0] - guest.base
            text = memory.read_cstr(offset, 4096) if 0 <= offset < 1 << 32 else None
            return "debug-panic: " + (text or b"").decode("utf-8", "backslashreplace")
        case "epoch_callback":
            return []  # delivery is decided by the scheduler at the same places
        case "dlopen" | "dlsym" | "dlclose":
            guest.note(f"{func.name}: a static program loads no libraries")
            return [-1 & 0xFFFFFFFF]
        case name:
            return f"unknown import: `{func.module}::{name}` has not been defined"  # DYN-10
