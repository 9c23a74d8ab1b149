"""Giving up rights, step by step; each step says whether it held.

Order matters. The network goes first, while there is one thread (a user namespace asks for
that) and before any decoder is loaded. The rest goes after all imports, since no file can be
read from then on: NO_NEW_PRIVS before Landlock and the system-call filter, which need it.
"""

import ctypes
import os
import resource
import signal

from strandline.media import _landlock, _seccomp
from strandline.media.limits import Limits

_CLONE_NEWIPC, _CLONE_NEWUSER, _CLONE_NEWNET = 0x08000000, 0x10000000, 0x40000000
_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_NO_NEW_PRIVS = 1, 4, 38
_CAPABILITY_VERSION_3 = 0x20080522


class _CapabilityHeader(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _CapabilitySets(ctypes.Structure):
    _fields_ = (
        ("effective", ctypes.c_uint32),
        ("permitted", ctypes.c_uint32),
        ("inheritable", ctypes.c_uint32),
    )


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _prctl(libc: ctypes.CDLL, option: int, value: int) -> bool:
    if not hasattr(libc, "prctl"):
        return False
    zero = ctypes.c_ulong(0)
    done: int = libc.prctl(ctypes.c_int(option), ctypes.c_ulong(value), zero, zero, zero)
    return done == 0


def die_with(parent: int) -> bool:
    """Have the kernel kill this process when the thread that started it ends.

    Raises:
        SystemExit: the parent ended before this could be asked for.
    """
    held = _prctl(_libc(), _PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        raise SystemExit(0)
    return held


def leave_the_network() -> bool:
    """Move into a network namespace of our own: no interface is up, not even loopback."""
    libc = _libc()
    if not hasattr(libc, "unshare"):
        return False
    alone = _CLONE_NEWNET | _CLONE_NEWIPC
    return bool(libc.unshare(alone) == 0 or libc.unshare(_CLONE_NEWUSER | alone) == 0)


def _drop_capabilities(libc: ctypes.CDLL) -> bool:
    if not hasattr(libc, "capset"):
        return False
    header, none = _CapabilityHeader(_CAPABILITY_VERSION_3, 0), (_CapabilitySets * 2)()
    return bool(libc.capset(ctypes.byref(header), none) == 0)


def _address_space() -> int:
    """Bytes this process has mapped, most of them libraries; a guess where there is no /proc."""
    try:
        with open("/proc/self/statm", encoding="ascii") as told:  # noqa: PTH123 - pathlib is heavier
            return int(told.read().split()[0]) * resource.getpagesize()
    except (OSError, ValueError, IndexError):
        return 512 * 2**20


def _limit_resources(limits: Limits, libraries: int, jobs: int, descriptors: int) -> None:
    whole_life = int(limits.cpu_seconds * jobs) + 60
    for which, value in (
        (resource.RLIMIT_AS, libraries + limits.memory),
        (resource.RLIMIT_CPU, whole_life),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        # Those that may be are open already: every further descriptor, be it a file, a socket
        # or a pipe, is refused. This one holds on any POSIX system.
        (resource.RLIMIT_NOFILE, descriptors),
    ):
        resource.setrlimit(which, (value, value))


def lock(limits: Limits, *, jobs: int, descriptors: int) -> tuple[str, ...]:
    """Give up what a decoder does not need, for good; return the names of what held.

    ``descriptors`` are open, numbered from 0: input, output, errors and perhaps a file.

    Raises:
        OSError: a resource limit could not be set; without those no job is taken.
    """
    libc = _libc()
    held = []
    libraries = _address_space()
    if _drop_capabilities(libc):
        held.append("no-capabilities")
    if _prctl(libc, _PR_SET_DUMPABLE, 0):
        held.append("not-dumpable")
    no_new_rights = _prctl(libc, _PR_SET_NO_NEW_PRIVS, 1)
    if no_new_rights:
        held.append("no-new-privileges")
    restricted = no_new_rights and _landlock.refuse_everything(libc)
    if restricted:
        held.append("no-files-landlock")
    _limit_resources(limits, libraries, jobs, descriptors)
    held += ["memory-limit", "cpu-limit", "no-file-size", "no-new-descriptors", "no-core"]
    if no_new_rights and _seccomp.refuse_other_calls(libc):
        held.append("system-call-filter")
    else:  # without the filter, a thread cannot be allowed and a process refused
        resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
    return tuple(held)
