"""Strandline: the open system a child-protection hotline runs on.

Two halves. The *engine* (``media``, ``hashing``, ``matching``, ``fetching``, ``vault``,
``transparency``, ``lists``) is plain Python: bytes in, facts out. The *hotline* is a Django
project that keeps the record and calls the engine. The engine never imports the hotline.
"""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("strandline")
except PackageNotFoundError:  # running from a source tree that was not installed
    __version__ = "0+unknown"
