"""What other rooms can hear of, inside the transaction: a receiver that fails undoes it all."""

from django.dispatch import Signal

#: ``address``, ``now``: its pictures are in the record; nobody has looked at them yet.
address_captured = Signal()

#: ``address``, ``now``: somebody reported an address that the record already holds.
address_reported_again = Signal()
