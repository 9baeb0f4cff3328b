"""3i: the handler tables through which every call leaves a cage, as pure functions on values.

It knows neither wasm nor POSIX: it decides *who* serves a call, never what the call does.
"""
