"""Everything that can change during a run, as values: persistent maps, records, digests, saved files.

The bottom layer: it knows neither wasm nor Lind.
"""
