"""What somebody typed, as text the database can hold."""

from django.http import QueryDict


def typed(source: QueryDict, name: str) -> str:
    """The field ``name`` without blanks around it and without NULs, which PostgreSQL refuses."""
    return source.get(name, "").replace("\0", "").strip()
