"""What works are described with."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.territory.viewer import Viewer
from beffroi.faces.backoffice.rounds.reading import read_windows
from beffroi.faces.shell.requests import service_names
from beffroi.faces.shell.sentences import said
from beffroi.sense.mobility.rounds.queries import services_of
from beffroi.sense.mobility.works.directions import DIRECTIONS
from beffroi.sense.mobility.works.plan import WHO, Phase

_DAY = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


class PhaseForm(forms.Form):
    """When, and who is concerned."""

    phase = forms.CharField(label=gettext_lazy("Nom de la phase"), max_length=120, required=False)
    first = forms.DateField(label=gettext_lazy("Premier jour"), widget=_DAY)
    last = forms.DateField(label=gettext_lazy("Dernier jour"), widget=_DAY)
    hours = forms.CharField(
        label=gettext_lazy("Heures"), required=False, max_length=20,
        help_text=gettext_lazy("Chaque jour, par exemple 8h-17h ; vide : jour et nuit."),
    )  # fmt: skip
    who = forms.MultipleChoiceField(
        label=gettext_lazy("Qui ne passe plus"), required=False, widget=forms.CheckboxSelectMultiple
    )
    alternate = forms.BooleanField(label=gettext_lazy("Circulation alternée : on passe, lentement"), required=False)
    direction = forms.ChoiceField(
        label=gettext_lazy("Ou bien : changer le sens de circulation"), required=False,
        help_text=gettext_lazy("La rue ne ferme pas : ceux qui sont cochés plus haut suivent ce sens."),
    )  # fmt: skip
    contraflow = forms.BooleanField(
        label=gettext_lazy("Contresens cyclable : les vélos passent dans les deux sens"), required=False
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(slug, _(one[0]).capitalize()) for slug, one in WHO.items()]
        cast(forms.MultipleChoiceField, self.fields["who"]).choices = choices
        directions = [("", _("Sens inchangé")), *((slug, _(name).capitalize()) for slug, name in DIRECTIONS.items())]
        cast(forms.ChoiceField, self.fields["direction"]).choices = directions

    def clean_hours(self) -> tuple[int, int]:
        """Return the hours of each day, zeros for day and night."""
        try:
            windows = read_windows(self.cleaned_data["hours"])
        except BeffroiError as fault:
            raise forms.ValidationError(f"{said(fault.what)} ; {said(fault.remedy)}.") from fault
        if len(windows) > 1:
            raise forms.ValidationError(_("Une seule plage par phase : faites deux phases."))
        return (windows[0].start_s, windows[0].end_s) if windows else (0, 0)

    def phase_of(self, **more: Any) -> Phase:
        """Return the phase of a valid form."""
        data = self.cleaned_data
        opens_s, closes_s = data["hours"]
        return Phase(
            title=data["phase"], first=data["first"], last=data["last"], opens_s=opens_s, closes_s=closes_s,
            who=tuple(data["who"]), alternate=data["alternate"], direction=data["direction"],
            contraflow=data["contraflow"], **more,
        )  # fmt: skip


class WorksForm(PhaseForm):
    """Works, and the first phase of their first scenario."""

    title = forms.CharField(label=gettext_lazy("Objet des travaux"), max_length=200)
    service = forms.ChoiceField(label=gettext_lazy("Service"))
    description = forms.CharField(
        label=gettext_lazy("Ce que les habitants liront"), required=False, max_length=4000,
        widget=forms.Textarea(attrs={"rows": 3}),
    )  # fmt: skip
    street = forms.CharField(
        label=gettext_lazy("Rue"), max_length=120,
        help_text=gettext_lazy("Tous ses tronçons sont pris d’abord ; vous ôterez ensuite ceux qui restent ouverts."),
    )  # fmt: skip
    field_order = ["title", "service", "description", "street"]

    def __init__(self, *args: Any, viewer: Viewer, territory: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        mine = services_of(viewer, territory)
        choices = [one for one in service_names(territory).items() if one[0] in mine]
        cast(forms.ChoiceField, self.fields["service"]).choices = choices


class ScenarioForm(forms.Form):
    """Another way of doing the works, begun from one known."""

    scenario = forms.CharField(label=gettext_lazy("Nom du scénario"), max_length=120)
