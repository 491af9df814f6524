"""The page of a report: for everyone by its number, for those who sent or follow it by their token or their account."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from django import forms
from django.contrib import messages
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.territory.viewer import Viewer
from beffroi.faces.portal.reports.draft import sent_photos
from beffroi.faces.portal.reports.forms import ContactForm
from beffroi.faces.portal.reports.listing import told
from beffroi.faces.portal.reports.sending import address_of, device_of, remember_device
from beffroi.faces.portal.reports.wording import age, history, promise, service_name, state_of, tone_of
from beffroi.faces.shell.access import EVERYONE, Request, open_to
from beffroi.faces.shell.requests import answers_of
from beffroi.faces.shell.sentences import said
from beffroi.serve.cases import operations as cases
from beffroi.serve.cases import queries as case_queries
from beffroi.serve.cases.definition import Audience, Requester, Sight
from beffroi.serve.cases.queries import PartyInfo
from beffroi.serve.reports import operations as reports
from beffroi.serve.reports import queries
from beffroi.serve.reports.categories import Category
from beffroi.serve.reports.obstacle_rules import obstacle_rule
from beffroi.serve.reports.queries import ReportInfo, Similar
from beffroi.serve.reports.ways import is_sure


class MessageForm(forms.Form):
    """A word to the service."""

    text = forms.CharField(
        label=gettext_lazy("Votre message au service"),
        help_text=gettext_lazy("Lu par le service seulement."),
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 3}),
    )


class ReasonForm(forms.Form):
    """Why it is reopened or withdrawn."""

    reason = forms.CharField(
        label=gettext_lazy("Pourquoi ?"), max_length=1000, widget=forms.Textarea(attrs={"rows": 2})
    )


@dataclass(frozen=True, slots=True)
class Asked:
    """A page asked for: whose eyes, which report, by which token, and her place in it."""

    request: Request
    viewer: Viewer
    info: ReportInfo
    token: str
    party: PartyInfo | None
    device: str = ""

    @property
    def url(self) -> str:
        """Return the address of this very page."""
        if self.token:
            return reverse("portal:followed-report", args=[self.token])
        return reverse("portal:public-report", args=[self.info.number])


def as_resident(viewer: Viewer) -> Viewer:
    """Return a viewer without her roles: the portal shows an agent what it shows everyone; she works elsewhere."""
    return Viewer(viewer.person_id)


@open_to(EVERYONE)
@require_http_methods(["GET", "HEAD", "POST"])
def public_report(request: HttpRequest, number: str) -> HttpResponseBase:
    """Show a report by its number; its parties, signed in, write there too."""
    request = cast(Request, request)
    viewer = as_resident(request.viewer)
    info = queries.report(viewer, number)
    place = case_queries.own_place(viewer, info.number)
    return _answered(Asked(request, viewer, info, "", place, device_of(request)))


@open_to(EVERYONE)
@require_http_methods(["GET", "HEAD", "POST"])
def followed_report(request: HttpRequest, token: str) -> HttpResponseBase:
    """Show a report to the one who holds its follow-up link."""
    request = cast(Request, request)
    info, party = queries.followed_report(token)
    return _answered(Asked(request, Viewer(), info, token, party, device_of(request)))


@open_to(EVERYONE)
@require_safe
def receipt(request: HttpRequest, token: str) -> HttpResponse:
    """Show the receipt of a report, to be printed."""
    request = cast(Request, request)
    info, party = queries.followed_report(token)
    asked = Asked(request, Viewer(), info, token, party)
    return _private(render(request, "portal/reports/receipt.html", _context(asked)))


@open_to(EVERYONE)
@require_safe
def photo(request: HttpRequest, attachment: int, token: str = "") -> HttpResponseBase:
    """Give a photo of a report to whoever may open it; `?petite` for the thumbnail."""
    request = cast(Request, request)
    viewer = Viewer() if token else as_resident(request.viewer)
    found = case_queries.attachment(viewer, attachment, token=token, thumbnail="petite" in request.GET)
    response = FileResponse(found.path.open("rb"), content_type=found.media_type)
    # What is public today may be withdrawn tomorrow: no cache keeps it long.
    response.headers["Cache-Control"] = "public, max-age=300" if found.public and not token else "private, no-store"
    return response


# --- Acts -------------------------------------------------------------------------------------------------------------


def _answered(asked: Asked) -> HttpResponseBase:
    request, status, problem = asked.request, 200, ""
    bound: dict[str, forms.Form] = {}
    if request.method == "POST":
        act = request.POST.get("do", "")
        chosen = ACTS.get(act)
        form = chosen.form(request.POST) if chosen else forms.Form({})
        if chosen is not None and form.is_valid():
            try:
                onward = chosen.run(asked, form, timezone.now())
            except BeffroiError as error:
                problem, status = f"{said(error.what)} : {said(error.remedy)}.", error.http_status
            else:
                response = redirect(onward or asked.url)
                if act in ("confirm", "follow"):
                    # One voice per device, and limits by device: the mark must be the same next time.
                    remember_device(response, asked.device)
                return response
        elif chosen is None:
            problem = _("Cette page ne sait pas faire cela : rechargez-la.")
        bound[act], status = form, max(status, 400)
    if "fragment" in request.GET:
        return _private(render(request, "portal/reports/fragment.html", _context(asked)))
    context = _context(asked, bound) | {"problem": problem[:1].upper() + problem[1:]}
    return _private(render(request, "portal/reports/public.html", context, status=status), asked)


def _private(response: HttpResponse, asked: Asked | None = None) -> HttpResponse:
    """Keep no copy of a page that a token opened, or that shows one's own thread."""
    if asked is None or asked.token or asked.party is not None:
        response.headers["Cache-Control"] = "no-store"
    return response


