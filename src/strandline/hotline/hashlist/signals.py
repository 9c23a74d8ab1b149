"""What other rooms can hear of, inside the transaction: a receiver that fails undoes it all."""

from django.dispatch import Signal

#: ``edition``, ``now``: members can fetch this edition.
edition_published = Signal()
