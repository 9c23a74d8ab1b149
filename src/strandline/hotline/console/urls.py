"""The room's pages on the console."""

from django.urls import path

from strandline.hotline.console.views import (
    address,
    assess,
    audit,
    contacts,
    due_work,
    own,
    people,
    queue,
    session,
)

urlpatterns = [
    path("sign-in", session.sign_in, name="sign-in"),
    path("sign-out", session.sign_out, name="sign-out"),
    path("", queue.queue, name="queue"),
    path("claim", queue.claim_next, name="claim-next"),
    path("addresses/<int:address>", address.address, name="address"),
    path("addresses/<int:address>/claim", queue.claim, name="claim"),
    path(
        "addresses/<int:address>/reports/<slug:reference>/message", address.message, name="message"
    ),
    path("assess/<int:claim>", assess.assess, name="assess"),
    path("assess/<int:claim>/items/<int:item>/<str:style>", assess.rendition, name="rendition"),
    path("contacts/", contacts.contacts, name="contacts"),
    path("people/", people.people, name="people"),
    path("people/<int:person>", people.change_person, name="change-person"),
    path("people/<int:person>/password", people.reset_password, name="reset-password"),
    path("members/", people.members, name="members"),
    path("members/<int:member>/keys", people.add_key, name="add-key"),
    path("keys/<int:key>/revoke", people.revoke_key, name="revoke-key"),
    path("work/", due_work.due_work, name="due-work"),
    path("work/<str:kind>/<int:row>/retry", due_work.retry, name="retry"),
    path("work/mails/<int:mail>", due_work.settle_mail, name="settle-mail"),
    path("audit/", audit.audit, name="audit"),
    path("audit/verify", audit.verify_chain, name="verify-chain"),
    path("me/", own.own_page, name="own-page"),
    path("me/password", own.password, name="password"),
]
