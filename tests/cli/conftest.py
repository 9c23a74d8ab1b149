"""A publisher and its site, for the commands of members."""

from list_publisher import entry, publisher, site

__all__ = ["entry", "publisher", "site"]
