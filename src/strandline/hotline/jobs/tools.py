"""The engine's instruments, as one worker holds them: made when first needed, closed at its end."""

import dataclasses
from contextlib import ExitStack
from functools import cached_property
from types import TracebackType
from typing import Self

from strandline.fetching import Fetcher, FetchPolicy
from strandline.hashing import Examiner
from strandline.hashing.film import FILM_LIMITS
from strandline.hotline.config import Config
from strandline.media import Limits
from strandline.vault import Vault

#: What servers call films; of the last, which is said of anything, only films are looked at.
FILM_TYPES = (
    *("video/*", "application/mp4", "application/ogg", "application/x-matroska"),
    *("application/vnd.ms-asf", "application/octet-stream"),
)


class Tools:
    """What handlers reach the outside with."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self._open = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._open.close()

    @cached_property
    def fetcher(self) -> Fetcher:
        """Fetches reported addresses, never inward ones."""
        web = self.config.web
        return self._open.enter_context(
            Fetcher(
                FetchPolicy(
                    seconds=web.seconds,
                    max_bytes=web.max_bytes,
                    content_types=(*FetchPolicy.content_types, *FILM_TYPES),
                    large_types=FILM_TYPES,
                    large_bytes=web.film_max_bytes,
                    large_seconds=web.film_seconds,
                    allow_networks=web.allow_networks,
                    nameservers=web.nameservers,
                )
            )
        )

    @cached_property
    def registries(self) -> Fetcher:
        """Asks registries and resolvers who answers for an address: JSON and names only."""
        web = self.config.web
        return self._open.enter_context(
            Fetcher(
                FetchPolicy(
                    seconds=min(web.seconds, 10.0),
                    content_types=("application/rdap+json", "application/json"),
                    allow_networks=web.allow_networks,
                    nameservers=web.nameservers,
                )
            )
        )

    @cached_property
    def examiner(self) -> Examiner:
        """Decodes hostile bytes in its sandboxed worker."""
        return self._open.enter_context(Examiner())

    @cached_property
    def film_limits(self) -> Limits:
        """Of each of the two passes over a captured film, both of which a lease has room for."""
        return dataclasses.replace(
            FILM_LIMITS,
            file_bytes=max(self.config.web.film_max_bytes, self.config.web.max_bytes),
            seconds=self.config.web.film_minutes * 60,
            cpu_seconds=60.0,
            wall_seconds=60.0,
        )

    @cached_property
    def evidence(self) -> Vault:
        """Original bytes: sealed to the evidence key, which no web process holds."""
        return Vault(self.config.vault, recipients=[self.config.recipient("evidence-identity")])

    @cached_property
    def renditions(self) -> Vault:
        """Degraded renditions: sealed to the key the console holds."""
        return Vault(self.config.vault, recipients=[self.config.recipient("rendition-identity")])
