"""`/agent/alertes/`: the alerts of the town, one being written, its previews, its approval, its sending, its end."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any, cast

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.kernel.time import now
from beffroi.base.territory import queries as territories
from beffroi.base.territory.viewer import Role
from beffroi.faces.backoffice.alerts.forms import AlertForm, ProjectForm, moment
from beffroi.faces.backoffice.reports.queue import code_of
from beffroi.faces.backoffice.work import Urgency, WorkCard, work_source
from beffroi.faces.shell.access import Request, open_to
from beffroi.faces.shell.alerts import told, words_of
from beffroi.faces.shell.sentences import said
from beffroi.serve.alerts import audience, letters, operations, queries
from beffroi.serve.alerts.cap_feeds import states
from beffroi.serve.alerts.definition import AlertInfo, Reach
from beffroi.serve.alerts.engine import is_anywhere, topics
from beffroi.serve.alerts.projects import followable

STATES = {
    "draft": (gettext_noop("Brouillon"), "wait"),
    "waiting": (gettext_noop("Attend un accord"), "warn"),
    "planned": (gettext_noop("Va partir"), "warn"),
    "live": (gettext_noop("Envoyée"), "good"),
    "over": (gettext_noop("Finie"), "done"),
}
CHANNELS = {"mail": gettext_noop("Courriel"), "device": gettext_noop("Notification")}


@work_source("alerts")
def waiting(request: Request) -> Iterator[WorkCard]:
    """Yield the alerts that wait for one's agreement."""
    if is_anywhere():
        count = queries.waiting_count(request.viewer, code_of(request))
        yield WorkCard(_("Alertes à approuver"), count, reverse("backoffice:alerts"), Urgency.LATE)


@open_to(Role.AGENT, Role.ADMINISTRATOR)
@require_safe
def alerts(request: HttpRequest) -> HttpResponse:
    """List the alerts of the town, what is being written first."""
    request = cast(Request, request)
    territory, at = code_of(request), now()
    lines = [(told(one, at), *_state(one, at)) for one in queries.watched_alerts(request.viewer, territory)]
    context = {"lines": lines, "topics": topics(territory), "projects": followable(territory, at=at),
               "feeds": states(territory)}  # fmt: skip
    return render(request, "backoffice/alerts/list.html", context)


def _state(one: AlertInfo, at: datetime) -> tuple[str, str]:
    over = one.state == "live" and not one.is_running(at)
    title, kind = STATES["over" if over else one.state]
    return _(title), kind


@open_to(Role.AGENT, Role.ADMINISTRATOR)
@require_http_methods(["GET", "HEAD", "POST"])
def write(request: HttpRequest, number: int = 0) -> HttpResponse:
    """Write an alert, or write one anew; nothing leaves from here."""
    request = cast(Request, request)
    territory, at = code_of(request), now()
    info = _of_town(request, number) if number else None
    form = AlertForm(
        request.POST if request.method == "POST" else None, territory=territory, at=at,
        content=info.content if info else None, within=request.commune.bbox if request.commune else None,
    )  # fmt: skip
    if request.method == "POST" and form.is_valid():
        try:
            if info:
                operations.change_alert(request.viewer, number, form.content(), at=at)
            else:
                number = operations.write_alert(request.viewer, territory, form.content(), at=at)
        except BeffroiError as error:
            where = error.where if error.where in form.fields else None
            form.add_error(where, f"{said(error.what)} ; {said(error.remedy)}.")
        else:
            return redirect("backoffice:alert", number)
    context = {"form": form, "info": info, "open": bool(topics(territory))}
    return render(request, "backoffice/alerts/write.html", context, status=400 if form.errors else 200)


def _of_town(request: Request, number: int) -> AlertInfo:
    info = queries.alert(request.viewer, number)
    if info.territory != code_of(request):
        raise Http404
    return info


@open_to(Role.AGENT, Role.ADMINISTRATOR)
@require_safe
def alert(request: HttpRequest, number: int) -> HttpResponse:
    """Show an alert: what it says on each channel, how many it reaches, who agreed, what was sent, what may be done."""
    request = cast(Request, request)
    info, at = _of_town(request, number), now()
    label, kind = _state(info, at)
    context = {
        "one": told(info, at), "info": info, "label": label, "kind": kind,
        "previews": previews(info),
        "reach": _reach(info, at),
        "told": [(_(CHANNELS[name]), *counts) for name, counts in sorted(queries.told_by_channel(number).items())],
        "sent": [
            {"kind": what, "at": when, **words_of(content, info.territory)}
            for _rank, what, when, content in queries.issues(number)
        ],
        "people": _people(info),
        "may_approve": info.state == "waiting" and request.viewer.person_id not in (info.author, info.asker),
        "leaves_at": moment("", required=False).widget.render("leaves_at", None, {"id": "leaves_at"}),
        "running": info.is_running(at),
        "at": at,
    }  # fmt: skip
    return render(request, "backoffice/alerts/sheet.html", context)


def previews(info: AlertInfo) -> list[dict[str, Any]]:
    """Return what each language reads by mail and on a device, as it would leave."""
    is_change = info.rank > 1 or (info.rank == 1 and info.state in ("draft", "waiting", "planned"))
    kind = "update" if is_change else "alert"
    found = []
    for language, title in (("fr", _("En français")), ("en", _("En anglais"))):
        if language == "en" and not info.content.title_en:
            continue
        with translation.override(language):
            subject = letters.subject(kind, info.content, info.territory, language)
            words = letters.paragraphs(kind, info.content, info.territory, language)
        found.append({"language": language, "title": title, "subject": subject, "words": words,
                      "device": words[0][: letters.MOST_SHOWN]})  # fmt: skip
    return found


