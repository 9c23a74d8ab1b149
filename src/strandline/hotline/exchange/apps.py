"""Django's entry to the room."""

from django.apps import AppConfig


class ExchangeConfig(AppConfig):
    """Sources of lists and what they delivered."""

    name = "strandline.hotline.exchange"
    label = "exchange"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register reading, taking in and fetching as due work."""
        from strandline.hotline.exchange.handling import handle
        from strandline.hotline.exchange.models import Delivery, Source
        from strandline.hotline.exchange.peers import fetch
        from strandline.hotline.jobs.due import register

        register(Source, fetch, order=70)
        register(Delivery, handle, order=75)
