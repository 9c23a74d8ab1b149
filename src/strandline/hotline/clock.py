"""The hotline's clock: the system's, or a file's in a simulation.

Rooms take ``now`` as an argument; only views, the worker and commands ask this module.
"""

from datetime import UTC, datetime

from django.conf import settings


def now() -> datetime:
    """The present moment, aware, in UTC."""
    file = settings.HOTLINE.clock_file
    if file is None:
        return datetime.now(UTC)
    return datetime.fromisoformat(file.read_text().strip())
