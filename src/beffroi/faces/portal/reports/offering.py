"""What one may do about a thing of the town, from its sheet on the map: report it, or send somebody to it."""

from __future__ import annotations

from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from beffroi.base.territory.viewer import Role
from beffroi.faces.portal.directory import territory_of
from beffroi.faces.portal.sheets import Sheet
from beffroi.faces.shell.access import Request
from beffroi.lake.store import DatasetRef
from beffroi.serve.reports import queries


def acts_on(request: Request, ref: DatasetRef, feature_id: str, sheet: Sheet) -> list[tuple[str, str]]:
    """Return the words and the address of each act that this reader may do about a thing; none in another town's."""
    territory = territory_of(request)
    if ref.territory != territory:
        return []
    acts = []
    if any(one.category.object == ref.slug for one in queries.categories_for(request.viewer, territory)):
        acts.append((_("Signaler, ou voir ce qui est signalé"), reverse("portal:object", args=[ref.slug, feature_id])))
    if request.viewer.has(Role.AGENT, territory) and sheet.lon is not None and sheet.lat is not None:
        begun = {"lat": f"{sheet.lat:.6f}", "lon": f"{sheet.lon:.6f}", "objet": f"{ref.slug}/{feature_id}"}
        acts.append((_("Commander une intervention"), f"{reverse('backoffice:order-new')}?{urlencode(begun)}"))
    return acts
