"""The guest kit: C headers, a compact C library, and the compiler driver that builds cages and grates."""
