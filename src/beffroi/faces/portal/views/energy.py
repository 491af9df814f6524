"""The energy of one building: its labels, what its address used, and what its owner proposes to say of it."""

from __future__ import annotations

import json
from typing import Any, cast

import shapely
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.kernel.time import now
from beffroi.faces.portal.buildings import is_building
from beffroi.faces.portal.energy import LabelForm, MeasureForm, energy_of_service, energy_service
from beffroi.faces.portal.leaks.pages import estimated_line
from beffroi.faces.portal.sheets import read_sheet
from beffroi.faces.portal.views.maps import titled_building
from beffroi.faces.shell.access import EVERYONE, Request, open_to
from beffroi.faces.shell.proposals import proposal_line
from beffroi.faces.shell.sentences import said
from beffroi.lake import queries as lake
from beffroi.lake.layer_colours import OFFICIAL
from beffroi.lake.layer_settings import Energy
from beffroi.lake.queries import DatasetRef, DatasetSummary
from beffroi.sense.twin.energy import LABEL as LABEL_COLUMN
from beffroi.sense.twin.energy import BuildingEnergy, address_words, energy_of
from beffroi.sense.twin.life import BuildingRef
from beffroi.sense.twin.proposals import LABEL, MEASURE, Where, checked_label, checked_measure, proposals_of, propose
from beffroi.sense.twin.written import WRITTEN, address_book

_FORMS = {LABEL: LabelForm, MEASURE: MeasureForm}


@open_to(EVERYONE)
@require_http_methods(["GET", "HEAD", "POST"])
def building(request: HttpRequest, territory: str, slug: str, feature_id: str) -> HttpResponse:
    """Show the energy of a building; who is signed in proposes to complete or correct it, and an agent decides."""
    request = cast(Request, request)
    service = energy_service(territory)
    if service is None:
        raise Http404
    wanted, ref = energy_of_service(service), DatasetRef(territory, slug)
    detail, feature = lake.dataset(request.viewer, ref), lake.feature(request.viewer, ref, feature_id)
    if not is_building(detail.summary):
        raise Http404
    sheet = read_sheet(feature, detail, feature_id=feature_id)
    sheet = titled_building(sheet, feature) if sheet.nameless else sheet
    datasets = lake.datasets(request.viewer, territory=territory)
    values = json.loads(feature)
    known = energy_of(request.viewer, wanted, datasets, detail, values["properties"])
    of = BuildingRef(territory, slug, feature_id, sheet.title)
    slugs = {LABEL: wanted.labels, MEASURE: wanted.measured}
    there = {one.ref.slug for one in datasets}
    offered: dict[str, Any] = {kind: form() for kind, form in _FORMS.items() if slugs[kind] in there}
    if not known.addresses:
        # What is measured is laid at an address of the base: without one, there is nowhere to lay it.
        offered.pop(MEASURE, None)
    status = 200
    if request.method == "POST":
        kind = request.POST.get("act", "")
        if kind in offered:
            offered[kind] = _FORMS[kind](request.POST)
            where = _where(request, datasets, wanted, kind, values, known)
            if _proposed(request, of, kind, offered[kind], where):
                return redirect("portal:building-energy", territory=territory, slug=slug, feature_id=feature_id)
        status = 400
    context = {
        "service": service,
        "painted": f"{wanted.labels}:{LABEL_COLUMN}:{service.id}",
        "sheet": sheet,
        "summary": detail.summary,
        "feature_id": feature_id,
        "known": known,
        "label": known.labels[0] if known.labels else None,
        "estimated": None if known.labels else estimated_line(request.viewer, territory, feature_id, datasets),
        "colours": {letter[-1].upper(): colour for letter, colour in OFFICIAL.items()},
        "proposals": [proposal_line(one) for one in proposals_of(request.viewer, of)],
        "label_form": offered.get(LABEL),
        "measure_form": offered.get(MEASURE),
        "is_known_person": request.viewer.person_id is not None,
        "sources": [one for one in datasets if one.ref.slug in (wanted.labels, wanted.measured)],
        "trail": [(service.title, reverse("portal:service", args=[service.id]))],
    }
    return render(request, "portal/energy/building.html", context, status=status)


def _where(
    request: Request,
    datasets: list[DatasetSummary],
    wanted: Energy,
    kind: str,
    feature: dict[str, Any],
    known: BuildingEnergy,
) -> Where:
    """Return where a proposal of this building goes, and how its row names it."""
    territory = request.commune.code if request.commune else ""
    if kind == LABEL:
        point = shapely.from_geojson(json.dumps(feature["geometry"])).point_on_surface()
        place = {"type": "Point", "coordinates": [round(point.x, 7), round(point.y, 7)]}
        rnb = feature["properties"].get("id_rnb") or feature["properties"].get("rnb_id")
        tied = {"id_rnb": rnb, "identifiant_ban": known.addresses[0] if known.addresses else None}
        said_of = {key: value for key, value in tied.items() if value} | {"code_insee_ban": territory}
        return Where(DatasetRef(territory, wanted.labels), place, said_of)
    book = address_book(request.viewer, datasets)
    lines = [line for one in known.addresses for line in address_words(request.viewer, book, one)] if book else []
    row = {"code_commune": territory}
    for line in lines[:1]:
        row |= {WRITTEN[0]: line.number, WRITTEN[1]: line.rep, WRITTEN[3]: line.way, "adresse": line.name}
    return Where(DatasetRef(territory, wanted.measured), None, row)


def _proposed(request: Request, of: BuildingRef, kind: str, form: Any, where: Where) -> bool:
    """Keep what a form proposes; tell whether it is done."""
    if not form.is_valid():
        return False
    asked = dict(form.cleaned_data)
    asked.pop("owner")
    reason, today = asked.pop("reason"), timezone.localdate()
    check: Any = checked_label if kind == LABEL else checked_measure
    try:
        values = check(**asked, today=today)
        propose(request.viewer, of, kind=kind, values=values, where=where, reason=reason, at=now())
    except BeffroiError as fault:
        field = fault.where if fault.where in form.fields else None
        form.add_error(field, " ; ".join(str(said(one)) for one in (fault.what, fault.remedy) if one.template))
        return False
    messages.success(request, _("C’est envoyé. La mairie vérifie, puis la carte change ; la réponse se lira ici."))
    return True
