"""What a round gives to take away: its plan, the streets of a vehicle one by one, GPX tracks."""

from __future__ import annotations

from typing import Any
from xml.sax.saxutils import escape

from django.utils.translation import gettext as _

from beffroi.faces.shell.drawing import Drawing, Line, Point, box_of, drawn
from beffroi.sense.mobility import queries as mobility
from beffroi.sense.mobility.rounds import queries
from beffroi.sense.mobility.rounds.queries import Leg, RoundSheet

Place = tuple[float, float]


def plan_of_round(sheet: RoundSheet, *, only: str = "") -> Drawing:
    """Draw the ways of the vehicles, their stops numbered in their order, who is left out, and what is in the way.

    `only` names the one vehicle to draw.
    """
    lines: list[Line] = []
    points: list[Point] = []
    for rank, timeline in enumerate(sheet.timelines, start=1):
        if not timeline.lines or (only and timeline.vehicle != only):
            continue
        for leg in queries.legs(sheet, timeline.vehicle).values():
            lines.append(Line(leg.line, f"way n{rank}", timeline.vehicle))
        number = 0
        for line in timeline.lines:
            if line.kind == "stop":
                number += 1
                stop = sheet.stops[line.stop]
                points.append(Point(stop.lon, stop.lat, str(number), f"n{rank}", f"{timeline.vehicle}, {stop.name}"))
    sites = {(one.depot.lon, one.depot.lat): (_("D"), one.depot.name) for one in sheet.plan.vehicles}
    ends = [one.arrival for one in sheet.plan.vehicles if one.arrival]
    sites |= {(one.lon, one.lat): (_("F"), one.name) for one in ends}
    if sheet.plan.tip:
        sites[(sheet.plan.tip.lon, sheet.plan.tip.lat)] = (_("V"), sheet.plan.tip.name)
    points += [Point(*place, label, "site", name) for place, (label, name) in sites.items()]
    if not only:
        points += [
            Point(sheet.stops[one.stop].lon, sheet.stops[one.stop].lat, "?", "left-out", sheet.stops[one.stop].name)
            for one in sheet.left_out
        ]
    box = box_of([(one.lon, one.lat) for one in points] + [place for line in lines for place in line.points])
    west, south, east, north = box
    points += [
        Point(one.lon, one.lat, "!", "obstacle", one.label or _(one.title))
        for one in sheet.obstacles
        if west <= one.lon <= east and south <= one.lat <= north
    ]
    ground = [line for _number, line in mobility.street_lines(sheet.summary.territory, box)]
    return drawn(box, ground=ground, lines=lines, points=points)


def streets_told(leg: Leg | None) -> str:
    """Return the streets of a leg, with the metres on each, small ones left out."""
    if leg is None:
        return ""
    return ", ".join(
        _("{street} ({metres} m)").format(street=name or _("voie sans nom"), metres=metres)
        for name, metres in leg.streets
        if metres >= 5
    )


def gpx_of(sheet: RoundSheet, vehicle: str) -> str:
    """Return the way of a vehicle as a GPX 1.1 track, its stops as way points in their order."""
    timeline = next(one for one in sheet.timelines if one.vehicle == vehicle)
    marks, number = [], 0
    for line in timeline.lines:
        if line.kind == "stop":
            number += 1
            stop = sheet.stops[line.stop]
            name = escape(f"{number}. {stop.name}")
            marks.append(f'<wpt lat="{stop.lat:.6f}" lon="{stop.lon:.6f}"><name>{name}</name></wpt>')
    track = "".join(
        f'<trkpt lat="{lat:.6f}" lon="{lon:.6f}"/>'
        for leg in queries.legs(sheet, vehicle).values()
        for lon, lat in leg.line
    )
    title = escape(f"{sheet.summary.title}, {vehicle}")
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<gpx version="1.1" creator="Beffroi" xmlns="http://www.topografix.com/GPX/1/1">'
        f"{''.join(marks)}<trk><name>{title}</name><trkseg>{track}</trkseg></trk></gpx>\n"
    )


def features_of(sheet: RoundSheet, url: str) -> list[dict[str, Any]]:
    """Return the ways of the vehicles as GeoJSON features, for the map of the town."""
    return [
        {
            "type": "Feature",
            "geometry": {"type": "LineString", "coordinates": [list(one) for one in leg.line]},
            "properties": {"title": f"{sheet.summary.title}, {timeline.vehicle}", "url": url},
        }
        for timeline in sheet.timelines
        if timeline.lines
        for leg in queries.legs(sheet, timeline.vehicle).values()
        if len(leg.line) > 1
    ]
