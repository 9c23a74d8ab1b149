"""A system-call filter: the few calls a decoder needs, everything else answers EPERM.

An allowlist, so that calls of future kernels are refused too. Refusing with an error rather
than a kill keeps a library that merely asks (isatty, stat) working. New executable memory is
refused. A process may start threads, which can do no more than it can (libheif decodes in one),
but no process: the flags of ``clone`` tell them apart, and ``clone3``, whose flags a filter cannot
read, is as good as unknown, so that the C library uses ``clone``.

Source: the kernel's ``Documentation/userspace-api/seccomp_filter.rst``; numbers from
``arch/x86/entry/syscalls/syscall_64.tbl`` and ``include/uapi/asm-generic/unistd.h``.
"""

import ctypes
import errno
import platform

# BPF_LD|BPF_W|BPF_ABS, BPF_JMP|BPF_JEQ|BPF_K, BPF_JMP|BPF_JSET|BPF_K, BPF_RET|BPF_K
_LOAD, _IF_EQUAL, _IF_BITS, _RETURN = 0x20, 0x15, 0x45, 0x06
_KILL_PROCESS, _ALLOW = 0x80000000, 0x7FFF0000
_ERROR = 0x00050000
_REFUSE, _UNKNOWN = _ERROR | errno.EPERM, _ERROR | errno.ENOSYS
#: Offsets in struct seccomp_data.
_AT_NUMBER, _AT_ARCHITECTURE, _AT_FIRST_ARGUMENT, _AT_THIRD_ARGUMENT = 0, 4, 16, 32
_PROT_EXEC, _CLONE_THREAD = 4, 0x00010000
_PR_SET_SECCOMP, _MODE_FILTER = 22, 2

#: What a decoder may call, with its number on x86-64 and on 64-bit ARM.
_ALLOWED = {
    "read": (0, 63),
    "write": (1, 64),
    "close": (3, 57),
    "fstat": (5, 80),
    "lseek": (8, 62),
    "munmap": (11, 215),
    "brk": (12, 214),
    "rt_sigaction": (13, 134),
    "rt_sigprocmask": (14, 135),
    "rt_sigreturn": (15, 139),
    "pread64": (17, 67),
    "readv": (19, 65),
    "writev": (20, 66),
    "sched_yield": (24, 124),
    "mremap": (25, 216),
    "madvise": (28, 233),
    "nanosleep": (35, 101),
    "setitimer": (38, 103),
    "getpid": (39, 172),
    "exit": (60, 93),
    "gettimeofday": (96, 169),
    "getrlimit": (97, 163),
    "getrusage": (98, 165),
    "sysinfo": (99, 179),
    "getppid": (110, 173),
    "gettid": (186, 178),
    "futex": (202, 98),
    "sched_getaffinity": (204, 123),
    "restart_syscall": (219, 128),
    "clock_gettime": (228, 113),
    "clock_getres": (229, 114),
    "clock_nanosleep": (230, 115),
    "exit_group": (231, 94),
    "set_robust_list": (273, 99),
    "getrandom": (318, 278),
    "membarrier": (324, 283),
    "rseq": (334, 293),
}
#: Machine -> audit architecture, its column above, (mmap, mprotect), allowed without PROT_EXEC, and
#: clone, allowed with CLONE_THREAD.
_MACHINES = {
    "x86_64": (0xC000003E, 0, (9, 10), 56),
    "aarch64": (0xC00000B7, 1, (222, 226), 220),
}
_CLONE3 = 435


class _Instruction(ctypes.Structure):
    _fields_ = (
        ("code", ctypes.c_uint16),
        ("if_true", ctypes.c_uint8),
        ("if_false", ctypes.c_uint8),
        ("value", ctypes.c_uint32),
    )


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_uint16), ("instructions", ctypes.POINTER(_Instruction)))


def _listing(
    architecture: int, column: int, mapping: tuple[int, ...], clone: int
) -> list[tuple[int, int, int, int]]:
    lines = [
        (_LOAD, 0, 0, _AT_ARCHITECTURE),
        (_IF_EQUAL, 1, 0, architecture),
        (_RETURN, 0, 0, _KILL_PROCESS),
        (_LOAD, 0, 0, _AT_NUMBER),
    ]
    for number in (numbers[column] for numbers in _ALLOWED.values()):
        lines += [(_IF_EQUAL, 0, 1, number), (_RETURN, 0, 0, _ALLOW)]
    for number in mapping:
        lines += [
            (_IF_EQUAL, 0, 4, number),
            (_LOAD, 0, 0, _AT_THIRD_ARGUMENT),
            (_IF_BITS, 0, 1, _PROT_EXEC),
            (_RETURN, 0, 0, _REFUSE),
            (_RETURN, 0, 0, _ALLOW),
        ]
    lines += [
        (_IF_EQUAL, 0, 1, _CLONE3),
        (_RETURN, 0, 0, _UNKNOWN),
        (_IF_EQUAL, 0, 3, clone),
        (_LOAD, 0, 0, _AT_FIRST_ARGUMENT),
        (_IF_BITS, 0, 1, _CLONE_THREAD),
        (_RETURN, 0, 0, _ALLOW),
    ]
    return [*lines, (_RETURN, 0, 0, _REFUSE)]


def refuse_other_calls(libc: ctypes.CDLL) -> bool:
    """Install the filter for this process; False where kernel or machine have none.

    ``PR_SET_NO_NEW_PRIVS`` must be set already, and the process must have one thread.
    """
    known = _MACHINES.get(platform.machine())
    if known is None:
        return False
    lines = _listing(*known)
    instructions = (_Instruction * len(lines))(*(_Instruction(*line) for line in lines))
    program = _Program(len(lines), instructions)
    installed: int = libc.prctl(
        ctypes.c_int(_PR_SET_SECCOMP),
        ctypes.c_ulong(_MODE_FILTER),
        ctypes.byref(program),
        ctypes.c_ulong(0),
        ctypes.c_ulong(0),
    )
    return installed == 0
