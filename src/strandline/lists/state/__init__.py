"""What a copy of a list comes to, ready to be asked: built from blocks, changed by events.

    state = State.build(directory, [Step(edition, blocks, snapshot=True)])
    state.apply([Step(edition, blocks)])
    state = State.open(directory)
    hits = state.find(sha256=…, md5=…, pdq=…, quality=…)

A member's copy and the match service both keep one. It is derived from signed files, which are
checked before they come here, and can be built again from them at any time. It touches the one
folder it is given; it knows no manifest, no signature and no address.
"""

from strandline.lists.state.hits import Hit, Query
from strandline.lists.state.state import Check, Count, Held, State, Step

__all__ = ["Check", "Count", "Held", "Hit", "Query", "State", "Step"]
