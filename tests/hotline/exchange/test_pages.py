"""The console's pages of lists of others: given by people with the right to, decided by people."""

import dataclasses
import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from exchanged import digests, listed, row
from strandline.hotline import clock
from strandline.hotline.accounts.roles import Role
from strandline.hotline.audit.models import AuditEntry
from strandline.hotline.exchange import files
from strandline.hotline.exchange.models import Delivery, Source

pytestmark = pytest.mark.django_db

GIVE = "/exchange/deliveries"


@pytest.fixture(autouse=True)
def _time_stands(monkeypatch, now):
    monkeypatch.setattr(clock, "now", lambda: now)


@pytest.fixture
def manager(face, person, sign_in):
    return sign_in(face("console"), person(Role.MANAGER))


@pytest.fixture
def upload(wear, person, sign_in):
    """``upload(source, data)`` as the page's own form sends it."""

    def send(source, data, *, role=Role.MANAGER, name="list.csv", csrf=False, **more):
        wear("console")
        client = sign_in(Client(enforce_csrf_checks=csrf), person(role))
        form = {"source": source.pk, "format": "csv", "country": "", **more}
        if csrf:
            client.get("/exchange/")
            form["csrfmiddlewaretoken"] = client.cookies["console-form"].value
        if data is not None:
            form["file"] = SimpleUploadedFile(name, data)
        return client.post(GIVE, form)

    return send


def test_a_file_is_given_read_taken_in_and_taken_back(source, upload, manager, work):
    answer = upload(source(), listed(row("one"), row("two", category="Riddle")), csrf=True)
    (delivery,) = Delivery.objects.all()
    assert answer.status_code == 302
    page = f"/exchange/deliveries/{delivery.pk}"
    assert answer.url == page
    assert delivery.by.startswith("person:")
    assert "Being read" in manager.get(page).content.decode()
    work()
    shown = manager.get(page).content.decode()
    assert "<strong>1</strong> new" in shown
    assert "1 row would be left out" in shown
    assert digests("one")["sha256"] not in shown
    assert manager.post(f"{page}/take", {"contested": "keep"}).status_code == 302
    assert "takes it in, whole" in manager.get(page).content.decode()
    work()
    assert "<strong>1</strong> listed" in manager.get(page).content.decode()
    refused = manager.post(f"{page}/take-back", {"reason": ""})
    assert refused.status_code == 422
    assert 'id="reason-error"' in refused.content.decode()
    assert manager.post(f"{page}/take-back", {"reason": "A test"}).status_code == 302
    work()
    assert "Taken back" in manager.get(page).content.decode()


def test_a_large_file_goes_to_disk_in_pieces(source, upload, work):
    data = listed(*(row(str(number)) for number in range(20_000)))
    assert len(data) > 3 * 2**20
    assert upload(source(), data).status_code == 302
    delivery = Delivery.objects.get()
    assert delivery.size == len(data)
    assert files.path_of(delivery.pk).read_bytes() == data
    assert [path.suffix for path in files.folder().iterdir()] == [".list"]


def test_without_a_token_nothing_is_kept(source, wear, person, sign_in):
    wear("console")
    client = sign_in(Client(enforce_csrf_checks=True), person(Role.MANAGER))
    form = {"source": source().pk, "format": "csv", "file": SimpleUploadedFile("a", b"md5\n")}
    assert client.post(GIVE, form).status_code == 403
    assert list(files.folder().iterdir()) == []
    assert Delivery.objects.count() == 0


@pytest.mark.parametrize("role", [role for role in Role if role != Role.MANAGER])
def test_nobody_else_sends_a_byte_to_disk(role, source, upload, hotline):
    peer = source()
    assert upload(peer, listed(row("one")), role=role).status_code == 403
    assert not (hotline.home / "exchange").exists()


@pytest.mark.parametrize("role", [role for role in Role if role != Role.MANAGER])
def test_nobody_else_reaches_a_page(role, source, give, face, person, sign_in):
    delivery = give(source(), row("one"))
    client = sign_in(face("console"), person(role))
    for path in (
        "/exchange/",
        f"{GIVE}/{delivery.pk}",
        "/exchange/sources/new",
        "/exchange/sources/1",
    ):
        assert client.get(path).status_code == 403
    for act in ("take", "discard", "take-back"):
        assert client.post(f"{GIVE}/{delivery.pk}/{act}").status_code == 403


@pytest.mark.parametrize(
    ("data", "more", "field"),
    [
        (None, {}, "file"),
        (b"", {}, "file"),
        (b"md5\n", {"format": "pickle"}, "format"),
    ],
)
def test_what_is_missing_is_said_at_its_field(source, upload, data, more, field):
    answer = upload(source(), data, **more)
    assert answer.status_code == 422
    assert f'id="{field}-error"' in answer.content.decode()
    assert list(files.folder().iterdir()) == []
    assert Delivery.objects.count() == 0


@pytest.mark.parametrize("number", ["x", "99", "", "9" * 30])
def test_a_source_that_does_not_exist_is_said_at_its_field(source, upload, number):
    source()
    answer = upload(Source(pk=number), b"md5\n")
    assert answer.status_code == 422
    assert 'id="source-error"' in answer.content.decode()
    assert list(files.folder().iterdir()) == []


