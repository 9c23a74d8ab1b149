"""The administrator's pages: people, member organisations and their keys."""

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST

from strandline.hotline import clock
from strandline.hotline.accounts import passwords, services
from strandline.hotline.accounts.access import StaffRequest, allow
from strandline.hotline.accounts.models import ApiKey, Member, Person
from strandline.hotline.accounts.roles import KEY_ROLES, Permission, Role
from strandline.hotline.console.typed import typed

#: Roles people have; the others are for keys.
STAFF_ROLES = [(role.value, role.label) for role in Role if role not in KEY_ROLES]
LONGEST_NAME = 120


@allow(Permission.MANAGE_PEOPLE)
@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_variables("password")
def people(request: StaffRequest) -> HttpResponse:
    """Everybody who works here, and the form that adds somebody."""
    if request.method != "POST":
        return _people(request)
    given = {name: typed(request.POST, name) for name in ("email", "name", "role")}
    if faults := _faults(given):
        return _people(request, typed=given, faults=faults, status=422)
    password = passwords.new_password()
    added = services.add_person(
        email=given["email"],
        name=given["name"],
        role=Role(given["role"]),
        password=password,
        by=request.user.actor,
        now=clock.now(),
    )
    return _people(request, added=added, password=password)


@allow(Permission.MANAGE_PEOPLE)
@require_POST
def change_person(request: StaffRequest, person: int) -> HttpResponse:
    """Change somebody's role, or end or restore their access."""
    found = Person.objects.filter(pk=person).first()
    if found is None:
        raise Http404
    role = request.POST.get("role", "")
    if role not in dict(STAFF_ROLES):
        return _people(request, notice="Choose one of the roles. Nothing was changed.", status=422)
    if found.pk == request.user.pk:
        # Else the last administrator could lock everybody out by one click.
        notice = "Ask another administrator to change your own role or access."
        return _people(request, notice=notice, status=422)
    services.change_person(
        found,
        role=Role(role),
        is_active=request.POST.get("active") == "yes",
        by=request.user.actor,
        now=clock.now(),
    )
    return redirect("people")


@allow(Permission.MANAGE_PEOPLE)
@require_POST
@sensitive_variables("password")
def reset_password(request: StaffRequest, person: int) -> HttpResponse:
    """Another password for somebody who forgot theirs: on this page once, and never again."""
    found = Person.objects.filter(pk=person).first()
    if found is None:
        raise Http404
    if found.pk == request.user.pk:
        notice = "Change your own password on your own page."
        return _people(request, notice=notice, status=422)
    password = passwords.reset_password(found, by=request.user.actor, now=clock.now())
    return _people(request, reset=found, password=password)


@allow(Permission.MANAGE_PEOPLE)
@require_http_methods(["GET", "HEAD", "POST"])
def members(request: StaffRequest) -> HttpResponse:
    """Organisations that receive the list, and the form that adds one."""
    if request.method != "POST":
        return _members(request)
    name = " ".join(typed(request.POST, "name").split())
    fault = ""
    if not 0 < len(name) <= LONGEST_NAME:
        fault = f"A name of 1 to {LONGEST_NAME} characters, please."
    elif Member.objects.filter(name__iexact=name).exists():
        fault = "There is a member of this name."
    if fault:
        return _members(request, typed=name, fault=fault, status=422)
    services.add_member(name=name, by=request.user.actor, now=clock.now())
    return redirect("members")


@allow(Permission.MANAGE_PEOPLE)
@require_POST
@sensitive_variables("key")
def add_key(request: StaffRequest, member: int) -> HttpResponse:
    """A new key for a member: on this page once, and never again."""
    found = Member.objects.filter(pk=member, is_active=True).first()
    if found is None:
        raise Http404
    role = Role.LOOK_UP if request.POST.get("role") == Role.LOOK_UP else Role.MEMBER
    key = services.add_key(found, role=role, by=request.user.actor, now=clock.now())
    return _members(request, key=key, key_of=found)


@allow(Permission.MANAGE_PEOPLE)
@require_POST
def revoke_key(request: StaffRequest, key: int) -> HttpResponse:
    """End a key."""
    found = ApiKey.objects.select_related("member").filter(pk=key, revoked_at=None).first()
    if found is not None:
        services.revoke_key(found, by=request.user.actor, now=clock.now())
    return redirect("members")


def _faults(given: dict[str, str]) -> dict[str, str]:
    faults = {}
    try:
        validate_email(given["email"])
    except ValidationError:
        faults["email"] = "This is no e-mail address."
    if Person.objects.filter(email__iexact=given["email"]).exists():
        faults["email"] = "Somebody here has this e-mail address."
    if not 0 < len(given["name"]) <= LONGEST_NAME:
        faults["name"] = f"A name of 1 to {LONGEST_NAME} characters, please."
    if given["role"] not in dict(STAFF_ROLES):
        faults["role"] = "Choose one of the roles."
    return faults


def _people(request: StaffRequest, status: int = 200, **more: object) -> HttpResponse:
    context = {"people": Person.objects.order_by("-is_active", "name"), "roles": STAFF_ROLES}
    return render(request, "console/people.html", {"faults": {}, **context, **more}, status=status)


def _members(request: StaffRequest, status: int = 200, **more: object) -> HttpResponse:
    members = Member.objects.prefetch_related("keys").order_by("name")
    return render(request, "console/members.html", {"members": members, **more}, status=status)
