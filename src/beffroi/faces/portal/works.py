"""`/travaux/`: works in the streets, announced and under way, their effects, the detours; one's own street followed."""

from __future__ import annotations

from typing import Any, cast
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.feedgenerator import Atom1Feed
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from beffroi.base.kernel.time import now
from beffroi.faces.portal.directory import territory_of
from beffroi.faces.portal.reports.listing import has_reports
from beffroi.faces.shell.access import EVERYONE, Request, open_to
from beffroi.faces.shell.works import all_effects, days_told, effect_sentence, plan_of_works, who_told
from beffroi.sense.mobility.works import queries
from beffroi.sense.mobility.works.queries import WorksInfo


def _told(info: WorksInfo) -> dict[str, Any]:
    """Return works as a resident reads them."""
    return {
        "info": info,
        "phases": [
            (phase.title, days_told(phase), who_told(phase), list(dict.fromkeys(one.name for one in phase.stretches)))
            for phase in info.phases
        ],
        "effects": [effect_sentence(one) for one in all_effects(info)],
        "cut": sorted({name for one in all_effects(info) for name in (*one.cut_places, *one.cut_streets)}),
    }


@open_to(EVERYONE)
@require_safe
def works(request: HttpRequest) -> HttpResponse:
    """List the works published that are not over, all or those of one street."""
    request = cast(Request, request)
    territory, street = territory_of(request), request.GET.get("rue", "").strip()[:120]
    found = queries.public_works(territory, now(), street=street) if territory else []
    shown = [phase for one in found for phase in one.phases]
    context = {
        "works": [_told(one) for one in found],
        "street": street,
        "feed": _feed_address(street),
        "follow": _follow_address(request, street),
        "drawing": plan_of_works(territory, shown, ()) if shown else None,
    }
    return render(request, "portal/works.html", context)


def _follow_address(request: Request, street: str) -> str:
    """Return where one asks to be written to of a street; "" where the town has opened no subscription."""
    if not has_reports(request):
        return ""
    address = reverse("portal:subscribe")
    return f"{address}?{urlencode({'rue': street})}" if street else address


def _feed_address(street: str) -> str:
    address = reverse("portal:works-feed")
    return f"{address}?{urlencode({'rue': street})}" if street else address


@open_to(EVERYONE)
@require_safe
def works_one(request: HttpRequest, works_id: int) -> HttpResponse:
    """Tell everything of works published: days, streets, effects, detours."""
    territory = territory_of(cast(Request, request))
    info = queries.public_one(territory, works_id)
    context = {"told": _told(info), "drawing": plan_of_works(territory, info.phases, all_effects(info))}
    return render(request, "portal/works_one.html", context)


@open_to(EVERYONE)
@require_safe
def works_feed(request: HttpRequest) -> HttpResponse:
    """Give the works as an Atom feed, all or those of one street: how one follows it."""
    territory, street = territory_of(cast(Request, request)), request.GET.get("rue", "").strip()[:120]
    title = _("Travaux, {street}").format(street=street) if street else _("Travaux dans ma rue")
    feed = Atom1Feed(
        title=title, link=request.build_absolute_uri(reverse("portal:works")), description=title,
        feed_url=request.build_absolute_uri(), language=get_language(),
    )  # fmt: skip
    for one in queries.public_works(territory, now(), street=street) if territory else []:
        told = _told(one)
        lines = [f"{days}, {who} : {', '.join(streets)}" for _title, days, who, streets in told["phases"]]
        link = request.build_absolute_uri(reverse("portal:works-one", args=[one.id]))
        feed.add_item(
            title=one.title, link=link, unique_id=link, description="\n".join([*lines, *told["effects"]]),
            pubdate=one.published_at, updateddate=one.updated_at,
        )  # fmt: skip
    response = HttpResponse(feed.writeString("utf-8"), content_type="application/atom+xml; charset=utf-8")
    response.headers["Cache-Control"] = "public, max-age=300"
    return response
