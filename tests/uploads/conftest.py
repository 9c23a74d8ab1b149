"""A member's copy that lists one real photograph."""

from list_publisher import (
    list_site,
    member,
    newcomer,
    published,
    synced_copy,
    three_editions,
)
from listed_photograph import holding, photographs

__all__ = [
    "holding",
    "list_site",
    "member",
    "newcomer",
    "photographs",
    "published",
    "synced_copy",
    "three_editions",
]
