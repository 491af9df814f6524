"""Maps in templates of any face: a place to choose in a form."""

from __future__ import annotations

import json
from typing import Any

from django import forms, template
from django.urls import reverse
from django.utils.translation import gettext as _

from beffroi.faces.portal.directory import town_datasets
from beffroi.faces.portal.mapping import picker_map

register = template.Library()


@register.filter
def rounded(value: float | None) -> float | None:
    """Keep three significant digits of a figure below a thousand, its units above."""
    return None if value is None else float(f"{value:.3g}") if abs(value) < 1000 else round(value)


@register.inclusion_tag("portal/place_picker.html", takes_context=True)
def place_picker(context: dict[str, Any], form: forms.Form, objects: str = "", legend: str = "") -> dict[str, Any]:
    """Show the place fields of `form` (see `shell.places.PlaceForm`) with a map that fills them in.

    `objects` names the datasets, separated by spaces, whose things may be chosen: « points-lumineux arbres ».
    """
    request = context["request"]
    datasets = town_datasets(request)
    config = picker_map(request.viewer, request.commune, datasets)
    config["objects"] = [slug for slug in objects.split() if any(one.ref.slug == slug for one in datasets)]
    config["near"] = reverse("portal:near")
    return {
        "request": request,
        "form": form,
        "config": json.dumps(config, ensure_ascii=False, separators=(",", ":")),
        "has_objects": bool(config["objects"]),
        "has_zone": "zone" in form.fields,
        "legend": legend or _("Le lieu"),
    }
