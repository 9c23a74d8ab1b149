"""The story: reports become removals, step by step, each verified by reading it back.

The driver acts as people do, through the pages (``people``), and lets time pass on the simulated
clock. A step that does not come out as it must raises :class:`StoryFailed`; nothing goes on.
"""

import json
import math
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

import httpx2

from strandline.demo import pictures
from strandline.demo.cast import PATIENCE, Cast, StoryFailed, idle
from strandline.demo.hosts import HOSTS, PATHWAY_REFERRER, page
from strandline.demo.people import Analyst, Manager, Reporter, ReportRejected, StaffMember
from strandline.demo.tally import Ending, endings, figures, verify_audit
from strandline.demo.watchers import OTHER
from strandline.errors import ListRefused
from strandline.lists.member import membership

#: Reported at the beginning, in this order.
FIRST_REPORTS = (
    "removes-at-first", "removes-with-410", "removes-at-second", "never-removes", "moves",
    "unavailable-at-times", "says-not-found", "pathway-only", "comes-back", "circle", "endless",
    "one-undecodable", "innocent",
)  # fmt: skip
#: Reported once the first edition is out: the same bytes, and copies, on other hosts.
LATER_REPORTS = ("same-bytes", "copies", "more-copies")
#: Reported at the end and left for whoever opens the console.
LEFT_FOR_VISITORS = ("waiting-leaves", "waiting-stones", "waiting-clouds", "waiting-shells")
#: Addresses the form must refuse, and the word its sentence must hold.
REFUSED = (
    "javascript:alert(1)", "http://user:secret@alder-hosting.example/", "http://127.0.0.1/private",
    "http://gаllery.example/", "not an address", "http://" + "a" * 3000 + ".example/",
)  # fmt: skip
WEEKS = 6


@dataclass
class Told:
    """One step as it was told, for the account."""

    title: str
    lines: list[str] = field(default_factory=list)
    seconds: float = 0.0
    at: datetime | None = None


