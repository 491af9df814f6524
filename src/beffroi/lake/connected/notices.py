"""Who answers for a connected source is told by a message when it fails, once per failing spell, and when it mends."""

from __future__ import annotations

import logging
from smtplib import SMTPException

from django.conf import settings
from django.core.mail import EmailMessage
from django.urls import NoReverseMatch, reverse
from django.utils import translation
from django.utils.translation import gettext as _

from beffroi.base.kernel.sentences import Sentence
from beffroi.base.territory import queries as territories
from beffroi.lake.connected.rows import access_of
from beffroi.lake.late_notices import addresses_of
from beffroi.lake.models import ConnectedSource, SourceRun
from beffroi.lake.owners import Owners

logger = logging.getLogger(__name__)


def tell(row: ConnectedSource, run: SourceRun) -> bool:
    """Write what is news of a turn; return whether who answers now knows that the source fails.

    What could not be sent, or had nobody to receive it, is tried again at the next turn.
    """
    failed = run.outcome == "failed"
    if failed == row.told:
        return row.told
    access = access_of(row)
    owner = Owners(row.territory, at=run.at).of(row.slug, access=access, declared=str(row.payload.get("owner", "")))
    addresses = addresses_of(owner, row.territory, access, run.at)
    try:
        for address in addresses:
            _message(row, run, address).send()
    except (SMTPException, OSError):
        logger.exception("connected source: message not sent")
        return row.told
    return failed and bool(addresses)


def _message(row: ConnectedSource, run: SourceRun, address: str) -> EmailMessage:
    title = str(row.payload.get("title") or row.slug)
    with translation.override(settings.LANGUAGE_CODE):
        town = territories.commune(row.territory).name
        if run.outcome == "failed":
            subject = _("{town} : une source de données ne répond plus").format(town=town)
            words = [
                _("Vous répondez de « {title} ». Sa source n’a rien apporté : {fault}").format(
                    title=title, fault=Sentence.from_json(run.reason) if run.reason else ""
                ),
                _(
                    "Ce qui est en service reste servi. Elle sera demandée de nouveau la nuit prochaine, puis plus "
                    "rarement. Ce message n’est envoyé qu’une fois par panne ; un autre dira qu’elle est finie."
                ),
            ]
        else:
            subject = _("{town} : une source de données répond de nouveau").format(town=town)
            words = [_("La source de « {title} », dont vous répondez, répond de nouveau.").format(title=title)]
        words.append(_page(row))
        message = EmailMessage(subject, "\n\n".join(filter(None, words)) + "\n", settings.DEFAULT_FROM_EMAIL, [address])
    message.extra_headers = {"Auto-Submitted": "auto-generated", "Content-Language": settings.LANGUAGE_CODE}
    return message


def _page(row: ConnectedSource) -> str:
    try:
        path = reverse("backoffice:source", args=[row.pk])
    except NoReverseMatch:
        return ""
    return f"{settings.ACCOUNT_DEFAULT_HTTP_PROTOCOL}://{territories.domain_of(row.territory)}{path}"
