"""The needs one goes to, whatever they come from: reports of the category, calls noted by agents, usual places."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from beffroi.base.territory.viewer import Viewer
from beffroi.faces.shell.drawing import Drawing, Point, box_of, drawn
from beffroi.sense.mobility import queries as mobility
from beffroi.sense.mobility.rounds import needs
from beffroi.sense.mobility.rounds.kinds import Kind
from beffroi.sense.mobility.rounds.needs import PRIORITY
from beffroi.sense.mobility.rounds.plan import Site, Stop
from beffroi.serve.reports import queries as reports
from beffroi.serve.reports.queries import ReportFilter, ReportInfo

MOST_REPORTS = 200
# The question of the category whose answer says how pressing it is: 0, 1 or 2.
URGENCY_FIELD = "urgence"
URGENCIES = {
    0: (gettext_lazy("Quand on passera"), "done"),
    1: (gettext_lazy("Ce soir"), "wait"),
    2: (gettext_lazy("Urgent"), "bad"),
}


@dataclass(frozen=True, slots=True)
class Going:
    """One need. `place` is None when the key that opens it is lost; `origin` says what it comes from."""

    source: str
    origin: str
    usual: bool
    urgency: int
    place: Site | None
    words: str
    since: datetime
    url: str

    @property
    def told(self) -> str:
        """Return how pressing it is, in words."""
        return str(URGENCIES[self.urgency][0])

    @property
    def kind(self) -> str:
        """Return the kind of its status tag."""
        return URGENCIES[self.urgency][1]


def going(viewer: Viewer, territory: str, kind: Kind, *, at: datetime) -> list[Going]:
    """Return the needs still open, the most urgent first, usual places last."""
    found = [_of_report(one) for one in _reports(viewer, territory, kind, at)]
    for one in needs.needs(viewer, territory, kind.use_case):
        origin = _("Lieu habituel") if one.usual else _("Appel noté")
        url = reverse("backoffice:outreach-need", args=[kind.use_case, one.id])
        found.append(Going(one.source, origin, one.usual, one.urgency, one.place, one.words, one.noted_at, url))
    return sorted(found, key=lambda one: (one.usual, -one.urgency, one.since))


def _reports(viewer: Viewer, territory: str, kind: Kind, at: datetime) -> Sequence[ReportInfo]:
    if not kind.settings.category:
        return ()
    wanted = ReportFilter(categories=(kind.settings.category,), statuses=("open",))
    return reports.queue(viewer, territory, wanted, at=at, size=MOST_REPORTS).items


def _of_report(one: ReportInfo) -> Going:
    told = str(one.private_details.get(URGENCY_FIELD, one.details.get(URGENCY_FIELD, "0")))
    urgency = int(told) if told in ("0", "1", "2") else 0
    name = one.address or _("Lieu du signalement {number}").format(number=one.number)
    return Going(
        f"report:{one.number}", _("Signalement"), False, urgency, Site(name=name, lon=one.lon, lat=one.lat),
        one.case.description, one.case.opened_at, reverse("backoffice:report", args=[one.number]),
    )  # fmt: skip


def stops_for(chosen: Sequence[Going], *, minutes: int) -> list[Stop]:
    """Return the stops of a round over needs; those whose place cannot be read are left."""
    readable = [(one, one.place) for one in chosen if one.place is not None]
    return [
        Stop(id=str(rank), name=place.name[:160], lon=place.lon, lat=place.lat, service_s=60 * minutes,
             source=one.source, priority=PRIORITY[one.urgency])
        for rank, (one, place) in enumerate(readable, start=1)
    ]  # fmt: skip


def plan_of_needs(territory: str, found: Sequence[Going]) -> Drawing | None:
    """Draw where the needs are, at the numbers of the list; None when there is nothing to draw."""
    points = [
        Point(one.place.lon, one.place.lat, str(rank), "left-out" if one.urgency == max(URGENCIES) else "n1", one.told)
        for rank, one in enumerate(found, start=1)
        if one.place is not None
    ]
    if not points:
        return None
    box = box_of([(one.lon, one.lat) for one in points])
    ground = [line for _number, line in mobility.street_lines(territory, box)]
    return drawn(box, ground=ground, lines=[], points=points)


def words_by_source(found: Sequence[Going]) -> Mapping[str, Any]:
    """Return the needs by what a stop says it comes from."""
    return {one.source: one for one in found}
