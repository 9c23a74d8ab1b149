"""Which page a mail is about, and when each page's host was told.

A host hears what is sent to its own mailbox, and what its registrar passes on. A mail that names
none of the host's pages is taken to be about all of them; the registrar passes on only what
names one. The same mail delivered again (one Message-ID) is one notice.
"""

import re
import threading
from datetime import datetime

from strandline.demo.hosts import HOSTS, Host, Page
from strandline.demo.mail import KeptMail


class Notices:
    """The notices each page's host received, fed with mails in order of arrival."""

    def __init__(self) -> None:
        self._received: dict[str, tuple[datetime, ...]] = {}
        self._seen: set[tuple[str, str]] = set()
        self._lock = threading.Lock()

    def take(self, mail: KeptMail) -> tuple[Page, ...]:
        """Count a mail; the pages whose hosts heard of them by it for the first time."""
        told = []
        with self._lock:
            for page in pages_meant(mail):
                if (mail.message_id, page.key) in self._seen:
                    continue
                self._seen.add((mail.message_id, page.key))
                before = self._received.get(page.key, ())
                self._received[page.key] = tuple(sorted((*before, mail.received_at)))
                told.append(page)
        return tuple(told)

    def about(self, page: Page) -> tuple[datetime, ...]:
        """When the notices about this page arrived, in order."""
        return self._received.get(page.key, ())


def pages_meant(mail: KeptMail) -> tuple[Page, ...]:
    """The pages that a mail tells their host about."""
    text = mail.text()
    return tuple(page for host in HOSTS for page in _meant_at(host, mail.recipients, text))


def _meant_at(host: Host, recipients: tuple[str, ...], text: str) -> tuple[Page, ...]:
    named = tuple(page for page in host.pages if _names(text, page))
    if host.abuse in recipients:
        return named or host.pages
    return named if host.registrar_abuse in recipients else ()


def _names(text: str, page: Page) -> bool:
    """Whether the page's address, or that of one of its pictures, stands in the text."""
    address = re.escape(page.site) + r"(:\d+)?" + re.escape(page.path) + r"(?![\w-])"
    return re.search(address, text, re.IGNORECASE) is not None
