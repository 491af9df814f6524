"""The pages of things on offer: their list, their map, their feed, one of them, and the form that adds one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any, cast

from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import URLPattern, path, reverse
from django.utils.feedgenerator import Atom1Feed
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.kernel.geo import BBox
from beffroi.base.kernel.sentences import gettext_noop
from beffroi.base.kernel.time import now
from beffroi.base.territory.viewer import Viewer
from beffroi.faces.portal.directory import territory_of, town_datasets
from beffroi.faces.portal.mapping import overlay_map
from beffroi.faces.portal.offers.forms import OfferForm
from beffroi.faces.portal.own_requests import RequestLine, Section, request_section
from beffroi.faces.portal.reports.draft import sent_photos
from beffroi.faces.shell.access import EVERYONE, SIGNED_IN, Request, open_to
from beffroi.faces.shell.overlays import Mark, Overlay
from beffroi.faces.shell.sentences import said
from beffroi.sense.places import queries as places
from beffroi.serve.offers import operations, queries
from beffroi.serve.offers.queries import OfferInfo, OfferNotFound


def has_offers(request: Request) -> bool:
    """Tell whether people may give things away here in the town of the page; one query."""
    return queries.rules_of(territory_of(request)) is not None


def _knows_offers(request: Request) -> bool:
    """Tell whether the files of this installation let people give: the map asks the registry for nothing more."""
    return bool(territory_of(request)) and queries.is_anywhere()


OVERLAY = Overlay(
    slug="objets",
    title=gettext_noop("Objets à récupérer"),
    address="portal:offers-geojson",
    list_address="portal:offers",
    marks=(Mark("", gettext_noop("Objet à prendre"), "#a31621"),),
    theme="proprete-sante",
    is_open=_knows_offers,
    by_box=True,
    refresh_s=15,
)

STATES = {
    "taken": (gettext_lazy("Pris"), "done"),
    "withdrawn": (gettext_lazy("Retiré"), "done"),
    "removed": (gettext_lazy("Retiré par la mairie"), "bad"),
}


@open_to(EVERYONE)
@require_safe
def offers(request: HttpRequest) -> HttpResponse:
    """List what may be taken at this moment, on a map and in words."""
    request = cast(Request, request)
    if not has_offers(request):
        raise Http404
    found = queries.on_offer(Viewer(), territory_of(request), at=now())
    drawn = overlay_map(request.viewer, request.commune, town_datasets(request), replace(OVERLAY, shown=True))
    return _fresh(render(request, "portal/offers/list.html", {"offers": found, "map": drawn}))


@open_to(EVERYONE)
@require_safe
def offers_geojson(request: HttpRequest) -> JsonResponse:
    """Give what may be taken in a box, for the map: the same for everybody."""
    request = cast(Request, request)
    text = request.GET.get("bbox", "")
    box = BBox.parsed(text) if text else None
    features: list[dict[str, Any]] = [
        {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": [one.lon, one.lat]},
            "properties": {"title": one.title, "url": reverse("portal:offer", args=[one.id])},
        }
        for one in queries.on_offer(Viewer(), territory_of(request), at=now(), bbox=box)
    ]
    body = {"type": "FeatureCollection", "features": features}
    return _fresh(JsonResponse(body, json_dumps_params={"ensure_ascii": False, "separators": (",", ":")}))


@open_to(EVERYONE)
@require_safe
def offers_feed(request: HttpRequest) -> HttpResponse:
    """Give what may be taken as an Atom feed."""
    request = cast(Request, request)
    title = _("Objets à récupérer")
    feed = Atom1Feed(
        title=title, link=request.build_absolute_uri(reverse("portal:offers")), description=title,
        feed_url=request.build_absolute_uri(), language=get_language(),
    )  # fmt: skip
    for one in queries.on_offer(Viewer(), territory_of(request), at=now()):
        link = request.build_absolute_uri(reverse("portal:offer", args=[one.id]))
        told = " · ".join(part for part in (one.description, one.street) if part)
        feed.add_item(title=one.title, link=link, unique_id=link, description=told, pubdate=one.made_at)
    return _fresh(HttpResponse(feed.writeString("utf-8"), content_type="application/atom+xml; charset=utf-8"))


def _fresh(response: Any) -> Any:
    """Let no cache show a thing that is gone."""
    response.headers["Cache-Control"] = "no-store"
    return response


@open_to(SIGNED_IN)
@require_http_methods(["GET", "HEAD", "POST"])
def offer_new(request: HttpRequest) -> HttpResponse:
    """Show the form that puts a thing on offer, and take what is sent."""
    request = cast(Request, request)
    territory = territory_of(request)
    rules = queries.rules_of(territory)
    if rules is None:
        raise Http404
    form = OfferForm(
        request.POST or None,
        request.FILES or None,
        within=request.commune.bbox if request.commune else None,
        most_days=rules.days,
    )
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        try:
            number = operations.offer_thing(
                request.viewer, territory, title=values["title"], description=values["description"],
                pickup=values["pickup"], days=values["days"], lon=values["lon"], lat=values["lat"],
                street=_street(territory, values["lon"], values["lat"]), photos=sent_photos(request), at=now(),
            )  # fmt: skip
        except BeffroiError as error:
            where = error.where if error.where in form.fields else None
            form.add_error(where, f"{said(error.what)} ; {said(error.remedy)}.")
        else:
            messages.success(request, _("Votre objet est sur la carte."))
            return redirect("portal:offer", number)
    fields = [field for field in form if field.name not in ("lat", "lon")]
    context = {"form": form, "fields": fields, "rules": rules}
    return render(request, "portal/offers/new.html", context, status=400 if form.errors else 200)


def _street(territory: str, lon: float, lat: float) -> str:
    """Return the street of the nearest address, without its number, "" when none is near."""
    near = places.reverse(lon, lat, citycode=territory)
    return near[0].hit.entry.title if near and near[0].distance_m < 150 else ""


Act = Callable[[Viewer, int, datetime], None]
ACTS: dict[str, tuple[Act, Any]] = {
    "reserve": (
        lambda viewer, number, at: operations.reserve_thing(viewer, number, at=at),
        gettext_lazy("Il est réservé pour vous. Lisez où et quand le prendre."),
    ),
    "release": (
        lambda viewer, number, at: operations.release_thing(viewer, number, at=at),
        gettext_lazy("L’objet est de nouveau sur la carte."),
    ),
    "taken": (
        lambda viewer, number, at: operations.take_thing(viewer, number, at=at),
        gettext_lazy("L’objet est pris : il n’est plus sur la carte."),
    ),
    "withdraw": (
        lambda viewer, number, at: operations.withdraw_thing(viewer, number, at=at),
        gettext_lazy("L’objet est retiré de la carte."),
    ),
    "flag": (
        lambda viewer, number, at: operations.flag_thing(viewer, number, at=at),
        gettext_lazy("Merci. Un agent de la mairie va regarder cette offre."),
    ),
}


@open_to(EVERYONE)
@require_http_methods(["GET", "HEAD", "POST"])
def offer(request: HttpRequest, number: int) -> HttpResponse:
    """Tell of one thing; who is signed in reserves it, gives it up, says that it is taken, or complains of it."""
    request = cast(Request, request)
    territory, at = territory_of(request), now()
    info = queries.offer(request.viewer, territory, number, at=at)
    problem, status = "", 200
    if request.method == "POST":
        act, word = ACTS.get(request.POST.get("do", ""), (None, ""))
        try:
            if act is None:
                raise queries.BadOffer(
                    gettext_noop("cette page ne sait pas faire cela"), remedy=gettext_noop("rechargez-la")
                )
            act(request.viewer, number, at)
        except BeffroiError as error:
            told = f"{said(error.what)} ; {said(error.remedy)}."
            problem, status = told[:1].upper() + told[1:], error.http_status
        else:
            messages.success(request, str(word))
            return redirect(_after(request, number))
    template = "portal/offers/fragment.html" if "fragment" in request.GET else "portal/offers/one.html"
    context = {
        "offer": info,
        "problem": problem,
        "state": STATES.get(info.state),
        "signed_in": request.viewer.person_id,
    }
    return _fresh(render(request, template, context, status=status))


def _after(request: Request, number: int) -> str:
    """Return the page of the offer while the reader may read it, else the list."""
    try:
        queries.offer(request.viewer, territory_of(request), number, at=now())
    except OfferNotFound:
        return reverse("portal:offers")
    return reverse("portal:offer", args=[number])


@open_to(EVERYONE)
@require_safe
def photo(request: HttpRequest, number: int) -> HttpResponseBase:
    """Give the photo of a thing to who may read the offer; `?petite` for the thumbnail."""
    request = cast(Request, request)
    found = queries.offer_photo(
        request.viewer, territory_of(request), number, at=now(), thumbnail="petite" in request.GET
    )
    return _fresh(FileResponse(found.path.open("rb"), content_type=found.media_type))


@request_section("offers", rank=60)
def own(request: Request) -> Section:
    """Return what this person gives away, and what she has reserved."""
    lines = [_line(one) for one in queries.own_offers(request.viewer, territory_of(request), at=now())]
    may = has_offers(request)
    return Section(
        _("Mes objets donnés et réservés"),
        lines,
        reverse("portal:offer-new") if may else "",
        _("Proposer un objet") if may else "",
    )


def _line(one: OfferInfo) -> RequestLine:
    at = one.held_until or one.until
    day = date_format(localtime(at), "j F Y, H:i")
    if one.state != "open":
        words, kind = str(STATES[one.state][0]), STATES[one.state][1]
    elif one.until <= now():
        words, kind = _("Terminé"), "done"
    elif one.is_held:
        words, kind = _("Réservé jusqu’au {day}").format(day=day), "warn"
    else:
        words, kind = _("Sur la carte jusqu’au {day}").format(day=day), "wait"
    awaited = ""
    if one.is_held and one.is_held_by_reader:
        awaited = _("Allez le chercher, ou laissez-le à un autre.")
    return RequestLine(
        one.title, reverse("portal:offer", args=[one.id]), one.made_at, words, kind, one.reason or one.street,
        awaited,
    )  # fmt: skip


urlpatterns: list[URLPattern] = [
    path("objets/", offers, name="offers"),
    path("objets/carte.geojson", offers_geojson, name="offers-geojson"),
    path("objets/flux.atom", offers_feed, name="offers-feed"),
    path("objets/proposer/", offer_new, name="offer-new"),
    path("objets/<int:number>/", offer, name="offer"),
    path("objets/<int:number>/photo", photo, name="offer-photo"),
]
