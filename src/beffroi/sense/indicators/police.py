"""The police or gendarmerie area a commune is in, and the rates of that area.

Source: « Compétence territoriale gendarmerie et police nationales » and the communal base of the SSMSI, data.gouv.fr.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from beffroi.base.kernel.sentences import Sentence, gettext_noop
from beffroi.base.territory.viewer import Viewer
from beffroi.lake import queries as lake
from beffroi.lake.queries import BadQuery, DatasetNotFound, DatasetRef, Filter
from beffroi.sense.indicators.computations import Found, comparison
from beffroi.sense.indicators.figures import Answer

AREAS, OFFENCES = "competences-securite", "delinquance-departement"
PER_DWELLING = "cambriolages de logement"
NOTE = gettext_noop(
    "{service} : {communes} communes. Son taux est celui des communes dont le chiffre est diffusé, ensemble ; les "
    "autres ne sont ni ajoutées ni comptées pour zéro."
)


@comparison("secteur-de-securite")
def rates_of_the_area(viewer: Viewer, territory: str, answer: Answer) -> Found:
    """Return, for each kind of offence, the rate of the communes of the same service, together."""
    try:
        rows = lake.rows(viewer, DatasetRef(territory, AREAS), columns=["code_commune", "id_service", "service"]).rows
    except (DatasetNotFound, BadQuery):
        return Found({})
    ours = {str(service): str(name) for code, service, name in rows if str(code) == territory and service is not None}
    peers = {str(code) for code, service, _name in rows if str(service) in ours}
    if not peers or not answer.year:
        return Found({})
    try:
        told = lake.rows(
            viewer, DatasetRef(territory, OFFENCES), where=[Filter("annee", "eq", answer.year)],
            columns=["codgeo", "indicateur", "nombre", "insee_pop", "insee_log"],
        ).rows  # fmt: skip
    except (DatasetNotFound, BadQuery):
        return Found({})
    facts: dict[str, float] = defaultdict(float)
    people: dict[str, float] = defaultdict(float)
    for code, kind, count, inhabitants, dwellings in told:
        # A commune whose figure is not diffused is left out of both sides of the rate.
        bottom = _number(dwellings if str(kind).lower() == PER_DWELLING else inhabitants)
        if str(code) in peers and count is not None and bottom:
            facts[str(kind)] += count
            people[str(kind)] += bottom
    sources = tuple(lake.dataset(viewer, DatasetRef(territory, slug)).summary for slug in (AREAS, OFFENCES))
    note = Sentence(NOTE, {"service": " ; ".join(sorted(set(ours.values()))), "communes": len(peers)})
    return Found({kind: 1000 * facts[kind] / people[kind] for kind in facts}, note, sources)


def _number(value: Any) -> float | None:
    """Return a number that the lake may hold as a text: its column looks like a code."""
    try:
        return float(value)
    except (TypeError, ValueError):
        return None
