"""The Debug Adapter Protocol (https://microsoft.github.io/debug-adapter-protocol) over ``lindref.debug``."""
