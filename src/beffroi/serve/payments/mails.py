"""What families are told by mail: a bill is there, a payment was received. A link, never the content of the bill."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from django.conf import settings
from django.core.mail import EmailMessage
from django.utils import translation
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from beffroi.base.journal.events import RecordedEvent
from beffroi.base.territory import queries as territory_queries
from beffroi.serve.cases.mails import domain_of, page_url
from beffroi.serve.payments import events
from beffroi.serve.payments.billing import number_of
from beffroi.serve.payments.definition import euros
from beffroi.serve.payments.models import Bill, FamilyMember


def tell_family(event: RecordedEvent) -> None:
    """Hear that a bill was sent or paid and tell its family; heard twice, it sends twice the same."""
    key = int(event.subject.partition(":")[2])
    bill = Bill.objects.select_related("register", "family").filter(pk=key).first()
    if bill is None:
        return
    words = _WORDS[event.kind]
    with translation.override(settings.LANGUAGE_CODE):
        subject, body = words(event, bill)
    for address in _addresses(bill):
        message = EmailMessage(subject, body, settings.DEFAULT_FROM_EMAIL, [address])
        message.extra_headers = {
            "Message-ID": f"<event-{event.id}.{bill.pk}@{domain_of(bill.register.territory)}>",
            "Auto-Submitted": "auto-generated",
        }
        message.send()


def _addresses(bill: Bill) -> list[str]:
    """Return the address the family gave, and those of its accounts, once each."""
    found = [bill.family.email] if bill.family.email else []
    for person in FamilyMember.objects.filter(family=bill.family_id).order_by("pk").values_list("person", flat=True):
        try:
            found.append(territory_queries.person(person).email)
        except territory_queries.UnknownPerson:
            continue
    return list(dict.fromkeys(address for address in found if address))


def _issued(event: RecordedEvent, bill: Bill) -> tuple[str, str]:
    subject = _("Votre facture {number}").format(number=number_of(bill))
    told = _("Une facture vous attend, à régler avant le {day}.").format(day=date_format(bill.due_on, "j F Y"))
    if bill.total_cents <= 0:
        told = _("Votre relevé du mois vous attend : il n’y a rien à payer.")
    return subject, _letter(told, bill)


def _paid(event: RecordedEvent, bill: Bill) -> tuple[str, str]:
    subject = _("Paiement reçu, facture {number}").format(number=number_of(bill))
    told = _("Nous avons reçu {amount} pour votre facture {number}.").format(
        amount=euros(int(str(event.payload["cents"]))), number=number_of(bill)
    )
    return subject, _letter(told, bill)


def _letter(told: str, bill: Bill) -> str:
    parts = [told]
    if url := page_url(bill.register.territory, "portal:bill", str(bill.pk)):
        parts.append(_("La lire, la payer, garder le reçu : {url}").format(url=url))
    parts.append(_("Ce message ne demande aucun numéro de carte ; ne le donnez à personne."))
    parts.append(territory_queries.territory(bill.register.territory).name)
    return "\n\n".join(parts) + "\n"


_WORDS: Mapping[str, Callable[[RecordedEvent, Bill], tuple[str, str]]] = {events.ISSUED: _issued, events.PAID: _paid}
KINDS = tuple(_WORDS)
