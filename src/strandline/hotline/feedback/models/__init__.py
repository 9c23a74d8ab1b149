"""Tables of the room: statements and reviews, alarms, innocent pictures, members' terms."""

from strandline.hotline.feedback.models.alarms import SourceAlarm
from strandline.hotline.feedback.models.innocent import Innocent, InnocentFile
from strandline.hotline.feedback.models.members import (
    HolderCheck,
    Holding,
    ScopeSigning,
    Terms,
)
from strandline.hotline.feedback.models.statements import Flood, Review, Statement

__all__ = [
    "Flood",
    "HolderCheck",
    "Holding",
    "Innocent",
    "InnocentFile",
    "Review",
    "ScopeSigning",
    "SourceAlarm",
    "Statement",
    "Terms",
]