def _write(asked: Asked, form: forms.Form, at: datetime) -> str:
    photos = cases.prepare_files([_for_service(one) for one in sent_photos(asked.request)])
    cases.write_to_service(
        number=asked.info.number,
        text=form.cleaned_data["text"],
        viewer=asked.viewer,
        token=asked.token,
        at=at,
        files=photos,
    )
    messages.success(asked.request, _("Votre message est envoyé au service."))
    return ""


def _for_service(upload: Any) -> Any:
    return type(upload)(upload.name, upload.content, Audience.PARTIES, "photo")


def _reopen(asked: Asked, form: forms.Form, at: datetime) -> str:
    reason = form.cleaned_data["reason"]
    cases.reopen_case(number=asked.info.number, reason=reason, viewer=asked.viewer, token=asked.token, at=at)
    messages.success(asked.request, _("Le signalement est rouvert. Une nouvelle échéance court."))
    return ""


def _withdraw(asked: Asked, form: forms.Form, at: datetime) -> str:
    reason = form.cleaned_data["reason"]
    cases.withdraw_case(number=asked.info.number, reason=reason, viewer=asked.viewer, token=asked.token, at=at)
    messages.success(asked.request, _("Votre signalement est retiré."))
    return ""


def _follow(asked: Asked, form: forms.Form, at: datetime) -> str:
    requester = Requester(
        person=asked.viewer.person_id, email=form.cleaned_data["email"], language=get_language() or "fr"
    )
    sender = reports.sender_of(device=asked.device, address=address_of(asked.request), at=at)
    opened = reports.follow_report(
        number=asked.info.number, requester=requester, viewer=asked.viewer, at=at, sender=sender
    )
    messages.success(asked.request, _("Vous suivez ce signalement : vous serez compté avec ceux qui le voient."))
    return asked.url if asked.viewer.person_id else reverse("portal:followed-report", args=[opened.token])


