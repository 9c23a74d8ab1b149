"""What the worker does with a delivery, by where it stands."""

from datetime import datetime

from strandline.hotline.exchange import files
from strandline.hotline.exchange.models import Delivery
from strandline.hotline.exchange.previewing import preview
from strandline.hotline.exchange.taking import take_back, take_in
from strandline.hotline.jobs import due
from strandline.hotline.jobs.tools import Tools

State = Delivery.State


def handle(delivery: Delivery, tools: Tools, now: datetime) -> None:
    """Read it, take it in, take it back, or remove the file of what is settled."""
    match State(delivery.state):
        case State.READING:
            preview(delivery, tools, now)
        case State.TAKING:
            take_in(delivery, tools, now)
        case State.TAKING_BACK:
            take_back(delivery, now)
        case _:
            files.remove(delivery.pk)
            with due.finish(delivery):
                pass
