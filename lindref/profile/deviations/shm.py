"""SysV shared memory."""

from __future__ import annotations

from lindref.profile.deviations.entry import Deviation

ENTRIES: tuple[Deviation, ...] = (
    Deviation(
        "SHM-PLAIN",
        spec=(
            "segments have the size that was asked for, an owner, permissions that are checked, and no key once they "
            "are to go; IPC_PRIVATE makes a new one, IPC_SET changes one, an address given to shmat is where it goes"
        ),
        lind=(
            "their size is rounded up to pages, their owner is 1000, neither permissions nor a size too large are "
            "looked at, the key stays until the last detach; IPC_PRIVATE ends the host, IPC_SET is EINVAL, the low "
            "half of an address is a hint"
        ),
        evidence="rawposix.md 5.8; vectors mem.shm.*",
    ),
    Deviation(
        "SHM-COUNT",
        spec="attachments follow the maps: a fork adds some, munmap, exec and the end of a cage take some",
        lind="only shmat and shmdt count, and shmdt knows what the cage itself attached since its exec",
        evidence="rawposix.md 5.8; vectors mem.shm.exit_no_detach, mem.shm.fork_inherit",
    ),
)
