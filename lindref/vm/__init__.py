"""The machine: memories, instances, continuations, and what executes them (nothing of POSIX or 3i)."""
