"""Who may do what: one table, read by every page and every call."""

from enum import StrEnum

from django.db import models


class Role(models.TextChoices):
    """What a person or a key is here for. Each has one."""

    ANALYST = "analyst", "Analyst"
    SENIOR_ANALYST = "senior-analyst", "Senior analyst"
    MANAGER = "manager", "Manager"
    CUSTODIAN = "custodian", "Custodian"
    ADMINISTRATOR = "administrator", "Administrator"
    MEMBER = "member", "Member: may hold the list"
    LOOK_UP = "look-up", "Look-up only"


class Permission(StrEnum):
    """One thing a person can be allowed to do."""

    SEE_QUEUE = "see the queue and an address's record"
    ASSESS = "claim an address and assess what it shows"
    SETTLE_DISAGREEMENT = "assess as the third, where two disagree"
    READ_NOTE = "read a reporter's message"
    OPEN_CONTACT = "open a reporter's contact, with a reason"
    SEE_FIGURES = "see the figures"
    MANAGE_WORK = "see due work and settle what keeps failing"
    PUBLISH = "publish an edition of the list now"
    SEE_AUDIT = "read the audit chain"
    MANAGE_PEOPLE = "add people and keys, change their roles"
    SEE_OWN_PAGE = "see one's own exposure and password page"
    READ_LIST = "receive the hash list"
    ASK_MATCHES = "ask the match service"
    MANAGE_MATCHES = "see the use of the match service, settle its alarms"
    GIVE_FEEDBACK = "confirm or dispute entries, say which edition is held"
    REVIEW_ENTRIES = "review contested entries and the list of innocent pictures"
    SETTLE_FLOODS = "settle floods of disputes, quarantine what one source brought"
    SEE_HOLDERS = "see which members still hold what was withdrawn"
    SET_SCOPES = "set what a member may receive"
    EXCHANGE = "take in lists of others, and take them back"


#: Of keys; people have the others.
KEY_ROLES = (Role.MEMBER, Role.LOOK_UP)

P = Permission

#: The whole of the rules. A role may do what stands here and nothing else.
PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.ANALYST: frozenset({P.SEE_QUEUE, P.ASSESS, P.READ_NOTE, P.SEE_OWN_PAGE}),
    Role.SENIOR_ANALYST: frozenset(
        {
            P.SEE_QUEUE,
            P.ASSESS,
            P.SETTLE_DISAGREEMENT,
            P.READ_NOTE,
            P.REVIEW_ENTRIES,
            P.SEE_OWN_PAGE,
        }
    ),
    Role.MANAGER: frozenset(
        {
            P.SEE_QUEUE,
            P.SEE_FIGURES,
            P.MANAGE_WORK,
            P.PUBLISH,
            P.EXCHANGE,
            P.MANAGE_MATCHES,
            P.REVIEW_ENTRIES,
            P.SETTLE_FLOODS,
            P.SEE_HOLDERS,
            P.SEE_AUDIT,
            P.SEE_OWN_PAGE,
        }
    ),
    Role.CUSTODIAN: frozenset({P.OPEN_CONTACT, P.SEE_AUDIT, P.SEE_OWN_PAGE}),
    Role.ADMINISTRATOR: frozenset({P.MANAGE_PEOPLE, P.SET_SCOPES, P.SEE_AUDIT, P.SEE_OWN_PAGE}),
    Role.MEMBER: frozenset({P.READ_LIST, P.ASK_MATCHES, P.GIVE_FEEDBACK}),
    Role.LOOK_UP: frozenset({P.ASK_MATCHES}),
}


def allowed(role: str, permission: Permission) -> bool:
    """Whether ``role`` carries ``permission``; an unknown role carries none."""
    return role in Role.values and permission in PERMISSIONS[Role(role)]
