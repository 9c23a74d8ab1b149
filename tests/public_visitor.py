"""A visitor of the public face: opens pages, fills in their forms, reads what is shown."""

import re
from html import unescape
from urllib.parse import urlencode

PLAIN = "application/x-www-form-urlencoded"
ADDRESS = "https://pictures.example.com/a"


class Visitor:
    """Sends plain forms as a browser does, on top of Django's test client."""

    def __init__(self, client):
        self.client = client

    def open(self, path, **headers):
        return self.client.get(path, headers=headers)

    def post(self, path, fields, **headers):
        body = fields if isinstance(fields, (str, bytes)) else urlencode(fields)
        return self.client.post(path, body, content_type=PLAIN, headers=headers)

    def token(self):
        """A fresh form's token."""
        return hidden(self.open("/report/"), "form")

    def report(self, address=ADDRESS, *, form=None, headers=None, **fields):
        """Fill in a form and send it."""
        fields = {"address": address, "form": self.token() if form is None else form, **fields}
        return self.post("/report/", fields, **(headers or {}))

    def outcome(self, code, **fields):
        """Open the outcome with a return code."""
        return self.post("/outcome/", {"code": code, **fields})

    def add(self, outcome, note):
        """Send a message from an outcome page."""
        fields = {"form": hidden(outcome, "form"), "pass": hidden(outcome, "pass"), "note": note}
        return self.post("/outcome/message/", fields)


def hidden(page, name):
    """The value of a hidden field of a page."""
    found = re.search(rf'name="{name}" value="([^"]*)"', page.content.decode())
    assert found, f"no field {name}"
    return unescape(found[1])


def seven(page):
    """The seven words a page shows, in one line; empty when it shows none."""
    shown = re.search(r'<ol class="code seven".*?</ol>', page.content.decode(), re.DOTALL)
    return " ".join(re.findall(r"<li>(\S+)</li>", shown[0])) if shown else ""


def text(page):
    """The words of a page, without its marks."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page.content.decode())).split())
