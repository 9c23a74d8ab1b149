"""Landlock: give up every right on files, TCP ports and other processes' sockets.

Source: the kernel's ``Documentation/userspace-api/landlock.rst``; a ruleset without any rule
refuses all that it handles, reading included.
"""

import ctypes
import os

_CREATE_RULESET, _RESTRICT_SELF = 444, 446  # the same numbers on every architecture
_VERSION_FLAG = 1

#: Rights on files by the interface version that brought them.
_FILE_RIGHTS = ((1, 0x1FFF), (2, 0x2000), (3, 0x4000), (5, 0x8000))
_TCP_BIND_AND_CONNECT = (4, 0x3)
_SCOPE_UNIX_SOCKETS_AND_SIGNALS = (6, 0x3)


class _Ruleset(ctypes.Structure):
    _fields_ = (
        ("files", ctypes.c_uint64),
        ("network", ctypes.c_uint64),
        ("scoped", ctypes.c_uint64),
    )


def refuse_everything(libc: ctypes.CDLL) -> bool:
    """Refuse all files and TCP to this thread from now on; False where the kernel cannot.

    ``PR_SET_NO_NEW_PRIVS`` must be set already.
    """
    abi = libc.syscall(
        ctypes.c_long(_CREATE_RULESET),
        ctypes.c_void_p(None),
        ctypes.c_size_t(0),
        ctypes.c_uint32(_VERSION_FLAG),
    )
    if abi < 1:
        return False
    ruleset = _Ruleset(files=sum(rights for since, rights in _FILE_RIGHTS if abi >= since))
    size = 8
    if abi >= _TCP_BIND_AND_CONNECT[0]:
        ruleset.network, size = _TCP_BIND_AND_CONNECT[1], 16
    if abi >= _SCOPE_UNIX_SOCKETS_AND_SIGNALS[0]:
        ruleset.scoped, size = _SCOPE_UNIX_SOCKETS_AND_SIGNALS[1], 24
    descriptor = libc.syscall(
        ctypes.c_long(_CREATE_RULESET),
        ctypes.byref(ruleset),
        ctypes.c_size_t(size),
        ctypes.c_uint32(0),
    )
    if descriptor < 0:
        return False
    try:
        restricted: int = libc.syscall(
            ctypes.c_long(_RESTRICT_SELF), ctypes.c_int(descriptor), ctypes.c_uint32(0)
        )
    finally:
        os.close(descriptor)
    return restricted == 0
