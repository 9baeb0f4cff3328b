"""lindref: the executable reference of Lind-Wasm (cages, grates, 3i, RawPOSIX) in pure Python."""
