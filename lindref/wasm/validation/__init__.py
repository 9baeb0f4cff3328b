"""Validation (spec §3): ``lindref.wasm.validator`` is the face of these rooms.

``context``: what a module offers its bodies; ``stack``: the state of checking one body; ``rules_*``: a typing rule for
each instruction without a fixed signature; ``rows``: which rule serves which instruction; ``body``: the loop;
``shell``: the rest of a module.
"""
