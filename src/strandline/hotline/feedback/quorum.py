"""When what members say of an entry asks for a review, and when it quarantines the entry at once.

The rules are one function of who said what (:func:`judge`). Members of one group count once:
two accounts of one organisation are no two opinions.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from strandline.hotline.config import FeedbackPolicy
from strandline.hotline.feedback.words import KEEPS_LISTED, Cause, Reason, Say


@dataclass(frozen=True)
class Voice:
    """One statement that counts and that no review has decided yet."""

    #: The member's group, or its own name.
    group: str
    say: Say
    reason: Reason


@dataclass(frozen=True)
class Judgement:
    """What the voices on one entry come to."""

    #: None when nobody needs to look.
    cause: Cause | None = None
    #: Why the entry must not be matched until somebody decided; empty when it may be.
    quarantine: str = ""
    by_quorum: bool = False


def judge(
    voices: Iterable[Voice], *, source: str, policy: FeedbackPolicy, reviewed: bool = False
) -> Judgement:
    """Weigh what members say of one entry that ``source`` brought.

    ``reviewed``: a review has kept the entry before. That vouches for it as a source does, or one
    member could have it quarantined again and again.
    """
    said = list(voices)
    disputing = {voice.group for voice in said if voice.say == Say.DISPUTE}
    doubting = {
        voice.group
        for voice in said
        if voice.say == Say.DISPUTE and voice.reason not in KEEPS_LISTED
    }
    useless = {voice.group for voice in said if voice.say == Say.NOT_USEFUL}
    if not disputing:
        enough = len(useless) >= policy.not_useful_quorum
        return Judgement(Cause.NOT_USEFUL if enough else None)
    confirming = {voice.group for voice in said if voice.say == Say.CONFIRM}
    vouching = ({source} | confirming) - doubting
    vouchers = len(vouching) + reviewed
    if len(doubting) >= policy.quorum:
        because = f"{len(doubting)} independent members dispute it."
        return Judgement(Cause.DISPUTED, because, by_quorum=True)
    if doubting and vouchers < policy.vouchers:
        who = "only one source vouches" if vouchers == 1 else "nobody else vouches"
        return Judgement(Cause.DISPUTED, f"A member disputes it, and {who} for it.")
    return Judgement(Cause.DISPUTED)
