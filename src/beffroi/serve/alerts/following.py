"""Who wishes to be told, of what, where, when not; how it is confirmed, changed and ended. No account is needed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

from django.db import transaction
from django.utils import translation
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from beffroi.base.journal.events import RecordedEvent
from beffroi.base.journal.operations import record
from beffroi.base.territory import queries as territories
from beffroi.base.territory.viewer import Viewer
from beffroi.serve.alerts import events
from beffroi.serve.alerts.audience import FOLLOWER, PAGES, WISH, described, topic_of
from beffroi.serve.alerts.definition import DISTRICT, PROJECT, STREET, TOWN, ZONE, BadAlert, FollowerNotFound, TooMany
from beffroi.serve.alerts.engine import topics as open_topics
from beffroi.serve.alerts.models import Follower, Wish
from beffroi.serve.alerts.places import districts_shape, street_shape
from beffroi.serve.cases import operations as cases
from beffroi.serve.cases.definition import Requester
from beffroi.serve.cases.ground import checked_zone
from beffroi.serve.cases.mails import domain_of, message_to, page_url
from beffroi.serve.cases.push.devices import DeviceInfo, Subscription
from beffroi.serve.cases.tokens import key_of, token_of
from beffroi.serve.cases.words import clean_requester, clean_text

MOST_WISHES = 20
MOST_FROM_ONE_PLACE = 20
ASK_AGAIN_AFTER = timedelta(hours=1)
LARGEST_KM2 = 50.0


@dataclass(frozen=True, slots=True)
class Wanted:
    """A place to follow: the town, a district (slug), a street (name), a zone (GeoJSON) or a project (code)."""

    place: str = TOWN
    value: str = ""
    label: str = ""


@dataclass(frozen=True, slots=True)
class WishInfo:
    """One thing a follower wishes to hear of; no topic: all."""

    id: int
    place: str
    label: str
    topics: tuple[str, ...]
    confirmed: bool
    asked_at: datetime


@dataclass(frozen=True, slots=True)
class FollowerInfo:
    """A follower; `token` opens all she follows, and ends it."""

    id: int
    territory: str
    email: str
    language: str
    quiet: tuple[time, time] | None
    wishes: tuple[WishInfo, ...]
    token: str

    @property
    def is_confirmed(self) -> bool:
        """Tell whether something reaches her already."""
        return any(one.confirmed for one in self.wishes)


@transaction.atomic
def follow(
    *,
    territory: str,
    wanted: Wanted,
    viewer: Viewer,
    at: datetime,
    email: str = "",
    topics: Sequence[str] = (),
    quiet: tuple[time, time] | None = None,
    language: str = "fr",
    network: str = "",
    token: str = "",
) -> FollowerInfo:
    """Follow a place. One's own account's address, and that of a `token`, are told at once; another once confirmed.

    With neither address nor account, the follower has no address: she is told on the devices she then names by her
    token (`device_for_warnings`).

    Args:
        quiet: the hours of silence, local time; they change only for one who is sure to be herself.
        network: where it comes from, sealed and forgotten within a day; limits what has no account.

    Raises:
        BadAlert, BadCase: an unknown place or topic, a false address, too many wishes.
        TooMany: too many were asked from there. FollowerNotFound: the token opens nothing.
    """
    known = _opened(token) if token else None
    email, is_own = _address(email, viewer, known)
    unknown = [one for one in topics if one not in open_topics(territory)]
    if unknown:
        raise BadAlert("sujet inconnu", where="topics", remedy="choisissez dans la liste")
    facts = _checked(territory, wanted)
    row = known or _kept(territory, email, viewer, language, network, is_own=is_own, at=at)
    sure = is_own or known is not None or not email
    if row.wishes.count() >= MOST_WISHES:
        raise BadAlert("{most} lieux sont déjà suivis", where="place", remedy="arrêtez-en un d’abord", most=MOST_WISHES)
    wish, is_new = row.wishes.get_or_create(
        place=facts.pop("place"), value=facts.pop("value"), topics=sorted(set(topics)),
        defaults={**facts, "asked_at": at, "confirmed_at": at if sure else None},
    )  # fmt: skip
    if sure:
        row.asked_at = at
        if quiet is not None:
            row.quiet_from, row.quiet_until = quiet
        row.save()
        if wish.confirmed_at is None:
            wish.confirmed_at = at
            wish.save(update_fields=["confirmed_at"])
    elif wish.confirmed_at is None and (is_new or wish.asked_at <= at - ASK_AGAIN_AFTER):
        wish.asked_at = at
        wish.save(update_fields=["asked_at"])
        _tell(events.FOLLOWER_ASKED, row, at, {"wish": int(wish.pk)})
    return follower_info(row)


def _address(email: str, viewer: Viewer, known: Follower | None) -> tuple[str, bool]:
    own = territories.person(viewer.person_id).email.lower() if viewer.person_id is not None else ""
    if known is not None:
        return known.email, False
    email = clean_requester(Requester(email=email)).email.lower() or own
    return email, bool(own) and email == own


def _kept(
    territory: str, email: str, viewer: Viewer, language: str, network: str, *, is_own: bool, at: datetime
) -> Follower:
    origin = salted_hmac("beffroi.alerts.origin", f"{territory} {network}").hexdigest() if network else ""
    if origin and viewer.person_id is None:
        recent = Wish.objects.filter(follower__origin=origin, asked_at__gt=at - timedelta(hours=1)).count()
        if recent >= MOST_FROM_ONE_PLACE:
            raise TooMany("trop d’abonnements ont été demandés d’ici", where="email", remedy="réessayez dans une heure")
    facts: dict[str, Any] = {
        "language": language if language in ("fr", "en") else "fr", "asked_at": at, "origin": origin,
        "person_id": viewer.person_id if is_own else None,
    }  # fmt: skip
    if not email:
        return Follower.objects.create(territory=territory, **facts)
    row, is_new = Follower.objects.get_or_create(territory=territory, email=email, defaults=facts)
    if not is_new:
        row.origin = origin
        row.person_id = row.person_id or facts["person_id"]
        row.save(update_fields=["origin", "person"])
    return row


def _checked(territory: str, wanted: Wanted) -> dict[str, Any]:
    """Return the columns of what is wanted."""
    label = clean_text(wanted.label, where="place", limit=160)
    value, shape = wanted.value, None
    if wanted.place == DISTRICT:
        shape, (label,) = districts_shape(territory, [value])
    elif wanted.place == STREET:
        shape, label = street_shape(territory, clean_text(value, where="street", limit=120, required=True))
        value = label
    elif wanted.place == ZONE:
        shape, value = checked_zone(value, most_km2=LARGEST_KM2), ""
        label = label or "zone choisie"
    elif wanted.place == PROJECT:
        value = clean_text(value, where="project", limit=60, required=True)
    elif wanted.place == TOWN:
        value, label = "", ""
    else:
        raise BadAlert("lieu inconnu", where="place", remedy="choisissez une rue, un quartier ou une zone")
    if wanted.place == ZONE and shape is not None:
        # Two zones of one follower are two wishes.
        value = salted_hmac("beffroi.alerts.zone", shape.wkt).hexdigest()[:16]
    west, south, east, north = shape.bounds if shape is not None else (None,) * 4
    return {
        "place": wanted.place, "value": value, "label": label, "zone_wkb": None if shape is None else shape.wkb,
        "west": west, "south": south, "east": east, "north": north,
    }  # fmt: skip


@transaction.atomic
def confirm_wish(token: str, *, at: datetime) -> FollowerInfo:
    """Confirm what was asked, by the link sent to its address.

    Raises:
        FollowerNotFound: the token opens nothing.
    """
    wish = _wish(token)
    if wish.confirmed_at is None:
        wish.confirmed_at = at
        wish.save(update_fields=["confirmed_at"])
        Follower.objects.filter(pk=wish.follower_id).update(asked_at=at)
        _tell(events.FOLLOWER_CONFIRMED, wish.follower, at, {"wish": int(wish.pk)})
    return follower_info(wish.follower)


def asked_wish(token: str) -> tuple[WishInfo, FollowerInfo]:
    """Return what the link sent to an address is about.

    Raises:
        FollowerNotFound: the token opens nothing.
    """
    wish = _wish(token)
    return _wish_info(wish), follower_info(wish.follower)


@transaction.atomic
def end_wish(token: str, wish: int, *, at: datetime) -> FollowerInfo | None:
    """Follow one thing no more; with the last one, the follower is forgotten and None returned.

    Raises:
        FollowerNotFound: the token opens nothing.
    """
    row = _opened(token)
    row.wishes.filter(pk=wish).delete()
    if row.wishes.exists():
        return follower_info(row)
    _forget(row, at)
    return None


@transaction.atomic
def end_following(token: str, *, at: datetime) -> None:
    """Tell a follower nothing more and forget her; done again, there is nothing left to do.

    Raises:
        FollowerNotFound: the token is none of ours.
    """
    key = key_of(FOLLOWER, token)
    if key is None:
        raise _not_found()
    row = Follower.objects.filter(pk=key).first()
    if row is not None:
        _forget(row, at)


def _forget(row: Follower, at: datetime) -> None:
    _tell(events.FOLLOWER_ENDED, row, at, {})
    cases.end_topic(topic_of(int(row.pk)), at=at)
    row.delete()


def set_quiet(token: str, quiet: tuple[time, time] | None, *, at: datetime) -> FollowerInfo:
    """Change a follower's hours of silence; None: none.

    Raises:
        FollowerNotFound: the token opens nothing.
    """
    row = _opened(token)
    row.quiet_from, row.quiet_until = quiet or (None, None)
    row.asked_at = at
    row.save(update_fields=["quiet_from", "quiet_until", "asked_at"])
    return follower_info(row)


def device_for_warnings(
    *, token: str, device: Subscription, viewer: Viewer, at: datetime, language: str = "fr"
) -> DeviceInfo:
    """Have a device told of what a follower follows, by her token.

    Raises:
        FollowerNotFound: the token opens nothing.
        Refused, BadCase: as `cases.operations.subscribe_device`.
    """
    row = _opened(token)
    return cases.subscribe_device(
        territory=row.territory, subscription=device, viewer=viewer, topic=topic_of(int(row.pk)), language=language,
        at=at,
    )  # fmt: skip


def follower(token: str) -> FollowerInfo:
    """Return the follower that her token opens.

    Raises:
        FollowerNotFound: the token opens nothing.
    """
    return follower_info(_opened(token))


def own_following(viewer: Viewer) -> list[FollowerInfo]:
    """Return what the account of the viewer follows, in any town."""
    if viewer.person_id is None:
        return []
    return [follower_info(row) for row in Follower.objects.filter(person=viewer.person_id).order_by("pk")]


def ask_to_confirm(event: RecordedEvent) -> None:
    """Send an address the link by which its owner says that she wishes to be told."""
    wish = Wish.objects.select_related("follower").filter(pk=int(event.payload["wish"])).first()
    if wish is None or wish.confirmed_at is not None:
        return
    row = wish.follower
    town = territories.territory(row.territory).name
    with translation.override(row.language):
        url = page_url(row.territory, PAGES["confirm"], token_of(WISH, int(wish.pk)))
        words = [
            _("Quelqu’un, vous sans doute, demande que {town} vous prévienne : {what}.").format(
                town=town, what=described(wish)
            ),
            _("Pour le vouloir vraiment, ouvrez cette page et confirmez : {url}").format(url=url),
            _("Si ce n’est pas vous, ne faites rien : rien d’autre ne vous sera envoyé, et cette demande s’efface."),
            town,
        ]
        message = message_to(row.email, row.language, _("Confirmez votre abonnement aux alertes"), words)
    message.extra_headers["Message-ID"] = f"<follower-{event.id}@{domain_of(row.territory)}>"
    message.send()


def follower_info(row: Follower) -> FollowerInfo:
    """Return what a row of this room is."""
    quiet = (row.quiet_from, row.quiet_until) if row.quiet_from and row.quiet_until else None
    return FollowerInfo(
        id=int(row.pk), territory=row.territory, email=row.email, language=row.language, quiet=quiet,
        wishes=tuple(_wish_info(one) for one in row.wishes.order_by("pk")), token=token_of(FOLLOWER, int(row.pk)),
    )  # fmt: skip


def _wish_info(one: Wish) -> WishInfo:
    confirmed = one.confirmed_at is not None
    return WishInfo(int(one.pk), one.place, described(one), tuple(one.topics), confirmed, one.asked_at)


def _opened(token: str) -> Follower:
    row = Follower.objects.filter(pk=key_of(FOLLOWER, token) or 0).first()
    if row is None:
        raise _not_found()
    return row


def _wish(token: str) -> Wish:
    row = Wish.objects.select_related("follower").filter(pk=key_of(WISH, token) or 0).first()
    if row is None:
        raise _not_found()
    return row


def _not_found() -> FollowerNotFound:
    return FollowerNotFound("cet abonnement n’existe pas ou plus", remedy="abonnez-vous de nouveau")


def _tell(kind: str, row: Follower, at: datetime, payload: dict[str, Any]) -> None:
    record(
        kind=kind, subject=f"alert_follower:{row.pk}", payload=payload, actor=row.person_id, territory=row.territory,
        at=at,
    )  # fmt: skip
