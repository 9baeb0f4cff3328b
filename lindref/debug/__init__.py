"""Debugging a run: where it stands, what it holds, where it is to stop, in both directions.

Above ``lindref.system`` and ``lindref.trace``; the stepper in the terminal and the debug adapter are views of it.
"""
