"""The loader of dynamic programs: a position-independent main and the shared libraries it runs with.

A load is a list of steps (``plan``), some of which make calls or run functions of the module; it is plain data like
everything else, so a run can be frozen in the middle of it. Rules DYN-* and DL-* in spec/dynamic.md.
"""
