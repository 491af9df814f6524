"""`/alertes/abonnement/`: be told of what happens somewhere, by e-mail or on a device; or no more."""

from __future__ import annotations

from datetime import time
from typing import Any, cast

import shapely
from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.kernel.time import now
from beffroi.base.territory import queries as territory_queries
from beffroi.faces.portal.directory import territory_of
from beffroi.faces.portal.own_requests import RequestLine, Section, request_section
from beffroi.faces.portal.reports.forms import WhereForm
from beffroi.faces.portal.reports.sending import address_of
from beffroi.faces.shell.access import EVERYONE, Request, open_to
from beffroi.faces.shell.addresses import nearest_label
from beffroi.faces.shell.sentences import said
from beffroi.serve.alerts import operations
from beffroi.serve.alerts.definition import DISTRICT, PROJECT, STREET, TOWN, ZONE
from beffroi.serve.alerts.engine import topics
from beffroi.serve.alerts.following import FollowerInfo, Wanted, asked_wish, follower, own_following
from beffroi.serve.alerts.projects import followable
from beffroi.serve.cases.ground import circle
from beffroi.serve.reports.intake import street_of

QUIET = {
    "": gettext_lazy("Jamais"),
    "22-7": gettext_lazy("La nuit, de 22 h à 7 h"),
    "20-8": gettext_lazy("De 20 h à 8 h"),
}
PLACES = (
    (DISTRICT, gettext_lazy("Un quartier")),
    (STREET, gettext_lazy("Une rue")),
    (ZONE, gettext_lazy("Autour d’une adresse")),
    (TOWN, gettext_lazy("Toute la commune")),
    (PROJECT, gettext_lazy("Un projet")),
)
RADII = (("200", gettext_lazy("200 m")), ("500", gettext_lazy("500 m")), ("1000", gettext_lazy("1 km")))


def quiet_of(code: str) -> tuple[time, time] | None:
    """Return the hours of silence of a choice."""
    if code not in QUIET or not code:
        return None
    start, end = code.split("-")
    return time(int(start)), time(int(end))