def test_a_file_larger_than_lists_may_be_is_refused_by_its_headers(source, upload, settings):
    settings.HOTLINE = dataclasses.replace(settings.HOTLINE, import_max_bytes=1000)
    assert upload(source(), b"x" * 3 * 2**20).status_code == 413
    answer = upload(source("Second"), b"x" * 2000)
    assert answer.status_code == 422
    assert "larger than 1,000 bytes" in answer.content.decode()
    assert list(files.folder().iterdir()) == []


@pytest.mark.parametrize("face_name", ["public", "partners"])
def test_no_other_face_takes_a_file(face_name, wear, hotline):
    wear(face_name)
    answer = Client().post(GIVE, {"file": SimpleUploadedFile("a", b"x")})
    assert answer.status_code in {404, 415}
    assert not (hotline.home / "exchange").exists()


def test_no_other_form_of_the_console_takes_a_file(wear, person, sign_in):
    wear("console")
    client = sign_in(Client(), person(Role.MANAGER))
    answer = client.post("/exchange/sources/new", {"file": SimpleUploadedFile("a", b"x")})
    assert answer.status_code == 415


def test_a_source_is_added_and_changed_with_words_as_typed(manager):
    form = {
        "name": " Peer  Hotline ", "jurisdiction": "NL", "trust": "trusted", "labels": "a, b",
        "meanings": "Theirs = A camera\nOdd = -\n", "every_hours": "",
    }  # fmt: skip
    answer = manager.post("/exchange/sources/new", form)
    added = Source.objects.get()
    assert answer.url == f"/exchange/sources/{added.pk}"
    assert (added.name, added.jurisdiction, added.labels) == ("Peer Hotline", "nl", ["a", "b"])
    assert added.meanings == {"Theirs": "A camera", "Odd": ""}
    page = manager.get(answer.url).content.decode()
    assert "Odd = -\nTheirs = A camera" in page
    assert f"keys/exchange-{added.pk}" in page
    manager.post(answer.url, {**form, "meanings": "Theirs = B"})
    added.refresh_from_db()
    assert added.meanings == {"Theirs": "B undetermined"}
    assert AuditEntry.objects.last().action == "exchange.change_source"


def test_a_source_that_cannot_be_keeps_what_was_typed(manager):
    form = {"name": "<b>", "jurisdiction": "xx", "trust": "trusted", "meanings": "Theirs = Z"}
    answer = manager.post("/exchange/sources/new", form)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert 'value="&lt;b&gt;"' in page
    assert "Line 1: after" in page
    assert Source.objects.count() == 0


def test_hostile_words_of_a_list_stay_text(source, upload, manager, work):
    words = '<script>alert(1)</script>"'
    upload(source(), listed(row("one", category=words)), name=f"{words}.csv")
    work()
    delivery = Delivery.objects.get()
    for page in ("/exchange/", f"{GIVE}/{delivery.pk}", "/exchange/sources/1"):
        assert "<script>alert" not in manager.get(page).content.decode()


def test_asking_a_server_now_makes_it_due(source, manager, now):
    peer = source(address="https://peer.example")
    assert manager.post(f"/exchange/sources/{peer.pk}/fetch").status_code == 302
    peer.refresh_from_db()
    assert peer.due_at == now
    other = source("Second")
    answer = manager.post(f"/exchange/sources/{other.pk}/fetch")
    assert answer.status_code == 422
    assert "no server" in answer.content.decode()


@pytest.mark.parametrize("path", ["/exchange/deliveries/99", "/exchange/sources/99"])
def test_what_does_not_exist_is_not_found(path, manager):
    assert manager.get(path).status_code == 404


def test_a_refused_file_says_where_it_is_wrong(source, upload, manager, work):
    upload(source(), b'{"value": [', format="vics")
    work()
    page = manager.get(f"{GIVE}/{Delivery.objects.get().pk}").content.decode()
    assert "nothing of it was kept" in page
    assert "element 1" in page
    assert json.dumps(Delivery.objects.get().samples) == "[]"


def test_a_delivery_that_makes_the_next_edition_too_large_says_so_before_it_is_taken(
    source, give, manager, hotline, now
):
    from strandline.hotline.hashlist.models import Edition
    from strandline.hotline.setup import make_list_root, own_policy
    from strandline.lists.trust.policy import Growth

    policy = dataclasses.replace(own_policy(hotline), growth=Growth(most_events=3, most_percent=0))
    make_list_root(hotline, now=now, policy=policy)
    Edition.objects.create(number=1, state="published", up_to=0, published_at=now)
    small = give(source(), *(row(str(number)) for number in range(3)))
    large = give(source("Second"), *(row(str(number)) for number in range(4)))
    held = give(source("Third", trust="alone-not"), row("1"), row("2"))
    pages = [
        manager.get(f"/exchange/deliveries/{each.pk}").content.decode()
        for each in (small, large, held)
    ]
    assert ["Members will refuse" in page for page in pages] == [False, True, True]
    assert "it would bring 4 changes, and one edition may 3" in pages[1]
