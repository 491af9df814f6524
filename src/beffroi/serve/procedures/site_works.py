"""An order granted on a request becomes works of the town: announced to all, and counted by routes."""

from __future__ import annotations

from datetime import datetime

from beffroi.base.territory.viewer import Viewer
from beffroi.sense.mobility.works import operations as works
from beffroi.sense.mobility.works.queries import Phase, Scenario
from beffroi.serve.cases import operations as cases
from beffroi.serve.procedures.answers import told_answer
from beffroi.serve.procedures.declaration import Procedure
from beffroi.serve.procedures.definition import RequestInfo
from beffroi.serve.procedures.sites import place_of, streets_in

# A zone drawn by hand on a pavement is some metres from the middle of its street.
ON_STREET_M = 8.0


def announce(info: RequestInfo, procedure: Procedure, *, by: Viewer, at: datetime) -> int:
    """Publish the works of a request that was granted and return their number; 0, and a note, when nothing closes.

    Everyone reads a title that names nobody: what is done, in what street, and the number of the request.
    """
    site, place = procedure.site, place_of(procedure, info.answers)
    closing = site.closes.get(str(info.findings.get(site.closing))) if site else None
    if site is None or place is None or closing is None or not (closing.who or closing.alternate):
        return 0
    stretches = streets_in(info.case.territory, place.zone, ON_STREET_M)
    if not stretches:
        text = "Aucune rue connue dans la zone : les travaux ne sont pas annoncés d’eux-mêmes, publiez-les à la main."
        cases.add_note(number=info.number, text=text, by=None, at=at)
        return 0
    told, named = (_told(procedure, code, info) for code in (site.closing, site.named))
    phase = Phase(
        first=place.first, last=place.last, who=closing.who, alternate=closing.alternate, stretches=tuple(stretches)
    )
    works_id = works.describe_works(
        territory=info.case.territory, service=info.case.service, title=f"{named}, {place.street} ({info.number})",
        description=told, scenarios=[Scenario(title="Arrêté", phases=(phase,))], by=by, at=at,
    )  # fmt: skip
    works.publish_works(by, info.case.territory, works_id, scenario=0, at=at)
    cases.add_note(number=info.number, text=f"Travaux n° {works_id} publiés avec l’arrêté.", by=None, at=at)
    return works_id


def _told(procedure: Procedure, code: str, info: RequestInfo) -> str:
    question, value = procedure.question(code), {**info.answers, **info.findings}.get(code)
    return told_answer(question, value) if question and value is not None else ""
