"""What nobody should send, and everybody will."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from public_visitor import PLAIN, hidden, seven
from strandline.hotline.intake.models import SentForm
from strandline.hotline.reports.models import Capture, FollowUp, Report, ReportedUrl

pytestmark = pytest.mark.django_db

STORED = (Report, ReportedUrl, Capture, FollowUp, SentForm)


def stored():
    return [model.objects.count() for model in STORED]


REFUSED = {
    "nothing": "",
    "blank": " \t\u200b ",
    "a word": "nothing",
    "only a scheme": "https://",
    "script": "javascript:alert(document.domain)",
    "script in capitals": " JaVaScRiPt:alert(1)//http://example.com",
    "data": "data:text/html;base64,PHNjcmlwdD4=",
    "file": "file:///etc/passwd",
    "mail": "mailto:somebody@example.com",
    "gopher": "gopher://127.0.0.1:25/_HELO",
    "credentials": "https://user:secret@example.com/",
    "misleading user": "https://example.com@evil.example.net/",
    "homograph": "https://ex\u0430mple.com/",
    "mixed scripts": "https://p\u0430ypal.com/",
    "loopback": "http://127.0.0.1/",
    "loopback, short": "http://127.1/",
    "loopback, decimal": "http://2130706433/",
    "loopback, hexadecimal": "http://0x7f.1/",
    "loopback, octal": "http://0177.0.0.1/",
    "loopback, IPv6": "http://[::1]/",
    "loopback, mapped": "http://[::ffff:127.0.0.1]/",
    "local name": "http://localhost:8000/",
    "private": "http://10.1.2.3/",
    "link-local": "http://169.254.169.254/latest/meta-data/",
    "full-width digits": "http://\uff11\uff12\uff17.0.0.1/",
    "NUL": "https://example.com/\0admin",
    "header injection": "https://example.com/\r\nSet-Cookie: a=b",
    "line break": "https://example.com/a\nhttps://example.com/b",
    "right-to-left override in the host": "https://exam\u202eple.com/",
    "lone percent host": "https://%00/",
    "port": "https://example.com:99999/",
    "too long": "https://example.com/" + "a" * 3000,
    "broken IPv6": "https://[::1/",
}


@pytest.mark.parametrize("address", REFUSED.values(), ids=REFUSED.keys())
def test_an_address_that_is_none_is_refused_with_a_sentence_and_nothing_is_stored(visitor, address):
    page = visitor.report(address)
    assert page.status_code == 422
    assert stored() == [0] * len(STORED)
    html = page.content.decode()
    assert 'id="address-error"' in html
    assert "Set-Cookie: a" not in str(page.headers)


@pytest.mark.parametrize(
    "note",
    [
        "<script>alert(1)</script>",
        '"><img src=x onerror=alert(1)>',
        "</textarea><script>alert(1)</script>",
        "{{ 7|add:7 }}{% debug %}",
        "a\u202eb\u0000c\u2028d\ufeff\ud83d\ude00",
        '=HYPERLINK("http://evil.example")',
    ],
    ids=["script", "attribute", "textarea", "template", "unicode", "formula"],
)
def test_markup_is_text_wherever_it_was_typed(visitor, note):
    note = note.encode("utf-16", "surrogatepass").decode("utf-16")
    page = visitor.report("nothing", referrer=note, note=note, contact=note)
    html = page.content.decode()
    assert "<script" not in html
    assert "<img src=x" not in html
    assert "14{% " not in html
    again = visitor.report(note=note)
    assert again.status_code == 200


ANY = st.text(max_size=200)
FIELDS = st.fixed_dictionaries(
    {},
    optional={
        name: st.one_of(ANY, st.sampled_from(sorted(REFUSED.values())))
        for name in ("address", "referrer", "note", "contact", "form", "unknown")
    },
)


@settings(
    max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(fields=FIELDS, fresh=st.booleans(), host=st.sampled_from(["", "https://host.example.com/"]))
def test_any_text_in_any_field_is_taken_in_or_refused_whole(visitor, fields, fresh, host):
    fields = {name: text.encode(errors="replace").decode() for name, text in fields.items()}
    if fresh:
        fields["form"] = visitor.token()
    if host:
        fields["address"] = host + fields.get("address", "")
    before = stored()
    page = visitor.post("/report/", fields)
    after = stored()
    if page.status_code == 422:
        assert after == before
    else:
        assert page.status_code == 200
        assert after[0] == before[0] + 1
        assert len(seven(page).split()) == 7


@settings(
    max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(code=ANY, note=ANY, given_pass=ANY, form=ANY)
def test_any_text_opens_no_outcome_and_adds_no_message(visitor, code, note, given_pass, form):
    fields = {"code": code, "note": note, "pass": given_pass, "form": form}
    fields = {name: text.encode(errors="replace").decode() for name, text in fields.items()}
    before = stored()
    assert visitor.post("/outcome/", fields).status_code == 422
    assert visitor.post("/outcome/message/", fields).status_code == 422
    assert visitor.post("/report/noted/", fields).status_code == 200
    assert stored() == before


@settings(
    max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(
    body=st.binary(max_size=300),
    path=st.sampled_from(["/report/", "/outcome/", "/outcome/message/"]),
)
def test_any_bytes_as_a_form_are_refused(visitor, body, path):
    before = stored()
    page = visitor.post(path, body)
    assert page.status_code in {400, 422}
    assert stored() == before


@pytest.mark.parametrize(
    "path", ["/report/", "/report/noted/", "/outcome/", "/outcome/message/", "/"]
)
@pytest.mark.parametrize(
    ("kind", "size", "status"),
    [
        (PLAIN, 10_000_000, 413),
        (PLAIN, 1024 * 1024 + 1, 413),
        ("multipart/form-data; boundary=x", 100, 415),
        ("multipart/form-data; boundary=x", 1_000_000, 415),
        ("image/jpeg", 100, 415),
        ("application/json", 100, 415),
        ("text/plain", 100, 415),
    ],
)
def test_a_large_body_or_a_file_is_refused_unread(visitor, path, kind, size, status):
    class Unreadable:
        def read(self, *_):
            raise AssertionError("the body was read")

        readline = read

    page = visitor.client.generic(
        "POST",
        path,
        b"",
        content_type=kind,
        CONTENT_TYPE=kind,
        CONTENT_LENGTH=str(size),
        **{"wsgi.input": Unreadable()},
    )
    assert page.status_code == status
    assert "Nothing was stored" in page.content.decode()
    assert stored() == [0] * len(STORED)


@pytest.mark.parametrize("length", ["-1", "x", "1e3", "٣", "9" * 40])
def test_a_length_that_is_none_is_refused(visitor, length):
    page = visitor.client.generic(
        "POST", "/report/", b"a=b", content_type=PLAIN, CONTENT_LENGTH=length
    )
    assert page.status_code in {400, 413}


def test_very_many_fields_are_refused(visitor):
    page = visitor.post("/report/", "&".join(f"a{n}=b" for n in range(3000)))
    assert page.status_code == 400
    assert "could not be read" in page.content.decode()


@pytest.mark.parametrize("charset", ["utf-7", "utf-16", "nonsense", "latin-1"])
def test_another_charset_is_refused_or_ignored(visitor, charset):
    body = f"address=https%3A%2F%2F10.0.0.1%2F&form={visitor.token()}"
    kind = f"{PLAIN}; charset={charset}"
    page = visitor.client.generic("POST", "/report/", body.encode(), content_type=kind)
    assert page.status_code in {400, 422}
    assert stored() == [0] * len(STORED)


@pytest.mark.parametrize("method", ["put", "patch", "delete", "options", "trace"])
@pytest.mark.parametrize("path", ["/", "/report/", "/outcome/", "/about/"])
def test_other_methods_do_nothing(visitor, method, path):
    assert getattr(visitor.client, method)(path).status_code in {405, 415}


def test_a_field_sent_twice_counts_once(visitor):
    token = visitor.token()
    body = f"address=http%3A%2F%2F10.0.0.1&address=https%3A%2F%2Fhost.example.com%2F&form={token}"
    assert visitor.post("/report/", body).status_code == 200
    assert ReportedUrl.objects.get().url == "https://host.example.com/"


def test_a_hostile_host_header_is_refused_by_a_page_of_ours(visitor, settings):
    settings.ALLOWED_HOSTS = ["reports.example"]
    page = visitor.open("/", host="evil.example")
    assert page.status_code in {200, 400}
    assert "evil.example" not in page.content.decode()


def test_what_is_refused_comes_back_with_a_fresh_token(visitor):
    token = visitor.token()
    assert hidden(visitor.report("nothing", form=token), "form") != token
