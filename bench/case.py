"""One measured case: ours, the named peer's in the same run, and the limit nobody can pass."""

from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Case:
    """``ours``, ``peer_value`` and ``limit`` in ``unit``; smaller is better.

    ``ours`` is None where only the peer could be measured, ``peer_value`` where the peer could not.
    """

    case: str
    ours: float | None
    unit: str
    peer: str | None = None
    peer_value: float | None = None
    limit: float | None = None
    #: What the limit is: "memory bandwidth", "the bare JPEG decode".
    limit_is: str | None = None
    #: The ratio to the peer that the project promises.
    at_least: float | None = None
    #: The value of ``ours`` that the project promises not to exceed.
    at_most: float | None = None
    #: What a reader must know: a sample that was extrapolated, other peers' values.
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """How many times faster than the peer."""
        if self.peer_value is None or not self.ours:
            return None
        return self.peer_value / self.ours

    @property
    def limit_ratio(self) -> float | None:
        """How many times the limit we take."""
        return self.ours / self.limit if self.limit and self.ours is not None else None

    @property
    def met(self) -> bool | None:
        """Whether every promise holds; None where there is none, or nothing to hold it against."""
        kept = []
        if self.at_least is not None and self.ratio is not None:
            kept.append(self.ratio >= self.at_least)
        if self.at_most is not None and self.ours is not None:
            kept.append(self.ours <= self.at_most)
        return all(kept) if kept else None

    def as_json(self) -> dict[str, object]:
        """The object ``--json`` prints."""
        found = {
            **asdict(self),
            "ratio": self.ratio,
            "limit_ratio": self.limit_ratio,
            "met": self.met,
        }
        return {k: float(f"{v:.4g}") if isinstance(v, float) else v for k, v in found.items()}
