"""Makers of reports for the tests of every floor: a town whose use cases are open, its people, its requests."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from PIL import Image

from beffroi.base.catalogue import operations as catalogue
from beffroi.base.catalogue import queries
from beffroi.base.catalogue.definition import State
from beffroi.base.territory import operations as territory
from beffroi.base.territory.viewer import ANONYMOUS, Grant, Role, Viewer
from beffroi.serve.cases.definition import Requester, Upload
from beffroi.serve.cases.operations import Opened
from beffroi.serve.reports.intake import Submission, file_report
from beffroi.serve.reports.places import forget_grounds
from territory_makers import AT, TOWN, make_town

LON, LAT = 3.8767, 43.6108
SERVICES = ("proprete", "voirie", "habitat", "espaces-verts", "police-municipale")
USE_CASES = ("1-01", "1-02", "1-03", "1-04", "1-05", "7-19", "8-02")
_numbers = count(1)


def make_open_town(code: str = TOWN, name: str = "Montpellier", *, use_cases: tuple[str, ...] = USE_CASES) -> str:
    """Create a commune with its services, in which these use cases are open, and no other."""
    forget_grounds()
    make_town(code, name, contour=_square(LON, LAT, 0.05))
    for slug in SERVICES:
        territory.add_service(territory=code, slug=slug, name=slug.capitalize(), at=AT)
    for view in queries.use_cases(territory=code, engine_name="reports"):
        wanted = State.PILOT if view.use_case.id in use_cases else State.RETIRED
        if view.is_open or wanted is State.PILOT:
            catalogue.set_state(view.use_case.id, wanted, territory=code, by=None, at=AT, reason="essai")
    return code


def _square(lon: float, lat: float, half: float) -> bytes:
    import shapely

    return shapely.to_wkb(shapely.box(lon - half, lat - half, lon + half, lat + half))


def agent_of(*services: str, town: str = TOWN, person: int | None = None) -> Viewer:
    """Return the viewer of an agent of services."""
    return Viewer(person, (Grant(town, Role.AGENT, frozenset(services)),))


def send(
    category: str = "depot-sauvage",
    *,
    town: str = TOWN,
    viewer: Viewer = ANONYMOUS,
    requester: Requester | None = None,
    hours: float = 0,
    **fields: object,
) -> Opened:
    """Send a report and return what its author is told; `fields` are those of a submission."""
    submission = Submission(category, LON, LAT, description="Un matelas sur le trottoir.")
    submission = replace(submission, **fields)  # type: ignore[arg-type]
    return file_report(
        territory=town,
        submission=submission,
        requester=requester or Requester(email=f"habitante{next(_numbers)}@exemple.fr"),
        viewer=viewer,
        at=AT + timedelta(hours=hours),
    )


def photo(
    *,
    size: tuple[int, int] = (64, 48),
    kind: str = "JPEG",
    colour: str = "teal",
    name: str = "photo.jpg",
    **save: object,
) -> Upload:
    """Return a photo of our own drawing."""
    out = io.BytesIO()
    Image.new("RGB", size, colour).save(out, kind, **save)
    return Upload(name, out.getvalue())


def square(lon: float = LON, lat: float = LAT, half: float = 0.0005) -> str:
    """Return a small square zone as GeoJSON."""
    ring = [[lon - half, lat - half], [lon + half, lat - half], [lon + half, lat + half], [lon - half, lat + half]]
    return json.dumps({"type": "Polygon", "coordinates": [[*ring, ring[0]]]})


def file_in_town(
    town: str, category: str, *, lon: float, lat: float, at: datetime, email: str = "", **fields: Any
) -> Opened:
    """Send a report in any town, at any place, and return what its author is told."""
    submission = Submission(category, lon, lat, **fields)
    return file_report(territory=town, submission=submission, requester=Requester(email=email), viewer=ANONYMOUS, at=at)
