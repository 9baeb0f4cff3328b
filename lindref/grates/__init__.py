"""Grates to use and to read: ``lindref run --grate lindref.grates.readonly:ReadOnly app.wasm``.

Each is a page of Python against ``lindref.Grate``. Options follow the class:
``lindref.grates.faults:Faults,call=read,nth=3``.
"""
