"""Every setting of a hotline, read once from the environment and one file.

Values come from the environment (``STRANDLINE_…``) or from ``strandline.env`` in the hotline's
home directory; the environment wins. Secrets are never values: each is a file, named by
``STRANDLINE_<NAME>_FILE`` or found as ``keys/<name>`` in the home directory, and a process that
needs one that is missing, empty or readable by others stops with a sentence.
``docs/settings.md`` describes them all.
"""

import os
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from pathlib import Path

from environs import Env, EnvError, validate

from strandline.hotline.errors import NotConfigured


class Face(StrEnum):
    """Which process this is. Each public has its own, with its own pages and keys."""

    PUBLIC = "public"
    CONSOLE = "console"
    PARTNERS = "partners"
    #: Due work and the command line: no pages at all.
    WORKER = "worker"


@dataclass(frozen=True)
class WebPolicy:
    """How reported addresses are reached."""

    #: Networks outside the public internet that may be fetched; empty but for the simulated web.
    allow_networks: tuple[str, ...]
    #: Resolvers as ``ip:port``; empty means the system's.
    nameservers: tuple[str, ...]
    #: Where RDAP's bootstrap files are found.
    rdap_bootstrap: str
    #: Whole-fetch limit in seconds.
    seconds: float
    #: Most bytes read of one page or picture.
    max_bytes: int
    #: The same of one film, and the limit in seconds for fetching it.
    film_max_bytes: int = 100 * 2**20
    film_seconds: float = 120.0
    #: Longer films are refused as too large.
    film_minutes: float = 120.0


@dataclass(frozen=True)
class MailPolicy:
    """How mail leaves."""

    host: str
    port: int
    sender: str
    #: A Maildir in which the mail server keeps a copy of all it accepted (Postfix:
    #: ``always_bcc``). It settles whether a mail left when a worker died while sending it.
    sent_maildir: Path | None
    #: How long, in seconds, the mail server may take to file that copy.
    grace_seconds: float


@dataclass(frozen=True)
class TakedownPolicy:
    """When notices, reminders and looks are due."""

    #: Between looks at an address whose content is still up.
    look_every: timedelta = timedelta(days=1)
    #: Two 'gone' observations count as removal only this far apart.
    gone_apart: timedelta = timedelta(hours=20)
    #: A reminder follows a notice that changed nothing.
    remind_after: timedelta = timedelta(days=3)
    #: The network above the host is written to.
    escalate_after: timedelta = timedelta(days=7)
    #: Looks after removal, for content that returns.
    look_again_after: tuple[timedelta, ...] = tuple(timedelta(days=d) for d in (7, 14, 21, 28))
    #: Content that is still up is recorded as unchanged.
    give_up_after: timedelta = timedelta(days=35)
    #: No notice leaves before police cleared the address (so that evidence is not lost).
    police_first: bool = False


@dataclass(frozen=True)
class IntakePolicy:
    """What the public face takes in, and how long a return code opens a report."""

    #: After this, a return code is refused like a wrong one.
    code_lives: timedelta = timedelta(days=365)
    #: A flood is more than this many forms, from everybody together, within ``window``.
    most_in_window: int = 600
    window: timedelta = timedelta(minutes=10)
    #: In a flood, a form is taken in only this long after it was handed out.
    flood_wait: timedelta = timedelta(seconds=30)
    #: At this many times a flood, forms are refused.
    refuse_at: int = 20
    #: The public face's own onion address, e.g. ``http://….onion``; empty when there is none.
    onion_url: str = ""


@dataclass(frozen=True)
class FeedbackPolicy:
    """What follows from members' disputes; ``docs/feedback.md`` says why."""

    #: Independent members whose disputes quarantine an entry at once.
    quorum: int = 2
    #: An entry that fewer than this many vouch for is quarantined by the first dispute.
    vouchers: int = 2
    #: Independent members who must find an entry not useful before somebody reviews it.
    not_useful_quorum: int = 3
    #: A flood: one member disputes more entries than this within ``flood_window`` …
    flood_disputes: int = 50
    #: … or more than this share of the list, in per cent.
    flood_percent: float = 5.0
    flood_window: timedelta = timedelta(hours=24)
    #: Contested entries of one source, in per cent of all it brought, that raise an alarm …
    source_alarm_percent: float = 2.0
    #: … and that quarantine the rest of it without waiting for a person.
    source_quarantine_percent: float = 10.0
    #: A member that still holds what was withdrawn is reminded this long after the edition.
    remind_after: timedelta = timedelta(days=3)


class Probing(StrEnum):
    """What becomes at once of a look-up key that seems to feel for the edge of the list."""

    ALARM = "alarm"
    SLOW = "slow"
    SUSPEND = "suspend"