def _confirm(asked: Asked, form: forms.Form, at: datetime) -> str:
    """Say that an obstacle is still there, or is gone; without an account, the device speaks once."""
    there = asked.request.POST.get("still_there") == "oui"
    sender = reports.sender_of(device=asked.device, address=address_of(asked.request), at=at)
    state = reports.confirm_obstacle(
        number=asked.info.number, still_there=there, viewer=asked.viewer, at=at, sender=sender
    )
    words = _("Merci, votre avis est compté.")
    if not state.open:
        words = _("Merci : l’obstacle est retiré de la carte.")
    elif there and state.expires_at is not None:
        words = _("Merci : il reste signalé jusqu’au {day}.").format(day=date_format(state.expires_at, "j F Y"))
    messages.success(asked.request, words)
    return ""


def _tell(asked: Asked, form: forms.Form, at: datetime) -> str:
    told = asked.party is not None and not asked.party.told
    cases.set_told(number=asked.info.number, told=told, viewer=asked.viewer, token=asked.token)
    messages.success(
        asked.request,
        _("Vous serez prévenu de la suite.") if told else _("Vous ne recevrez plus de nouvelles de ce signalement."),
    )
    return ""


@dataclass(frozen=True, slots=True)
class Act:
    """What may be done on the page: the form that is read, and what it does; it returns where to go on."""

    form: type[forms.Form]
    run: Callable[[Asked, Any, datetime], str]


ACTS: Mapping[str, Act] = {
    "write": Act(MessageForm, _write),
    "reopen": Act(ReasonForm, _reopen),
    "withdraw": Act(ReasonForm, _withdraw),
    "follow": Act(ContactForm, _follow),
    "tell": Act(forms.Form, _tell),
    "confirm": Act(forms.Form, _confirm),
}


# --- What the page shows ----------------------------------------------------------------------------------------------


def _context(asked: Asked, bound: Mapping[str, forms.Form] | None = None) -> dict[str, Any]:
    info, at, bound = asked.info, timezone.now(), bound or {}
    case = info.case
    chosen = {one.category.code: one.category for one in queries.categories_for(asked.viewer, case.territory)}
    category = chosen.get(case.category)
    files = case_queries.attachments(asked.viewer, info.number, token=asked.token)
    thread = case_queries.thread(asked.viewer, info.number, token=asked.token)
    follows = case.sight is Sight.PARTY
    obstacle = obstacle_rule(case.territory, case.category) if category and category.obstacle else None
    return {
        "info": info,
        "case": case,
        "label": _(info.label),
        "state": state_of(case),
        "tone": tone_of(case),
        "age": age(case.opened_at, at),
        "service": service_name(case.territory, case.service),
        "promise": promise(case, category),
        "late": case.is_late(at),
        "lines": history(thread),
        "photos": [one for one in files if one.media_type.startswith("image/")],
        "answers": answers_of(category, info),
        "party": asked.party if follows else None,
        "token": asked.token,
        "page_url": asked.url,
        "absolute_url": asked.request.build_absolute_uri(asked.url),
        "thanks": "merci" in asked.request.GET,
        "may_reopen": follows and case.may_reopen(at),
        "may_withdraw": asked.party is not None and asked.party.made_it and case.is_open and not case.lead,
        "message_form": bound.get("write", MessageForm(auto_id="ecrire_%s")),
        "reopen_form": bound.get("reopen", ReasonForm(auto_id="rouvrir_%s")),
        "withdraw_form": bound.get("withdraw", ReasonForm(auto_id="retirer_%s")),
        "follow_form": bound.get("follow", ContactForm(auto_id="suivre_%s")),
        "obstacle": obstacle,
        "sure": obstacle is not None and is_sure(case, obstacle, at=at),
        "discreet": category.discreet if category else False,
        "helplines": category.helpline if category else (),
        "trust": queries.trust_level(case.territory, asked.viewer.person_id),
        "matches": [told(one.report, at) | {"distance_m": one.distance_m} for one in _matches(asked, category)],
        "at": at,
    }


def _matches(asked: Asked, category: Category | None) -> list[Similar]:
    """Return the counterparts of a lost or found animal, for its parties: where and what, nobody's contact."""
    if category is None or category.matching is None:
        return []
    return queries.matches(asked.viewer, asked.info.number, token=asked.token)
