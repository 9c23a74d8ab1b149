"""What a member may have of the list, as whoever registers here says.

The room above that keeps what each member was granted registers a function in its
``AppConfig.ready``; whoever serves the list or answers matches asks :func:`scope_of`.
"""

from collections.abc import Callable

from strandline.hotline.accounts.models import Member
from strandline.lists.published.classes import Scope

#: Gives a member's scope; none when it has nothing to say of that member.
Provider = Callable[[Member], Scope | None]

PROVIDERS: list[Provider] = []


def scope_of(member: Member) -> Scope:
    """The member's scope; the whole list until an administrator narrows it."""
    for provider in PROVIDERS:
        scope = provider(member)
        if scope is not None:
            return scope
    return Scope()
