import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

import pytest

from strandline.demo import hosts
from strandline.demo.answers import answer_notice, is_loopback, links

FORM = """<html><form action="/search"><input name="q"></form>
<form method="post" action="{action}">
<input type="hidden" name="csrfmiddlewaretoken" value="token-1">
<select name="answer"><option value="removed"></select><textarea name="comment"></textarea>
</form><form action="/bye"><input type="hidden" name="csrfmiddlewaretoken" value="other"></form>"""


class Portal(ThreadingHTTPServer):
    """Asks for an answer as Django does: the cookie, the token and the referrer must be right."""

    action = ""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), PortalRequest)
        self.answers = []
        self.url = f"http://127.0.0.1:{self.server_address[1]}"


class PortalRequest(BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/away":
            self.send_response(302)
            self.send_header("Location", "http://192.0.2.1/")
            self.end_headers()
            return
        self.send_response(200)
        self.send_header("Set-Cookie", "csrftoken=cookie-1; Path=/; SameSite=Lax")
        self.end_headers()
        form = FORM.format(action=self.server.action) if self.path == "/n/1" else "<p>Hello"
        self.wfile.write(form.encode())

    def do_POST(self):
        fields = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        genuine = (
            self.headers["Cookie"] == "csrftoken=cookie-1"
            and fields.pop("csrfmiddlewaretoken") == ["token-1"]
            and self.headers["Referer"] == f"{self.server.url}/n/1"
        )
        if genuine:
            self.server.answers.append((self.path, fields))
        self.send_response(200 if genuine else 403)
        self.end_headers()

    def log_message(self, *args):
        pass


@pytest.fixture
def portal():
    with Portal() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_a_form_is_answered_with_its_cookie_and_token(portal):
    answered = answer_notice(
        f"Page: http://m.oak-mirror.example/mirror/15\nAbout us: {portal.url}/about.\n"
        f"Answer here: <{portal.url}/n/1>.",
        comment="gone tomorrow",
    )
    assert (answered.url, answered.status, answered.error) == (f"{portal.url}/n/1", 200, "")
    assert portal.answers == [("/n/1", {"answer": ["removed"], "comment": ["gone tomorrow"]})]


def test_the_host_that_answers_does_so_when_mail_arrives(portal, web, mail):
    page = hosts.page("copies")
    mail("abuse@oak-mirror.example", f"{page.url(web.http_port)}\nAnswer: {portal.url}/n/1")
    web.__exit__(None, None, None)  # waits for the answer
    assert [fields["answer"] for _, fields in portal.answers] == [["removed"]]
    assert json.loads(web.answers.read_text())["status"] == 200


def test_other_hosts_do_not_answer(portal, web, mail):
    mail("abuse@alder-hosting.example", f"Answer: {portal.url}/n/1")
    web.__exit__(None, None, None)
    assert portal.answers == []
    assert not web.answers.exists()


def test_a_link_that_leads_nowhere_is_kept_as_a_failure(web, mail):
    mail("abuse@oak-mirror.example", "Answer: http://127.0.0.1:9/n/1")
    web.__exit__(None, None, None)
    answered = json.loads(web.answers.read_text())
    assert answered["status"] == 0
    assert "refused" in answered["error"]


def test_a_redirect_away_from_this_machine_is_not_followed(portal):
    answered = answer_notice(f"{portal.url}/away")
    assert answered.status == 0
    assert "away from this machine" in answered.error


def test_a_form_that_leads_away_is_not_sent(portal):
    portal.action = "http://192.0.2.1/take"
    answered = answer_notice(f"{portal.url}/n/1")
    assert answered.status == 0
    assert "away from this machine" in answered.error


def test_a_text_without_a_form_behind_its_links_is_not_answered(portal):
    assert answer_notice(f"{portal.url}/about") is None
    assert answer_notice("no link at all") is None


@pytest.mark.parametrize(
    ("url", "here"),
    [
        ("http://127.0.0.1:8000/n/1", True),
        ("https://localhost/n/1", True),
        ("http://[::1]:8000/", True),
        ("http://127.0.0.1.evil.example/", False),
        ("http://192.0.2.1/", False),
        ("http://m.oak-mirror.example/", False),
        ("http://user@192.0.2.1#@127.0.0.1/", False),
        ("ftp://127.0.0.1/", False),
        ("http://[bad/", False),
    ],
)
def test_only_loopback_addresses_are_followed(url, here):
    assert is_loopback(url) is here
    assert links(f"see {url} ,") == ([url] if here else [])
