"""Django's entry to the room."""

from django.apps import AppConfig


class ReportsConfig(AppConfig):
    """Reports, addresses, media items and their states."""

    name = "strandline.hotline.reports"
    label = "reports"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register capturing as a kind of due work."""
        from strandline.hotline.jobs.due import register
        from strandline.hotline.reports.capture import capture
        from strandline.hotline.reports.models import Capture

        register(Capture, capture, order=10)
