"""The energy of buildings on a page: labels and measures by district, one building, what its owner proposes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.urls import reverse
from django.utils.translation import gettext_lazy

from beffroi.base.catalogue import queries as catalogue
from beffroi.base.catalogue.definition import OPEN_STATES, UseCase
from beffroi.base.territory.viewer import Viewer
from beffroi.faces.shell.access import Request
from beffroi.faces.shell.templatetags.shell import number
from beffroi.lake.layer_settings import Energy, Settings
from beffroi.lake.queries import DatasetRef, DatasetSummary
from beffroi.sense.twin.energy import LETTERS, MEAN, DistrictEnergy, town_energy

ENGINE = "layers"
_DAY = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


@dataclass(frozen=True, slots=True)
class EnergyLine:
    """One district, each cell as it is read; `letters` are the counts from A to G, `link` shows it on the map."""

    name: str
    letters: tuple[tuple[str, str], ...]
    diagnoses: str
    leaking: str
    dwellings: str
    total: str
    each: str


@dataclass(frozen=True, slots=True)
class EnergyTable:
    """The districts, then the whole town; `measured_link` colours the buildings by what is measured."""

    lines: tuple[EnergyLine, ...]
    whole: EnergyLine
    year: int | None
    unplaced: int
    sources: tuple[DatasetSummary, ...]
    measured_link: str


def energy_service(territory: str) -> UseCase | None:
    """Return the use case that tells the energy of buildings in a commune, None while none is open."""
    found = catalogue.use_cases(territory=territory, states=OPEN_STATES) if territory else []
    return next((one.use_case for one in found if _wanted(one.use_case) is not None), None)


def _wanted(use_case: UseCase) -> Energy | None:
    settings: Settings | None = use_case.settings.get(ENGINE)
    return settings.energy if settings else None


def energy_of_service(use_case: UseCase) -> Energy:
    """Return which datasets a use case tells energy from."""
    return _wanted(use_case) or Energy()


def energy_url(request: Request, ref: DatasetRef, feature_id: str) -> str:
    """Return the address of the energy of a building, empty while no service tells it in its commune."""
    if not request.commune or ref.territory != request.commune.code or energy_service(ref.territory) is None:
        return ""
    return reverse("portal:building-energy", args=[ref.territory, ref.slug, feature_id])


def energy_table(viewer: Viewer, known: Sequence[DatasetSummary], use_case: UseCase) -> EnergyTable | None:
    """Return the energy of a town by district, None when no label is known to this reader."""
    wanted = energy_of_service(use_case)
    found = town_energy(viewer, wanted, known)
    if found is None:
        return None
    link = f"{reverse('portal:painting')}?couche={wanted.measured}&colonne={MEAN}"
    return EnergyTable(
        lines=tuple(_line(one) for one in found.districts),
        whole=_line(found.whole),
        year=found.year,
        unplaced=found.unplaced,
        sources=found.sources,
        measured_link=link if found.year is not None else "",
    )


def _line(one: DistrictEnergy) -> EnergyLine:
    share = f"{round(100 * one.leaking / one.diagnoses)}\u00a0%" if one.diagnoses else "–"
    measured = one.addresses > 0
    return EnergyLine(
        name=one.name,
        letters=tuple((letter, number(one.labels[letter])) for letter in LETTERS),
        diagnoses=number(one.diagnoses),
        leaking=share,
        dwellings=number(one.dwellings) if measured else "–",
        total=f"{number(round(one.total_mwh))}\u00a0MWh" if measured else "–",
        each=f"{number(round(1000 * one.total_mwh / one.dwellings, -1))}\u00a0kWh" if one.dwellings else "–",
    )


# --- What an owner proposes -------------------------------------------------------------------------------------------


class LabelForm(forms.Form):
    """A diagnosis the town does not show, or shows wrong."""

    number = forms.CharField(
        label=gettext_lazy("Numéro du diagnostic"),
        help_text=gettext_lazy("Treize signes, en haut du document : 2286E0135164Z."),
        max_length=30,
    )
    label = forms.ChoiceField(label=gettext_lazy("Étiquette énergie"), choices=[(one, one) for one in ("", *LETTERS)])
    climate = forms.ChoiceField(label=gettext_lazy("Étiquette climat"), choices=[(one, one) for one in ("", *LETTERS)])
    kwh_m2 = forms.FloatField(
        label=gettext_lazy("Énergie primaire (kWh par m² et par an)"), min_value=0, max_value=2000, localize=True
    )
    day = forms.DateField(label=gettext_lazy("Établi le"), widget=_DAY)
    reason = forms.CharField(
        label=gettext_lazy("Ce qui est à compléter ou à corriger"),
        help_text=gettext_lazy("Par exemple : des travaux d’isolation ont été faits, voici le nouveau diagnostic."),
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    owner = forms.BooleanField(
        label=gettext_lazy("Je suis propriétaire de ce bâtiment, ou son syndic, et j’ai ce document.")
    )

    def __init__(self, data: Any = None) -> None:
        super().__init__(data, auto_id="dpe_%s")


class MeasureForm(forms.Form):
    """A year of electricity of a building of ten dwellings or more, read by its manager."""

    year = forms.IntegerField(label=gettext_lazy("Année"), min_value=2011, max_value=2100)
    dwellings = forms.IntegerField(
        label=gettext_lazy("Nombre de logements"),
        help_text=gettext_lazy("Dix au moins : en dessous, la consommation est une donnée personnelle."),
        min_value=1,
        max_value=5000,
    )
    total_mwh = forms.FloatField(
        label=gettext_lazy("Électricité de tous les logements, dans l’année (MWh)"),
        help_text=gettext_lazy("1 MWh = 1 000 kWh. Enedis la donne au syndic qui la demande."),
        min_value=0,
        localize=True,
    )
    reason = LabelForm.base_fields["reason"]
    owner = forms.BooleanField(
        label=gettext_lazy("Je suis propriétaire de ce bâtiment, ou son syndic, et j’ai ce relevé.")
    )

    def __init__(self, data: Any = None) -> None:
        super().__init__(data, auto_id="mesure_%s")