class Story:
    """Tells the story on a cast whose processes run; keeps what it told."""

    def __init__(self, cast: Cast, out: Path, say: Callable[[str], None]) -> None:
        self.cast = cast
        self.out = out
        self.say = say
        self.told: list[Told] = []
        self.codes: dict[str, str] = {}
        self.staff: dict[str, StaffMember] = {}
        self._member_key = cast.directory / "elsewhere" / "member.key"
        self._other_key = cast.watchers.folder(OTHER) / "api.key"
        self.member_matches = 0
        self.member_false_matches = 0
        #: How often the worker is still to be killed while it works.
        self.kills_left = 0
        self.kills = 0
        self._open = ExitStack()
        self._analysts: dict[str, Analyst] = {}
        self._random = Random(0)  # noqa: S311 - moments to kill at

    def tell(self) -> None:
        """The whole story, in order."""
        with self._open:
            for step in (
                self.people_arrive, self.reports_come_in, self.pages_are_captured,
                self.analysts_assess, self.list_is_published, self.member_matches_files,
                self.copies_are_reported, self.weeks_pass, self.reporter_reads_the_outcome,
                self.manager_sees_figures,
                self.others_wait_in_the_queue, self.chain_is_verified, self.copy_is_left,
            ):  # fmt: skip
                step()

    @property
    def web_port(self) -> int:
        """The port every simulated host listens on."""
        return int(self.cast.web["http_port"])

    def url(self, key: str) -> str:
        """The address of a page of the simulated web."""
        return page(key).url(self.web_port)

    # Steps ------------------------------------------------------------------------------------

    def people_arrive(self) -> None:
        """Staff, one member organisation, and a hotline of another country."""
        from strandline.demo.people import add_member, add_staff  # noqa: PLC0415

        with self.step("People arrive") as told:
            now = self.cast.clock.now()
            self.staff = add_staff(now, self.cast.directory)
            for key, name in ((self._member_key, "Example Forum"), (self._other_key, OTHER)):
                key.parent.mkdir(parents=True, exist_ok=True)
                key.write_text(add_member(name, now))
            told(
                f"{len(self.staff)} people, each with a role, one member organisation, two "
                "witnesses of the list's log, and a hotline of another country that certifies"
            )

    def reports_come_in(self) -> None:
        """Through the public form, with JavaScript off."""
        with self.step("The public reports addresses") as told, self._reporter() as reporter:
            for key in FIRST_REPORTS:
                referrer = PATHWAY_REFERRER if key == "pathway-only" else ""
                self.codes[key] = reporter.report(self.url(key), referrer=referrer)
            again = (
                self.url("removes-at-first").replace("http://gallery", "HTTP://Gallery") + "#top",
                self.url("removes-at-first").replace("/a/1", "/a/x/../1"),
                self.url("never-removes"),
            )
            for url in again:
                reporter.report(url, note="I saw this again today.")
            told(f"{len(FIRST_REPORTS)} addresses reported, {len(again)} again in another spelling")
            for bad in REFUSED:
                try:
                    reporter.report(bad)
                except ReportRejected as rejected:
                    self._expect(bool(rejected.sentence), f"no sentence for {bad[:40]!r}")
                else:
                    raise StoryFailed(f"The form took {bad[:40]!r}.")
            told(f"{len(REFUSED)} addresses refused at the field, nothing stored")
            counted = self.figures()
            self._expect(counted["addresses"] == len(FIRST_REPORTS), "addresses were not joined")
            self._expect(counted["duplicates"] == len(again), "duplicates were not joined")

    def pages_are_captured(self) -> None:
        """Fetched within limits, examined in the sandbox; the inconclusive goes to a person."""
        with self.step("Pages are captured and fingerprinted") as told:
            self.cast.start_worker()
            self.until_idle()
            self.pass_time(timedelta(days=1))
            counted = self.figures()
            told(f"{counted['captured']} addresses captured: {counted['items']} pictures, "
                 f"{counted['undecodable']} of them undecodable")  # fmt: skip
            states = self.states()
            for key in ("circle", "endless"):
                self._expect(states[key] == "needs-information", f"{key} is {states[key]}")
                told(f"{self.url(key)}: inconclusive, left to a person (never 'removed')")
            self._expect(counted["undecodable"] == 1, "the undecodable picture was not noted")

    def analysts_assess(self) -> None:
        """Two analysts, the second blind; a third where they disagree."""
        with self.step("Two analysts assess, each without seeing the other") as told:
            for who in ("first", "second", "senior"):
                done = self._analyst(who).assess_all()
                told(
                    f"{self.staff[who].name}: {done} pictures assessed, by degraded renditions only"
                )
            states = self.states()
            waiting = [key for key, state in states.items() if state in {"captured", "assessed"}]
            self._expect(not waiting, f"still waiting for analysts: {waiting}")
            self._expect(states["innocent"] == "not-illegal", "the innocent page was confirmed")
            self.until_idle()
            counted = self.figures()
            told(
                f"{counted['entries']} confirmed pictures became entries of the list; "
                f"{counted['notices']} hosts were warned at once"
            )
            self._expect(counted["notices"] > 0, "no notice was sent")

    def list_is_published(self) -> None:
        """A day later the first edition is due; a member takes it once it is certified."""
        with self.step("The list is published, logged, witnessed and certified") as told:
            self.pass_time(timedelta(days=1, hours=1))
            counted = self.figures()
            self._expect(counted["edition"] >= 1, "no edition was published")
            told(f"edition {counted['edition']} with {counted['entries']} entries")
            self._command(
                "list", "init", str(self.out / "member"), "--url", self._list_url,
                "--fingerprint", self.cast.fingerprint, "--api-key-file", str(self._member_key),
            )  # fmt: skip
            membership.init(
                self._other_copy,
                self._list_url,
                fingerprint=self.cast.fingerprint,
                api_key_file=self._other_key,
                certifying=OTHER,
            )
            told(f"before anybody certifies it, members refuse it: {self._refusal()}")
            self.sync_member(told)

    def member_matches_files(self) -> None:
        """Copies, re-encoded and resized, are found; fresh innocent pictures are not."""
        with self.step("A member finds copies, and nothing innocent") as told:
            copies, innocent = self._member_files()
            member = str(self.out / "member")
            found = self._command("list", "match", member, *map(str, copies + innocent), "--json")
            matched = {
                Path(row["file"]) for row in map(json.loads, found.splitlines()) if row["matches"]
            }
            self.member_matches = len(matched & set(copies))
            self.member_false_matches = len(matched & set(innocent))
            told(
                f"{self.member_matches} of {len(copies)} copies found, "
                f"{self.member_false_matches} of {len(innocent)} innocent pictures matched"
            )
            self._expect(self.member_matches == len(copies), "a copy was missed")
            self._expect(self.member_false_matches == 0, "an innocent picture matched")

    def copies_are_reported(self) -> None:
        """The same bytes elsewhere are settled without anyone looking; near copies get a hint."""
        with (
            self.step("Copies are reported from other hosts") as told,
            self._reporter() as reporter,
        ):
            for key in LATER_REPORTS:
                self.codes[key] = reporter.report(self.url(key))
            before = self.figures()["assessed"]
            self.until_idle()
            state = self.states()["same-bytes"]
            self._expect(state not in {"captured", "assessed"}, f"same-bytes is still {state}")
            self._expect(self.figures()["assessed"] == before, "somebody had to look again")
            told("the same bytes on another host: settled by the list, nobody looked")
            for who in ("first", "second", "senior"):
                self._analyst(who).assess_all()
            self.until_idle()

    def weeks_pass(self) -> None:
        """Looks, reminders, escalation, removal, return: whatever is due, when it is due."""
        with self.step(f"{WEEKS} weeks pass") as told:
            self.pass_time(timedelta(weeks=WEEKS))
            counted = self.figures()
            told(
                f"{counted['notices']} notices sent, {counted['removed']} addresses removed, "
                f"{counted['reopened']} reopened, {counted['inconclusive']} looks inconclusive"
            )
            self._check_endings()
            self.sync_member(told)

    def reporter_reads_the_outcome(self) -> None:
        """With the seven words, and with wrong ones."""
        with self.step("A reporter reads the outcome") as told, self._reporter() as reporter:
            said = reporter.outcome(self.codes["removes-at-first"])
            self._expect("removed" in said.lower(), f"the outcome does not say so: {said[:200]}")
            told("with the seven words: " + said.partition("So far")[0].strip()[:240])
            self._expect(
                reporter.outcome("seven words that open nothing at all") == "",
                "wrong words opened a report",
            )
            told("with wrong words: nothing opens")

    def manager_sees_figures(self) -> None:
        """The console's figures are the record's."""
        with self.step("The manager sees the figures") as told, self._manager() as manager:
            shown = manager.figures()
            counted = self.figures()
            pairs = (("reports", "received"), ("removed", "removed"), ("entries", "listed"))
            for key, label in pairs:
                said, held = shown.get(label), counted[key]
                self._expect(said == held, f"the page says {said} {label}, the record {held}")
            told(
                f"received {shown['received']}, confirmed {shown['confirmed']}, "
                f"listed {shown['listed']}, removed {shown['removed']}, "
                f"median time to removal {shown['time-to-removal'] or 0:.1f} days"
            )

    def others_wait_in_the_queue(self) -> None:
        """So that whoever opens the console finds something to do."""
        with self.step("New reports wait in the queue") as told, self._reporter() as reporter:
            for key in LEFT_FOR_VISITORS:
                self.codes[key] = reporter.report(self.url(key), note="A demo address for you.")
            self.until_idle()
            self._analyst("first").assess_one_address()
            told(f"{len(LEFT_FOR_VISITORS)} addresses wait for you: ./scripts/serve")

    def chain_is_verified(self) -> None:
        """The audit chain against itself and against a signed checkpoint."""
        with self.step("The audit chain is verified") as told:
            self._command("audit", "checkpoint")
            told(self._command("audit", "verify").strip())
            self._expect(verify_audit().ok, "the chain does not verify")

    def copy_is_left(self) -> None:
        """As it will be found by whoever looks at it today, by today's clock."""
        with self.step("The member's copy is current, whenever you look") as told:
            found = self._command("list", "verify", str(self.out / "member"))
            told(" ".join(found.split()))

    # What steps use ------------------------------------------------------------------------------

    @contextmanager
    def step(self, title: str) -> Iterator[Callable[[str], None]]:
        """One step: told as it happens, timed, kept for the account."""
        told = Told(title, at=self.cast.clock.now())
        self.told.append(told)
        self.say(f"[bold]{len(self.told):2}. {title}[/bold]  [dim]{told.at:%d %b %Y}[/dim]")
        began = time.monotonic()

        def tell(line: str) -> None:
            told.lines.append(line)
            self.say(f"    {line}")

        try:
            yield tell
        except (LookupError, OSError, httpx2.HTTPError) as error:
            raise StoryFailed(f"{title}: {type(error).__name__}: {error}") from error
        finally:
            told.seconds = time.monotonic() - began

    def pass_time(self, span: timedelta) -> None:
        """Move the clock on to whatever is due next, again and again, until ``span`` has passed."""
        from strandline.hotline.jobs import due  # noqa: PLC0415

        end = self.cast.clock.now() + span
        self.until_idle()
        while (moment := due.next_due()) is not None and moment <= end:
            self.cast.clock.set(max(moment, self.cast.clock.now()))
            self.until_idle()
        self.cast.clock.set(end)
        self.until_idle()

    def sync_member(self, told: Callable[[str], None]) -> None:
        """Have the newest edition certified, and bring the member's copy to it."""
        url = self.cast.url("partners")
        membership.sync(self._other_copy, now=self.cast.clock.now())
        said = self._command(
            "list", "certify", str(self._other_copy),
            "--key", str(self.cast.watchers.other_key), "--publisher", url,
            "--api-key-file", str(self._other_key), *self._at(),
        )  # fmt: skip
        self.until_idle()
        told(f"{OTHER} checked its own copy: {said.strip()}")
        directory = str(self.out / "member")
        self._command("list", "sync", directory, *self._at())
        held = membership.verify(directory, now=self.cast.clock.now()).manifest
        told(f"the member's copy is intact, complete and current: edition {held.edition}")

    def _refusal(self) -> str:
        """Why the member does not take what is published; StoryFailed if it does."""
        try:
            membership.sync(self.out / "member", now=self.cast.clock.now())
        except ListRefused as refused:
            self._expect("is not certified" in refused.message, refused.message)
            return refused.message
        raise StoryFailed("The member took an edition that nobody had certified.")

    @property
    def _list_url(self) -> str:
        return f"{self.cast.url('partners')}lists"

    @property
    def _other_copy(self) -> Path:
        return self.cast.watchers.folder(OTHER) / "copy"

    def _at(self) -> tuple[str, str]:
        """The simulated time, for commands that are run on other machines."""
        return "--at", self.cast.clock.now().isoformat()

    def figures(self) -> dict[str, int]:
        """The figures so far, from the record."""
        return figures(
            member_matches=self.member_matches, member_false_matches=self.member_false_matches
        )

    def endings(self) -> list[Ending]:
        """What became of every address so far."""
        return endings(self.web_port)

    def states(self) -> dict[str, str]:
        """The state of each reported page, by its key in the simulated web's table."""
        return {e.page.key: e.state.value for e in self.endings() if e.page is not None}

    def _check_endings(self) -> None:
        found = {ending.page.key: ending for ending in self.endings() if ending.page}
        removed = {key for key, ending in found.items() if "removed" in ending.path}
        expected = {
            "removes-at-first", "removes-with-410", "removes-at-second", "unavailable-at-times",
            "says-not-found", "pathway-only", "comes-back", "one-undecodable", "moved-to",
            *LATER_REPORTS,
        }  # fmt: skip
        self._expect(
            removed == expected,
            f"removed, but should not be: {sorted(removed - expected)}; "
            f"not removed, but should be: {sorted(expected - removed)}",
        )
        for key, state in (
            ("moves", "moved"),
            ("comes-back", "reopened"),
            ("never-removes", "unchanged"),
        ):
            self._expect(state in found[key].path, f"{key} never became {state}: {found[key].path}")

    def _member_files(self) -> tuple[list[Path], list[Path]]:
        """Copies a member might meet, and innocent pictures, drawn here and now."""
        folder = self.out / "member-uploads"
        folder.mkdir(parents=True, exist_ok=True)
        copies, innocent = [], []
        confirmed = [
            picture
            for key in FIRST_REPORTS
            if key != "innocent"
            for picture in page(key).pictures
            if not picture.broken
        ]
        for number, picture in enumerate(confirmed):
            # Not GIF: its palette takes half a second to choose.
            kind: pictures.Format = ("jpeg", "png", "webp")[number % 3]
            file = folder / f"copy-{picture.seed}.{kind}"
            file.write_bytes(
                pictures.copy_of(
                    picture.seed, format=kind, quality=70, scale=(0.6, 1.3)[number % 2]
                )
            )
            copies.append(file)
        for seed in range(9001, 9013):
            file = folder / f"innocent-{seed}.jpeg"
            file.write_bytes(pictures.copy_of(seed, format="jpeg"))
            innocent.append(file)
        return copies, innocent

    def until_idle(self) -> None:
        """Wait until the worker has done what is due, killing it on the way if asked to."""
        end = time.monotonic() + PATIENCE
        kill_at = self._next_kill()
        while not idle(self.cast.clock.now()) or self._answer_is_under_way():
            if time.monotonic() > end:
                raise StoryFailed(f"The worker did not finish within {PATIENCE:.0f} s.")
            if time.monotonic() > kill_at and not idle(self.cast.clock.now()):
                self.cast.kill_worker()
                self.kills += 1
                self.kills_left -= 1
                self.cast.start_worker()
                kill_at = self._next_kill()
            time.sleep(0.01)

    def _answer_is_under_way(self) -> bool:
        """Whether a host that follows the link in a notice has not done so yet.

        It answers in its own time; were the clock moved on meanwhile, runs would differ.
        """
        from strandline.hotline.jobs.models import OutboxMail  # noqa: PLC0415

        answering = [host.abuse for host in HOSTS if host.answers_link]
        sent = OutboxMail.objects.filter(state=OutboxMail.State.SENT, recipient__in=answering)
        file = Path(self.cast.web["answers"])
        given = len(file.read_text().splitlines()) if file.exists() else 0
        return given < sent.count()

    def _next_kill(self) -> float:
        """A random moment soon: short spans hit mails and looks, long ones captures."""
        if self.kills_left <= 0:
            return math.inf
        span = self._random.choice((0.02, 0.1, 0.3, 0.9))
        return time.monotonic() + span * self._random.random()

    def _command(self, *arguments: str) -> str:
        """Run the ``strandline`` command as a person would."""
        done = subprocess.run(
            [sys.executable, "-m", "strandline", *arguments],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise StoryFailed(f"strandline {' '.join(arguments[:2])}: {done.stderr.strip()}")
        return done.stdout

    def _reporter(self) -> Reporter:
        return Reporter(self.cast.url("public"))

    def _analyst(self, who: str) -> Analyst:
        """The analyst at their browser, signed in once."""
        if who not in self._analysts:
            analyst = Analyst(self.cast.url("console"), self.staff[who])
            self._analysts[who] = self._open.enter_context(analyst)
        return self._analysts[who]

    def _manager(self) -> Manager:
        return Manager(self.cast.url("console"), self.staff["manager"])

    def _expect(self, holds: bool, otherwise: str) -> None:
        if not holds:
            raise StoryFailed(f"{self.told[-1].title}: {otherwise}")
