"""What one may ask about things on offer. They stand in the registry alone: nothing has to be told that one is gone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from django.db.models import Q, QuerySet

from beffroi.base.kernel.errors import Refused
from beffroi.base.kernel.geo import BBox
from beffroi.base.kernel.words import folded, words
from beffroi.base.territory.viewer import AGENTS, Viewer
from beffroi.serve.cases import store
from beffroi.serve.cases.queries import FileContent
from beffroi.serve.offers.definition import FLAGS_TO_HIDE as FLAGS_TO_HIDE
from beffroi.serve.offers.definition import BadOffer as BadOffer
from beffroi.serve.offers.definition import OfferInfo as OfferInfo
from beffroi.serve.offers.definition import OfferNotFound as OfferNotFound
from beffroi.serve.offers.engine import is_anywhere as is_anywhere
from beffroi.serve.offers.engine import rules_of as rules_of
from beffroi.serve.offers.models import OPEN, Offer

MOST = 500


def available(at: datetime) -> QuerySet[Offer]:
    """Return what anybody may take at an instant: open, in time, reserved by nobody, set aside by nobody."""
    free = Q(held_until__isnull=True) | Q(held_until__lte=at)
    return Offer.objects.filter(free, state=OPEN, until__gt=at, hidden=False)


def on_offer(viewer: Viewer, territory: str, *, at: datetime, bbox: BBox | None = None) -> list[OfferInfo]:
    """Return what may be taken in a town, the last offered first, 500 at most; `bbox` keeps what is in a box."""
    rows = available(at).filter(territory=territory)
    if bbox is not None:
        west, south, east, north = bbox
        rows = rows.filter(lon__range=(west, east), lat__range=(south, north))
    return [_info(row, viewer, at) for row in rows.order_by("-made_at", "-pk")[:MOST]]


def found_offers(viewer: Viewer, territory: str, text: str, *, at: datetime) -> list[OfferInfo]:
    """Return what may be taken whose words hold all those of a text; accents and capitals do not count."""
    wanted = words(text)
    return [
        one
        for one in (on_offer(viewer, territory, at=at) if wanted else ())
        if all(word in folded(f"{one.title} {one.description} {one.street}") for word in wanted)
    ]


def offer(viewer: Viewer, territory: str, number: int, *, at: datetime) -> OfferInfo:
    """Return one offer: to everybody while it may be taken; to its two people and the agents as long as it is kept.

    Raises:
        OfferNotFound: none that the viewer may read.
    """
    row = Offer.objects.filter(territory=territory, pk=number).first()
    if row is None or not (_is_available(row, at) or _is_party(row, viewer, at) or _is_agent(viewer, territory)):
        raise OfferNotFound("cet objet n’est plus à prendre", remedy="voyez les autres dans la liste")
    return _info(row, viewer, at)


def own_offers(viewer: Viewer, territory: str, *, at: datetime) -> list[OfferInfo]:
    """Return what the viewer offered, and what she has reserved or took, the last first."""
    if viewer.person_id is None:
        return []
    mine = Offer.objects.filter(Q(giver=viewer.person_id) | Q(taker=viewer.person_id), territory=territory)
    return [_info(row, viewer, at) for row in mine.order_by("-made_at", "-pk")[:MOST]]


def watched_offers(viewer: Viewer, territory: str, *, at: datetime) -> list[OfferInfo]:
    """Return all that is on offer, reserved and set aside included, what was complained of first.

    Raises:
        Refused: the viewer does not work for the town.
    """
    if not _is_agent(viewer, territory):
        raise Refused("cette liste est réservée aux agents de la commune", remedy="connectez-vous avec votre compte")
    rows = Offer.objects.filter(territory=territory, state=OPEN, until__gt=at).order_by("-flags", "-made_at", "-pk")
    return [_info(row, viewer, at) for row in rows[:MOST]]


def flagged_count(viewer: Viewer, territory: str, *, at: datetime) -> int:
    """Return how many offers somebody complained of and no agent has looked at; 0 to who is none."""
    if not _is_agent(viewer, territory):
        return 0
    return Offer.objects.filter(territory=territory, state=OPEN, until__gt=at, flags__gt=0).count()


def offer_photo(viewer: Viewer, territory: str, number: int, *, at: datetime, thumbnail: bool = False) -> FileContent:
    """Return where the photo of an offer stands, to whom may read the offer.

    Raises:
        OfferNotFound: none that the viewer may read, or it has no photo.
    """
    info = offer(viewer, territory, number, at=at)
    row = Offer.objects.get(pk=info.id)
    if not row.photo:
        raise OfferNotFound("cet objet n’a pas de photo", remedy="voyez sa description")
    digest = row.thumbnail if thumbnail and row.thumbnail else row.photo
    return FileContent(store.path_of(digest), "image/jpeg", f"objet-{row.pk}.jpg", _is_available(row, at))


def photo_digests() -> Iterator[str]:
    """Yield the digests of the photos of offers, which the store of attachments keeps."""
    rows = Offer.objects.exclude(photo="").order_by("pk").values_list("photo", "thumbnail")
    for digests in rows.iterator():
        yield from filter(None, digests)


def _is_available(row: Offer, at: datetime) -> bool:
    return row.state == OPEN and row.until > at and not row.hidden and (row.held_until is None or row.held_until <= at)


def _is_party(row: Offer, viewer: Viewer, at: datetime) -> bool:
    """Tell whether the viewer offers it, or is the one who took it or is coming for it."""
    person = viewer.person_id
    held = row.state != OPEN or (row.held_until is not None and row.held_until > at)
    return person is not None and (row.giver_id == person or (row.taker_id == person and held))


def _is_agent(viewer: Viewer, territory: str) -> bool:
    return AGENTS in viewer.clearances(territory)


def _info(row: Offer, viewer: Viewer, at: datetime) -> OfferInfo:
    held = row.held_until if row.state == OPEN and row.held_until and row.held_until > at else None
    is_given = viewer.person_id is not None and row.giver_id == viewer.person_id
    is_hers = held is not None and viewer.person_id is not None and row.taker_id == viewer.person_id
    return OfferInfo(
        id=int(row.pk), title=row.title, description=row.description, street=row.street, lon=row.lon, lat=row.lat,
        made_at=row.made_at, until=row.until, state=row.state, reason=row.reason, has_photo=bool(row.photo),
        held_until=held, is_given=is_given, is_held_by_reader=is_hers,
        pickup=row.pickup if is_given or is_hers else "", flags=row.flags, is_hidden=row.hidden,
    )  # fmt: skip
