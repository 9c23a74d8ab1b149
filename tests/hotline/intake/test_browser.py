"""The public's pages in a real Chromium: without scripts, by keyboard, on a small screen."""

import pytest
from django.db import connection
from playwright.sync_api import Error

from strandline.hotline.intake.models import SentForm
from strandline.hotline.reports.models import FollowUp, Report

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
]


@pytest.fixture
def tab(serve, chromium, clock, _cheap_codes):
    """``tab(java_script_enabled=False)``: a fresh window at the public face's start."""
    url = serve("public")
    contexts = []

    def open_tab(**options):
        contexts.append(chromium.new_context(base_url=url, **options))
        page = contexts[-1].new_page()
        page.set_default_timeout(10_000)
        page.goto("/")
        return page

    yield open_tab
    for context in contexts:
        context.close()


def words_of(page):
    return page.locator(".seven li").all_inner_texts()


def test_reporting_and_reading_the_outcome_need_no_script(tab):
    page = tab(java_script_enabled=False)
    page.click("main >> text=Report an address")
    page.fill("#address", "http://192.168.0.1/")
    page.fill("#note", "The third picture.")
    page.fill("#contact", "a pigeon")
    page.click("text=Send the report")
    assert "private network" in page.inner_text("#address-error")
    assert page.input_value("#note") == "The third picture."
    assert page.input_value("#contact") == "a pigeon"
    assert page.locator("#problem:focus").count() == 1, "the summary has the focus"

    page.fill("#address", "https://pictures.example.com/a")
    page.click("text=Send the report")
    words = words_of(page)
    assert len(words) == 7
    assert Report.objects.get().reference in page.inner_text("main")

    page.fill("#code", " ".join(words))
    page.click("button:has-text('Check')")
    assert "waiting to be looked at" in page.inner_text("h1")
    page.fill("#note", "It is behind the second link.")
    page.click("text=Send the message")
    assert "Your message was added" in page.inner_text("h1")
    assert FollowUp.objects.count() == 1

    page.goto("/outcome/")
    page.fill("#code", "seven words that were never given to anybody")
    page.click("button:has-text('Open')")
    assert "No report opens" in page.inner_text("#code-error")
    assert not any(word in page.url for word in words)


def test_reloading_the_answer_shows_the_words_again_until_they_are_noted(tab):
    page = tab(java_script_enabled=False)
    page.goto("/report/")
    page.fill("#address", "https://pictures.example.com/a")
    page.click("text=Send the report")
    words = words_of(page)
    page.reload()
    assert words_of(page) == words
    page.click("text=I have written them down")
    assert "All done" in page.inner_text("h1")
    assert not bytes(SentForm.objects.get().answer_sealed)
    with pytest.raises(Error, match="CACHE_MISS"):
        page.go_back()  # the browser has no copy of the page with the words
    assert Report.objects.count() == 1


def test_a_double_click_makes_one_report_and_shows_its_words(tab):
    if connection.vendor != "postgresql":
        pytest.skip("SQLite's test database has one connection for all threads")
    page = tab(java_script_enabled=False)
    page.goto("/report/")
    page.fill("#address", "https://pictures.example.com/a")
    page.dblclick("text=Send the report")
    page.wait_for_selector(".seven")
    assert len(words_of(page)) == 7
    assert Report.objects.count() == 1
    page.fill("#code", " ".join(words_of(page)))
    page.press("#code", "Enter")
    assert "waiting to be looked at" in page.inner_text("h1")


def reach(page, name):
    """Press Tab until what has the focus is called ``name``."""
    for _ in range(40):
        page.keyboard.press("Tab")
        focused = page.locator(":focus")
        if focused.count() and name in (
            focused.get_attribute("id") or "",
            focused.inner_text().strip(),
        ):
            return
    pytest.fail(f"the keyboard does not reach {name!r}")


