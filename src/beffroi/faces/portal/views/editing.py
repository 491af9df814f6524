"""Correct one thing of a dataset from its sheet, or add one: agents, seen on every map at once."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any, cast

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.kernel.time import now
from beffroi.base.territory.viewer import Role
from beffroi.faces.portal.sheets import read_sheet
from beffroi.faces.shell.access import Request, open_to
from beffroi.faces.shell.sentences import said
from beffroi.faces.shell.undoing import offer_undo
from beffroi.lake import operations
from beffroi.lake import queries as lake
from beffroi.lake.edits import ADDED, CHANGED, REMOVED, Edit
from beffroi.lake.queries import DatasetDetail, DatasetNotFound, DatasetRef
from beffroi.lake.reading import ColumnType

_LON, _LAT = "_lon", "_lat"
_KINDS = {
    ColumnType.INTEGER: forms.IntegerField,
    ColumnType.NUMBER: forms.FloatField,
    ColumnType.DATE: forms.DateField,
}


def _form(detail: DatasetDetail, data: Any, initial: dict[str, Any], *, named: str) -> forms.Form:
    """Return the form of one thing: a field by column the agent may see, and its place when it is a point."""
    fields: dict[str, forms.Field] = {}
    for column in detail.columns:
        label = f"{column.title} ({column.unit})" if column.unit else column.title
        if column.type is ColumnType.BOOLEAN:
            choices = [("", _("non renseigné")), ("true", _("oui")), ("false", _("non"))]
            fields[column.key] = forms.ChoiceField(label=label, required=False, choices=choices)
            continue
        kind = _KINDS.get(column.type, forms.CharField)
        fields[column.key] = kind(label=label, required=False, help_text=column.description)
        if kind is forms.DateField:
            fields[column.key].widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
        if column.key == named:
            fields[column.key].disabled = bool(initial)
    if detail.summary.geometry_type == "Point":
        for key, label, most in ((_LON, _("Longitude (degrés)"), 180), (_LAT, _("Latitude (degrés)"), 90)):
            fields[key] = forms.FloatField(label=label, min_value=-most, max_value=most, required=not initial)
            fields[key].widget.attrs["step"] = "any"
    made: type[forms.Form] = type("ThingForm", (forms.Form,), fields)
    return made(data, initial=initial)


def _known(request: Request, ref: DatasetRef, feature_id: str) -> tuple[dict[str, Any], str]:
    """Return the values of a thing as its form shows them, and its title."""
    body = lake.feature(request.viewer, ref, feature_id)
    feature = json.loads(body)
    title = read_sheet(body, lake.dataset(request.viewer, ref), feature_id=feature_id).title
    values = {
        key: str(value).lower() if isinstance(value, bool) else value for key, value in feature["properties"].items()
    }
    if (feature["geometry"] or {}).get("type") == "Point":
        values[_LON], values[_LAT] = feature["geometry"]["coordinates"][:2]
    return values, title


def _edit(form: forms.Form, kind: str, feature_id: str | None) -> Edit:
    asked = dict(form.cleaned_data)
    lon, lat = asked.pop(_LON, None), asked.pop(_LAT, None)
    values = {key: value for key, value in asked.items() if kind == ADDED or key in form.changed_data}
    moved = lon is not None and lat is not None and (kind == ADDED or {_LON, _LAT} & set(form.changed_data))
    return Edit(kind, feature_id, values, {"type": "Point", "coordinates": [lon, lat]} if moved else None)


@open_to(Role.AGENT, Role.ADMINISTRATOR)
@require_http_methods(["GET", "HEAD", "POST"])
def edit_thing(request: HttpRequest, territory: str, slug: str, feature_id: str = "") -> HttpResponse:
    """Show the form of a thing (of a new one without `feature_id`) and lay what is sent over the data."""
    request = cast(Request, request)
    ref = DatasetRef(territory, slug)
    detail = lake.dataset(request.viewer, ref)
    named = lake.seen_dataset(request.viewer, ref).manifest.id_column or ""
    initial, title = _known(request, ref, feature_id) if feature_id else ({}, _("Ajouter un objet"))
    form = _form(detail, request.POST or None, initial, named=named)
    home = reverse("portal:dataset", args=[territory, slug])
    undo = reverse("portal:undo-edit", args=[territory, slug])
    if request.method == "POST":
        removed = request.POST.get("do") == "remove" and bool(feature_id)
        if removed or form.is_valid():
            edit = (
                Edit(REMOVED, feature_id, {}) if removed else _edit(form, CHANGED if feature_id else ADDED, feature_id)
            )
            try:
                found = operations.edit_feature(request.viewer, ref, edit, at=now())
            except BeffroiError as refused:
                form.add_error(None, " ; ".join(said(one) for one in (refused.what, refused.remedy) if one.template))
            else:
                text = (
                    _("C’est retiré de toutes les cartes.")
                    if removed
                    else _("C’est enregistré, et déjà sur toutes les cartes.")
                )
                offer_undo(request, text, undo, id=found)
                return redirect(home if removed else reverse("portal:sheet", args=[territory, slug, found]))
    # Its place is chosen on a map; the rest is a plain form.
    is_point = _LAT in form.fields
    context = {
        "form": form,
        "fields": [field for field in form if field.name not in (_LAT, _LON)],
        "place": SimpleNamespace(lat=form[_LAT], lon=form[_LON], fields={}) if is_point else None,
        "title": title,
        "summary": detail.summary,
        "feature_id": feature_id,
        "home": home,
    }
    return render(request, "portal/edit_thing.html", context, status=400 if form.errors else 200)


@open_to(Role.AGENT, Role.ADMINISTRATOR)
@require_POST
def undo_edit(request: HttpRequest, territory: str, slug: str) -> HttpResponse:
    """Undo the last edit of a dataset, that of the thing `id`, and show it again."""
    request = cast(Request, request)
    ref, feature_id = DatasetRef(territory, slug), request.POST.get("id", "")[:200]
    operations.undo_edit(request.viewer, ref, feature_id, at=now())
    messages.success(request, _("C’est annulé, et déjà sur toutes les cartes."))
    try:
        lake.feature(request.viewer, ref, feature_id)
    except DatasetNotFound:
        # What was added is gone again.
        return redirect("portal:dataset", territory, slug)
    return redirect("portal:sheet", territory, slug, feature_id)
