"""The file system of the model: inodes, directories, the walk along a path, devices, and roots seen from the host.

Functions take the kernel, whose ``inodes`` and ``mounts`` they replace. Calls are not here: `posix.files`,
`posix.directories`, `posix.links` and `posix.metadata` are built on this package.
"""
