"""BLAKE2b, without the library of ciphers that ``hashlib`` loads first: that takes as long as half of lindref."""

try:
    from _blake2 import blake2b
except ImportError:  # a Python that was built otherwise
    from hashlib import blake2b

__all__ = ["blake2b"]
