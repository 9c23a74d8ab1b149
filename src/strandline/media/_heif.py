"""HEIC and HEIF pictures, decoded in the calling thread.

libheif asks its HEVC decoder, libde265, for at least one worker thread and offers no way to say
none; a locked-down worker can start no thread and would crash. libde265 itself decodes in the
calling thread as long as nobody started others, so its "start worker threads" is made to do
nothing, in this process and before rights are given up. Allowing threads in the sandbox would
give every decoder, and whoever takes one over, more than one of them needs.

Source: libheif's ``plugins/decoder_libde265.cc``; libde265's ``de265.h``: worker threads only
enable parallel decoding.
"""

import ctypes
import mmap
import platform
from pathlib import Path

import pi_heif  # type: ignore[import-untyped]

#: ``endbr64; xor eax, eax; ret``: report success and start nothing.
_DO_NOTHING = {"x86_64": bytes.fromhex("f30f1efa 31c0 c3")}
_MAPPED = Path("/proc/self/maps")


def register() -> None:
    """Let Pillow open HEIF files: the pictures alone, neither thumbnails nor depth maps."""
    pi_heif.register_heif_opener(
        decode_threads=0, thumbnails=False, depth_images=False, aux_images=False
    )


def stay_in_one_thread() -> bool:
    """Keep libde265 from starting threads, for good; False where that cannot be done."""
    instructions = _DO_NOTHING.get(platform.machine())
    library = _loaded_library("libde265")
    if instructions is None or library is None:
        return False
    start = ctypes.cast(library.de265_start_worker_threads, ctypes.c_void_p).value or 0
    if ctypes.string_at(start, len(instructions)) == instructions:
        return True
    page = start - start % mmap.PAGESIZE
    length = start + len(instructions) - page
    protect = ctypes.CDLL(None, use_errno=True).mprotect
    protect.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    running = mmap.PROT_READ | mmap.PROT_EXEC
    if protect(page, length, running | mmap.PROT_WRITE) != 0:
        return False
    ctypes.memmove(start, instructions, len(instructions))
    protect(page, length, running)
    return int(library.de265_start_worker_threads(None, 1)) == 0


def _loaded_library(name: str) -> ctypes.CDLL | None:
    """Return a library this process has loaded already."""
    if not _MAPPED.exists():
        return None
    for line in _MAPPED.read_text().splitlines():
        path = line.partition("/")[2]
        if name in path.rpartition("/")[2]:
            return ctypes.CDLL(f"/{path}")
    return None
