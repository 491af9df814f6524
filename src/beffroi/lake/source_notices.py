"""Who answers for data whose source fails is told by a message: once per failure, until the source answers again.

What could not be sent, or had nobody to receive it, is tried at the next failing turn.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime
from smtplib import SMTPException

from django.conf import settings
from django.core.mail import EmailMessage
from django.utils import translation
from django.utils.translation import gettext as _

from beffroi.base.territory import queries as territories
from beffroi.lake.definitions import Definition
from beffroi.lake.late_notices import addresses_of
from beffroi.lake.owners import Owners
from beffroi.lake.scheduled import AskedSource
from beffroi.lake.seeing import lake_in_use
from beffroi.lake.store import DatasetNotFound, DatasetRef

logger = logging.getLogger(__name__)


def tell_failures(
    territory: str, asked: Sequence[AskedSource], definitions: Sequence[Definition], *, at: datetime
) -> list[str]:
    """Write to those who answer for the sources that fail and were not told; return the slugs they now know of."""
    untold = [one for one in asked if one.fault and not one.absent and not one.told]
    owners, told = Owners(territory, at=at), []
    for one in untold:
        access, declared = _rights(DatasetRef(territory, one.slug), definitions)
        addresses = addresses_of(owners.of(one.slug, access=access, declared=declared), territory, access, at)
        try:
            for address in addresses:
                _message(territory, one, address).send()
        except (SMTPException, OSError):
            logger.exception("failing source: message not sent")
            continue
        told += [one.slug] if addresses else []
    return told


def _rights(ref: DatasetRef, definitions: Sequence[Definition]) -> tuple[str, str]:
    """Return who may read a dataset and the service its file names: as it is, else as its file says it will be."""
    said = next(one for one in definitions if one.slug == ref.slug)
    try:
        return lake_in_use().in_force(ref).access, said.owner
    except DatasetNotFound:
        return said.access, said.owner


def _message(territory: str, one: AskedSource, address: str) -> EmailMessage:
    with translation.override(settings.LANGUAGE_CODE):
        subject = _("{town} : une source de données ne répond plus").format(town=territories.commune(territory).name)
        words = [
            _("Vous répondez de « {title} ». Sa source n’a rien apporté : {fault}").format(
                title=one.title, fault=one.fault
            ),
            _("Adresse demandée : {url}").format(url=one.url),
            _(
                "Ce qui est en service reste servi. Elle sera demandée de nouveau chaque nuit ; vérifiez l’adresse, ou "
                "demandez-la maintenant dans « Données à surveiller ». Ce message n’est envoyé qu’une fois par panne."
            ),
        ]
        message = EmailMessage(subject, "\n\n".join(words) + "\n", settings.DEFAULT_FROM_EMAIL, [address])
    message.extra_headers = {"Auto-Submitted": "auto-generated", "Content-Language": settings.LANGUAGE_CODE}
    return message
