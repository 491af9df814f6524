"""`/premiere-necessite/`: showers, meals, sockets, bags, in several languages, without account nor network (4-03).

Always what everyone may read, in the words of a data file: devices keep these pages, whoever opened them.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, cast

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path
from django.utils import translation
from django.utils.dates import MONTHS, WEEKDAYS
from django.utils.formats import date_format
from django.utils.translation import get_language
from django.views.decorators.http import require_safe

from beffroi.base.clock.opening import BadHours, OpeningRule, opening_rules
from beffroi.base.territory.viewer import ANONYMOUS
from beffroi.faces.portal.directory import territory_of
from beffroi.faces.shell.access import EVERYONE, Request, open_to
from beffroi.lake import queries as lake
from beffroi.lake.queries import DatasetNotFound, DatasetRef
from beffroi.sense.places.directory import queries
from beffroi.sense.places.directory.queries import Asked, Sheet
from beffroi.serve.offers.engine import proposals_rules

FILE = Path(__file__).resolve().parent / "data" / "first_needs.toml"
USE_CASE, FACET = "4-03", "service"
MOST_OF_EACH = 60

Words = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class NeededPlace:
    """One place: what is told of it, its hours in the language of the page, its telephone as it is dialled."""

    name: str
    address: str
    description: str
    hours: tuple[str, ...]
    phone: str


@dataclass(frozen=True, slots=True)
class Need:
    """A service and where it is given."""

    code: str
    title: str
    places: tuple[NeededPlace, ...]


@cache
def _said() -> dict[str, Any]:
    return tomllib.loads(FILE.read_text(encoding="utf-8"))


def languages() -> list[Words]:
    """Return the words of each language of the page, French first."""
    found: list[Words] = _said()["language"]
    return found


@open_to(EVERYONE)
@require_safe
def first_needs(request: HttpRequest, language: str = "") -> HttpResponse:
    """Show where first needs are met in the town, in a language of the page; in the reader's when it is one of them."""
    request = cast(Request, request)
    known = {str(one["code"]): one for one in languages()}
    if language and language not in known:
        raise Http404
    chosen = known.get(language or (get_language() or "fr")[:2], known["fr"])
    territory = territory_of(request)
    settings = next((one for use_case, one in queries.directories_of(territory) if use_case == USE_CASE), None)
    needs: list[Need] = []
    updated = ""
    if settings is not None:
        held = queries.directory(ANONYMOUS, territory, USE_CASE, settings)
        with translation.override(str(chosen["code"])):
            needs = [need for code in _said()["services"] if (need := _need(held, code, chosen, settings.hours)).places]
            updated = _updated(territory, settings.datasets)
    context = {
        "words": chosen,
        "languages": list(known.values()),
        "needs": needs,
        "updated": updated,
        "use_case": USE_CASE if settings is not None else "",
        "takes_proposals": settings is not None and proposals_rules(territory, USE_CASE) is not None,
    }
    return render(request, "portal/first_needs.html", context)


def _need(held: queries.Directory, code: str, words: Words, hours: str) -> Need:
    numbers = held.found(Asked(chosen={FACET: code})).numbers[:MOST_OF_EACH]
    places = tuple(_place(held.sheet(number), words, hours) for number in numbers)
    return Need(code, str(words[code]), places)


def _place(sheet: Sheet, words: Words, hours: str) -> NeededPlace:
    told: Mapping[str, Any] = sheet.spots[0].values if sheet.spots else {}
    return NeededPlace(
        sheet.title,
        str(told.get("adresse") or ""),
        str(sheet.values.get("description") or ""),
        hours_in(str(sheet.values.get(hours) or ""), words),
        str(told.get("telephone") or "").replace(" ", ""),
    )


def hours_in(text: str, words: Words) -> tuple[str, ...]:
    """Return opening hours in the words of a language, the active one; as written when they cannot be read."""
    if not text:
        return (str(words["unknown_hours"]),)
    try:
        rules = opening_rules(text)
    except BadHours:
        return (text,)
    return tuple(_rule(rule, words) for rule in rules) or (text,)


def _rule(rule: OpeningRule, words: Words) -> str:
    parts = []
    if rule.months:
        parts.append(" – ".join(dict.fromkeys(str(MONTHS[month]) for month in rule.months)))
    days = [_days(rule.days)] if rule.days and len(rule.days) < 7 else []
    days += [str(words["holidays"])] if rule.holidays else []
    parts += days or [str(words["every_day"])]
    if not rule.spans:
        times = str(words["closed"])
    elif rule.spans == ((0, 1440),):
        times = str(words["always"])
    else:
        times = ", ".join(f"{_time(start)} – {_time(end)}" for start, end in rule.spans)
    return f"{', '.join(parts)} : {times}"


def _days(days: Sequence[int]) -> str:
    """Return runs of three days and more by their ends, others one by one."""
    runs: list[list[int]] = []
    for day in days:
        if runs and day == runs[-1][-1] + 1:
            runs[-1].append(day)
        else:
            runs.append([day])
    said = []
    for run in runs:
        names = [str(WEEKDAYS[day]) for day in run]
        said += [f"{names[0]} – {names[-1]}"] if len(run) > 2 else names
    return ", ".join(said)


def _time(minutes: int) -> str:
    return f"{minutes // 60 % 24 if minutes != 1440 else 24:02d}:{minutes % 60:02d}"


def _updated(territory: str, datasets: Sequence[str]) -> str:
    for slug in datasets:
        try:
            return date_format(lake.dataset(ANONYMOUS, DatasetRef(territory, slug)).summary.updated_at, "DATE_FORMAT")
        except DatasetNotFound:
            continue
    return ""


urlpatterns: list[URLPattern] = [
    path("premiere-necessite/", first_needs, name="first-needs"),
    path("premiere-necessite/<slug:language>/", first_needs, name="first-needs-in"),
]
