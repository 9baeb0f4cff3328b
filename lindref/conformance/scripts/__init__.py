"""Scripts of calls instead of programs: generated ones, shrunk ones, and the same as text, as C and as vectors."""
