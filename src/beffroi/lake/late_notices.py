"""Who answers for data that are late is told by a message: once per lateness, whatever the number of days.

A lateness is that of a version: once another has come, being late again is news again. What could not be sent, or had
nobody to receive it, is tried again the next day.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from smtplib import SMTPException
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.mail import EmailMessage
from django.urls import NoReverseMatch, reverse
from django.utils import translation
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from beffroi.base.territory import queries as territories
from beffroi.base.territory.queries import CommuneInfo
from beffroi.lake.models import DatasetOwner
from beffroi.lake.owners import Owner, Owners
from beffroi.lake.rhythms import Rhythm, days_late, rhythm_of
from beffroi.lake.seeing import lake_in_use
from beffroi.lake.store import DatasetRef

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Late:
    """A dataset whose version is older than its rhythm allows, and who is to be told."""

    ref: DatasetRef
    title: str
    rhythm: Rhythm
    version: str
    updated: date
    days: int
    addresses: tuple[str, ...]


def tell_owners(*, at: datetime) -> int:
    """Write to those who answer for late data that they do not know of yet; return how many messages left."""
    sent = 0
    for commune in [*territories.communes(), *territories.groupings()]:
        late = list(_untold(commune, at))
        failed: set[str] = set()
        by_address: dict[str, list[Late]] = defaultdict(list)
        for one in late:
            for address in one.addresses:
                by_address[address].append(one)
        for address, theirs in by_address.items():
            try:
                _message(commune, address, theirs).send()
                sent += 1
            except (SMTPException, OSError):
                logger.exception("late data: message not sent")
                failed.update(one.ref.slug for one in theirs)
        for one in late:
            if one.addresses and one.ref.slug not in failed:
                _note(one, at)
    return sent


def _untold(commune: CommuneInfo, at: datetime) -> Iterator[Late]:
    lake, owners = lake_in_use(), Owners(commune.code, at=at)
    today = at.astimezone(ZoneInfo(commune.timezone)).date()
    told = dict(DatasetOwner.objects.filter(territory=commune.code).values_list("slug", "told"))
    for ref in lake.refs(commune.code):
        force = lake.in_force(ref)
        manifest = lake.manifest(ref, force.version)
        rhythm = rhythm_of(lake, ref, force, manifest)
        days = days_late(rhythm.words, manifest.created_at.date(), today=today)
        if not days or told.get(ref.slug) == force.version:
            continue
        owner = owners.of(ref.slug, access=force.access, declared=str(manifest.definition.get("owner", "")))
        yield Late(
            ref, manifest.title, rhythm, force.version, manifest.created_at.date(), days,
            addresses_of(owner, commune.code, force.access, at),
        )  # fmt: skip


def told_words(rhythm: Rhythm) -> str:
    """Return a rhythm as a reader is told it: one that nobody said is told as deduced."""
    return _("{rhythm}, déduit des versions reçues").format(rhythm=rhythm.words) if rhythm.is_deduced else rhythm.words


def addresses_of(owner: Owner, code: str, access: str, at: datetime) -> tuple[str, ...]:
    """Return the addresses of those who answer and may read the data; the administrators' for an empty service."""
    if owner.person is not None:
        people = [territories.person(owner.person)]
    else:
        people = territories.agents_of(code, owner.service, at=at) if owner.service else []
        people = people or territories.administrators_of(code, at=at)
    return tuple(one.email for one in people if access in territories.viewer_of_person(one.id, at=at).clearances(code))


def _message(commune: CommuneInfo, address: str, late: list[Late]) -> EmailMessage:
    with translation.override(settings.LANGUAGE_CODE):
        subject = ngettext(
            "{town} : un jeu de données en retard", "{town} : {n} jeux de données en retard", len(late)
        ).format(town=commune.name, n=len(late))
        words = [
            _("Vous répondez de ces données. Leur rythme annoncé est dépassé, et le public lit leur date :"),
            "\n".join(_line(one, commune.code) for one in late),
            _("Ce message n’est envoyé qu’une fois par retard."),
            commune.name,
        ]
        message = EmailMessage(subject, "\n\n".join(words) + "\n", settings.DEFAULT_FROM_EMAIL, [address])
    message.extra_headers = {"Auto-Submitted": "auto-generated", "Content-Language": settings.LANGUAGE_CODE}
    return message


def _line(one: Late, code: str) -> str:
    said = ngettext(
        "- {title} ({rhythm}) : dernière version du {day}, en retard d’un jour",
        "- {title} ({rhythm}) : dernière version du {day}, en retard de {n} jours",
        one.days,
    ).format(
        title=one.title,
        rhythm=told_words(one.rhythm),
        day=date_format(one.updated, "j F Y", use_l10n=False),
        n=one.days,
    )
    try:
        path = reverse("portal:dataset", args=[one.ref.territory, one.ref.slug])
    except NoReverseMatch:
        return said
    return f"{said}\n  {settings.ACCOUNT_DEFAULT_HTTP_PROTOCOL}://{territories.domain_of(code)}{path}"


def _note(one: Late, at: datetime) -> None:
    DatasetOwner.objects.update_or_create(
        territory=one.ref.territory,
        slug=one.ref.slug,
        defaults={"told": one.version},
        create_defaults={"told": one.version, "changed_at": at},
    )