def test_after_a_fault_of_ours_reloading_sends_what_was_typed_once_more(tab, monkeypatch):
    from strandline.hotline.intake import services

    def broken(**_):
        raise RuntimeError("broken on purpose")

    page = tab(java_script_enabled=False)
    page.goto("/report/")
    page.fill("#address", "https://pictures.example.com/a")
    with monkeypatch.context() as fault:
        fault.setattr(services, "take_report", broken)
        page.click("text=Send the report")
        assert "Something broke" in page.inner_text("h1")
    page.reload()
    assert len(words_of(page)) == 7
    assert Report.objects.get().address.url == "https://pictures.example.com/a"


def test_everything_can_be_done_by_keyboard_alone(tab):
    page = tab(java_script_enabled=False)
    page.keyboard.press("Tab")
    assert "Skip to the content" in page.locator(":focus").inner_text()
    page.keyboard.press("Enter")
    reach(page, "Report an address")
    page.keyboard.press("Enter")
    page.wait_for_url("**/report/")
    reach(page, "address")
    page.keyboard.type("http://10.0.0.1/")
    page.keyboard.press("Enter")
    page.wait_for_selector("#problem:focus")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    reach(page, "address")
    page.keyboard.press("Control+A")
    page.keyboard.type("https://pictures.example.com/a")
    reach(page, "note")
    page.keyboard.type("By keyboard.")
    reach(page, "Send the report")
    page.keyboard.press("Enter")
    page.wait_for_selector(".seven")
    words = " ".join(words_of(page))
    reach(page, "I have written them down")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=All done")
    page.goto("/outcome/")
    reach(page, "code")
    page.keyboard.type(words)
    page.keyboard.press("Enter")
    page.wait_for_selector("text=So far")
    reach(page, "note")
    page.keyboard.type("Still by keyboard.")
    reach(page, "Send the message")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=Your message was added")
    assert FollowUp.objects.count() == 1


def walk(page):
    """Every page a reporter can see, one after another, by name."""
    yield "start"
    for path in ("/about/", "/report/", "/outcome/", "/nowhere/"):
        page.goto(path)
        yield path
    page.goto("/report/")
    page.fill("#address", "nothing")
    page.fill("#note", "The third picture.")
    page.click("text=Send the report")
    yield "refused"
    page.fill("#address", "https://pictures.example.com/" + "a-very-long-name-without-end-" * 8)
    page.click("text=Send the report")
    words = " ".join(words_of(page))
    yield "received"
    page.click("text=I have written them down")
    yield "noted"
    page.goto("/outcome/")
    page.fill("#code", "wrong words")
    page.click("button:has-text('Open')")
    yield "wrong words"
    page.fill("#code", words)
    page.click("button:has-text('Open')")
    yield "outcome"
    page.click("text=Send the message")
    yield "message refused"
    page.fill("#note", "Words")
    page.click("text=Send the message")
    yield "message added"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_any_page(tab, scheme):
    from axe_playwright_python.sync_playwright import Axe

    page = tab(color_scheme=scheme, viewport={"width": 390, "height": 800})
    found = {}
    names = []
    for name in walk(page):
        names.append(name)
        violations = Axe().run(page).response["violations"]
        if violations:
            found[name] = [(rule["id"], [n["html"] for n in rule["nodes"]]) for rule in violations]
    assert found == {}
    assert len(names) == 12


@pytest.mark.parametrize("width", [320, 1280])
def test_no_page_scrolls_sideways(tab, width):
    page = tab(viewport={"width": width, "height": 700})
    wide = {}
    for name in walk(page):
        page.wait_for_load_state()
        over = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        if over > 0:
            wide[name] = over
    assert wide == {}


def test_nothing_is_fetched_from_anywhere_else_and_nothing_is_refused_by_the_policy(tab):
    page = tab()
    asked, said = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    home = page.url
    for _ in walk(page):
        pass
    assert asked
    assert [url for url in asked if not url.startswith(home)] == []
    assert [text for text in said if "Content Security Policy" in text] == []
