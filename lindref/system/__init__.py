"""The whole system: cages and their threads, the scheduler, the clock and the choices, on top of 3i and RawPOSIX.

``System`` is the one object that has state; ``System.freeze()`` is that state as one value.
"""
