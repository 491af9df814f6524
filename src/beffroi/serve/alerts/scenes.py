"""The examples of a use case of alerts: who is told of what, and whether a second person must agree.

`area`: « commune », « ici » (a square), « quartier ». `follows`: who follows what, in the same words, with
« ailleurs », « autre-sujet » and « silence » (here, between 22 and 7).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from typing import Any

import shapely
from django.db import transaction

from beffroi.base.catalogue.definition import Example, UseCase
from beffroi.serve.alerts import audience
from beffroi.serve.alerts.definition import ENGINE, TOWN, ZONE, Content
from beffroi.serve.alerts.models import Follower, Wish

_TOWN = "34172"
_AT = datetime(2026, 3, 2, 22, 30, tzinfo=UTC)
_SQUARES = {
    "ici": shapely.box(3.87, 43.60, 3.88, 43.61),
    "silence": shapely.box(3.87, 43.60, 3.88, 43.61),
    "autre-sujet": shapely.box(3.87, 43.60, 3.88, 43.61),
    "ailleurs": shapely.box(3.90, 43.60, 3.91, 43.61),
}


class BadScene(ValueError):
    """An example names what no example may."""


def run_example(use_case: UseCase, example: Example) -> Mapping[str, Any]:
    """Tell whom the alert of an example concerns; nothing remains in the registry.

    Raises:
        BadScene: the example names a place it cannot.
    """
    when = example.when
    topic = next(one for one in use_case.settings[ENGINE].topic if one.code == when["topic"])
    area = str(when.get("area", "ici"))
    content = Content(
        title="Essai", text="Essai.", topic=topic.code, until=_AT + timedelta(hours=12), category=topic.category,
        severity=str(when.get("severity", "Unknown")), is_message=topic.message,
        area=TOWN if area == "commune" else ZONE,
        zone="" if area == "commune" else str(shapely.to_geojson(_SQUARES[area])),
    )  # fmt: skip
    with transaction.atomic():
        names = {_follower(str(name), topic.code): str(name) for name in when.get("follows", ())}
        people = audience.own_followers(_TOWN, content)
        found = [(names[int(one.pk)], one) for one in people if int(one.pk) in names]
        later = [
            name
            for name, one in found
            if one.quiet_from
            and one.quiet_until
            and audience.held_until((one.quiet_from, one.quiet_until), _TOWN, content, _AT) > _AT
        ]
        transaction.set_rollback(True)
    return {
        "told": sorted(name for name, _one in found),
        "later": sorted(later),
        "second_person": content.needs_second_person,
    }


def _follower(name: str, topic: str) -> int:
    shape = _SQUARES.get(name)
    if shape is None and name != "commune":
        raise BadScene(f"« {name} » n’est pas un lieu des exemples : {', '.join(_SQUARES)} ou commune")
    quiet = (time(22), time(7)) if name == "silence" else (None, None)
    row = Follower.objects.create(
        territory=_TOWN, email=f"{name}@exemple.fr", asked_at=_AT, quiet_from=quiet[0], quiet_until=quiet[1]
    )
    west, south, east, north = shape.bounds if shape is not None else (None,) * 4
    Wish.objects.create(
        follower=row, place=ZONE if shape is not None else TOWN, topics=["autre"] if name == "autre-sujet" else [],
        zone_wkb=None if shape is None else shape.wkb, west=west, south=south, east=east, north=north, asked_at=_AT,
        confirmed_at=_AT,
    )  # fmt: skip
    return int(row.pk)
