"""Every error the engine raises on purpose.

::

    StrandlineError
    ├── AddressRefused        an address that is not fetched, and why        (fetching)
    ├── LookupFailed          the resolver gave no usable answer             (fetching)
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
    ├── ListRefused           a published list that is not applied           (lists)
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


class ListRefused(StrandlineError):
    """A published list, or a copy of one, that is not applied; the last good one is kept."""


class IndexDamaged(StrandlineError):
    """An index file that is not as it was written; nothing is answered from it."""

    def __init__(self, section: str, message: str) -> None:
        super().__init__(message)
        #: The part of the file that is damaged: ``header``, ``tail``, ``hashes``, ``band 3`` …
        self.section = section
