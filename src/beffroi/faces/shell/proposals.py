"""What an owner proposes to say of a building's energy, in one sentence: residents and agents read the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from beffroi.faces.shell.templatetags.shell import number
from beffroi.sense.twin.energy import TOTAL
from beffroi.sense.twin.proposals import LABEL, ProposalInfo

STATES = {
    "pending": gettext_lazy("en attente de la mairie"),
    "approved": gettext_lazy("approuvée"),
    "refused": gettext_lazy("refusée"),
}


@dataclass(frozen=True, slots=True)
class ProposalLine:
    """A proposal in one sentence, with what it waits for."""

    one: ProposalInfo
    said: str
    state: str


def proposal_line(one: ProposalInfo) -> ProposalLine:
    """Say a proposal."""
    return ProposalLine(one, _said(one.kind, one.values), str(STATES[one.state]))


def _said(kind: str, values: Mapping[str, Any]) -> str:
    if kind == LABEL:
        return _(
            "Diagnostic {number} : énergie {label}, climat {climate}, {kwh} kWh/m² par an, établi le {day}"
        ).format(
            number=values["numero_dpe"],
            label=values["etiquette_dpe"],
            climate=values["etiquette_ges"],
            kwh=number(values["conso_5_usages_par_m2_ep"]),
            day=date_format(_date(values["date_etablissement_dpe"]), "j F Y"),
        )
    return _("{year} : {total} MWh d’électricité pour {dwellings} logements").format(
        year=values["annee"],
        total=number_format(values[TOTAL], use_l10n=True, force_grouping=True),
        dwellings=number(values["nombre_de_logements"]),
    )


def _date(text: str) -> Any:
    return forms.DateField(localize=False).to_python(text)
