"""Fixtures of this room."""

from list_publisher import entry, publisher, site

__all__ = ["entry", "publisher", "site"]
