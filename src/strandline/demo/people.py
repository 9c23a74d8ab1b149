"""The story's people, acting through the pages as they would: reporter, analysts, manager."""

import csv
import functools
import json
import secrets
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Self

from strandline.demo.browser import Browser, Seen
from strandline.demo.cast import StoryFailed
from strandline.demo.sheet import Sheet
from strandline.hashing import digests
from strandline.hotline.accounts.roles import Role
from strandline.hotline.accounts.services import add_key, add_person
from strandline.hotline.accounts.services import add_member as add_organisation
from strandline.hotline.assessment.models import Claim
from strandline.hotline.assessment.words import Observations, Stage
from strandline.hotline.reports.models import MediaItem

_SIGN_INS = "sign-ins.json"
_STAFF = (
    ("first", "First analyst", Role.ANALYST),
    ("second", "Second analyst", Role.ANALYST),
    ("senior", "Senior analyst", Role.SENIOR_ANALYST),
    ("manager", "Manager", Role.MANAGER),
    ("custodian", "Custodian", Role.CUSTODIAN),
    ("administrator", "Administrator", Role.ADMINISTRATOR),
)


class ReportRejected(Exception):
    """The form refused what was typed, with a sentence at the field."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


@dataclass(frozen=True)
class StaffMember:
    """Somebody who can sign in to the demo's console."""

    name: str
    email: str
    role: str
    password: str


def add_staff(now: datetime, directory: Path) -> dict[str, StaffMember]:
    """One person for each role, with passwords made now and kept in the demo's own folder."""
    staff = {}
    for key, name, role in _STAFF:
        password = secrets.token_urlsafe(9)
        email = f"{key}@hotline.example"
        add_person(email=email, name=name, role=role, password=password, by="demo", now=now)
        staff[key] = StaffMember(name, email, role.value, password)
    (directory / _SIGN_INS).write_text(json.dumps([asdict(person) for person in staff.values()]))
    return staff


def read_sign_ins(directory: Path) -> list[StaffMember]:
    """The sign-ins that the story left; none when it did not get that far."""
    file = directory / _SIGN_INS
    return [StaffMember(**row) for row in json.loads(file.read_text())] if file.exists() else []


def add_member(name: str, now: datetime) -> str:
    """A member organisation; its API key."""
    return add_key(add_organisation(name=name, by="demo", now=now), by="demo", now=now)


class Reporter(Browser):
    """Somebody with a browser and no JavaScript, at the public face."""

    def report(self, address: str, *, referrer: str = "", note: str = "") -> str:
        """Report an address; the seven words.

        Raises:
            ReportRejected: the form came back with a sentence at the field.
        """
        form = self.open("/report/")
        fields = {"address": address, "referrer": referrer, "note": note}
        answer = self.submit(form, "form.report", fields)
        if answer.status == 422:
            kept = answer.tree.css_first("#address")
            error = answer.tree.css_first("#address-error")
            if kept is None or (kept.attributes.get("value") or "") != address:
                raise StoryFailed("The form lost what was typed.")
            raise ReportRejected(error.text().strip() if error else "")
        words = [node.text().strip() for node in answer.tree.css("ol.code li")]
        if answer.status != 200 or len(words) != 7:
            raise StoryFailed(f"The report was not taken ({answer.status}): {answer.text[:300]}")
        self.submit(answer, "form.acknowledge", {})
        return " ".join(words)

    def outcome(self, code: str) -> str:
        """What the outcome's page says; empty when the code opens nothing."""
        answer = self.submit(self.open("/outcome/"), "main form", {"code": code})
        return answer.text if answer.tree.css_first("ol.timeline") is not None else ""


class Staff(Browser):
    """Somebody signed in at the console."""

    def __init__(self, base_url: str, person: StaffMember) -> None:
        super().__init__(base_url)
        self.person = person

    def __enter__(self) -> Self:
        form = self.open("/")
        home = self.submit(
            form, "main form", {"email": self.person.email, "password": self.person.password}
        )
        if home.status != 200 or home.tree.css_first("input[type=password]") is not None:
            raise StoryFailed(f"{self.person.email} could not sign in: {home.text[:300]}")
        return self


class Analyst(Staff):
    """Somebody who assesses what waits, one picture at a time."""

    def assess_all(self) -> int:
        """Claim and assess until nothing is left for this person; pictures assessed."""
        done = 0
        while (assessed := self.assess_one_address()) is not None:
            done += assessed
        return done

    def assess_one_address(self) -> int | None:
        """Claim the next address and assess it whole; none when nothing waits for this person."""
        page = self.submit(self.open("/"), 'form[action="/claim"]', {})
        if "/assess/" not in page.url:
            return None
        done = 0
        while page.tree.css_first(_FORM) is not None:
            # One look an address keeps the story short; every picture is asked for the same way.
            page = self._assess(page, first=done == 0)
            done += 1
        return done

    def _assess(self, page: Seen, *, first: bool) -> Seen:
        node = page.tree.css_first(f"{_FORM} [name=item]")
        item = MediaItem.objects.get(pk=int(node.attributes["value"] or 0))  # type: ignore[union-attr]
        if first:
            self._look_at(page, item)
        stage = Stage(Claim.objects.get(pk=int(page.url.rpartition("/")[2])).stage)
        place = item.appearances.order_by("pk").values_list("source_url", flat=True)[0]
        fields = _typed(_sheet().observations(place, stage))
        after = self.submit(page, _FORM, fields, "do=record")
        if after.status != 200:
            raise StoryFailed(f"An assessment was refused ({after.status}): {after.text[:600]}")
        return after

    def _look_at(self, page: Seen, item: MediaItem) -> None:
        """Ask for the rendition: a degraded picture, never the bytes that were captured."""
        shown = self.submit(page, _FORM, {}, "do=show")
        picture = shown.tree.css_first("main img[src*='/items/']")
        if picture is None:
            raise StoryFailed(f"No rendition was shown for item {item.pk}.")
        status, kind, data = self.load(picture.attributes["src"] or "")
        if status != 200 or not kind.startswith("image/"):
            raise StoryFailed(f"The rendition of item {item.pk} came as {status} {kind}.")
        if digests(data).sha256 == item.sha256:
            raise StoryFailed(f"The original of item {item.pk} reached the browser.")


class Manager(Staff):
    """Somebody who sees the figures."""

    def figures(self) -> dict[str, int | float | None]:
        """The figures by their keys, as the manager downloads them."""
        status, _, data = self.load("/figures.csv")
        if status != 200:
            raise StoryFailed(f"The figures came as {status}.")
        rows = csv.DictReader(data.decode("utf-8-sig").splitlines())
        return {row["key"]: _number(row["value"]) for row in rows}


_FORM = "form.assess"


@functools.cache
def _sheet() -> Sheet:
    return Sheet()


def _typed(seen: Observations) -> dict[str, str | list[str]]:
    """Observations as the form's fields."""
    answers = ("provenance", "capture", "self_generated", "extortion", "setting", "alone",
               "generation", "source_app_kind", "baseline", "reason")  # fmt: skip
    fields: dict[str, str | list[str]] = {"acts": [act.value for act in seen.acts]}
    for name in answers:
        answer = getattr(seen, name)
        if answer is not None:
            fields[name] = answer.value
    for number, child in enumerate(seen.children):
        fields[f"child-{number}-age"] = child.age.value
        fields[f"child-{number}-sex"] = child.sex.value
        fields[f"child-{number}-maturity"] = child.maturity.value
    return fields


def _number(text: str) -> float | int | None:
    if not text:
        return None
    return float(text) if "." in text else int(text)
