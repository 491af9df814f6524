"""`/signalements/abonnement/`, `/abonnements/`: to be told of a report, a street, a zone, a category; or no more."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import shapely
from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.territory import queries as territory_queries
from beffroi.base.territory.viewer import ANONYMOUS
from beffroi.faces.portal.directory import territory_of
from beffroi.faces.portal.own_requests import RequestLine, Section, request_section
from beffroi.faces.portal.reports.forms import WhereForm
from beffroi.faces.portal.reports.listing import around_of, feed_of, has_reports, told
from beffroi.faces.portal.reports.sending import address_of, device_of, remember_device
from beffroi.faces.shell.access import EVERYONE, SIGNED_IN, Request, open_to
from beffroi.faces.shell.addresses import nearest_label
from beffroi.faces.shell.sentences import said
from beffroi.serve.cases.definition import Requester
from beffroi.serve.cases.ground import circle
from beffroi.serve.reports import operations, queries
from beffroi.serve.reports.intake import street_of
from beffroi.serve.reports.news import described
from beffroi.serve.reports.queries import ReportFilter
from beffroi.serve.reports.subscriptions import (
    RHYTHMS,
    WARNED_AHEAD,
    ReaderInfo,
    SubscriptionInfo,
    own_reader,
    own_subscriptions,
    reader,
    reader_of,
    subscription,
    subscriptions_of,
)

STREET = "rue"
AROUND = (
    (STREET, gettext_lazy("Toute la rue")),
    ("200", gettext_lazy("À 200 m autour")),
    ("500", gettext_lazy("À 500 m autour")),
    ("1000", gettext_lazy("À 1 km autour")),
)
RHYTHM_TITLES = dict(
    zip(RHYTHMS, (gettext_lazy("Au fil de l’eau, un message par heure au plus"),
                  gettext_lazy("Un seul message par jour, à 18 h")), strict=True)
)  # fmt: skip


class RhythmForm(forms.Form):
    """How often one is written to."""

    rhythm = forms.ChoiceField(
        label=gettext_lazy("À quel rythme ?"),
        choices=tuple(RHYTHM_TITLES.items()),
        initial=RHYTHMS[0],
        widget=forms.RadioSelect,
    )


class SubscribeForm(RhythmForm, WhereForm):
    """What one wishes to be told of, where, at which address and how often."""

    categorie = forms.ChoiceField(label=gettext_lazy("Catégorie"), required=False)
    quartier = forms.ChoiceField(label=gettext_lazy("Quartier"), required=False)
    around = forms.ChoiceField(
        label=gettext_lazy("Quelle étendue ?"),
        choices=AROUND,
        required=False,
        initial=STREET,
        widget=forms.RadioSelect,
    )
    email = forms.EmailField(
        label=gettext_lazy("Votre e-mail"),
        help_text=gettext_lazy(
            "Un lien y est envoyé, pour confirmer. Jamais publié, et jamais utilisé pour autre chose."
        ),
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )

    def __init__(self, *args: Any, territory: str, at: Any, one_report: bool, needs_email: bool, **kwargs: Any) -> None:
        super().__init__(*args, citycode=territory, **kwargs)
        self.place_required = False
        self.fields["address"].label = _("Rue ou adresse")
        for name in ("place_object", *(() if needs_email else ("email",))):
            del self.fields[name]
        if one_report:
            self.fields = {name: field for name, field in self.fields.items() if name in ("rhythm", "email")}
            return
        names = {zone.slug: zone.name for zone in territory_queries.zones(territory, "quartier")}
        known = [
            one.category for one in queries.categories_for(ANONYMOUS, territory) if one.category.access == "public"
        ]
        here = queries.districts(territory, at=at)
        for name, title, choices in (
            ("categorie", _("Toutes"), [(one.code, _(one.label)) for one in known]),
            ("quartier", _("Tous"), [(slug, names.get(slug, slug)) for slug in here]),
        ):
            cast(forms.ChoiceField, self.fields[name]).choices = [("", title), *choices]
        if not here:
            del self.fields["quartier"]

    def wanted(self) -> dict[str, str]:
        """Return what a valid form asks to be told of, as `operations.subscribe` takes it."""
        values = self.cleaned_data
        found = {"category": values.get("categorie", ""), "district": values.get("quartier", "")}
        lon, lat, zone = values.get("lon"), values.get("lat"), values.get("zone")
        around = values.get("around") or STREET
        if zone is not None:
            return found | {"zone": shapely.to_geojson(zone)}
        if lon is None or lat is None:
            return found
        if around == STREET:
            address = values.get("address")
            return found | {"street": street_of(address.label if address else nearest_label(lon, lat))}
        return found | {"zone": str(shapely.to_geojson(circle(lon, lat, float(around))))}


@open_to(EVERYONE)
@require_http_methods(["GET", "HEAD", "POST"])
def subscribe(request: HttpRequest) -> HttpResponseBase:
    """Ask to be told: of one report (`signalement`), or of a place and a category."""
    request = cast(Request, request)
    territory, at = territory_of(request), timezone.now()
    asked = request.POST if request.method == "POST" else request.GET
    known = reader(asked["abonne"]) if asked.get("abonne") else None
    followed = queries.report(ANONYMOUS, asked["signalement"]) if asked.get("signalement") else None
    initial = {name: asked.get(name, "") for name in ("categorie", "quartier", "lon", "lat")} | {
        "address": asked.get("rue", "")[:120],
        "around": asked.get("around", STREET),
    }
    form = SubscribeForm(
        request.POST if request.method == "POST" else None,
        initial=initial,
        territory=territory,
        at=at,
        one_report=followed is not None,
        needs_email=known is None and request.viewer.person_id is None,
        within=request.commune.bbox if request.commune else None,
    )
    problem, status = "", 200
    if request.method == "POST":
        status = 400
        if form.is_valid():
            try:
                return _subscribed(request, form, known, followed.number if followed else "")
            except BeffroiError as error:
                problem, status = f"{said(error.what)} : {said(error.remedy)}.", error.http_status
    context = {
        "form": form,
        "followed": [told(followed, at)] if followed else [],
        "known": known,
        "sent": "envoye" in request.GET,
        "may_report": has_reports(request),
        "feed": _feed(asked, form),
        "problem": problem[:1].upper() + problem[1:],
    }
    return _kept_by_no_one(render(request, "portal/reports/subscribe.html", context, status=status))


def _feed(asked: Mapping[str, str], form: SubscribeForm) -> str:
    """Return the address of the Atom feed of what the page was opened about: its category, its district, its place."""
    given = {}
    for name in ("categorie", "quartier"):
        known = [str(code) for code, _title in getattr(form.fields.get(name), "choices", ())]
        given[name] = tuple(one for one in (asked.get(name, ""),) if one and one in known)
    around = around_of(asked) if asked.get("lon") else None
    text = "" if around else (asked.get("rue") or asked.get("address") or "")[:100]
    return feed_of(ReportFilter(categories=given["categorie"], districts=given["quartier"], text=text, bbox=around))


def _subscribed(request: Request, form: SubscribeForm, known: ReaderInfo | None, report: str) -> HttpResponseBase:
    at, device = timezone.now(), device_of(request)
    made = operations.subscribe(
        territory=territory_of(request),
        requester=Requester(
            email=known.email if known else form.cleaned_data.get("email", ""), language=get_language() or "fr"
        ),
        viewer=request.viewer,
        at=at,
        rhythm=form.cleaned_data["rhythm"],
        sender=operations.sender_of(device=device, address=address_of(request), at=at),
        token=known.token if known else "",
        **({"report": report} if report else form.wanted()),
    )
    if made.confirmed:
        messages.success(request, _("Vous êtes abonné : {what}.").format(what=described(made)))
        if known is None:
            return redirect("portal:own-subscriptions")
        return redirect("portal:subscriptions", token=known.token)
    response = redirect(reverse("portal:subscribe") + "?envoye")
    remember_device(response, device)
    return response


@open_to(EVERYONE)
@require_http_methods(["GET", "HEAD", "POST"])
def confirm(request: HttpRequest, token: str) -> HttpResponseBase:
    """Confirm a subscription by the link sent to its address; a page first: what opens links is not always a person."""
    request = cast(Request, request)
    one = subscription(token)
    if request.method == "POST":
        one = operations.confirm_subscription(token, at=timezone.now())
        messages.success(request, _("C’est confirmé. Vous serez prévenu : {what}.").format(what=described(one)))
        return _kept_by_no_one(redirect("portal:subscriptions", token=reader_of(one).token))
    if one.confirmed:
        return _kept_by_no_one(redirect("portal:subscriptions", token=reader_of(one).token))
    context = {"what": described(one), "email": one.email}
    return _kept_by_no_one(render(request, "portal/reports/subscription.html", context))


@open_to(EVERYONE)
@require_http_methods(["GET", "HEAD", "POST"])
def subscriptions(request: HttpRequest, token: str) -> HttpResponseBase:
    """Show what an address is told of, to whom holds the link that its messages bear; change it."""
    return _managed(cast(Request, request), reader(token), reverse("portal:subscriptions", args=[token]))


@open_to(SIGNED_IN)
@require_http_methods(["GET", "HEAD", "POST"])
def own(request: HttpRequest) -> HttpResponseBase:
    """Show what one's own account is told of; change it."""
    request = cast(Request, request)
    return _managed(request, own_reader(request.viewer, territory_of(request)), reverse("portal:own-subscriptions"))


