"""Every error the engine raises on purpose.

::

    StrandlineError
    ├── AddressRefused        an address that is not fetched, and why        (fetching)
    ├── LookupFailed          the resolver gave no usable answer             (fetching)
    ├── SiteFailed            a site named by its reader that did not answer (fetching)
    ├── MediaRefused          bytes that give no picture, with a verdict     (media)
    │   ├── Undecodable
    │   │   └── NoFilmDecoder
    │   ├── TooLarge
    │   └── TimedOut
    ├── VaultError            evidence that cannot be kept or read           (vault)
    │   ├── AlreadyStored
    │   ├── NotStored
    │   └── CannotOpen
    ├── NoteRefused           a signed note that does not verify             (transparency)
    │   └── CheckpointRefused
    ├── ProofRefused          a proof about a log that does not hold         (transparency)
    ├── LogDamaged            a log's own files that do not fit its root     (transparency)
    ├── WitnessRefused        a witness that did not cosign, and why         (transparency)
    ├── ListRefused           a published list that is not applied           (lists)
    │   ├── NotPublished      a file that the publisher does not have
    │   └── SourceFailed      a list's source that gave no usable answer
    ├── KeyRefused            a key or a root that is not used                (lists)
    ├── FormatRefused         a file of others that cannot be read, and where (formats)
    └── IndexDamaged          an index file that is not as it was written    (matching)

Each message says what happened, what was kept and what to do, for the person who reads it.
"""


class StrandlineError(Exception):
    """Something the engine declined to do; its text is meant to be read by a person."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class AddressRefused(StrandlineError):
    """An address that is not accepted or not fetched."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        #: One of: malformed, too-long, scheme, credentials, lookalike, private, no-host.
        self.code = code


class LookupFailed(StrandlineError):
    """The resolver timed out or failed: nothing is known about the name."""


class SiteFailed(StrandlineError):
    """A site that somebody named to be read from gave no usable answer; nothing of it was kept."""


class MediaRefused(StrandlineError):
    """Bytes that gave no picture; ``verdict`` is what the record keeps."""

    verdict = "undecodable"


class Undecodable(MediaRefused):
    """No decoder made a picture of these bytes, or the decoder crashed on them."""

    verdict = "undecodable"


class NoFilmDecoder(Undecodable):
    """A film, where the extra that reads films is not installed."""

    def __init__(self) -> None:
        super().__init__(
            "This is a film, and films are read with PyAV, which is not installed or not whole. "
            "Nothing of the file was read. Install it with: pip install 'strandline[video]'."
        )


class TooLarge(MediaRefused):
    """More bytes, pixels or memory than the limits allow."""

    verdict = "too-large"


class TimedOut(MediaRefused):
    """Decoding took more processor or wall-clock time than the limits allow."""

    verdict = "timed-out"


class VaultError(StrandlineError):
    """Evidence that could not be kept or read."""


class AlreadyStored(VaultError):
    """The key is taken: evidence is written once and never replaced."""


class NotStored(VaultError):
    """Nothing is kept under this key."""


class CannotOpen(VaultError):
    """The identity given does not open what is kept under this key, or it was altered."""


class NoteRefused(StrandlineError):
    """A signed note that is malformed or not signed by a key that is trusted."""


class CheckpointRefused(NoteRefused):
    """A log's signed state that is malformed, stale, or cosigned by too few witnesses."""


class ProofRefused(StrandlineError):
    """A proof of inclusion or consistency that does not hold, or that is about something else."""


class LogDamaged(StrandlineError):
    """Files of a log that are missing or do not hash to its root; nothing is built on them."""


class WitnessRefused(StrandlineError):
    """A witness that could not be reached or did not cosign."""


class ListRefused(StrandlineError):
    """A published list, or a copy of one, that is not applied; the last good one is kept."""


class NotPublished(ListRefused):
    """The publisher answered that there is no such file; whatever failed otherwise is not this."""


class SourceFailed(ListRefused):
    """Where a list is read from gave no answer, or broke off: what was fetched is used again."""


class KeyRefused(StrandlineError):
    """A key, or a statement of who holds which, that is not made, signed or published."""


class FormatRefused(StrandlineError):
    """A file in somebody else's format that is not read, or a row that cannot be written in it.

    The file is refused whole: whatever was read of it before must not be kept.
    """

    def __init__(self, place: str, message: str) -> None:
        super().__init__(f"{place}: {message}" if place else message)
        #: The line or the element that is wrong, e.g. ``line 7`` or ``element 12``; may be empty.
        self.place = place


class IndexDamaged(StrandlineError):
    """An index file that is not as it was written; nothing is answered from it."""

    def __init__(self, section: str, message: str) -> None:
        super().__init__(message)
        #: The part of the file that is damaged: ``header``, ``tail``, ``hashes``, ``band 3`` …
        self.section = section
