"""The console's menu: what each person's role reaches, in one table."""

from dataclasses import dataclass

from django.urls import NoReverseMatch, reverse

from strandline.hotline.accounts.models import Person
from strandline.hotline.accounts.roles import Permission


@dataclass(frozen=True)
class Entry:
    """One page of the menu."""

    label: str
    url_name: str
    permission: Permission


MENU = (
    Entry("Queue", "queue", Permission.SEE_QUEUE),
    Entry("Figures", "figures", Permission.SEE_FIGURES),
    Entry("Hash list", "hashlist", Permission.PUBLISH),
    Entry("Exchange", "exchange", Permission.EXCHANGE),
    Entry("Feedback", "feedback", Permission.REVIEW_ENTRIES),
    Entry("Match service", "match-service", Permission.MANAGE_MATCHES),
    Entry("Hosts", "hosts", Permission.MANAGE_WORK),
    Entry("Due work", "due-work", Permission.MANAGE_WORK),
    Entry("Contacts", "contacts", Permission.OPEN_CONTACT),
    Entry("People", "people", Permission.MANAGE_PEOPLE),
    Entry("Members", "members", Permission.MANAGE_PEOPLE),
    Entry("Audit", "audit", Permission.SEE_AUDIT),
    Entry("My page", "own-page", Permission.SEE_OWN_PAGE),
)


def menu_of(person: Person, path: str) -> list[tuple[str, str, bool]]:
    """``(label, address, is this page)`` of every page this person reaches."""
    shown = []
    for entry in MENU:
        if not person.may(entry.permission):
            continue
        try:
            url = reverse(entry.url_name)
        except NoReverseMatch:
            # This face serves no such page.
            continue
        here = path == url or (url != "/" and path.startswith(url.rstrip("/") + "/"))
        shown.append((entry.label, url, here))
    return shown


def home_of(person: Person) -> str:
    """Where somebody begins after signing in: the first page of their menu."""
    pages = menu_of(person, "")
    return pages[0][1] if pages else reverse("sign-in")
