"""What other rooms can hear of, inside the transaction: a receiver that fails undoes it all."""

from django.dispatch import Signal

#: ``mail``, ``now``: the mail server took this mail.
mail_sent = Signal()

#: ``mail``, ``now``: the mail server will never take this mail.
mail_refused = Signal()
