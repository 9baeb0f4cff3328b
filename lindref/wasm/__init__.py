"""The wasm language: types, one instruction table, decoder, text format, validator, printer.

Nothing here knows how a module runs (that is ``lindref.vm``) or what Lind is.
"""
