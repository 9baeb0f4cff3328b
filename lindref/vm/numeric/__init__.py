"""Numbers (spec §4.3): pure functions on Python ints and floats; ``table.OPERATIONS`` names them all."""