@dataclass(frozen=True)
class MatchPolicy:
    """What a member may ask of the match service where nothing else was agreed, in look-ups."""

    per_second: int = 200
    burst: int = 5_000
    per_day: int = 1_000_000
    per_month: int = 20_000_000
    #: Fingerprints of one picture are counted together for so long, and then forgotten.
    window: timedelta = timedelta(hours=24)
    probing: Probing = Probing.SLOW


@dataclass(frozen=True)
class Config:
    """The settings of one process."""

    home: Path
    face: Face
    #: As ``docs/settings.md`` describes; a password is never in it.
    database_url: str
    #: Where secrets lie that are not in ``keys/``, by their names.
    secret_files: Mapping[str, Path]
    name: str
    public_url: str
    console_url: str
    partners_url: str
    #: A file holding the time, for simulations; absent means the system's clock.
    clock_file: Path | None
    #: Keep the bytes of captured pictures (encrypted), or only their fingerprints.
    keep_evidence: bool
    #: Where evidence lies: a directory or an ``s3://`` address.
    vault: str
    published: Path
    list_origin: str
    #: Country whose law the verdicts follow, two lower-case letters; part of every entry's class.
    jurisdiction: str
    #: How long a new entry may wait for others before an edition is published.
    publish_every: timedelta
    #: Where each key that signs what is published lies, by its role; see ``lists.keys``.
    list_keys: Mapping[str, str]
    #: Where each witness of the log is asked, by the name of its key.
    witnesses: Mapping[str, str]
    web: WebPolicy
    mail: MailPolicy
    takedown: TakedownPolicy
    intake: IntakePolicy
    matching: MatchPolicy
    feedback: FeedbackPolicy
    #: Weighted openings of pictures after which a person is offered no further address that day.
    shift_budget: int
    #: Bytes of the largest list of others that is taken.
    import_max_bytes: int
    #: Cookies only over TLS; off for plain-HTTP loopback.
    secure_cookies: bool

    def secret(self, name: str) -> str:
        """The secret called ``name``, e.g. ``note-identity``.

        Raises:
            NotConfigured: the file is missing, empty or readable by other users.
        """
        path = self.secret_path(name)
        try:
            mode = path.stat().st_mode
            text = path.read_text().strip()
        except OSError as error:
            raise NotConfigured(
                f"The key {name!r} cannot be read ({path}: {error.strerror}). "
                f"Run 'strandline init', or set STRANDLINE_{_variable(name)}_FILE."
            ) from error
        if mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise NotConfigured(f"The key file {path} can be read by others. Run: chmod 600 {path}")
        if not text:
            raise NotConfigured(f"The key file {path} is empty.")
        return text

    def secret_path(self, name: str) -> Path:
        """Where the secret called ``name`` is looked for."""
        return self.secret_files.get(name, self.home / "keys" / name)

    def recipient(self, name: str) -> str:
        """The public age recipient ``name``: anyone may seal to it."""
        path = self.home / "keys" / f"{name}.recipient"
        try:
            return path.read_text().strip()
        except OSError as error:
            raise NotConfigured(
                f"The public key {path} cannot be read ({error.strerror}). Run 'strandline init'."
            ) from error


def _pairs(words: Sequence[str]) -> dict[str, str]:
    """``name=address`` words; raises ValueError for any other."""
    pairs = dict(word.strip().split("=", 1) for word in words if "=" in word)
    if len(pairs) != len(words):
        raise ValueError("STRANDLINE_WITNESSES is name=address, several with commas between.")
    return pairs


def _variable(name: str) -> str:
    return name.upper().replace("-", "_")


_COUNTRY = validate.Regexp(r"^[a-z]{2}$", error="A country is two lower-case letters, like gb.")

_POSITIVE = validate.Range(min=0, min_inclusive=False, error="It must be more than 0.")

#: Every secret that a process may ask for.
SECRETS = (
    "django-secret", "return-code-salt", "note-identity", "contact-identity", "evidence-identity",
    "rendition-identity", "list-signer", "list-salt", "log-signer", "audit-signer",
    "database-password",
)  # fmt: skip


def read_config() -> Config:
    """The settings of this process, from the environment and ``strandline.env``.

    Raises:
        NotConfigured: a value that cannot be one, naming it.
    """
    try:
        return _read()
    except (EnvError, ValueError) as error:
        raise NotConfigured(f"A setting cannot be read. {error}") from error


