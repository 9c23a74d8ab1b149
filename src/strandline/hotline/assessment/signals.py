"""What other rooms can hear of. Sent inside the transaction: a failing receiver undoes it all."""

from django.dispatch import Signal

#: ``item``, ``verdict``, ``now``: the item has its verdict. ``verdict.how`` says how it came
#: about; an adopted one already belongs to an entry (``verdict.entry``).
item_decided = Signal()

#: ``address``, ``now``: every item there is decided, at least one is illegal; the address has just
#: become second-assessed.
address_confirmed = Signal()
