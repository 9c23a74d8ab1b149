"""A published list, for the commands of members."""

from list_publisher import list_site, published, three_editions

__all__ = ["list_site", "published", "three_editions"]
