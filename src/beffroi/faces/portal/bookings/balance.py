"""`/bilan-encombrants/<use case>/`: reports of a kind beside bookings, by district and month; table, trend, file."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import cast

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from beffroi.base.clock import queries as clock
from beffroi.base.territory import queries as territory_queries
from beffroi.base.territory.viewer import ANONYMOUS, Role
from beffroi.faces.portal.directory import count_opening, public_service, territory_of
from beffroi.faces.shell.access import EVERYONE, Request, open_to
from beffroi.faces.shell.charts import Line, Point, line_of
from beffroi.faces.shell.sheets import sheet_response
from beffroi.serve.bookings import queries
from beffroi.serve.bookings.definition import ENGINE
from beffroi.serve.bookings.queries import BalanceSettings, MonthBalance
from beffroi.serve.cases.ground import DISTRICT_KIND
from beffroi.serve.reports import queries as reports
from beffroi.serve.reports.statistics import public_counts

HEADS = ("mois", "quartier", "signalements", "part_du_mois", "rendez_vous", "rendez_vous_dits")


@dataclass(frozen=True, slots=True)
class Shown:
    """The balance of a town as a reader sees it, with the names of its districts."""

    months: list[MonthBalance]
    names: dict[str, str]
    label: str
    is_whole: bool


@open_to(EVERYONE)
@require_safe
def balance(request: HttpRequest, use_case: str) -> HttpResponse:
    """Show a month by district and the trend of the town; `?csv` gives every month as a file."""
    request, today = cast(Request, request), timezone.localdate()
    service = public_service(request, use_case)
    settings = service.use_case.settings.get(ENGINE)
    if not isinstance(settings, BalanceSettings):
        raise Http404
    shown = _shown(request, settings, today)
    if "csv" in request.GET:
        return _file(shown, today)
    count_opening(request, service)
    chosen = next((one for one in shown.months if one.month == request.GET.get("mois")), _last_told(shown.months))
    thing = queries.known_thing(settings.bookings)
    context = {
        "service": service.use_case,
        "settings": settings,
        "shown": shown,
        "month": chosen,
        "month_name": _named(chosen.month),
        "lines": [(shown.names.get(one.district) or _("Hors quartier"), one) for one in chosen.lines],
        "others": [(one.month, _named(one.month)) for one in reversed(shown.months)],
        "is_current": chosen.month == f"{today:%Y-%m}",
        "trends": _trends(shown),
        "thing": thing,
        "book_url": reverse("portal:bookable", args=[thing.use_case]) if _is_open(request, thing.use_case) else "",
        "at": timezone.now(),
    }
    response = render(request, "portal/bookings/balance.html", context)
    response.headers["Cache-Control"] = "no-store" if shown.is_whole else "public, max-age=600"
    return response


def _is_open(request: Request, use_case: str) -> bool:
    return any(one.use_case == use_case for one in queries.open_things(territory_of(request)))


def _last_told(months: list[MonthBalance]) -> MonthBalance:
    """Return the last month that is over and has something to tell, else the last."""
    return next((one for one in reversed(months[:-1]) if one.reported or one.kept), months[-1])


def _shown(request: Request, settings: BalanceSettings, today: date) -> Shown:
    territory = territory_of(request)
    names = {zone.slug: zone.name for zone in territory_queries.zones(territory, DISTRICT_KIND)}
    months = queries.months_until(today, settings.months)
    zone, first = clock.timezone_of(territory), date.fromisoformat(f"{months[0]}-01")
    after = (today.replace(day=28) + timedelta(days=4)).replace(day=1)
    reported = public_counts(
        territory, settings.reports, since=datetime.combine(first, time(), zone),
        until=datetime.combine(after, time(), zone),
    )  # fmt: skip
    kept = queries.kept_places(territory, settings.bookings, first, after - timedelta(days=1))
    is_whole = any(request.viewer.has(role, territory) for role in (Role.AGENT, Role.ELECTED))
    found = queries.balance(
        reported, kept, districts=sorted(names, key=lambda slug: names[slug]) or [""], months=months,
        least=0 if is_whole else settings.least,
    )  # fmt: skip
    known = {one.category.code: one.category.label for one in reports.categories_for(ANONYMOUS, territory)}
    return Shown(found, names, _(known.get(settings.reports, settings.reports)), is_whole)


def _named(month: str) -> str:
    return date_format(date.fromisoformat(f"{month}-01"), "F Y", use_l10n=False)


def _trends(shown: Shown) -> list[tuple[str, str, Line]]:
    """Return the trends of the town, as (id, title, line): the months that are over, those told only."""
    over = shown.months[:-1]
    reported = line_of([Point(_named(one.month), one.reported) for one in over])
    kept = line_of([Point(_named(one.month), one.kept) for one in over if one.kept is not None])
    drawn = (("signales", shown.label, reported), ("reserves", _("Rendez-vous honorés ou à venir"), kept))
    return [(name, title, line) for name, title, line in drawn if line is not None]


def _file(shown: Shown, today: date) -> HttpResponse:
    rows = [
        (month.month, shown.names.get(one.district, ""), one.reported,
         "" if one.share is None else round(one.share, 4), "" if one.kept is None else one.kept,
         int(one.kept is not None))
        for month in shown.months
        for one in month.lines
    ]  # fmt: skip
    return sheet_response(f"bilan-encombrants-{today}.csv", HEADS, rows)
