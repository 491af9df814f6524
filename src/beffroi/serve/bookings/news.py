"""What those who booked are told, in words of its own: the day, what to prepare, how to move or give up."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from beffroi.base.journal.events import RecordedEvent
from beffroi.base.territory.viewer import Viewer
from beffroi.serve.bookings.definition import BookingInfo, BookingNotFound, spoken
from beffroi.serve.bookings.queries import followed_booking, known_thing
from beffroi.serve.cases import events
from beffroi.serve.cases import queries as cases
from beffroi.serve.cases.definition import Outcome
from beffroi.serve.cases.queries import CaseInfo, PartyInfo


def words_of(event: RecordedEvent, info: CaseInfo, party: PartyInfo) -> str | None:
    """Return what a message says of an event, None for what every request says; in the language in force."""
    try:
        booked, _party = followed_booking(party.token, at=event.at)
    except BookingNotFound:
        return None
    if event.kind == events.OPENED:
        return "\n".join([_("Votre réservation est enregistrée sous le numéro {number}.").format(number=party.number),
                          *_facts(booked)])  # fmt: skip
    if event.kind == events.SCHEDULED:
        return "\n".join([*_reason(info, party), _("Votre réservation {number} est maintenant le {day}.").format(
            number=party.number, day=spoken(booked.day)), *_facts(booked)])  # fmt: skip
    if event.kind == events.CLOSED and info.outcome is Outcome.WITHDRAWN:
        return _("Votre réservation {number} du {day} est annulée. La place est rendue.").format(
            number=party.number, day=spoken(booked.day)
        )
    if event.kind == events.CLOSED:
        return _("Votre réservation {number} du {day} :\n\n{text}").format(
            number=party.number, day=spoken(booked.day), text=info.answer
        )
    return None


def _reason(info: CaseInfo, party: PartyInfo) -> list[str]:
    """Return why the town changed the day, as the thread tells it; nothing when the person did."""
    told = [one.text for one in cases.thread(Viewer(), info.number, token=party.token) if one.what == "scheduled"]
    return [told[-1], ""] if told and told[-1] else []


def _facts(booked: BookingInfo) -> list[str]:
    rules = known_thing(booked.use_case).rules
    lines = [f"{_(booked.title)} : {spoken(booked.day)}."]
    if booked.address:
        lines.append(_("Adresse : {address}.").format(address=booked.address))
    if booked.items:
        lines.append(_("Ce que vous avez annoncé : {items}.").format(items=said_items(booked)))
    if rules.instructions:
        lines.append(_(rules.instructions))
    return lines


def said_items(booked: BookingInfo) -> str:
    """Return what is brought, in words."""
    return ", ".join(f"{many} × {_(label)}" for label, many in booked.items)


def reminder(booked: BookingInfo, days: int) -> str:
    """Return the reminder of a booking, so many days before, in the language in force."""
    if not days:
        start = _("Rappel : c’est aujourd’hui.")
    else:
        start = ngettext("Rappel : c’est demain.", "Rappel : c’est dans {n} jours.", days).format(n=days)
    last = _("Un empêchement ? Annulez, ou changez de jour : la place servira à quelqu’un d’autre.")
    return "\n".join([start, *_facts(booked), last])
