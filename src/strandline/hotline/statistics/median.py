"""The median time from the first report of an address to its removal, computed in the database."""

from django.db import connection

#: One row for each address that was ever removed: its first removal, days after its first report.
_POSTGRESQL = """
SELECT percentile_cont(0.5) WITHIN GROUP
       (ORDER BY EXTRACT(EPOCH FROM gone.at - a.first_reported_at) / 86400)
FROM (SELECT address_id, MIN(at) AS at FROM reports_statechange
      WHERE after = 'removed' GROUP BY address_id) AS gone
JOIN reports_reportedurl AS a ON a.id = gone.address_id
"""
#: SQLite has no median: the middle row of the ordered ones, or the mean of the middle two.
_SQLITE = """
WITH gone AS (SELECT address_id, MIN(at) AS at FROM reports_statechange
              WHERE after = 'removed' GROUP BY address_id),
     took AS (SELECT julianday(gone.at) - julianday(a.first_reported_at) AS days
              FROM gone JOIN reports_reportedurl AS a ON a.id = gone.address_id),
     size AS (SELECT COUNT(*) AS n FROM gone)
SELECT AVG(days) FROM (
    SELECT days FROM took ORDER BY days
    LIMIT (SELECT 2 - n % 2 FROM size) OFFSET (SELECT MAX(n - 1, 0) / 2 FROM size))
"""


def days_to_removal() -> float | None:
    """The median in days; None when nothing was removed yet. One query, nothing held in memory."""
    with connection.cursor() as cursor:
        cursor.execute(_POSTGRESQL if connection.vendor == "postgresql" else _SQLITE)
        (days,) = cursor.fetchone()
    # julianday() is a double of days since antiquity: good to a millisecond, not beyond.
    return None if days is None else round(float(days), 6)
