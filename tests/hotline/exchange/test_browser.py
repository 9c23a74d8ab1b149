"""The room's pages in a real Chromium, with scripts off and read by axe in both schemes."""

import pytest

from exchanged import listed, row
from strandline.hotline import clock
from strandline.hotline.accounts.roles import Role
from strandline.hotline.exchange.models import Delivery

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
]


@pytest.fixture(autouse=True)
def _time_stands(monkeypatch, now):
    monkeypatch.setattr(clock, "now", lambda: now)


@pytest.fixture
def opened(serve, chromium, person, sign_in, client, settings):
    """``opened(path, …)``: a manager's page of the console."""
    url = serve("console")
    sign_in(client, person(Role.MANAGER))
    cookie = client.cookies[settings.SESSION_COOKIE_NAME].value
    contexts = []

    def open_page(path, *, scheme="light", width=1200, scripts=True):
        context = chromium.new_context(
            color_scheme=scheme,
            viewport={"width": width, "height": 900},
            java_script_enabled=scripts,
        )
        context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": cookie, "url": url}])
        contexts.append(context)
        page = context.new_page()
        page.goto(url + path)
        return page

    yield open_page
    for context in contexts:
        context.close()


@pytest.fixture
def busy(source, give, take):
    """Sources and deliveries in every state that a page shows."""
    one = source("One", meanings={"Theirs": "A camera", "Less": "C camera"})
    take(give(one, row("known"), row("graded")))
    give(source("Two", address="https://peer.example", every_hours=24), data=b"\xff\xff")
    return give(
        one,
        *(row(str(number), labels=("x",), size=7) for number in range(12)),
        row("known"),
        row("graded", category="Less"),
        row("riddle", category="Riddle"),
        row("gone", withdrawn=True),
    )


def test_a_manager_gives_a_file_and_decides_with_scripts_off(source, opened, work, tmp_path):
    source("Peer")
    path = tmp_path / "peers.csv"
    path.write_bytes(listed(row("one"), row("two")))
    page = opened("/exchange/", scripts=False)
    page.select_option("#format", "csv")
    page.set_input_files("#file", str(path))
    page.click("text=Have it read")
    assert "Being read" in page.inner_text("main")
    work()
    page.reload()
    assert "2 new entries would be listed" in page.inner_text("main")
    page.click("text=Take it in")
    work()
    page.reload()
    assert "Taken in" in page.inner_text("main")
    page.fill("#reason", "Only a rehearsal")
    page.click("button:has-text('Take it back')")
    work()
    page.reload()
    assert "Only a rehearsal" in page.inner_text("main")
    assert Delivery.objects.get().state == Delivery.State.TAKEN_BACK


@pytest.mark.parametrize(("scheme", "width"), [("light", 1200), ("dark", 360)])
def test_axe_finds_nothing_on_any_page(busy, opened, scheme, width):
    from axe_playwright_python.sync_playwright import Axe

    paths = ("/exchange/", f"/exchange/deliveries/{busy.pk}", f"/exchange/sources/{busy.source_id}")
    for path in (*paths, "/exchange/sources/new", f"/exchange/deliveries/{busy.pk - 1}"):
        page = opened(path, scheme=scheme, width=width)
        found = Axe().run(page).response["violations"]
        assert [(rule["id"], rule["nodes"]) for rule in found] == [], path
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path


def test_no_table_of_deliveries_or_sources_is_cut_off_on_a_narrow_screen(busy, opened):
    cut = "[...document.querySelectorAll('.scroll')].filter(e => e.scrollWidth > e.clientWidth)"
    for path in ("/exchange/", f"/exchange/deliveries/{busy.pk}"):
        page = opened(path, width=360)
        assert page.evaluate(f"{cut}.length") == 0, path
