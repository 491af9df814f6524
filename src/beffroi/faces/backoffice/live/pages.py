"""The sensors of the town, for its agents: the list and who is silent, one of them, the form that adds one."""

from __future__ import annotations

from typing import Any, cast
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from beffroi.base.kernel.errors import BeffroiError, NotFound
from beffroi.base.kernel.time import now
from beffroi.base.territory.queries import CommuneInfo
from beffroi.base.territory.viewer import Role
from beffroi.faces.backoffice.live.forms import SensorForm, TrialForm
from beffroi.faces.shell.access import Request, open_to
from beffroi.faces.shell.sentences import said
from beffroi.faces.shell.templatetags.shell import number as spelled
from beffroi.sense.live import operations, queries
from beffroi.sense.live.definition import Reading
from beffroi.sense.live.queries import StreamInfo, ThingInfo

DOERS = (Role.AGENT, Role.ADMINISTRATOR)


def _commune(request: HttpRequest) -> CommuneInfo:
    commune = cast(Request, request).commune
    if commune is None:
        raise NotFound("aucune commune n'est encore créée", remedy="créez-la : beffroi territory add <code INSEE>")
    return commune


def _state(one: ThingInfo, stream: StreamInfo) -> tuple[str, str]:
    """Return the state of a series in a word, and the kind it is drawn as."""
    if not one.active:
        return _("Suspendu"), "done"
    if stream.last_at is None:
        return _("N’a rien envoyé"), "wait"
    if stream.silent:
        return _("Muet"), "bad"
    return (_("Hors de sa plage"), "warn") if stream.last_marked else (_("Il répond"), "good")


def _last(stream: StreamInfo, zone: ZoneInfo) -> str:
    if stream.last_at is None or stream.last_result is None:
        return "—"
    value = f"{spelled(round(stream.last_result, 2))} {stream.unit}".strip()
    return _("{value}, le {when}").format(
        value=value, when=date_format(stream.last_at.astimezone(zone), "j N Y, H:i")
    )  # fmt: skip


@open_to(*DOERS)
@require_safe
def sensors(request: HttpRequest) -> HttpResponse:
    """List the sensors of the town, the silent ones told so."""
    commune = _commune(request)
    zone = ZoneInfo(commune.timezone)
    found = queries.things(cast(Request, request).viewer, commune.code, at=now())
    rows = [(one, stream, *_state(one, stream), _last(stream, zone)) for one in found for stream in one.streams]
    return render(request, "backoffice/live/list.html", {"rows": rows})


@open_to(*DOERS)
@require_http_methods(["GET", "HEAD", "POST"])
def add(request: HttpRequest) -> HttpResponse:
    """Add a thing and its first series."""
    viewer, commune = cast(Request, request).viewer, _commune(request)
    form = SensorForm(request.POST or None, viewer=viewer, territory=commune.code, within=commune.bbox)
    if request.method == "POST" and form.is_valid():
        try:
            with transaction.atomic():
                number = operations.add_thing(viewer, commune.code, form.thing, at=now())
                operations.add_stream(viewer, number, form.stream)
        except BeffroiError as fault:
            form.add_error(None, f"{said(fault.what)} ; {said(fault.remedy)}.")
        else:
            messages.success(request, _("Le capteur est ajouté. Essayez-le, puis donnez son adresse à l’appareil."))
            return redirect("backoffice:sensor", number)
    return render(request, "backoffice/live/add.html", {"form": form}, status=400 if form.errors else 200)


@open_to(*DOERS)
@require_safe
def sensor(request: HttpRequest, number: int) -> HttpResponse:
    """Show one thing: its last words, how to send to it, a reading by hand, and the button that suspends it."""
    return _shown(request, number)


def _shown(request: HttpRequest, number: int, *, trial: TrialForm | None = None) -> HttpResponse:
    viewer, commune = cast(Request, request).viewer, _commune(request)
    one = queries.thing(viewer, number, at=now(), territory=commune.code)
    zone = ZoneInfo(commune.timezone)
    series: list[dict[str, Any]] = []
    for stream in one.streams:
        word, kind = _state(one, stream)
        own = trial if trial is not None and trial.data.get("stream") == str(stream.id) else None
        series.append({
            "stream": stream, "word": word, "kind": kind, "last": _last(stream, zone),
            "form": own or TrialForm(initial={"stream": stream.id}, auto_id=f"serie_{stream.id}_%s"),
            "address": request.build_absolute_uri(f"/sta/v1.1/Datastreams({stream.id})/Observations"),
        })  # fmt: skip
    may = operations.may_send(viewer, commune.code, one.service)
    context = {"thing": one, "series": series, "may": may}
    status = 400 if trial is not None and trial.errors else 200
    return render(request, "backoffice/live/sensor.html", context, status=status)


@open_to(*DOERS)
@require_POST
def act(request: HttpRequest, number: int, verb: str) -> HttpResponse:
    """Suspend a thing, listen to it again, or keep a reading given by hand."""
    viewer, at = cast(Request, request).viewer, now()
    one = queries.thing(viewer, number, at=at, territory=_commune(request).code)
    if verb == "mesure":
        return _read_by_hand(request, one)
    turns = {"suspendre": operations.suspend_thing, "reprendre": operations.resume_thing}
    if verb not in turns:
        raise Http404
    turns[verb](viewer, number, at=at)
    messages.success(request, _("Le capteur est suspendu.") if verb == "suspendre" else _("Le capteur est repris."))
    return redirect("backoffice:sensor", number)


def _read_by_hand(request: HttpRequest, one: ThingInfo) -> HttpResponse:
    at = now()
    form = TrialForm(request.POST, auto_id=f"serie_{request.POST.get('stream', '')[:12]}_%s")
    if form.is_valid():
        stream = form.cleaned_data["stream"]
        if stream not in {known.id for known in one.streams}:
            raise Http404
        reading = Reading(stream, at, form.cleaned_data["result"])
        receipt = operations.receive(cast(Request, request).viewer, [reading], at=at)
        if not receipt.refused:
            told = _("La mesure est gardée.") if not receipt.marked else _("La mesure est gardée, hors de sa plage.")
            messages.success(request, told)
            return redirect("backoffice:sensor", one.id)
        fault = receipt.refused[0]
        form.add_error("result", f"{said(fault.what)} ; {said(fault.remedy)}.")
    return _shown(request, one.id, trial=form)


urlpatterns: list[URLPattern] = [
    path("capteurs/", sensors, name="sensors"),
    path("capteurs/ajouter/", add, name="sensor-add"),
    path("capteurs/<int:number>/", sensor, name="sensor"),
    path("capteurs/<int:number>/<slug:verb>/", act, name="sensor-act"),
]
