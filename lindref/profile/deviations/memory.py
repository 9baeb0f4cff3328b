"""The address space."""

from __future__ import annotations

from lindref.profile.deviations.entry import Deviation

ENTRIES: tuple[Deviation, ...] = (
    Deviation(
        "MEM-STALE",
        spec="a mapping that was cut says what is left of it",
        lind=(
            "both parts go on saying the bounds of the whole: fork copies by them (and loses what lies behind "
            "a hole), range checks believe them"
        ),
        evidence="3i.md 6.7; vector mem.munmap.middle",
    ),
    Deviation(
        "MEM-CHECK-CACHE",
        spec="a check of the map asks the map as it is",
        lind="the mapping found last is remembered, and what lies in it passes after it is gone, until the host faults",
        evidence="3i.md 6.7; vector 3i-copy.munmapped.src",
    ),
    Deviation(
        "MMAP-ABORT",
        spec="mmap flags that only hint are accepted, MAP_FIXED_NOREPLACE works, PROT_EXEC and length 0 are EINVAL",
        lind="any of them ends the host process",
        evidence=(
            "vectors mem.mmap.arg_noreserve, mem.mmap.arg_stack, mem.mmap.arg_fixed_noreplace, "
            "mem.mmap.arg_prot_exec, mem.mmap.len0"
        ),
    ),
    Deviation(
        "MMAP-STRICT",
        spec=(
            "a hint need not be aligned, a negative offset of an anonymous mapping does not matter, a hint that "
            "cannot be had is dropped, a fixed mapping of length 0 is EINVAL"
        ),
        lind="the first two are EINVAL, the third ENOMEM, the last succeeds",
        evidence="vector mem.mmap.arg_addr_unaligned; 3i.md 6.2",
    ),
    Deviation(
        "MPROTECT-HOLES",
        spec="mprotect of a range that is not all mapped is ENOMEM",
        lind="it succeeds and makes the holes usable, which the map does not notice",
        evidence="rawposix.md 10; 3i.md 10",
    ),
    Deviation(
        "MUNMAP-WRAP",
        spec="munmap of more than the address space is EINVAL",
        lind="the length wraps round to nothing and the call succeeds",
        evidence="vector mem.munmap.neg",
    ),
    Deviation(
        "BRK-OVERLAP",
        spec="brk does not grow into another mapping",
        lind="it takes mappings over unless they cover all of the growth",
        evidence="3i.md 6.5",
    ),
    Deviation(
        "SHM-UNMAP",
        spec="munmap of an attached SysV segment unmaps it",
        lind="its memory stays, although the map forgets it",
        evidence="3i.md 6.3",
    ),
)