def _managed(request: Request, who: ReaderInfo | None, url: str) -> HttpResponseBase:
    at = timezone.now()
    mine = subscriptions_of(who) if who else []
    if request.method == "POST" and who is not None:
        act = request.POST.get("do", "")
        if act == "end" and (one := next((one for one in mine if str(one.id) == request.POST.get("id")), None)):
            operations.end_subscription(one.token, at=at)
            messages.success(request, _("Vous n’êtes plus abonné : {what}.").format(what=described(one)))
        elif act == "rhythm" and (form := RhythmForm(request.POST)).is_valid():
            operations.set_rhythm(who.token, form.cleaned_data["rhythm"], at=at)
            messages.success(request, _("Le rythme est changé."))
        elif act == "renew":
            operations.renew_subscriptions(who.token, at=at)
            messages.success(request, _("C’est entendu : vos abonnements vivent deux ans de plus."))
        elif act == "end-all":
            operations.end_all_subscriptions(who.token, at=at)
            messages.success(request, _("Vous n’êtes plus abonné à rien."))
        return _kept_by_no_one(redirect(url))
    context = {
        "reader": who,
        "lines": [{"one": one, "what": described(one)} for one in mine],
        "ends": min((one.ends_at for one in mine if one.ends_at and one.ends_at <= at + WARNED_AHEAD), default=None),
        "form": RhythmForm(initial={"rhythm": who.rhythm if who else RHYTHMS[0]}),
        "page_url": url,
        "by_token": url != reverse("portal:own-subscriptions"),
    }
    return _kept_by_no_one(render(request, "portal/reports/subscriptions.html", context))


# A mailbox ends a subscription by itself (RFC 8058): it has no page, hence no mark of one, only the token.
@csrf_exempt
@open_to(EVERYONE)
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request: HttpRequest, token: str) -> HttpResponseBase:
    """Write no more to an address: at once when it is posted, after one press on a page when the link is opened."""
    if request.method == "POST":
        operations.end_all_subscriptions(token, at=timezone.now())
    else:
        reader(token)
    return _kept_by_no_one(
        render(request, "portal/reports/unsubscribe.html", {"done": request.method == "POST", "token": token})
    )


def _kept_by_no_one(response: HttpResponse) -> HttpResponse:
    response.headers["Cache-Control"] = "no-store"
    return response


@request_section("subscriptions", rank=80)
def own_section(request: Request) -> Section:
    """Return what the person is told of, on the page of her requests."""
    lines = [_own_line(one) for one in own_subscriptions(request.viewer)]
    return Section(_("Mes abonnements"), lines)


def _own_line(one: SubscriptionInfo) -> RequestLine:
    what = described(one)
    return RequestLine(
        what[:1].upper() + what[1:], reverse("portal:own-subscriptions"), one.asked_at, _("En cours"), "good"
    )
