"""The public's pages about the list in a real Chromium: readable by everybody, on any screen."""

import pytest

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
]

PAGES = (
    "/transparency/",
    "/transparency/log/",
    "/transparency/editions/2/",
    "/transparency/withdrawals/",
    "/transparency/members/",
)


@pytest.fixture
def tab(serve, chromium, log, now):
    from strandline.hotline.accountability.services import state_figures
    from strandline.hotline.accounts.services import add_member

    member = add_member(name="Example Forum", by="test", now=now)
    add_member(name="Example Pictures", by="test", now=now)
    state_figures(member, f"{now:%Y-%m}", compared=125_000, matched=3, reported=3, now=now)
    url = serve("public")
    contexts = []

    def open_tab(**options):
        contexts.append(chromium.new_context(base_url=url, **options))
        page = contexts[-1].new_page()
        page.set_default_timeout(10_000)
        return page

    yield open_tab
    for context in contexts:
        context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(tab, scheme):
    from axe_playwright_python.sync_playwright import Axe

    page = tab(color_scheme=scheme, viewport={"width": 390, "height": 800})
    found = {}
    for path in PAGES:
        page.goto(path)
        violations = Axe().run(page).response["violations"]
        if violations:
            found[path] = [(rule["id"], [n["html"] for n in rule["nodes"]]) for rule in violations]
    assert found == {}


@pytest.mark.parametrize("width", [320, 1280])
def test_no_page_scrolls_sideways(tab, width):
    page = tab(viewport={"width": width, "height": 700})
    for path in PAGES:
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0, path


def test_no_table_or_command_is_cut_off_on_the_narrowest_screen(tab, published_withdrawals):
    page = tab(viewport={"width": 320, "height": 700})
    cut = (
        "[...document.querySelectorAll('.scroll, pre')].filter(e => e.scrollWidth > e.clientWidth)"
    )
    for path in PAGES:
        page.goto(path)
        assert page.evaluate(f"{cut}.length") == 0, path


def test_the_policy_refuses_nothing_of_the_chart(tab):
    page = tab()
    said = []
    page.on("console", lambda message: said.append(message.text))
    page.goto("/transparency/")
    assert page.locator("figure.chart path.line").count() == 1
    assert said == []
