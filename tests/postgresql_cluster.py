"""A private PostgreSQL cluster on a Unix socket, for one test run."""

import os
import pwd
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path


@dataclass
class Cluster:
    directory: Path
    bin: Path
    url: str

    def stop(self) -> None:
        _run(self.bin / "pg_ctl", "-D", self.directory / "data", "-m", "immediate", "stop")
        shutil.rmtree(self.directory, ignore_errors=True)


def start() -> Cluster | None:
    """Start a cluster as a user that is not root; none when PostgreSQL is not installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: int(p.parts[4]))
    if not found:
        return None
    binaries = found[-1]
    directory = Path(tempfile.mkdtemp(prefix="strandline-pg-"))
    directory.chmod(0o755)
    if os.getuid() == 0:
        user = pwd.getpwnam(_user())
        os.chown(directory, user.pw_uid, user.pw_gid)
    data = directory / "data"
    _run(
        binaries / "initdb",
        "-D",
        data,
        "-A",
        "trust",
        "-U",
        "strandline",
        "-E",
        "UTF8",
        "--no-sync",
    )
    settings = (
        f"-k {directory} -c listen_addresses='' -c fsync=off -c synchronous_commit=off "
        "-c full_page_writes=off -c max_connections=60"
    )
    _run(binaries / "pg_ctl", "-D", data, "-w", "-l", directory / "log", "-o", settings, "start")
    _run(binaries / "createdb", "-h", directory, "-U", "strandline", "strandline")
    return Cluster(directory, binaries, f"postgresql://strandline@/strandline?host={directory}")


def _user() -> str:
    for name in ("postgres", "nobody"):
        try:
            pwd.getpwnam(name)
        except KeyError:
            continue
        return name
    raise LookupError("no user but root to run PostgreSQL as")


def _run(*command: object) -> None:
    words = [str(word) for word in command]
    if os.getuid() == 0:
        words = ["runuser", "-u", _user(), "--", *words]
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL, cwd="/")