def _read() -> Config:
    home = Path(os.environ.get("STRANDLINE_HOME", "strandline-home")).resolve()
    env = Env(prefix="STRANDLINE_")
    if (home / "strandline.env").exists():
        env.read_env(str(home / "strandline.env"), recurse=False)
    clock = env.str("CLOCK_FILE", "")
    maildir = env.str("SENT_MAILDIR", "")
    return Config(
        home=home,
        face=Face(env.str("FACE", Face.WORKER.value)),
        database_url=env.str("DATABASE_URL", f"sqlite:///{home / 'record.sqlite3'}"),
        secret_files={
            name: Path(given)
            for name in SECRETS
            if (given := env.str(f"{_variable(name)}_FILE", ""))
        },
        name=env.str("NAME", "Hotline"),
        public_url=env.str("PUBLIC_URL", "http://127.0.0.1:8100"),
        console_url=env.str("CONSOLE_URL", "http://127.0.0.1:8101"),
        partners_url=env.str("PARTNERS_URL", "http://127.0.0.1:8102"),
        clock_file=Path(clock) if clock else None,
        keep_evidence=env.bool("KEEP_EVIDENCE", True),
        vault=env.str("VAULT", str(home / "vault")),
        published=Path(env.str("PUBLISHED", str(home / "list"))),
        list_origin=env.str("LIST_ORIGIN", "hotline.example"),
        jurisdiction=env.str("JURISDICTION", "gb", validate=_COUNTRY),
        publish_every=timedelta(hours=env.float("PUBLISH_EVERY", 24.0)),
        list_keys={
            role: env.str(f"{role.upper()}_KEY", f"file:{home / 'keys' / 'list' / role}.key")
            for role in ("targets", "snapshot", "timestamp")
        },
        witnesses=_pairs(env.list("WITNESSES", [])),
        web=WebPolicy(
            allow_networks=tuple(env.list("ALLOW_NETWORKS", [])),
            nameservers=tuple(env.list("NAMESERVERS", [])),
            rdap_bootstrap=env.str("RDAP_BOOTSTRAP", "https://data.iana.org/rdap/"),
            seconds=env.float("FETCH_SECONDS", 20.0),
            max_bytes=env.int("FETCH_MAX_BYTES", 25 * 2**20),
            film_max_bytes=env.int("FILM_MAX_BYTES", 100 * 2**20),
            film_seconds=env.float("FILM_FETCH_SECONDS", 120.0),
            film_minutes=env.float("FILM_MAX_MINUTES", 120.0),
        ),
        mail=MailPolicy(
            host=env.str("SMTP_HOST", "127.0.0.1"),
            port=env.int("SMTP_PORT", 25),
            sender=env.str("MAIL_FROM", "notices@hotline.example"),
            sent_maildir=Path(maildir) if maildir else None,
            grace_seconds=env.float("SENT_GRACE", 60.0),
        ),
        takedown=TakedownPolicy(police_first=env.bool("POLICE_FIRST", False)),
        intake=IntakePolicy(
            code_lives=timedelta(days=env.int("CODE_DAYS", 365)),
            most_in_window=env.int("MOST_FORMS", 600),
            onion_url=env.str("ONION_URL", ""),
        ),
        feedback=FeedbackPolicy(
            quorum=env.int("DISPUTE_QUORUM", 2),
            vouchers=env.int("DISPUTE_VOUCHERS", 2),
            not_useful_quorum=env.int("NOT_USEFUL_QUORUM", 3),
            flood_disputes=env.int("FLOOD_DISPUTES", 50),
            flood_percent=env.float("FLOOD_PERCENT", 5.0),
            flood_window=timedelta(hours=env.float("FLOOD_HOURS", 24.0)),
            source_alarm_percent=env.float("SOURCE_ALARM_PERCENT", 2.0),
            source_quarantine_percent=env.float("SOURCE_QUARANTINE_PERCENT", 10.0),
            remind_after=timedelta(hours=env.float("REMIND_HOLDERS_AFTER", 72.0)),
        ),
        matching=MatchPolicy(
            per_second=env.int("MATCH_RATE", 200, validate=_POSITIVE),
            burst=env.int("MATCH_BURST", 5_000, validate=_POSITIVE),
            per_day=env.int("MATCH_DAY", 1_000_000, validate=_POSITIVE),
            per_month=env.int("MATCH_MONTH", 20_000_000, validate=_POSITIVE),
            window=timedelta(hours=env.float("PROBING_HOURS", 24.0, validate=_POSITIVE)),
            probing=env.enum("PROBING", Probing.SLOW, enum=Probing, by_value=True),
        ),
        shift_budget=env.int("SHIFT_BUDGET", 150),
        import_max_bytes=env.int("IMPORT_MAX_BYTES", 4 * 2**30),
        secure_cookies=env.bool("SECURE_COOKIES", True),
    )
