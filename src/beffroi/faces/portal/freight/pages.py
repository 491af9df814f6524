"""`/fret/`: a flow of goods declared by an agent, compared by road, by river and by rail; officials read it too."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from beffroi.base.catalogue import queries as catalogue
from beffroi.base.catalogue.definition import OPEN_STATES
from beffroi.base.catalogue.queries import UseCaseView
from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.kernel.time import now
from beffroi.base.territory.viewer import Role
from beffroi.faces.portal.directory import count_opening, territory_of
from beffroi.faces.portal.freight import words
from beffroi.faces.portal.itinerary import PlaceField, place_of
from beffroi.faces.shell.access import Request, open_to
from beffroi.lake.freight_settings import Freight
from beffroi.lake.layer_settings import Settings
from beffroi.sense.mobility.freight import queries
from beffroi.sense.mobility.freight.queries import Goods, Terminal

STAFF = (Role.AGENT, Role.ELECTED, Role.ADMINISTRATOR)
_PACKINGS = {"vrac": gettext_lazy("En vrac"), "conteneurs": gettext_lazy("En conteneurs")}
_SENSES = {"part": gettext_lazy("Elles partent de la commune"), "vient": gettext_lazy("Elles viennent à la commune")}


class GoodsForm(forms.Form):
    """A flow of goods: what, how much, and its two ends, the far one being a terminal or a place."""

    quoi = forms.CharField(label=gettext_lazy("Marchandises"), max_length=80)
    tonnes = forms.IntegerField(label=gettext_lazy("Tonnes par an"), min_value=1, max_value=50_000_000)
    emballage = forms.ChoiceField(label=gettext_lazy("Conditionnement"), choices=list(_PACKINGS.items()))
    sens = forms.ChoiceField(label=gettext_lazy("Sens"), choices=list(_SENSES.items()))
    ici = PlaceField(
        label=gettext_lazy("Dans la commune"), help_text=gettext_lazy("Une adresse, ou longitude et latitude.")
    )
    ailleurs = forms.ChoiceField(label=gettext_lazy("L’autre bout : un port, une gare"), required=False)
    lieu = PlaceField(
        label=gettext_lazy("Ou un autre lieu"), required=False,
        help_text=gettext_lazy("Longitude et latitude, par exemple 2.35, 48.86 ; ou une adresse de la commune."),
    )  # fmt: skip

    def __init__(self, *args: Any, citycode: str, terminals: tuple[Terminal, ...], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("ici", "lieu"):
            self.fields[name].citycode = citycode  # type: ignore[attr-defined]
        choices = [("", _("Choisir")), *((one.key, one.name) for one in terminals)]
        self.fields["ailleurs"].choices = choices  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """Ask for the far end, once and not twice."""
        data = super().clean() or {}
        if bool(data.get("ailleurs")) == bool(data.get("lieu")) and not {"ailleurs", "lieu"} & set(self.errors):
            self.add_error("ailleurs", _("Choisissez un port ou une gare, ou donnez un autre lieu : l’un des deux."))
        return data


@open_to(*STAFF)
@require_safe
def freight(request: HttpRequest) -> HttpResponse:
    """Compare a flow of goods; all is in the address, which is what one keeps or sends."""
    request = cast(Request, request)
    service, wanted = _wanted(request)
    territory, viewer = territory_of(request), request.viewer
    known = queries.terminals(viewer, territory, wanted)
    asked = request.GET if "tonnes" in request.GET else None
    form = GoodsForm(asked, citycode=territory, terminals=known)
    context: dict[str, Any] = {"service": service.use_case, "form": form, "known": known}
    status = 200
    if form.is_bound and form.is_valid():
        goods = _goods(form, known)
        try:
            found = queries.compared(viewer, territory, wanted, goods, at=now())
        except BeffroiError as error:
            context["problem"], status = error, error.http_status
        else:
            context |= {"told": words.told(found, wanted, goods.tonnes), "sources": found.sources,
                        "what": form.cleaned_data["quoi"], "packing": _PACKINGS[goods.packing],
                        "goods": goods}  # fmt: skip
            count_opening(request, service)
    elif form.is_bound:
        status = 400
    response = render(request, "portal/freight/compare.html", context, status=status)
    response.headers["Cache-Control"] = "private, no-store"
    return response


def _goods(form: GoodsForm, known: tuple[Terminal, ...]) -> Goods:
    data = form.cleaned_data
    here = (place_of(data["ici"]), data["ici"].label)
    if data["ailleurs"]:
        one = next(one for one in known if one.key == data["ailleurs"])
        there = ((one.lon, one.lat), one.name)
    else:
        there = (place_of(data["lieu"]), data["lieu"].label)
    first, last = (here, there) if data["sens"] == "part" else (there, here)
    return Goods(data["tonnes"], data["emballage"], first[0], last[0], first[1], last[1])


def _wanted(request: Request) -> tuple[UseCaseView, Freight]:
    """Return the open use case of the town that compares freight.

    Raises:
        Http404: there is none.
    """
    code = territory_of(request)
    for one in catalogue.use_cases(territory=code, states=OPEN_STATES) if code else ():
        settings = one.use_case.settings.get("layers")
        if isinstance(settings, Settings) and settings.freight is not None:
            return one, settings.freight
    raise Http404


urlpatterns: list[URLPattern] = [path("fret/", freight, name="freight")]
