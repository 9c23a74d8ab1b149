"""The room's pages in a real Chromium: read by axe in both schemes, used by keyboard alone."""

import pytest

from strandline.hotline.accounts.roles import Role
from strandline.hotline.feedback import holding, sources
from strandline.hotline.feedback.floods import LEAST
from strandline.hotline.feedback.innocent import accept, propose
from strandline.hotline.feedback.models import Review
from strandline.hotline.hashlist.services import withdraw
from strandline.lists.published.classes import Scope

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
]


@pytest.fixture
def busy(listed, member, say, person, published, now):
    """A hotline in which everything the pages can show has happened."""
    first, second = person(Role.SENIOR_ANALYST), person(Role.MANAGER)
    platform = member("Example Platform", mailbox="abuse@platform.example")
    cloud = member("Example Cloud", group="One House", scope=Scope(categories=frozenset({"A"})))
    good, bad = listed(12, source="Example Hotline"), listed(20, source="Bad Import")
    published(now)
    holding.report(platform, 1, now=now)
    holding.fetched(cloud, 1, now=now)
    say(cloud, "confirm", good[1])
    say(platform, "dispute", good[0], reason="adult", note="A known actress,\nborn in 1985.")
    say(platform, "dispute", good[1])
    say(member("Hostile Member"), "dispute", *good[: LEAST + 1])
    say(member("Careful Member"), "dispute", *bad[: sources.LEAST])
    withdraw(good[5], reason="A mistake", by="person:1", now=now)
    published(now)
    logo = propose(what="logo", pdq="0f" * 32, reason="A bank's logo", by=first, now=now)
    accept(logo, by=second, now=now)
    propose(what="meme", sha256="ab" * 32, reason="A frog", by=first, now=now)
    listed(pdq="0f" * 31 + "0e")
    return platform


@pytest.fixture
def opened(serve, chromium, person, sign_in, client, settings, now, monkeypatch):
    """``opened(Role.MANAGER, "dark")`` is a page at the console, signed in; and its address."""
    from strandline.hotline import clock

    monkeypatch.setattr(clock, "now", lambda: now)
    contexts = []

    def open_page(role, scheme="light", width=1280):
        url = serve("console")
        sign_in(client, person(role))
        context = chromium.new_context(
            color_scheme=scheme, viewport={"width": width, "height": 900}, base_url=url
        )
        contexts.append(context)
        name = settings.SESSION_COOKIE_NAME
        context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": url}])
        return context.new_page()

    yield open_page
    for context in contexts:
        context.close()


def serious(page):
    """What axe finds that would keep somebody out, on the page as it is."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page).response["violations"]
    return [(rule["id"], rule["nodes"]) for rule in found]


def focused(page):
    return page.evaluate(
        "() => { const e = document.activeElement;"
        " return e.id || (e.name ? e.name + '=' + e.value : e.textContent.trim()) }"
    )


def tab_to(page, wanted, most=80):
    for _ in range(most):
        if focused(page).startswith(wanted):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"Tab never reaches {wanted!r}; last at {focused(page)!r}")


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 390)])
def test_axe_finds_nothing_on_any_page(busy, opened, scheme, width):
    page = opened(Role.MANAGER, scheme, width)
    review = f"/feedback/reviews/{Review.objects.get(entry=1).pk}"
    for path in (
        "/feedback/", review, "/feedback/alarms/", "/feedback/innocent/",
        "/feedback/holders/",
    ):  # fmt: skip
        page.goto(path)
        assert serious(page) == [], path
        scrolls = page.evaluate("document.documentElement.scrollWidth > window.innerWidth")
        assert not scrolls, f"{path} is wider than the window"
    page.goto(review)
    page.click("text=Withdraw the entry")
    assert serious(page) == []
    page.goto("/feedback/alarms/")
    page.click("text=Quarantine what rests on it alone")
    assert serious(page) == []
    page.goto("/feedback/innocent/")
    page.click("button:text-is('Propose')")
    assert serious(page) == []
    page = opened(Role.ADMINISTRATOR, scheme, width)
    page.goto(f"/members/{busy.pk}/terms")
    assert serious(page) == []
    page.fill("#mailbox", "nobody")
    page.click("button:text-is('Set')")
    assert serious(page) == []


@pytest.mark.parametrize("path", ["/feedback/holders/", "/feedback/innocent/"])
def test_no_table_is_cut_off_on_a_narrow_screen(busy, opened, path):
    page = opened(Role.MANAGER, width=360)
    page.goto(path)
    cut = "[...document.querySelectorAll('.scroll')].filter(e => e.scrollWidth > e.clientWidth)"
    assert page.evaluate(f"{cut}.length") == 0
    tall = "Math.max(...[...document.querySelectorAll('tbody tr')].map(e => e.offsetHeight))"
    assert page.evaluate(tall) < 420


def test_a_dispute_is_decided_by_keyboard_alone(busy, opened):
    page = opened(Role.SENIOR_ANALYST)
    page.goto("/feedback/")
    tab_to(page, "entry-1")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="entry-1").wait_for()
    tab_to(page, "why=not-illegal")
    page.keyboard.press("Space")
    tab_to(page, "withdraw-reason")
    page.keyboard.type("She is 40.")
    tab_to(page, "Withdraw the entry")
    page.keyboard.press("Enter")
    page.get_by_text("The entry was withdrawn.").wait_for()
    assert Review.objects.get(entry=1).reason == "She is 40."