class FollowForm(WhereForm):
    """What one wishes to be told of, where, how, and when not."""

    place_object = None
    place = forms.ChoiceField(label=gettext_lazy("Où ?"), choices=PLACES, widget=forms.RadioSelect)
    district = forms.ChoiceField(label=gettext_lazy("Quartier"), required=False)
    project = forms.ChoiceField(label=gettext_lazy("Projet"), required=False)
    radius = forms.ChoiceField(
        label=gettext_lazy("Jusqu’où, autour de l’adresse"), choices=RADII, initial="500", required=False
    )
    topics = forms.MultipleChoiceField(
        label=gettext_lazy("Quels sujets ?"), required=False, widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("Sans rien cocher : tous."),
    )  # fmt: skip
    quiet = forms.ChoiceField(
        label=gettext_lazy("Heures de silence"), choices=tuple(QUIET.items()), required=False,
        help_text=gettext_lazy("Ce qui arrive alors attend la fin du silence, sauf un danger extrême."),
    )  # fmt: skip
    email = forms.EmailField(
        label=gettext_lazy("Votre e-mail"), required=False,
        help_text=gettext_lazy(
            "Un lien y est envoyé, pour confirmer. Sans e-mail : seulement des notifications sur cet appareil."
        ),
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )  # fmt: skip

    def __init__(self, *args: Any, territory: str, needs_email: bool, **kwargs: Any) -> None:
        super().__init__(*args, citycode=territory, **kwargs)
        self.place_required = False
        self.fields["address"].label = _("Rue ou adresse")
        districts = [(one.slug, one.name) for one in territory_queries.zones(territory, "quartier")]
        projects = [(one.code, one.title) for one in followable(territory, at=now())]
        known = [(one.code, _(one.label)) for one in topics(territory).values()]
        for name, choices in (("district", districts), ("project", projects)):
            cast(forms.ChoiceField, self.fields[name]).choices = [("", _("Aucun")), *choices]
            if not choices:
                del self.fields[name]
        cast(forms.MultipleChoiceField, self.fields["topics"]).choices = known
        offered = [(code, label) for code, label in PLACES
                   if (code != DISTRICT or districts) and (code != PROJECT or projects)]  # fmt: skip
        cast(forms.ChoiceField, self.fields["place"]).choices = offered
        self.fields["place"].initial = offered[0][0]
        if not needs_email:
            del self.fields["email"]

    def clean(self) -> dict[str, Any]:
        """Ask for what the place chosen needs."""
        values = super().clean()
        chosen = values.get("place")
        if self.errors:
            return values
        if chosen == DISTRICT and not values.get("district"):
            self.add_error("district", _("Choisissez un quartier."))
        elif chosen == PROJECT and not values.get("project"):
            self.add_error("project", _("Choisissez un projet."))
        elif chosen in (STREET, ZONE) and values.get("lon") is None and values.get("zone") is None:
            self.add_error("address", _("Donnez une rue ou une adresse, ou montrez le lieu sur la carte."))
        return values

    def wanted(self) -> Wanted:
        """Return what a valid form follows."""
        values = self.cleaned_data
        chosen = values["place"]
        if chosen == DISTRICT:
            return Wanted(DISTRICT, values["district"])
        if chosen == PROJECT:
            titles: dict[str, Any] = dict(cast(Any, self.fields["project"]).choices)
            return Wanted(PROJECT, values["project"], str(titles[values["project"]]))
        if chosen not in (STREET, ZONE):
            return Wanted()
        if values.get("zone") is not None:
            return Wanted(ZONE, str(shapely.to_geojson(values["zone"])), _("la zone que vous avez dessinée"))
        lon, lat, address = values["lon"], values["lat"], values.get("address")
        label = address.label if address is not None else nearest_label(lon, lat)
        if chosen == STREET:
            return Wanted(STREET, street_of(label))
        radius = values.get("radius") or "500"
        words = _("à {radius} m autour de {label}").format(radius=radius, label=label)
        return Wanted(ZONE, str(shapely.to_geojson(circle(lon, lat, float(radius)))), words)


@open_to(EVERYONE)
@require_http_methods(["GET", "HEAD", "POST"])
def follow(request: HttpRequest) -> HttpResponseBase:
    """Ask to be told; by e-mail once confirmed, or on this device at once."""
    request = cast(Request, request)
    territory = territory_of(request)
    asked = request.POST if request.method == "POST" else request.GET
    known = follower(asked["suivi"]) if asked.get("suivi") else None
    form = FollowForm(
        request.POST if request.method == "POST" else None,
        initial={name: asked.get(name, "") for name in ("district", "project", "place") if asked.get(name)},
        territory=territory, needs_email=known is None and request.viewer.person_id is None,
        within=request.commune.bbox if request.commune else None,
    )  # fmt: skip
    problem, status = "", 200
    if request.method == "POST":
        status = 400
        if form.is_valid():
            try:
                return _followed(request, form, known)
            except BeffroiError as error:
                problem, status = f"{said(error.what)} : {said(error.remedy)}.", error.http_status
    context = {
        "form": form, "known": known, "sent": "envoye" in request.GET, "problem": problem[:1].upper() + problem[1:],
        "open": bool(topics(territory)),
    }  # fmt: skip
    return kept_by_no_one(render(request, "portal/alerts/follow.html", context, status=status))


