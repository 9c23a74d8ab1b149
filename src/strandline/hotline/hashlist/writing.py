"""Rows by the thousand, as fast as either database takes them: without a model for each.

Values are given as the columns want them: a foreign key's number, a word, never an object. Nothing
a model would fill in is filled in, so every column is named.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db import connection, models


def write_rows(
    model: type[models.Model], columns: Sequence[str], rows: Iterable[Sequence[Any]]
) -> None:
    """Insert ``rows`` into the table of ``model``, inside the caller's transaction.

    Moments in them are what :func:`moment` made.
    """
    quote = connection.ops.quote_name
    table = quote(model._meta.db_table)
    fields = (model._meta.get_field(name) for name in columns)
    names = ", ".join(quote(str(getattr(field, "column"))) for field in fields)  # noqa: B009 - of any concrete field
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
            return
        places = ", ".join(["%s"] * len(columns))
        cursor.executemany(
            f"INSERT INTO {table} ({names}) VALUES ({places})",  # noqa: S608 - names of columns
            list(rows),
        )


def moment(at: datetime) -> Any:  # noqa: ANN401 - what the database's driver takes
    """A time as the database keeps it; made once for many rows."""
    return connection.ops.adapt_datetimefield_value(at)


def next_keys(model: type[models.Model], count: int) -> Sequence[int]:
    """Primary keys for so many new rows of a table that counts by itself, in rising order.

    On SQLite nobody else may write meanwhile: the caller's transaction holds the chain's lock.
    """
    table = model._meta.db_table
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)",
                [table, count],
            )
            return [key for (key,) in cursor.fetchall()]
        cursor.execute("SELECT seq FROM sqlite_sequence WHERE name = %s", [table])
        found = cursor.fetchone()
    last = found[0] if found else 0
    return range(last + 1, last + 1 + count)
