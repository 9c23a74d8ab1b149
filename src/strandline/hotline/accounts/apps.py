"""Django's entry to the room."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """People, roles, permissions, API keys."""

    name = "strandline.hotline.accounts"
    label = "accounts"
    default_auto_field = "django.db.models.BigAutoField"
