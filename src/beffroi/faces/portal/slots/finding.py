"""`/creneaux/`: a free time first; then the days of one thing, its places side by side, or the week of one place."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any, cast

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from beffroi.faces.portal.directory import public_service, territory_of
from beffroi.faces.portal.slots.forms import SearchForm
from beffroi.faces.portal.slots.grids import DAYS, day_grid, day_tabs, week_grid
from beffroi.faces.shell.access import EVERYONE, Request, open_to
from beffroi.faces.shell.requests import service_names
from beffroi.serve.bookings.hours import queries
from beffroi.serve.bookings.hours.queries import Moment, Place, SlotThing

SEARCHED_DAYS, MOST_FOUND = 21, 4


def has_slots(request: Request) -> bool:
    """Tell whether something is booked by the hour in the town of the page; one query."""
    return bool(queries.open_slot_things(territory_of(request)))


@open_to(EVERYONE)
@require_safe
def search(request: HttpRequest) -> HttpResponse:
    """Find the first free times of everything that is booked by the hour, by day, hour, place and equipment."""
    request, at = cast(Request, request), timezone.now()
    territory = territory_of(request)
    things = queries.open_slot_things(territory)
    form = SearchForm(request.GET, things=things)
    today = queries.local(territory, at).date() if territory else at.date()
    first = max(form.value("jour") or today, today)
    wanted = [one for one in things if form.value("quoi") in ("", one.use_case)] if request.GET else things
    found = [(thing, *_first_free(territory, thing, form, first, at)) for thing in wanted]
    context = {
        "form": form,
        "found": [one for one in found if one[1]] if request.GET else found,
        "sought": bool(request.GET),
        "first": first,
        "signed_in": request.viewer.person_id is not None,
    }
    return _fresh(render(request, "portal/slots/search.html", context))


def _first_free(
    territory: str, thing: SlotThing, form: SearchForm, first: date, at: datetime
) -> tuple[list[Moment], list[Place]]:
    """Return the first free times of a thing that suit, and the places they were sought in."""
    places = places_sought(thing, form)
    # A day that is asked for is that day; none asked for is the first that comes.
    last = first + timedelta(days=0 if form.value("jour") else SEARCHED_DAYS)
    found = queries.moments(territory, thing, places, first=first, last=last, at=at) if places else []
    hour = form.value("heure")
    free = [one for one in found if one.is_free and (not hour or f"{one.time.starts:%H}" >= hour)]
    return free[:MOST_FOUND], places


def places_sought(thing: SlotThing, form: SearchForm) -> list[Place]:
    """Return the places of a thing that have what is sought."""
    where, what = form.value("lieu"), form.value("avec")
    return [one for one in thing.rules.place if where in ("", one.slug) and (not what or what in one.equipment)]


@open_to(EVERYONE)
@require_safe
def slots(request: HttpRequest, use_case: str) -> HttpResponse:
    """Show a week of a thing: how free each day is, then a day with its places, or the week of one place."""
    request, at = cast(Request, request), timezone.now()
    public_service(request, use_case)
    territory = territory_of(request)
    thing = queries.open_slot_thing(territory, use_case)
    context = week_context(territory, thing, request.GET, at=at)
    names = service_names(territory)
    context |= {
        "service": names.get(thing.rules.service, thing.rules.service),
        "take_url": reverse("portal:slot-book", args=[use_case]),
        "for_another": request.GET.get("pour", ""),
    }
    return _fresh(render(request, "portal/slots/week.html", context))


def week_context(territory: str, thing: SlotThing, data: Any, *, at: datetime, waiting: bool = True) -> dict[str, Any]:
    """Return what shows the week that is asked for; the first with something free when none is."""
    form = SearchForm(data, things=[thing])
    places = places_sought(thing, form) or list(thing.rules.place)
    today = queries.local(territory, at).date()
    asked = form.value("jour")
    first, found = max(asked or today, today), []
    far = today + timedelta(days=thing.rules.ahead_days)
    while True:
        found = queries.moments(territory, thing, places, first=first, last=first + timedelta(days=DAYS - 1), at=at)
        if asked or any(one.is_free for one in found) or first + timedelta(days=DAYS) > far:
            break
        first += timedelta(days=DAYS)
    free = [one for one in found if one.is_free]
    day = asked or (free[0].time.starts.date() if free else first)
    is_week = data.get("vue") == "semaine" and len(places) == 1
    waits = waiting and bool(thing.rules.waiting_hours)
    of_day = [one for one in found if one.time.starts.date() == day]
    kept = {name: data[name] for name in ("lieu", "avec", "pour") if data.get(name)}
    return {
        "thing": thing,
        "rules": thing.rules,
        "form": form,
        "places": places,
        "tabs": day_tabs(first, found, queries.closed_days(territory, thing, places, first, first + timedelta(days=6))),
        "day": day,
        "is_week": is_week,
        "grid": week_grid(thing, places[0], first, found, waiting=waits)
        if is_week
        else day_grid(thing, places, of_day, waiting=waits),
        "before": max(first - timedelta(days=DAYS), today) if first > today else None,
        "after": first + timedelta(days=DAYS) if first + timedelta(days=DAYS) <= far else None,
        "kept": urlencode(kept),
        "none_free": not free,
    }


def _fresh(response: HttpResponse) -> HttpResponse:
    """Let no cache keep free times that are gone."""
    response.headers["Cache-Control"] = "no-store"
    return response
