"""Which text from outside is one e-mail address that a notice may go to."""

import re

#: RFC 5321, 4.5.3.1: local part and whole address.
LONGEST_LOCAL = 64
LONGEST = 254

_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~]+([.-]+[A-Za-z0-9!#$%&'*+/=?^_`{|}~]+)*-?")
_LABEL = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?")


def read_mailbox(text: object) -> str | None:
    """The one address that ``text`` is, its domain in lower case; none for anything else.

    Strict on purpose: ASCII, one address, a dotted domain name. Quoted local parts, address
    literals, lists, names in front and line breaks (which could add a header) are not accepted.
    """
    if not isinstance(text, str):
        return None
    text = text.strip(" ")
    if text[:7].lower() == "mailto:":
        text = text[7:]
    local, at, domain = text.rpartition("@")
    labels = domain.lower().removesuffix(".").split(".")
    fits = (
        at
        and len(text) <= LONGEST
        and len(local) <= LONGEST_LOCAL
        and _LOCAL.fullmatch(local)
        and ".." not in local
        and len(labels) > 1
        and all(_LABEL.fullmatch(label) for label in labels)
        and not labels[-1].isdigit()
    )
    return f"{local}@{'.'.join(labels)}" if fits else None
