"""Run pytest once for each database and say at the end what was passed, failed and skipped."""

import os
import re
import subprocess
import sys

COUNT = re.compile(r"(\d+) (passed|failed|skipped|errors?)\b")
NO_TESTS = 5


def run(database: str, arguments: list[str]) -> tuple[int, dict[str, int], list[str]]:
    """One pytest run: its exit status, its counts and the tests it skipped."""
    print(f"\n── {database} " + "─" * (76 - len(database)), flush=True)
    # Two processes, since the machines this is meant for have two cores.
    command = [sys.executable, "-m", "pytest", "-q", "-n", "2", "--dist", "loadgroup", *arguments]
    environment = os.environ | {"STRANDLINE_TEST_DATABASE": database}
    counts: dict[str, int] = {}
    skipped = []
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, text=True, errors="replace"
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            print(line, end="", flush=True)
            if line.startswith("SKIPPED"):
                skipped.append(f"{database}: {line.removeprefix('SKIPPED ').strip()}")
            found = {word.rstrip("s"): int(number) for number, word in COUNT.findall(line)}
            if found and re.search(r" in [\d.]+s", line):
                counts = found
    return process.returncode, counts, skipped


def main(arguments: list[str]) -> int:
    """Both databases, then the closing lines."""
    total: dict[str, int] = {}
    skipped: list[str] = []
    statuses = []
    for database in ("sqlite", "postgresql"):
        status, counts, skips = run(database, arguments)
        statuses.append(0 if status == NO_TESTS else status)
        skipped += skips
        for word, number in counts.items():
            total[word] = total.get(word, 0) + number
    print("\nSkipped, and why:" if skipped else "\nNothing was skipped.")
    for line in skipped:
        print(f"  {line}")
    failed = total.get("failed", 0) + total.get("error", 0)
    print(f"{total.get('passed', 0)} passed, {failed} failed, {total.get('skipped', 0)} skipped")
    return max(statuses, key=abs) or (0 if total.get("passed") else NO_TESTS)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
