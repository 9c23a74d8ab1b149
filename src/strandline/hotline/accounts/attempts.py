"""Wrong passwords: counted, written down, and each costing a wait after the first few."""

from datetime import datetime, timedelta

from strandline.hotline.accounts.models import Person
from strandline.hotline.audit import chain

#: Wrong passwords allowed before each further one costs a wait.
FREE_ATTEMPTS = 5
#: The longest wait after a wrong password. Short, for whoever knows an e-mail address can make its
#: owner wait; still no more than twelve guesses an hour.
LONGEST_WAIT = timedelta(minutes=5)


def is_waiting(person: Person, now: datetime) -> bool:
    """Whether ``person`` waits after wrong passwords; not even the right one counts then."""
    return person.locked_until is not None and person.locked_until > now


def count_wrong(person: Person, *, action: str, actor: str, now: datetime) -> None:
    """Count one wrong password and write it down as ``action``, in the caller's transaction."""
    person.failed_sign_ins += 1
    if person.failed_sign_ins >= FREE_ATTEMPTS:
        doublings = min(person.failed_sign_ins - FREE_ATTEMPTS, 10)
        person.locked_until = now + min(timedelta(minutes=2**doublings), LONGEST_WAIT)
    person.save(update_fields=["failed_sign_ins", "locked_until"])
    chain.record(
        at=now,
        actor=actor,
        action=action,
        subject=person.actor,
        detail={"failed": person.failed_sign_ins},
    )


def forget_wrong(person: Person) -> None:
    """Begin to count anew; the caller saves ``failed_sign_ins`` and ``locked_until``."""
    person.failed_sign_ins = 0
    person.locked_until = None
