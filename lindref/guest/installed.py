"""What the guest kit has left in the user's cache. Runs ask this, so it imports little."""

from __future__ import annotations

import os


def cache() -> str:
    """Our folder in the user's cache (XDG Base Directory)."""
    named = os.environ.get("XDG_CACHE_HOME", "")
    return os.path.join(named if os.path.isabs(named) else os.path.expanduser("~/.cache"), "lindref")


def library_folder() -> str:
    """Where shared libraries that programs of this machine find by themselves lie."""
    return os.path.join(cache(), "lib")


def installed_libraries() -> list[str]:
    """The shared libraries that are there, by name."""
    folder = library_folder()
    names = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
    return [os.path.join(folder, name) for name in names if name.endswith(".so")]
