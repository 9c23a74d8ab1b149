"""The words of a notice: clear, polite, the same in every country, and nothing about any child."""

from dataclasses import dataclass
from datetime import datetime

from strandline.hotline.takedown.models import Hosting, Notice

LEVEL = Notice.Level


@dataclass(frozen=True)
class Letter:
    """A subject line and a text."""

    subject: str
    body: str


@dataclass(frozen=True)
class Facts:
    """What a letter says."""

    hotline: str
    reference: str
    url: str
    host: str
    #: Where the address led when it was seen, if elsewhere.
    led_to: str
    referrer: str
    hosting: Hosting
    confirmed_at: datetime
    #: When this round's first notice left, for what follows it.
    first_sent_at: datetime | None
    link: str


_SUBJECT = {
    LEVEL.FIRST: "Please remove: child sexual abuse material at {host} ({reference})",
    LEVEL.REMINDER: "Reminder, please remove: child sexual abuse material at {host} ({reference})",
    LEVEL.ESCALATION: "Still available at {host}: child sexual abuse material ({reference})",
}

_WHY_YOU = {
    LEVEL.FIRST: """\
You receive this because a public registry names this mailbox as the contact for the
network or the domain that the address belongs to.""",
    LEVEL.REMINDER: """\
We wrote to you about this on {first_sent}. When we looked again, the content was
still available. Perhaps our first letter did not reach the right person.""",
    LEVEL.ESCALATION: """\
You receive this because a public registry names this mailbox as the contact above
the host: for the network it uses, or for its domain.
{before}""",
}


def write(level: Notice.Level, facts: Facts) -> Letter:
    """The letter of this level about these facts."""
    first_sent = f"{facts.first_sent_at:%-d %B %Y}" if facts.first_sent_at else ""
    before = (
        f"The host was told on {first_sent}; the content is still available."
        if first_sent
        else "The host's own mailbox did not accept our letter."
    )
    why = _WHY_YOU[level].format(first_sent=first_sent, before=before)
    body = f"""Dear colleagues,

{facts.hotline} is a hotline against child sexual abuse material. Our analysts have
confirmed that the address below shows such material. Every time it is seen, the
child in it is harmed again.

{why}

{_table(facts)}

What we ask of you

1. Please remove this content, or make it unreachable for everyone, without delay.
2. Please do not view, copy or forward it more than that takes. Keep what your law
   tells you to keep, for the police.
3. Please tell us what you did, that you need more time, or that it is not yours.
   You need no account for it:

   {facts.link}

Nothing of the content is attached to this letter. We will look at the address again
from time to time, and write again only if the content is still there or comes back.

Thank you for your help.

{facts.hotline}
Reference {facts.reference}
"""
    return Letter(_SUBJECT[level].format(host=facts.host, reference=facts.reference), body)


def _table(facts: Facts) -> str:
    hosting = facts.hosting
    place = ", ".join(
        text
        for text in (
            hosting.network_name,
            f"AS{hosting.asn}" if hosting.asn else "",
            hosting.country,
        )
        if text
    )
    rows = (
        ("Address", facts.url),
        ("Leads to", facts.led_to),
        ("Seen when coming from", facts.referrer),
        ("Server", f"{hosting.ip} ({place})" if hosting.ip and place else hosting.ip or place),
        ("Confirmed on", f"{facts.confirmed_at:%-d %B %Y} (UTC)"),
        ("Reference", facts.reference),
    )
    return "\n".join(f"{name}:\n   {value}" for name, value in rows if value)
