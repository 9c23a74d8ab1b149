"""Django's entry to the room."""

from django.apps import AppConfig


class TakedownConfig(AppConfig):
    """Tracing, notices, looking again."""

    name = "strandline.hotline.takedown"
    label = "takedown"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register its due work, hear of what happens elsewhere, add to an address's page."""
        from strandline.hotline.jobs.due import register
        from strandline.hotline.reports.panels import PANELS
        from strandline.hotline.takedown import panel, receivers
        from strandline.hotline.takedown.models import Look, Trace
        from strandline.hotline.takedown.traces import trace
        from strandline.hotline.takedown.watch import look

        register(Trace, trace, order=40)
        register(Look, look, order=60)
        receivers.connect()
        PANELS.extend((panel.hosting, panel.notices))