def _followed(request: Request, form: FollowForm, known: FollowerInfo | None) -> HttpResponseBase:
    values = form.cleaned_data
    made = operations.follow(
        territory=territory_of(request), wanted=form.wanted(), viewer=request.viewer, at=now(),
        email=values.get("email", ""), topics=values["topics"], quiet=quiet_of(values["quiet"]),
        language=get_language() or "fr", network=address_of(request), token=known.token if known else "",
    )  # fmt: skip
    if not made.email:
        messages.success(request, _("Il reste à autoriser les notifications sur cet appareil."))
        return redirect(f"{reverse('portal:application')}?abonne={made.token}#notifications")
    if known is not None or request.viewer.person_id is not None:
        messages.success(request, _("C’est noté : vous serez prévenu."))
        return redirect("portal:alerts-followed", token=made.token)
    return redirect(reverse("portal:alerts-follow") + "?envoye")


@open_to(EVERYONE)
@require_http_methods(["GET", "HEAD", "POST"])
def confirm(request: HttpRequest, token: str) -> HttpResponseBase:
    """Confirm by the link sent to an address; a page first: what opens links is not always a person."""
    wish, who = asked_wish(token)
    if request.method == "POST":
        who = operations.confirm_wish(token, at=now())
        messages.success(request, _("C’est confirmé. Vous serez prévenu : {what}.").format(what=wish.label))
    if wish.confirmed or request.method == "POST":
        return kept_by_no_one(redirect("portal:alerts-followed", token=who.token))
    return kept_by_no_one(render(request, "portal/alerts/confirm.html", {"what": wish.label, "email": who.email}))


@open_to(EVERYONE)
@require_http_methods(["GET", "HEAD", "POST"])
def followed(request: HttpRequest, token: str) -> HttpResponseBase:
    """Show what one is told of, to whom holds the link that messages bear; change it."""
    request = cast(Request, request)
    who, at = follower(token), now()
    url = reverse("portal:alerts-followed", args=[token])
    if request.method == "POST":
        act = request.POST.get("do", "")
        number = request.POST.get("id", "")
        if act == "end" and number.isascii() and number.isdigit():
            left = operations.end_wish(token, int(number), at=at)
            messages.success(request, _("Vous n’êtes plus prévenu de cela."))
            return kept_by_no_one(redirect(url if left else reverse("portal:alerts")))
        if act == "quiet":
            operations.set_quiet(token, quiet_of(request.POST.get("quiet", "")), at=at)
            messages.success(request, _("Les heures de silence sont changées."))
        return kept_by_no_one(redirect(url))
    known = {one.code: _(one.label) for one in topics(who.territory).values()}
    quiet = f"{who.quiet[0].hour}-{who.quiet[1].hour}" if who.quiet else ""
    context = {
        "who": who, "quiet": quiet, "choices": QUIET.items(),
        "lines": [
            (one, ", ".join(known.get(code, code) for code in one.topics)) for one in who.wishes if one.confirmed
        ],
    }  # fmt: skip
    return kept_by_no_one(render(request, "portal/alerts/followed.html", context))


# A mailbox ends it by itself (RFC 8058): it has no page, hence no mark of one, only the token.
@csrf_exempt
@open_to(EVERYONE)
@require_http_methods(["GET", "HEAD", "POST"])
def unfollow(request: HttpRequest, token: str) -> HttpResponseBase:
    """Tell a follower nothing more: at once when it is posted, after one press on a page when the link is opened."""
    if request.method == "POST":
        operations.end_following(token, at=now())
    else:
        follower(token)
    context = {"done": request.method == "POST", "token": token}
    return kept_by_no_one(render(request, "portal/alerts/unfollow.html", context))


def kept_by_no_one(response: HttpResponse) -> HttpResponse:
    """Let no cache keep a page that a link opens."""
    response.headers["Cache-Control"] = "no-store"
    return response


@request_section("alerts-followed", rank=82)
def own_section(request: Request) -> Section:
    """Return what the person is told of, on the page of her requests."""
    lines = []
    for who in own_following(request.viewer):
        url = reverse("portal:alerts-followed", args=[who.token])
        for one in who.wishes:
            lines.append(RequestLine(one.label[:1].upper() + one.label[1:], url, one.asked_at, _("En cours"), "good"))
    return Section(_("Mes alertes"), lines)
