"""What those who booked by the hour are told: when and where, what to bring, what to pay, how to change it."""

from __future__ import annotations

from django.utils.translation import gettext as _

from beffroi.base.journal.events import RecordedEvent
from beffroi.serve.bookings.definition import BookingNotFound, spoken
from beffroi.serve.bookings.hours.definition import MODE_TITLES, SlotInfo, Stage, spoken_hour
from beffroi.serve.bookings.hours.models import Slot
from beffroi.serve.bookings.hours.reading import followed_slot
from beffroi.serve.bookings.hours.rules import known_slot_thing
from beffroi.serve.bookings.hours.seasons import season_of
from beffroi.serve.bookings.hours.times import local
from beffroi.serve.cases import events
from beffroi.serve.cases import queries as cases
from beffroi.serve.cases.definition import Outcome
from beffroi.serve.cases.queries import CaseInfo, PartyInfo


def is_no_news(event: RecordedEvent) -> bool:
    """Tell whether an event needs no message: a time that took place, and the weeks of a season after the first."""
    if event.kind == events.CLOSED:
        return event.payload.get("outcome") == Outcome.DONE
    if event.kind == events.OPENED:
        key = cases.case_id_of(str(event.payload["number"]))
        return Slot.objects.filter(pk=key, series__isnull=False).exclude(series_id=key).exists()
    return event.kind == events.REOPENED


def words_of(event: RecordedEvent, info: CaseInfo, party: PartyInfo) -> str | None:
    """Return what a message says of an event, None for what every request says; in the language in force."""
    try:
        booked, _party = followed_slot(party.token, at=event.at)
    except BookingNotFound:
        return None
    if event.kind == events.OPENED:
        return "\n".join([_opening(booked), *slot_facts(booked), *_season(booked)])
    if event.kind == events.SCHEDULED:
        words = _("Votre réservation {number} est confirmée.").format(number=party.number)
        if booked.case.reopened == 0 and _was_moved(booked):
            words = _("Votre réservation {number} a changé de créneau.").format(number=party.number)
        return "\n".join([words, *slot_facts(booked)])
    if event.kind == events.CLOSED and info.outcome is Outcome.WITHDRAWN:
        return _("Votre réservation {number} ({place}, {when}) est annulée. Le créneau est rendu.").format(
            number=party.number, place=booked.place_name, when=spoken_hour(booked.starts)
        )
    if event.kind == events.CLOSED:
        return _("Votre réservation {number} ({place}, {when}) :\n\n{text}").format(
            number=party.number, place=booked.place_name, when=spoken_hour(booked.starts), text=info.answer
        )
    return None


def _was_moved(booked: SlotInfo) -> bool:
    return Slot.objects.filter(pk=booked.case.id, moved__gt=0).exists()


def _opening(booked: SlotInfo) -> str:
    if booked.stage is Stage.QUEUED:
        return _(
            "Vous êtes sur la liste d’attente, sous le numéro {number}. Si la place se libère, elle vous est proposée."
        ).format(number=booked.number)
    if booked.stage is Stage.TO_VALIDATE and booked.decide_by is not None:
        return _(
            "Votre demande de réservation {number} est enregistrée. Le créneau est gardé pour vous ; la mairie répond "
            "au plus tard le {day}."
        ).format(number=booked.number, day=spoken(booked.decide_by.date()))
    return _("Votre réservation est enregistrée sous le numéro {number}.").format(number=booked.number)


def _season(booked: SlotInfo) -> list[str]:
    weeks = season_of(booked.case.id)
    if len(weeks) < 2:
        return []
    days = ", ".join(spoken(local(booked.case.territory, start).date()) for _key, start, _end in weeks)
    return [_("Chaque semaine, {n} dates : {days}.").format(n=len(weeks), days=days)]


def slot_facts(booked: SlotInfo) -> list[str]:
    """Return what to know of a booking, in lines."""
    rules = known_slot_thing(booked.use_case).rules
    lines = [_("{title} : {place}, {when} à {end}.").format(
        title=booked.session or _(booked.title), place=booked.place_name, when=spoken_hour(booked.starts),
        end=f"{booked.ends:%H:%M}",
    )]  # fmt: skip
    if booked.address and booked.mode in ("", "visit"):
        lines.append(_("Adresse : {address}.").format(address=booked.address))
    if booked.mode:
        lines.append(f"{_(MODE_TITLES[booked.mode])}.")
    if booked.mode == "video" and rules.video_url:
        lines.append(_("Lien de la visioconférence : {url}").format(url=rules.video_url))
    if booked.price_cents:
        lines.append(_("À régler au guichet : {price}.").format(price=euros(booked.price_cents)))
    if booked.deposit_cents:
        lines.append(_("Caution à remettre : {price}.").format(price=euros(booked.deposit_cents)))
    if rules.papers:
        lines += [_("À apporter :"), *(f"- {_(one)}" for one in rules.papers)]
    if rules.instructions:
        lines.append(_(rules.instructions))
    if booked.code_from is not None:
        words = _("Le code d’accès est montré sur la page de la réservation, et vous est envoyé, à partir du {when}.")
        lines.append(words.format(when=spoken_hour(booked.code_from)))
    return lines


def euros(cents: int) -> str:
    """Return an amount as people write it.

    >>> euros(125050), euros(300)
    ('1\\u202f250,50\\xa0€', '3\\xa0€')
    """
    whole, rest = divmod(cents, 100)
    grouped = f"{whole:,}".replace(",", "\u202f")
    return f"{grouped},{rest:02}\u00a0€" if rest else f"{grouped}\u00a0€"


def slot_reminder(booked: SlotInfo) -> str:
    """Return the reminder of a booking, in the language in force."""
    start = _("Rappel de votre réservation {number}.").format(number=booked.number)
    last = _("Un empêchement ? Annulez sur cette page : le créneau servira à quelqu’un d’autre.")
    return "\n".join([start, *slot_facts(booked), last])


def code_message(booked: SlotInfo) -> str:
    """Return the message that brings the access code, in the language in force."""
    return _("Votre code d’accès : {code} ({place}). Il ouvre de {start} à {end}, et seulement pour vous.").format(
        code=booked.code, place=booked.place_name, start=f"{booked.starts:%H:%M}", end=f"{booked.ends:%H:%M}"
    )
