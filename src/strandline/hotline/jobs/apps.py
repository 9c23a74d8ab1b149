"""Django's entry to the room."""

from django.apps import AppConfig


class JobsConfig(AppConfig):
    """Due work and the outbox."""

    name = "strandline.hotline.jobs"
    label = "jobs"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the outbox as a kind of due work."""
        from strandline.hotline.jobs.due import register  # noqa: PLC0415
        from strandline.hotline.jobs.models import OutboxMail  # noqa: PLC0415
        from strandline.hotline.jobs.outbox import hand_over  # noqa: PLC0415

        register(OutboxMail, hand_over, order=90)
