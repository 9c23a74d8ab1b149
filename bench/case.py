"""One measured case: ours, the named peer's in the same run, and the limit nobody can pass."""

from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Case:
    """``ours``, ``peer_value`` and ``limit`` in ``unit``; smaller is better."""

    case: str
    ours: float
    unit: str
    peer: str | None = None
    peer_value: float | None = None
    limit: float | None = None

    @property
    def ratio(self) -> float | None:
        """How many times faster than the peer."""
        return None if self.peer_value is None else self.peer_value / self.ours

    @property
    def limit_ratio(self) -> float | None:
        """How many times the limit we take."""
        return None if self.limit is None else self.ours / self.limit

    def as_json(self) -> dict[str, object]:
        """The object ``--json`` prints."""
        found = {**asdict(self), "ratio": self.ratio, "limit_ratio": self.limit_ratio}
        return {k: float(f"{v:.4g}") if isinstance(v, float) else v for k, v in found.items()}
