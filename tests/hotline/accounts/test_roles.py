"""Who may do what, as one table that can be read at a glance and is meant to be argued with."""

import pytest

from strandline.hotline.accounts.roles import PERMISSIONS, Permission, Role, allowed
from strandline.hotline.accounts.services import add_person, change_person
from strandline.hotline.audit.models import AuditEntry

#: A column a role, in this order; 'x' may.
ROLES = [
    Role.ANALYST,
    Role.SENIOR_ANALYST,
    Role.MANAGER,
    Role.CUSTODIAN,
    Role.ADMINISTRATOR,
    Role.MEMBER,
    Role.LOOK_UP,
]
TABLE = {
    #                              analyst
    #                              | senior analyst
    #                              | | manager
    #                              | | | custodian
    #                              | | | | administrator
    #                              | | | | | member
    #                              | | | | | | look-up
    Permission.SEE_QUEUE: "         x x x . . . .",
    Permission.ASSESS: "            x x . . . . .",
    Permission.SETTLE_DISAGREEMENT: ". x . . . . .",
    Permission.READ_NOTE: "         x x . . . . .",
    Permission.OPEN_CONTACT: "      . . . x . . .",
    Permission.SEE_FIGURES: "       . . x . . . .",
    Permission.MANAGE_WORK: "       . . x . . . .",
    Permission.PUBLISH: "           . . x . . . .",
    Permission.SEE_AUDIT: "         . . x x x . .",
    Permission.MANAGE_PEOPLE: "     . . . . x . .",
    Permission.SEE_OWN_PAGE: "      x x x x x . .",
    Permission.READ_LIST: "         . . . . . x .",
    Permission.ASK_MATCHES: "       . . . . . x x",
    Permission.MANAGE_MATCHES: "    . . x . . . .",
    Permission.GIVE_FEEDBACK: "     . . . . . x .",
    Permission.REVIEW_ENTRIES: "    . x x . . . .",
    Permission.SETTLE_FLOODS: "     . . x . . . .",
    Permission.SEE_HOLDERS: "       . . x . . . .",
    Permission.SET_SCOPES: "        . . . . x . .",
    Permission.EXCHANGE: "          . . x . . . .",
}


def test_the_table_covers_every_permission_and_role():
    assert set(TABLE) == set(Permission)
    assert set(ROLES) == set(Role) == set(PERMISSIONS)


@pytest.mark.parametrize("permission", Permission, ids=lambda permission: permission.name)
@pytest.mark.parametrize("role", ROLES, ids=str)
def test_a_role_may_do_what_the_table_says_and_nothing_else(role, permission):
    wanted = TABLE[permission].split()[ROLES.index(role)] == "x"
    assert allowed(role.value, permission) is wanted


@pytest.mark.parametrize("role", ["", "root", "Analyst", "ANALYST", "superuser"])
def test_an_unknown_role_may_do_nothing(role):
    assert not any(allowed(role, permission) for permission in Permission)


def test_nobody_both_assesses_and_opens_contacts_or_publishes():
    for role, permissions in PERMISSIONS.items():
        assert not {Permission.ASSESS, Permission.OPEN_CONTACT} <= permissions, role
        assert not {Permission.ASSESS, Permission.PUBLISH} <= permissions, role
        assert not {Permission.MANAGE_PEOPLE, Permission.ASSESS} <= permissions, role


@pytest.mark.django_db
def test_somebody_inactive_may_do_nothing_at_once(person, now):
    somebody = person(Role.MANAGER)
    assert somebody.may(Permission.PUBLISH)
    change_person(somebody, role=Role.MANAGER, is_active=False, by="person:1", now=now)
    assert not any(somebody.may(permission) for permission in Permission)


@pytest.mark.django_db
def test_a_change_of_role_counts_at_the_next_request(face, person, sign_in, now):
    somebody = person(Role.MANAGER)
    client = sign_in(face("console"), somebody)
    assert client.get("/list/").status_code == 200
    change_person(somebody, role=Role.ANALYST, is_active=True, by="person:1", now=now)
    assert client.get("/list/").status_code == 403
    change_person(somebody, role=Role.MANAGER, is_active=False, by="person:1", now=now)
    answer = client.get("/list/")
    assert (answer.status_code, answer["Location"].split("?")[0][-7:]) != (200, "")
    assert answer.status_code == 302


@pytest.mark.django_db
def test_who_gave_whom_which_role_is_in_the_chain(now):
    somebody = add_person(
        email="a@hotline.example", name="A", role=Role.ANALYST, password=None, by="x", now=now
    )
    change_person(somebody, role=Role.MANAGER, is_active=True, by="person:9", now=now)
    entries = AuditEntry.objects.filter(subject=somebody.actor)
    assert [(e.actor, e.detail["role"]) for e in entries] == [
        ("x", "analyst"),
        ("person:9", "manager"),
    ]
