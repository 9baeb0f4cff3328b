"""Small programs in wasm that statements and machines exec, and the steps of a script that do it."""

from __future__ import annotations

from functools import cache
from typing import Any

from lindref.posix.usermem import model_base
from lindref.system.script_runner import CallStep, Pointer, StoreStep
from lindref.wasm.binary.encoder import encode
from lindref.wasm.text.parser import parse_module

EXECVE = 59

#: ``$call number a offset c`` makes a call as the cage itself: a number, an address in its memory, a number.
_PRELUDE = f"""
(import "lind" "make-syscall" (func $raw (param i32) {"(param i64)" * 15} (result i32)))
(import "lind" "lind-get-memory-base" (func $base (result i64)))
(import "lind" "lind-get-cage-id" (func $cage (result i64)))
(import "env" "memory" (memory 1 65536 shared))
(global $sp (export "__stack_pointer") (mut i32) (i32.const 4096))
(func $call (param $n i32) (param $a i64) (param $o i64) (param $c i64) (local $me i64)
  (local.set $me (call $cage))
  (drop (call $raw (local.get $n) (i64.const 0) (local.get $me) (local.get $me)
    (local.get $a) (local.get $me) (i64.add (call $base) (local.get $o)) (local.get $me) (local.get $c) (local.get $me)
    (i64.const 0) (local.get $me) (i64.const 0) (local.get $me) (i64.const 0) (local.get $me))))
"""

#: Asks for its id, and ends with 7; its calls: the loader's mmap, getpid, exit_group.
ENDS = """(func (export "_start")
  (call $call (i32.const 39) (i64.const 0) (i64.const 0) (i64.const 0))
  (call $call (i32.const 231) (i64.const 7) (i64.const 0) (i64.const 0)))"""


@cache
def module(body: str) -> bytes:
    """The binary of a program."""
    return encode(parse_module(f"(module {_PRELUDE} {body})"))


def execs(cage: int, path: str) -> tuple[Any, ...]:
    """Steps of cage ``cage`` that run the program at ``path``."""
    argv = (model_base(cage) + 2560).to_bytes(8, "little") + bytes(16)
    words = (StoreStep(2560, path.encode() + b"\0"), StoreStep(2624, argv))
    return (*words, CallStep(EXECVE, (Pointer(2560), Pointer(2624), Pointer(2632))))
