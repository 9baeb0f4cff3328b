"""RawPOSIX as a model: what each call does to cages, descriptors, files, memory maps, signals and time.

Nothing here runs wasm or knows 3i. `Kernel` holds all state as persistent maps of records; a call is one function from
the state and a `Call` to a `Result`, and a call that cannot finish says what it waits for. `posix.table` lists every
call.
"""
