"""Killing a piece of work before each of its steps on the disk."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

_STEPS = {"open", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "shutil.rmtree"}


def killed_before(number: int, directory: Path, work: Callable[[], object]) -> bool:
    """Do ``work`` in a process that dies, without unwinding, before its n-th step in ``directory``.

    Returns False when the work has fewer steps and was done.
    """
    process = os.fork()
    if process == 0:
        taken = 0

        def die(event: str, arguments: tuple[object, ...]) -> None:
            nonlocal taken
            if event in _STEPS and str(arguments[0]).startswith(str(directory)):
                taken += 1
                if taken == number:
                    os._exit(9)

        sys.addaudithook(die)
        try:
            work()
        except BaseException:  # noqa: BLE001 - the child must never return into the test run
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(process, 0)
    code = os.waitstatus_to_exitcode(status)
    assert code in {0, 9}
    return code == 9
