"""A console with people at it, and addresses whose pictures really lie in the vault."""

import io

import pytest


@pytest.fixture
def at_console(face, person, sign_in):
    """``at_console(Role.ANALYST)``: a client somebody of that role is signed in to."""

    def client(role):
        somebody = person(role)
        client = sign_in(face("console"), somebody)
        client.person = somebody
        return client

    return client


@pytest.fixture
def drawn(address, hotline):
    """``drawn(pictures=2)``: a captured address whose renditions can be opened."""
    from PIL import Image, ImageDraw

    from strandline.hotline.reports.states import State
    from strandline.media import Style
    from strandline.vault import Vault

    vault = Vault(hotline.vault, recipients=[hotline.recipient("rendition-identity")])

    def rendition(seed):
        picture = Image.new("L", (320, 240), 200)
        draw = ImageDraw.Draw(picture)
        for ring in range(6):
            side = 20 * ring
            box = (30 + side // 2 + seed % 20, 20 + side // 2, 250 - side // 2, 220 - side // 2)
            draw.ellipse(box, fill=60 + 30 * ring)
        out = io.BytesIO()
        picture.save(out, "PNG")
        return out.getvalue()

    def make(pictures=1, **others):
        row = address(State.CAPTURED, pictures=pictures, **others)
        for appearance in row.appearances.all():
            for number, style in enumerate(Style):
                key = appearance.item.rendition_key(style.value)
                vault.put(key, rendition(appearance.item_id * 7 + number))
        return row

    return make


@pytest.fixture
def filmed(drawn):
    """``filmed()``: a captured address whose one item is a film of half a minute."""
    from strandline.hotline.reports.models import Film, MediaItem

    def make(**others):
        row = drawn(**others)
        item = row.appearances.get().item
        MediaItem.objects.filter(pk=item.pk).update(
            kind=MediaItem.Kind.VIDEO, seconds=31.4, pdq="", quality=0, format="mov"
        )
        Film.objects.create(item=item, codec="h264", shown=[0, 7, 30])
        return row

    return make


@pytest.fixture
def claimed(drawn, now):
    """``claimed(client)``: a claim of the client's person on a fresh address."""
    from django.utils import timezone

    from strandline.hotline.assessment import services

    def claim(client, pictures=1):
        return services.claim(drawn(pictures), client.person, now=timezone.now())

    return claim


@pytest.fixture
def answers():
    """A complete form of something acted on."""
    return {
        "do": "record",
        "acts": ["other-sexual"],
        "child-0-age": "7-10",
        "child-0-sex": "girl",
        "child-0-maturity": "pre-pubescent",
        "provenance": "camera",
        "capture": "undetermined",
        "self_generated": "no",
        "extortion": "undetermined",
        "setting": "undetermined",
        "alone": "yes",
        "generation": "first-seen",
        "source_app_kind": "undetermined",
        "baseline": "baseline",
        "reason": "",
        "style": "blurred",
    }


@pytest.fixture
def opened(chromium, serve):
    """``opened(who)`` is a window of the console in which ``who`` is signed in."""
    from django.conf import settings
    from django.test import Client

    windows = []
    url = serve("console")

    def open_window(who, **options):
        client = Client()
        client.force_login(who, backend="django.contrib.auth.backends.ModelBackend")
        window = chromium.new_context(base_url=url, **options)
        name = settings.SESSION_COOKIE_NAME
        window.add_cookies([{"name": name, "value": client.cookies[name].value, "url": url}])
        window.set_default_timeout(8000)
        windows.append(window)
        return window.new_page()

    yield open_window
    for window in windows:
        window.close()
