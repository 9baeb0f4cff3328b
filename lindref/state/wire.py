"""The wire format of states: what ``encoder`` writes and ``decoder`` reads.

A tag byte, then contents. Numbers are LEB128 in their shortest form, below 2**64.

======  =====================================================================================
tag     contents
======  =====================================================================================
00      ``None``
01 02   ``False``, ``True``
03 04   int of 64 bits: ``n``; or ``-1 - n``
05 06   longer int: count of bytes, big-endian magnitude of ``n``; of ``-1 - n``
07      float: 8 bytes, little-endian
08      str: count of bytes, UTF-8 (lone surrogates as if they were characters)
09      bytes: count, the bytes
0a      tuple: count, values
0b      frozenset: count, values: ints ascending, then strs ascending
0c      map: count, then for each entry the distance of its key from the one before minus 1, value
0d      record: class, values of its fields
0e      enum member: class, name (a str) or number (flags)
0f      a record or map written before: its number, counting from 0 in the order of their ends
40-ff   the int ``tag - 0x40``
======  =====================================================================================

A *class* is its number in the order of first appearance; when that is new, its name (count, UTF-8), version
and count of fields follow. Adopted classes (``records.adopt``) are written in full each time.
"""

from __future__ import annotations

from struct import Struct
from typing import Final

NONE: Final = 0x00
FALSE: Final = 0x01
TRUE: Final = 0x02
INT: Final = 0x03
NEG: Final = 0x04
BIG: Final = 0x05
BIGNEG: Final = 0x06
FLOAT: Final = 0x07
STR: Final = 0x08
BYTES: Final = 0x09
TUPLE: Final = 0x0A
SET: Final = 0x0B
MAP: Final = 0x0C
RECORD: Final = 0x0D
ENUM: Final = 0x0E
AGAIN: Final = 0x0F
SMALL: Final = 0x40
#: How many ints have a tag of their own.
SMALL_COUNT: Final = 0x100 - SMALL

DOUBLE: Final = Struct("<d")
