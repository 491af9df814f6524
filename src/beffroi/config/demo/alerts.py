"""What the fictional town told its people: two alerts that are over, one in force, a project to follow. Made once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import shapely

from beffroi.base.territory import queries as territories
from beffroi.serve.alerts import issuing, operations, projects, queries
from beffroi.serve.alerts.definition import DISTRICT, TOWN, ZONE, Content
from beffroi.serve.alerts.engine import topics
from beffroi.serve.cases.ground import circle

_SOON = timedelta(minutes=1)


def add_alerts(
    territory: str, *, places: Sequence[tuple[float, float, str]], author: str, approver: str, at: datetime
) -> int:
    """Write, approve and send the alerts, and return how many; none where some are, or may not be."""
    people = [territories.person_by_email(email) for email in (author, approver)]
    if not topics(territory) or not places or None in people or queries.past(territory, at=at):
        return 0
    writer, second = (territories.viewer_of_person(one.id, at=at) for one in people if one is not None)
    told = _told(territory, places, at)
    for sent_at, content in told:
        number = operations.write_alert(writer, territory, content, at=sent_at)
        if operations.send_alert(writer, number, at=sent_at) == "waiting":
            operations.approve_alert(second, number, at=sent_at)
        issuing.issue_planned(number, sent_at + _SOON)
    if not projects.followable(territory, at=at):
        operations.open_project(
            writer, territory, title="Rénovation de l’école du Lavoir", cost_cents=184_000_000, at=at,
            text="Isolation, cour désimperméabilisée, cantine agrandie. Travaux de juillet à décembre.",
        )  # fmt: skip
    return len(told)


def _told(territory: str, places: Sequence[tuple[float, float, str]], at: datetime) -> list[tuple[datetime, Content]]:
    lon, lat, label = places[len(places) // 3]
    here = str(shapely.to_geojson(circle(lon, lat, 400)))
    districts = [one.slug for one in territories.zones(territory, "quartier")]
    found = [
        (
            at - timedelta(days=40),
            Content(
                title="Pic de pollution : circulation différenciée",
                text="L’air est pollué aux particules. Le préfet réserve la circulation aux Crit’Air 0, 1 et 2.",
                instruction="Laissez la voiture si vous le pouvez ; évitez le sport dehors.", topic="circulation",
                category="Transport", severity="Moderate", urgency="Expected", certainty="Observed", area=TOWN,
                driving="critair-2", until=at - timedelta(days=38),
                title_en="Air pollution peak: restricted traffic",
                text_en="The air is polluted. Only Crit’Air 0, 1 and 2 vehicles may drive.",
                instruction_en="Leave your car at home if you can; avoid sport outdoors.",
            ),
        ),
        (
            at - timedelta(days=12),
            Content(
                title="Coupure d’eau de nuit", text="L’eau est coupée de 22 h à 5 h pour réparer une conduite.",
                instruction="Gardez un peu d’eau d’avance.", topic="travaux-gene", category="Infra", severity="Minor",
                urgency="Future", certainty="Observed", until=at - timedelta(days=11), area=ZONE, zone=here,
                place=label,
            ),
        ),
        (
            at - timedelta(hours=3),
            Content(
                title="Dératisation du quartier", text="Des appâts sont posés dans les égouts et les caves.",
                instruction="Tenez les chiens en laisse et ne touchez pas aux boîtes noires.", topic="deratisation",
                category="Health", severity="Moderate", urgency="Expected", certainty="Observed",
                until=at + timedelta(days=6), area=DISTRICT if districts else ZONE, districts=tuple(districts[:1]),
                zone="" if districts else here,
            ),
        ),
    ]  # fmt: skip
    return [one for one in found if one[1].topic in topics(territory)]
