"""wasmtime as an implementation under test: its engine, with lindref's 3i and RawPOSIX beneath (extra ``wasmtime``)."""
