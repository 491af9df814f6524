"""What can be done with a thing on offer. Every change and its event are one transaction; see docs/rooms/offers.md."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet

from beffroi.base.journal.operations import record
from beffroi.base.kernel.errors import Refused
from beffroi.base.territory.viewer import AGENTS, Viewer
from beffroi.serve.cases.definition import Upload
from beffroi.serve.cases.operations import prepare_files
from beffroi.serve.cases.words import clean_text
from beffroi.serve.offers import events
from beffroi.serve.offers.definition import FLAGS_TO_HIDE, MOST_HELD, BadOffer, OfferHeld, OfferNotFound, blurred
from beffroi.serve.offers.engine import OffersSettings, rules_of
from beffroi.serve.offers.models import OPEN, REMOVED, TAKEN, WITHDRAWN, Flag, Offer
from beffroi.serve.offers.queries import available

MOST_A_DAY = 10
# An address, a telephone, a link: what is public here must lead to nobody.
_CONTACT = re.compile(r"[\w.+-]+@[\w-]+\.\w|https?://|www\.|(?:\+33|0033|\b0)[ .\-]?[1-9](?:[ .\-]?\d{2}){4}\b")


def offer_thing(
    viewer: Viewer,
    territory: str,
    *,
    title: str,
    pickup: str,
    lon: float,
    lat: float,
    at: datetime,
    days: int,
    description: str = "",
    street: str = "",
    photos: Sequence[Upload] = (),
) -> int:
    """Put a thing on offer, seen at once on the map, and return its number; the same thing twice is one offer.

    Args:
        pickup: where and when to take it, told only to the one who reserves it.
        lon, lat: where it is (CRS84 degrees); only the middle of its 50 m square is kept.
        photos: one at most, drawn anew without its metadata.

    Raises:
        Refused: the viewer has no account.
        BadOffer: no such offers in this town, a contact in what is public, too many things, or too long.
        BadCase: a text or the photo cannot be kept.
    """
    person = _person(viewer)
    rules = rules_of(territory)
    if rules is None:
        raise BadOffer("la commune n’a pas ouvert ce service", remedy="déposez l’objet à la déchetterie")
    title = _public(title, where="title", limit=80, required=True)
    description = _public(description, where="description", limit=600)
    pickup = clean_text(pickup, where="pickup", limit=300, required=True)
    if not 1 <= days <= rules.days:
        raise BadOffer("une offre dure de 1 à {most} jours", where="days", remedy="choisissez une durée",
                       most=rules.days)  # fmt: skip
    mine = Offer.objects.filter(territory=territory, giver=person)
    same = mine.filter(state=OPEN, until__gt=at, title=title).order_by("pk").first()
    if same is not None:
        return int(same.pk)
    _check_number(mine, rules, at)
    (kept, *_others) = prepare_files(photos[:1]) or (None,)
    point = blurred(lon, lat)
    with transaction.atomic():
        row = Offer.objects.create(
            territory=territory, giver_id=person, title=title, description=description, pickup=pickup,
            photo=kept.digest if kept else "", thumbnail=kept.thumbnail if kept else "",
            lon=point[0], lat=point[1], street=street.strip()[:120], made_at=at, until=at + timedelta(days=days),
        )  # fmt: skip
        _tell(events.MADE, row, person, at, {"until": row.until.isoformat()}, new=True)
    return int(row.pk)


def _check_number(mine: QuerySet[Offer], rules: OffersSettings, at: datetime) -> None:
    rows = mine.order_by("pk")
    if rows.filter(state=OPEN, until__gt=at).count() >= rules.most:
        raise BadOffer("vous avez déjà {most} objets en cours", where="title",
                       remedy="retirez ou donnez-en un avant d’en proposer un autre", most=rules.most)  # fmt: skip
    if rows.filter(made_at__gt=at - timedelta(days=1)).count() >= MOST_A_DAY:
        raise BadOffer("vous avez proposé {most} objets en un jour", where="title", remedy="continuez demain",
                       most=MOST_A_DAY)  # fmt: skip


@transaction.atomic
def reserve_thing(viewer: Viewer, number: int, *, at: datetime) -> None:
    """Reserve a thing: it leaves the map at once, and comes back by itself if nobody has taken it in time.

    Raises:
        Refused: the viewer has no account.
        OfferNotFound: no such offer.
        OfferHeld: somebody else has reserved it.
        BadOffer: it is her own, or she has reserved three already.
    """
    person = _person(viewer)
    row = _open(number, at)
    rules = rules_of(row.territory) or OffersSettings()
    if row.giver_id == person:
        raise BadOffer("cet objet est le vôtre", remedy="s’il est parti, dites qu’il est pris")
    if Offer.objects.filter(taker=person, state=OPEN, until__gt=at, held_until__gt=at).count() >= MOST_HELD:
        raise BadOffer(
            "vous avez déjà réservé {most} objets", remedy="allez les chercher, ou laissez-en un", most=MOST_HELD
        )
    until = at + timedelta(hours=rules.hold_hours)
    # One statement decides: of two who press at once, one has it.
    if not available(at).filter(pk=row.pk).update(taker=person, held_until=until):
        raise OfferHeld("quelqu’un vient de le réserver", remedy="il reviendra sur la carte s’il n’est pas pris")
    _tell(events.RESERVED, row, person, at, {"until": until.isoformat()})


@transaction.atomic
def release_thing(viewer: Viewer, number: int, *, at: datetime) -> None:
    """Give up a reservation, one's own or that of who did not come: it is on the map again.

    Raises:
        OfferNotFound: the viewer neither offers it nor has reserved it.
    """
    person, row = _person(viewer), _open(number, at)
    is_giver = row.giver_id == person
    if not _holds(row, person, at) and not is_giver:
        raise _gone()
    Offer.objects.filter(pk=row.pk).update(taker=None, held_until=None)
    _tell(events.RELEASED, row, person, at, {"by": "giver" if is_giver else "taker"})


@transaction.atomic
def take_thing(viewer: Viewer, number: int, *, at: datetime) -> None:
    """Say that the thing is taken, by who offers it or who came for it: it is nowhere any more.

    Raises:
        OfferNotFound: the viewer neither offers it nor has reserved it.
    """
    person, row = _person(viewer), _open(number, at)
    if row.giver_id != person and not _holds(row, person, at):
        raise _gone()
    _end(row, TAKEN, person, at)


@transaction.atomic
def withdraw_thing(viewer: Viewer, number: int, *, at: datetime) -> None:
    """Take back what one offered.

    Raises:
        OfferNotFound: the viewer does not offer it.
    """
    person, row = _person(viewer), _open(number, at)
    if row.giver_id != person:
        raise _gone()
    _end(row, WITHDRAWN, person, at)


@transaction.atomic
def flag_thing(viewer: Viewer, number: int, *, at: datetime) -> None:
    """Say that an offer should not be there; once a person. The third hides it until an agent has looked.

    Raises:
        Refused: the viewer has no account.
        OfferNotFound: no such offer.
    """
    person, row = _person(viewer), _open(number, at)
    _flag, is_new = Flag.objects.get_or_create(offer=row, person_id=person, defaults={"at": at})
    if not is_new:
        return
    flags = row.flags + 1
    hidden = row.hidden or flags >= FLAGS_TO_HIDE
    Offer.objects.filter(pk=row.pk).update(flags=flags, hidden=hidden)
    _tell(events.FLAGGED, row, person, at, {"flags": flags, "hidden": hidden})


@transaction.atomic
def remove_thing(viewer: Viewer, number: int, *, reason: str, at: datetime) -> None:
    """Take down an offer; its giver reads why.

    Raises:
        OfferNotFound: no such offer in a town the viewer works for.
        BadCase: no reason.
    """
    row = _moderated(viewer, number, at)
    row.reason = clean_text(reason, where="reason", limit=200, required=True)
    Offer.objects.filter(pk=row.pk).update(reason=row.reason)
    _end(row, REMOVED, viewer.person_id, at)


@transaction.atomic
def keep_thing(viewer: Viewer, number: int, *, at: datetime) -> None:
    """Leave an offer that was complained of: it is shown again, and what was said of it no longer counts.

    Raises:
        OfferNotFound: no such offer in a town the viewer works for.
    """
    row = _moderated(viewer, number, at)
    Offer.objects.filter(pk=row.pk).update(flags=0, hidden=False)
    _tell(events.KEPT, row, viewer.person_id, at, {})


def _person(viewer: Viewer) -> int:
    if viewer.person_id is None:
        raise Refused("il faut un compte pour donner ou prendre un objet", remedy="connectez-vous")
    return viewer.person_id


def _public(text: str, *, where: str, limit: int, required: bool = False) -> str:
    text = clean_text(text, where=where, limit=limit, required=required)
    if _CONTACT.search(text):
        raise BadOffer(
            "ce texte est public : il ne peut donner ni téléphone, ni adresse électronique, ni lien",
            where=where,
            remedy="écrivez où et quand venir dans « Où et quand le prendre », que lit seule la personne qui réserve",
        )
    return text


def _open(number: int, at: datetime) -> Offer:
    row = Offer.objects.select_for_update().filter(pk=number, state=OPEN, until__gt=at).first()
    if row is None:
        raise _gone()
    return row


def _moderated(viewer: Viewer, number: int, at: datetime) -> Offer:
    row = _open(number, at)
    if AGENTS not in viewer.clearances(row.territory):
        raise _gone()
    return row


def _holds(row: Offer, person: int, at: datetime) -> bool:
    return row.taker_id == person and row.held_until is not None and row.held_until > at


def _gone() -> OfferNotFound:
    return OfferNotFound("cet objet n’est plus à prendre", remedy="voyez les autres dans la liste")


def _end(row: Offer, state: str, person: int | None, at: datetime) -> None:
    Offer.objects.filter(pk=row.pk).update(state=state, ended_at=at, held_until=None)
    _tell(events.ENDED, row, person, at, {"how": state})


def _tell(
    kind: str, row: Offer, person: int | None, at: datetime, payload: dict[str, object], *, new: bool = False
) -> None:
    record(
        kind=kind, subject=events.subject_of(int(row.pk)), payload=payload, actor=person, territory=row.territory,
        at=at, new_subject=new,
    )  # fmt: skip
