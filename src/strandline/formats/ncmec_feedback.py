"""Feedback in NCMEC's shape: a submission read, the reasons to choose from written."""

import io
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID
from xml.sax.saxutils import quoteattr

from lxml import etree

from strandline.errors import FormatRefused
from strandline.formats.ncmec import NAMESPACE, undeclared
from strandline.formats.streams import Limits, pieces

#: A submission is one element or four.
_LIMITS = Limits(max_bytes=65_536)
_OUTER = f"{{{NAMESPACE}}}feedbackSubmission"


@dataclass(frozen=True)
class Submission:
    """What somebody says of one fingerprint of one entry."""

    affirmative: bool
    #: Of a negative one: which reasons.
    reasons: tuple[UUID, ...] = ()


def read_submission(body: bytes) -> Submission:
    """Read ``<feedbackSubmission>``. Raises FormatRefused for anything else."""
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True
    )
    text = b"".join(undeclared(pieces(io.BytesIO(body), _LIMITS)))
    try:
        root = etree.fromstring(text, parser)
    except etree.XMLSyntaxError:
        raise FormatRefused("", "The submission is not well-formed XML.") from None
    said = list(root)
    if root.tag != _OUTER or len(said) != 1:
        raise FormatRefused(
            "", "A submission is one <feedbackSubmission> with <affirmative> or <negative> in it."
        )
    if said[0].tag == f"{{{NAMESPACE}}}affirmative":
        return Submission(affirmative=True)
    if said[0].tag != f"{{{NAMESPACE}}}negative":
        raise FormatRefused("", "A submission says <affirmative> or <negative>.")
    try:
        guids = said[0].iter(f"{{{NAMESPACE}}}guid")
        reasons = tuple(UUID((guid.text or "").strip()) for guid in guids)
    except ValueError:
        raise FormatRefused("", "A reason is not a GUID.") from None
    if not reasons:
        raise FormatRefused("", "A negative submission names a reason by its GUID.")
    return Submission(affirmative=False, reasons=reasons)


def write_reasons(kind: str, reasons: Iterable[tuple[UUID, str]]) -> bytes:
    """The reasons that a negative submission about fingerprints of ``kind`` may name."""
    lines = "".join(
        f'<reason guid="{guid}" name={quoteattr(name)} type={quoteattr(kind)}/>\n'
        for guid, name in reasons
    )
    of_kind = f"<availableFeedbackReasons type={quoteattr(kind)}>"
    return (
        '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
        f'<feedbackReasons xmlns="{NAMESPACE}">\n{of_kind}\n'
        f"{lines}</availableFeedbackReasons>\n</feedbackReasons>\n"
    ).encode()