def _reach(info: AlertInfo, at: datetime) -> Reach | None:
    if info.state not in ("draft", "waiting", "planned"):
        return None
    return audience.reach(info.territory, info.content, at=at, report=info.origin)


def _people(info: AlertInfo) -> list[tuple[str, str]]:
    """Return who wrote, asked and agreed, by name."""
    found = []
    for title, person in ((_("Écrite par"), info.author), (_("Envoi demandé par"), info.asker),
                          (_("Approuvée par"), info.approver)):  # fmt: skip
        if person is not None:
            try:
                found.append((title, territories.person(person).name))
            except territories.UnknownPerson:
                found.append((title, _("Compte effacé")))
    return found


@open_to(Role.AGENT, Role.ADMINISTRATOR)
@require_POST
def act(request: HttpRequest, number: int, name: str) -> HttpResponse:
    """Do one thing with an alert: send it, agree, take it back, end it, cancel it, throw it away."""
    request = cast(Request, request)
    info, at = _of_town(request, number), now()
    if name not in _ACTS:
        raise Http404
    try:
        words = _ACTS[name](request, info, at)
    except BeffroiError as error:
        messages.error(request, f"{said(error.what)} ; {said(error.remedy)}.")
        return redirect("backoffice:alert", number)
    messages.success(request, words)
    gone = name == "jeter" and info.rank == 0
    return redirect("backoffice:alerts") if gone else redirect("backoffice:alert", number)


def _send(request: Request, info: AlertInfo, at: datetime) -> str:
    wanted = request.POST.get("leaves_at", "")
    leaves_at = moment("", required=False).clean(wanted) if wanted else None
    state = operations.send_alert(request.viewer, info.id, at=at, leaves_at=leaves_at)
    if state == "waiting":
        return _("Une autre personne doit approuver : elle la trouve sur son tableau de bord.")
    if leaves_at is not None:
        return _("L’envoi est programmé.")
    return _("Elle part dans trente secondes : « Reprendre » l’arrête.")


def _approve(request: Request, info: AlertInfo, at: datetime) -> str:
    operations.approve_alert(request.viewer, info.id, at=at)
    return _("Approuvée : elle part dans trente secondes, ou à son heure.")


def _take_back(request: Request, info: AlertInfo, at: datetime) -> str:
    operations.take_back(request.viewer, info.id, at=at)
    return _("Reprise : rien n’est parti.")


def _end(request: Request, info: AlertInfo, at: datetime) -> str:
    operations.end_alert(request.viewer, info.id, at=at, reason=request.POST.get("reason", ""))
    return _("L’alerte est finie ; ceux qui l’avaient reçue l’apprennent.")


def _cancel(request: Request, info: AlertInfo, at: datetime) -> str:
    operations.end_alert(request.viewer, info.id, at=at, reason=request.POST.get("reason", ""), mistaken=True)
    return _("L’alerte est annulée ; ceux qui l’avaient reçue l’apprennent.")


def _discard(request: Request, info: AlertInfo, at: datetime) -> str:
    operations.discard_alert(request.viewer, info.id, at=at)
    return _("Le brouillon est jeté.")


_ACTS: Mapping[str, Callable[[Request, AlertInfo, datetime], str]] = {
    "envoyer": _send, "approuver": _approve, "reprendre": _take_back, "finir": _end, "annuler": _cancel,
    "jeter": _discard,
}  # fmt: skip


@open_to(Role.AGENT, Role.ADMINISTRATOR)
@require_http_methods(["GET", "HEAD", "POST"])
def projects(request: HttpRequest) -> HttpResponse:
    """List the projects that people may follow, and open one."""
    request = cast(Request, request)
    territory, at = code_of(request), now()
    form = ProjectForm(request.POST if request.method == "POST" else None, territory=territory)
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        try:
            operations.open_project(
                request.viewer, territory, title=values["title"], text=values["text"], cost_cents=form.cost_cents(),
                district=values["district"], at=at,
            )  # fmt: skip
        except BeffroiError as error:
            form.add_error(
                error.where if error.where in form.fields else None, f"{said(error.what)} ; {said(error.remedy)}."
            )
        else:
            messages.success(request, _("Le projet est ouvert : on peut le suivre."))
            return redirect("backoffice:alert-projects")
    context = {"form": form, "projects": followable(territory, at=at)}
    return render(request, "backoffice/alerts/projects.html", context, status=400 if form.errors else 200)


@open_to(Role.AGENT, Role.ADMINISTRATOR)
@require_POST
def close_project(request: HttpRequest, code: str) -> HttpResponse:
    """Offer a project no more to those who would follow it."""
    request = cast(Request, request)
    operations.close_project(request.viewer, code_of(request), code, at=now())
    messages.success(request, _("On ne peut plus suivre ce projet ; sa page reste."))
    return redirect("backoffice:alert-projects")


urlpatterns = [
    path("alertes/", alerts, name="alerts"),
    path("alertes/nouvelle/", write, name="alert-new"),
    path("alertes/projets/", projects, name="alert-projects"),
    path("alertes/projets/<slug:code>/fin/", close_project, name="alert-project-close"),
    path("alertes/<int:number>/", alert, name="alert"),
    path("alertes/<int:number>/modifier/", write, name="alert-change"),
    path("alertes/<int:number>/<slug:name>/", act, name="alert-act"),
]
