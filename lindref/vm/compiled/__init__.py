"""The compiled tier: hot functions as Python source. ``docs/compiled.md`` explains it.

Nothing here defines what an instruction means: where compiled code cannot go on in the usual way, it is left before the
instruction, and the reference machine does that one.
"""
