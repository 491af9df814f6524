"""What is written about a claim: the code, to the address already known; the answer, to who asked."""

from __future__ import annotations

from django.conf import settings
from django.core.mail import EmailMessage
from django.utils import translation
from django.utils.translation import gettext as _

from beffroi.base.journal.events import RecordedEvent
from beffroi.base.territory import queries as territory_queries
from beffroi.serve.cases.mails import domain_of, page_url
from beffroi.serve.offers import events
from beffroi.serve.offers.claims import CODE_HOURS, MAIL, code_of
from beffroi.serve.offers.engine import claims_rules
from beffroi.serve.offers.known_addresses import known_address
from beffroi.serve.offers.models import ACCEPTED, WAITING, Claim

KINDS = (events.CLAIMED, events.CLAIM_DECIDED)


def tell(event: RecordedEvent) -> None:
    """Hear of a claim and write what it is time to write; heard twice, it writes twice the same."""
    row = Claim.objects.filter(pk=int(event.subject.partition(":")[2])).first()
    if row is None:
        return
    with translation.override(settings.LANGUAGE_CODE):
        if event.kind == events.CLAIMED:
            address, subject, parts = _code(row)
        else:
            address, subject, parts = _answer(row, event)
        if not address:
            return
        body = "\n\n".join([*parts, territory_queries.territory(row.territory).name]) + "\n"
        message = EmailMessage(subject, body, settings.DEFAULT_FROM_EMAIL, [address])
    message.extra_headers = {
        "Message-ID": f"<event-{event.id}.{row.pk}@{domain_of(row.territory)}>",
        "Auto-Submitted": "auto-generated",
    }
    message.send()


def _code(row: Claim) -> tuple[str, str, list[str]]:
    rules = claims_rules(row.territory, row.use_case)
    # Another was asked for since, or it was read back: this one says nothing any more.
    if rules is None or row.how != MAIL or row.state != WAITING:
        return "", "", []
    told = [
        _("Quelqu’un demande à tenir la fiche « {title} » de l’annuaire de la commune.").format(title=row.title),
        _("Si c’est vous, ou quelqu’un des vôtres, voici le code à recopier : {code}. Il vaut {hours} heures.").format(
            code=code_of(row.pk, row.nonce), hours=CODE_HOURS
        ),
        _("Sinon, ne le donnez à personne : sans lui, rien ne change."),
    ]
    return known_address(row.territory, row.slug, row.sheet, rules), _("Votre fiche d’annuaire : un code"), told


def _answer(row: Claim, event: RecordedEvent) -> tuple[str, str, list[str]]:
    try:
        address = territory_queries.person(row.person_id).email
    except territory_queries.UnknownPerson:
        return "", "", []
    if event.payload["how"] == ACCEPTED:
        told = [_("La fiche « {title} » est désormais tenue par vous.").format(title=row.title)]
    else:
        told = [_("Vous ne pouvez pas tenir la fiche « {title} ».").format(title=row.title), row.reason]
    url = page_url(row.territory, "portal:claim", row.use_case, row.slug, row.sheet)
    return address, _("Votre fiche d’annuaire"), [*(one for one in told if one), *([url] if url else [])]
