"""Django's entry to the room."""

from django.apps import AppConfig


class JobsConfig(AppConfig):
    """Due work and the outbox."""

    name = "strandline.hotline.jobs"
    label = "jobs"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the outbox as a kind of due work."""
        from strandline.hotline.jobs.due import register
        from strandline.hotline.jobs.models import OutboxMail
        from strandline.hotline.jobs.outbox import hand_over

        register(OutboxMail, hand_over, order=90)
