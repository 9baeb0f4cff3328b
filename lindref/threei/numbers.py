"""3i's numbers: its own calls, its result codes, the cages that are no cages."""

from __future__ import annotations

import enum

#: Call numbers of 3i itself (3i.md 2.1).
REGISTER_HANDLER = 1001
COPY_DATA_BETWEEN_CAGES = 1002
COPY_HANDLER_TABLE_TO_CAGE = 1003
THREEI_CALLS = (REGISTER_HANDLER, COPY_DATA_BETWEEN_CAGES, COPY_HANDLER_TABLE_TO_CAGE)

#: As a handler cage in a registration: delete the row.
DEREGISTER = 500

#: Handler cages that stand for what is beneath all grates.
RAWPOSIX_CAGE = 777777
RUNTIME_CAGE = 888888
THREEI_CAGE = 999999
BENEATH = (RAWPOSIX_CAGE, RUNTIME_CAGE, THREEI_CAGE)

#: Largest number of cage ids; valid ids are 1 .. 2047.
MAX_CAGE_ID = 2048


class ThreeIError(enum.IntEnum):
    """3i's own results, as the caller sees them: signed 32-bit, beyond errno."""

    ABORTED = -536805375  # ELINDAPIABORTED, 0xE0010001
    NO_SUCH_CAGE = -536805374  # ELINDESRCH, 0xE0010002
    GRATE_ERROR = -536805379  # GRATE_ERR, -0x1FFF0003


#: Bit 63 of an argument's cage id: "translate this address of mine" (GRATE_MEMORY_FLAG).
MEMORY_FLAG = 1 << 63
#: What lind-glibc passes for an argument that is not used.
UNUSED = 0xDEADBEEFDEADBEEF
#: The same as a cage id, after bit 63 has been cleared on the way out of the guest.
UNUSED_CAGE = UNUSED & ~MEMORY_FLAG
#: What RawPOSIX passes as the cage id beside an argument that is not used.
UNUSED_ID = 0xCAFEBABECAFEBABE

#: What RawPOSIX does not complete by itself: clone, execve, exit (or exit_group), by the runtime's numbers.
CLONE, EXECVE, EXIT = HANDED_ON = (56, 59, 60)

#: Calls whose target may be dying (3I-ROUTE-1): exit and exit_group.
EXIT_CALLS = frozenset({60, 231})
