"""Django's entry to the room."""

from django.apps import AppConfig


class MatchServiceConfig(AppConfig):
    """Look-ups, what they may cost, alarms."""

    name = "strandline.hotline.matchservice"
    label = "matchservice"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Follow published editions."""
        from strandline.hotline.hashlist.signals import edition_published
        from strandline.hotline.jobs.due import register
        from strandline.hotline.matchservice import following
        from strandline.hotline.matchservice.models import Following

        register(Following, following.follow, order=65)
        edition_published.connect(following.hear, dispatch_uid="matchservice.hear")
