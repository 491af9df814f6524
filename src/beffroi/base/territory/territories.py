"""Change communes, groupings, domains, zones and services; entered by `operations`, which tells of `by` and `at`."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from shapely.geometry.base import BaseGeometry

from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.kernel.geo import BBox
from beffroi.base.territory import engine, events, heraldry
from beffroi.base.territory.models import Arms, Commune, Grouping, ServiceUnit, SignInHost, Territory, Zone
from beffroi.base.territory.queries import CommuneInfo, UnknownTerritory, require_administrator
from beffroi.base.territory.queries import territory as territory_info
from beffroi.base.territory.viewer import SERVICE_PREFIX, TRACED, Viewer


class BadService(BeffroiError):
    """A service may not bear this name."""


def actor_of(by: Viewer | None, territory: str) -> int | None:
    """Return who acts, once known to administer `territory`; None for the command line."""
    if by is None:
        return None
    require_administrator(by, territory)
    return by.person_id


@transaction.atomic
def add_commune(
    *,
    code: str,
    name: str,
    at: datetime,
    siren: str | None = None,
    population: int = 0,
    bbox: BBox | None = None,
    centre: tuple[float, float] | None = None,
    contour: BaseGeometry | bytes | None = None,
    timezone: str = "Europe/Paris",
    colour: str = "",
    fictional: bool = False,
    by: Viewer | None = None,
) -> CommuneInfo:
    """Create a commune, or bring it up to date when its code is known (same call twice: same commune).

    `contour` (CRS84) gives the box and the centre when these are not said.

    Raises:
        BadCode: `code` or `siren` is wrong.
        BadShape: `contour` is not an area.
    """
    code = engine.checked_insee(code)
    actor = None if by is None else actor_of(by, code)
    fields = {
        "siren": engine.checked_siren(siren) if siren else None,
        "department": engine.department_of(code),
        **_shared(code, name, population, bbox, centre, contour),
        "timezone": timezone,
        # Not said: what the commune chose stays.
        "colour": colour.lower() or None,
        "fictional": fictional,
    }
    return _kept(Commune, code, fields, at=at, actor=actor)


@transaction.atomic
def add_grouping(
    *,
    siren: str,
    name: str,
    at: datetime,
    kind: str = "autre",
    members: Iterable[str] = (),
    population: int = 0,
    contour: BaseGeometry | bytes | None = None,
    fictional: bool = False,
    by: Viewer | None = None,
) -> CommuneInfo:
    """Create a grouping of communes, or bring it up to date when its SIREN is known.

    Raises:
        BadCode: `siren` is wrong or `kind` unknown.
        UnknownTerritory: a member is not a commune of this installation.
    """
    siren = engine.checked_siren(siren)
    actor = None if by is None else actor_of(by, siren)
    kinds = [value for value, _ in Grouping._meta.get_field("kind").choices or ()]
    if kind not in kinds:
        remedy = "choisissez parmi {kinds}"
        raise engine.BadCode(
            "nature « {kind} » inconnue", where=siren, remedy=remedy, kind=kind, kinds=", ".join(kinds)
        )
    fields = {"kind": kind, **_shared(siren, name, population, None, None, contour), "fictional": fictional}
    info = _kept(Grouping, siren, fields, at=at, actor=actor)
    codes = set(members)
    known = set(Commune.objects.filter(code__in=codes).values_list("code", flat=True))
    if codes - known:
        missing = ", ".join(sorted(codes - known))
        raise UnknownTerritory(
            "communes inconnues : {codes}", where=siren, remedy="ajoutez d'abord ces communes", codes=missing
        )
    Grouping.objects.get(code=siren).members.set(Commune.objects.filter(code__in=known))
    return info


def _shared(
    code: str,
    name: str,
    population: int,
    bbox: BBox | None,
    centre: tuple[float, float] | None,
    contour: BaseGeometry | bytes | None,
) -> dict[str, object]:
    shape = None if contour is None else engine.polygon_of(contour, where=code)
    if shape is not None:
        bbox = bbox or engine.bbox_of(shape)
        inside = shape.representative_point()
        centre = centre or (inside.x, inside.y)
    if bbox is not None and centre is None:
        centre = ((bbox.west + bbox.east) / 2, (bbox.south + bbox.north) / 2)
    west, south, east, north = bbox if bbox is not None else (None, None, None, None)
    lon, lat = centre if centre is not None else (None, None)
    return {
        "name": name.strip(),
        "population": population,
        "shape_wkb": None if shape is None else shape.wkb,
        "west": west,
        "south": south,
        "east": east,
        "north": north,
        "lon": lon,
        "lat": lat,
    }


def _kept(
    model: type[Commune] | type[Grouping], code: str, fields: dict[str, object], *, at: datetime, actor: int | None
) -> CommuneInfo:
    row = model._default_manager.filter(code=code).first()
    if row is None:
        slug = _free_slug(str(fields["name"]), code)
        known = {name: value for name, value in fields.items() if value is not None}
        model._default_manager.create(code=code, slug=slug, added_at=at, **known)
        events.publish(
            events.TerritoryAdded(
                at=at, actor=actor, territory=code, name=str(fields["name"]), fictional=bool(fields.get("fictional"))
            )
        )
        return territory_info(code)
    # A later call that does not know the outline does not erase it.
    said = {name: value for name, value in fields.items() if value is not None}
    changed = tuple(sorted(name for name, value in said.items() if _plain(getattr(row, name)) != value))
    if changed:
        for name in changed:
            setattr(row, name, said[name])
        row.save()
        events.publish(events.TerritoryChanged(at=at, actor=actor, territory=code, fields=changed))
    return territory_info(code)


def _plain(value: object) -> object:
    return bytes(value) if isinstance(value, memoryview) else value


def _free_slug(name: str, code: str) -> str:
    slug = engine.slug_of(name)[:80] or code
    return f"{slug}-{code.lower()}" if Territory.objects.filter(slug=slug).exists() else slug


@transaction.atomic
def set_look(*, territory: str, colour: str, accent: str, at: datetime, by: Viewer | None = None) -> None:
    """Give a territory its two colours, ``#rrggbb`` or empty for those of Beffroi.

    Raises:
        Refused: `by` does not administer the territory.
        UnknownTerritory: no such territory.
        BadLook: a colour is written otherwise.
    """
    actor = actor_of(by, territory)
    territory_info(territory)
    colours = {"colour": heraldry.checked_colour(colour), "accent": heraldry.checked_colour(accent)}
    Territory.objects.filter(code=territory).update(**colours)
    events.publish(events.TerritoryChanged(at=at, actor=actor, territory=territory, fields=tuple(colours)))


@transaction.atomic
def set_arms(*, territory: str, content: bytes | None, at: datetime, by: Viewer | None = None) -> None:
    """Keep the arms of a territory (SVG or PNG), made harmless; None takes them away.

    Raises:
        Refused: `by` does not administer the territory.
        UnknownTerritory: no such territory.
        BadLook: the file is neither, is too heavy, or draws nothing once cleaned.
    """
    actor = actor_of(by, territory)
    territory_info(territory)
    stamp = ""
    if content is None:
        Arms.objects.filter(territory=territory).delete()
    else:
        media_type, clean = heraldry.harmless(content)
        stamp = hashlib.sha256(clean).hexdigest()[:16]
        Arms.objects.update_or_create(territory_id=territory, defaults={"media_type": media_type, "content": clean})
    Territory.objects.filter(code=territory).update(arms=stamp)
    events.publish(events.TerritoryChanged(at=at, actor=actor, territory=territory, fields=("arms",)))


@transaction.atomic
def add_host(*, domain: str, territory: str, at: datetime, by: Viewer | None = None) -> None:
    """Show `territory` to those who come by `domain`; a known domain changes territory."""
    actor = actor_of(by, territory)
    territory_info(territory)
    SignInHost.objects.update_or_create(domain=domain.strip().lower(), defaults={"territory_id": territory})
    events.publish(events.TerritoryChanged(at=at, actor=actor, territory=territory, fields=("hosts",)))


@transaction.atomic
def add_zone(
    *,
    territory: str,
    kind: str,
    name: str,
    shape: BaseGeometry | bytes,
    at: datetime,
    slug: str = "",
    by: Viewer | None = None,
) -> int:
    """Create a zone from a polygon (CRS84, or its WKB), or replace the one of that kind and slug; return its number.

    Raises:
        UnknownTerritory: no such territory.
        BadShape: `shape` is not an area.
    """
    actor = actor_of(by, territory)
    territory_info(territory)
    polygon = engine.polygon_of(shape, where=name)
    west, south, east, north = polygon.bounds
    box = {"west": west, "south": south, "east": east, "north": north}
    zone, _ = Zone.objects.update_or_create(
        territory_id=territory,
        kind=kind,
        slug=slug or engine.slug_of(name)[:100],
        defaults={"name": name.strip(), "shape_wkb": polygon.wkb, **box},
    )
    events.publish(
        events.ZoneAdded(at=at, actor=actor, territory=territory, zone=zone.pk, zone_kind=kind, name=zone.name)
    )
    return int(zone.pk)


@transaction.atomic
def add_service(*, territory: str, name: str, at: datetime, slug: str = "", by: Viewer | None = None) -> str:
    """Create a service of a town hall, or rename the one of that slug; return the slug.

    Raises:
        BadService: the name is that of the class nobody may hold.
    """
    actor = actor_of(by, territory)
    territory_info(territory)
    slug = slug or engine.slug_of(name)[:50]
    if SERVICE_PREFIX + slug == TRACED:
        raise BadService("« {slug} » est un nom réservé : personne ne lit ces données sans trace", where="slug",
                         remedy="donnez un autre nom à ce service", slug=slug)  # fmt: skip
    ServiceUnit.objects.update_or_create(territory_id=territory, slug=slug, defaults={"name": name.strip()})
    events.publish(events.ServiceAdded(at=at, actor=actor, territory=territory, service=slug))
    return slug
