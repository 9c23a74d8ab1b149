"""Media: hostile bytes in, harmless facts out.

This room alone decodes what came from outside: pictures and web pages. It does so only in a
worker process (:class:`Sandbox`) without network, files, further processes or new descriptors,
under memory and time limits; a crash or a bomb is a verdict, never an outage. Importing this
package loads no decoder: those live in the worker.

What it may touch: the standard library, Pillow, numpy and selectolax, and the kernel's own
means of giving up rights. It writes no file, opens no address and knows nothing of hashes.
"""

from strandline.errors import MediaRefused, TimedOut, TooLarge, Undecodable
from strandline.media.answer import Answer, LargeFile
from strandline.media.forkserver import SandboxUnavailable
from strandline.media.limits import MAX_SIDE, PIPELINE, Limits, Style
from strandline.media.pool import Pool
from strandline.media.sandbox import Sandbox

__all__ = [
    "MAX_SIDE",
    "PIPELINE",
    "Answer",
    "LargeFile",
    "Limits",
    "MediaRefused",
    "Pool",
    "Sandbox",
    "SandboxUnavailable",
    "Style",
    "TimedOut",
    "TooLarge",
    "Undecodable",
]
