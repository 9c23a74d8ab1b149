"""Who watches the demo's list: two witnesses, and a hotline of another country that certifies.

Their keys lie below the demo's own folder, each in a folder of its own, as if it were elsewhere.
"""

import json
import socket
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from strandline.lists.trust.policy import Hotline
from strandline.transparency import CosignatureSigner, Signer

WITNESSES = ("witness-1.example", "witness-2.example")
#: The other hotline, and its country.
OTHER = "other-hotline.example"
OTHER_COUNTRY = "de"
#: Hours after which members doubt that they are told everything. Long, so that weeks pass quickly.
FRESH_HOURS = 24 * 14


@dataclass(frozen=True)
class Watchers:
    """Witnesses and the other hotline, below ``directory``."""

    directory: Path

    @cached_property
    def ports(self) -> dict[str, int]:
        """Where each witness listens; chosen once and kept."""
        kept = self.directory / "witnesses.json"
        if not kept.exists():
            sockets = {name: socket.create_server(("127.0.0.1", 0)) for name in WITNESSES}
            ports = {name: each.getsockname()[1] for name, each in sockets.items()}
            for each in sockets.values():
                each.close()
            self.directory.mkdir(parents=True, exist_ok=True)
            kept.write_text(json.dumps(ports))
        return {str(name): int(port) for name, port in json.loads(kept.read_text()).items()}

    @property
    def addresses(self) -> str:
        """The setting ``STRANDLINE_WITNESSES``."""
        return ",".join(f"{name}=http://127.0.0.1:{port}" for name, port in self.ports.items())

    def folder(self, name: str) -> Path:
        """The folder of a witness or of the other hotline."""
        return self.directory / name

    def witness_keys(self) -> tuple[str, ...]:
        """The witnesses' public keys; made at the first call."""
        return tuple(self._witness_key(name) for name in WITNESSES)

    @property
    def other_key(self) -> Path:
        """The file of the other hotline's private key."""
        return self.folder(OTHER) / "key"

    def other_hotline(self) -> Hotline:
        """The other hotline as the policy names it; its key is made at the first call."""
        if not self.other_key.exists():
            self.other_key.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            Signer.generate(OTHER).save(self.other_key)
        return Hotline(OTHER, OTHER_COUNTRY, Signer.load(self.other_key).vkey)

    def _witness_key(self, name: str) -> str:
        path = self.folder(name) / "key"
        if not path.exists():
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            CosignatureSigner.generate(name).save(path)
        return CosignatureSigner.load(path).vkey
