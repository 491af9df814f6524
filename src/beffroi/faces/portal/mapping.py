"""What a map needs to know before it draws: its base, its layers, its frame and its words, as one JSON value."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from shapely.geometry import shape

from beffroi.base.kernel.geo import BBox
from beffroi.base.territory.queries import CommuneInfo
from beffroi.base.territory.viewer import Viewer
from beffroi.faces.portal.sheets import name_column
from beffroi.faces.portal.still import Still, still_of
from beffroi.faces.shell.assets import font_url
from beffroi.faces.shell.overlays import Overlay, overlay_config
from beffroi.faces.shell.themes import theme
from beffroi.lake import queries as lake
from beffroi.lake.queries import DatasetDetail, DatasetRef, DatasetSummary, TilesState
from beffroi.sense.twin.queries import town_buildings
from beffroi.sense.twin.tileset import ZOOM

POLYGON, LINE = "Polygon", "LineString"
MOST_NAMES = 80
PLAIN_BASE = frozenset({"fields", "green", "water", "waterways", "streets", "rails"})


@dataclass(frozen=True, slots=True)
class BaseRole:
    """A part of the base map: datasets whose slug matches `pattern`, with a geometry of these kinds, play it."""

    name: str
    pattern: re.Pattern[str]
    geometries: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DrawnMap:
    """A map: what it draws once it starts, and the picture that stands there before."""

    config: str
    still: Still | None


@dataclass(frozen=True, slots=True)
class LayerShow:
    """A layer of a service: its colour, how its things are drawn and which of them (`extra`), the service's id."""

    summary: DatasetSummary
    colour: str
    extra: dict[str, Any]
    usage: str


def _role(name: str, pattern: str, *geometries: str) -> BaseRole:
    return BaseRole(name, re.compile(rf"(?:^|-)(?:{pattern})(?:-|$)"), geometries)


# In drawing order. One dataset per role: the one with the most rows, the cadastre's last.
BASE_ROLES = (
    _role("fields", "parcelles-agricoles|rpg|cultures", POLYGON),
    _role("green", "espaces?-?verts?(?:-?surface)?|parcs?|jardins|vegetation|bois|forets?", POLYGON),
    _role("water", "eaux?|plans?-d-eau|hydrographie|hydro|courseau|rivieres?|surface-hydrographique", POLYGON),
    _role("waterways", "cours-?(?:d-)?eau|rivieres?|troncon-hydrographique|hydrographie", LINE),
    _role("streets", "voies?|filaire-?voies?|rues|routes?|troncons?(?:-de)?-routes?|filaire|streets", LINE),
    _role("rails", "voies?-ferrees?|troncons?-de-voie-ferree|tramway|rails?", LINE),
    _role("limit", "limites?-commun(?:e|ale)s?|limitecommune|communes?|contours?", POLYGON),
    # Chosen by the room that models the town, so that blocks and real roofs are of the same buildings.
    _role("buildings", "batiments?|bati|buildings?", POLYGON),
    _role("districts", "quartiers?", POLYGON),
)


def base_layers(datasets: Iterable[DatasetSummary]) -> dict[str, DatasetSummary]:
    """Return the dataset that plays each role of the base map, by role, in drawing order."""
    known = list(datasets)
    chosen: dict[str, DatasetSummary] = {}
    for role in BASE_ROLES:
        if role.name == "buildings":
            found = town_buildings(known)
            if found is not None:
                chosen[role.name] = found
            continue
        able = [one for one in known if _plays(one, role)]
        if able:
            chosen[role.name] = max(able, key=_fitness)
    return chosen


def _fitness(summary: DatasetSummary) -> tuple[bool, int, DatasetRef]:
    return "cadastre" not in summary.ref.slug, summary.rows, summary.ref


def _plays(summary: DatasetSummary, role: BaseRole) -> bool:
    # What may come is not what is there: where water rises is no river, nor is a burnt wood a park.
    if summary.theme == "risques":
        return False
    kind = (summary.geometry_type or "").removeprefix("Multi")
    return kind in role.geometries and role.pattern.search(summary.ref.slug) is not None


def tiles_address(summary: DatasetSummary) -> str:
    """Return where the tiles of a dataset's version are, without the end: ``.json`` or ``/{z}/{x}/{y}.mvt``."""
    return f"/tuiles/{summary.ref.territory}/{summary.ref.slug}/{summary.version}"


def tilejson_url(summary: DatasetSummary) -> str:
    """Return the address of the TileJSON of a dataset's version."""
    return f"{tiles_address(summary)}.json"


def shown_title(summary: DatasetSummary) -> str:
    """Return the title of a dataset on a map."""
    return summary.short_title


def layer(summary: DatasetSummary, *, shown: bool = False, old: bool = False) -> dict[str, Any]:
    """Return what the map needs of one dataset; `old` when this version is not the current one."""
    ref = summary.ref
    return {
        "id": ref.slug,
        "title": shown_title(summary),
        "tiles": tilejson_url(summary),
        "geometry": (summary.geometry_type or "Geometry").removeprefix("Multi"),
        "rows": summary.rows,
        "colour": theme(summary.theme).colour,
        "page": reverse("portal:dataset", args=[ref.territory, ref.slug]),
        "shown": shown,
        "source": _source(summary),
        "suffix": f"?version={summary.version}" if old else "",
    }


def _source(summary: DatasetSummary) -> str:
    """Return who made a dataset and of when the version is, as a legend says it."""
    day = date_format(summary.updated_at, "j F Y")
    return f"{summary.producer}, {day}" if summary.producer else day


def terrain_config(territory: str) -> dict[str, Any] | None:
    """Return what the map needs of the relief of a territory, None when it is not known."""
    terrain = lake.relief(territory)
    if terrain is None:
        return None
    return {
        "url": f"/tuiles/{territory}/_relief/{terrain.version}/{{z}}/{{x}}/{{y}}.png",
        "min": terrain.min_zoom,
        "max": terrain.max_zoom,
        "bbox": list(terrain.bbox),
    }


def _volumes(summary: DatasetSummary, blocks: DatasetSummary | None, old: bool) -> dict[str, Any]:
    """Return where the real surfaces of a dataset's buildings are, and which blocks they stand in place of."""
    ref = summary.ref
    address = reverse("citymodel:volumes", args=[ref.territory, ref.slug, summary.version, 0, 0, 0])
    under = f"?sur={blocks.ref.slug}~{blocks.version}" if blocks else ""
    return {
        "id": ref.slug,
        "title": shown_title(summary),
        "url": address.removesuffix("0/0/0.glb") + "{z}/{x}/{y}.glb" + under,
        "zoom": ZOOM,
        "bbox": list(summary.bbox or ()),
        "page": reverse("portal:dataset", args=[ref.territory, ref.slug]),
        "suffix": f"?version={summary.version}" if old else "",
    }


def _known_tiles(viewer: Viewer, summary: DatasetSummary) -> dict[str, Any] | None:
    """Return what a TileJSON would tell of a dataset's tiles, None while they are being baked."""
    if lake.tiles_state(viewer, summary.ref, version=summary.version) is not TilesState.READY:
        return None
    url = f"{tiles_address(summary)}/{{z}}/{{x}}/{{y}}.mvt"
    told = lake.tilejson(viewer, summary.ref, tiles_url=url, version=summary.version)
    fields = list(told["vector_layers"][0]["fields"])
    known = {"url": url, "min": told["minzoom"], "max": told["maxzoom"], "fields": fields}
    return known | ({"bounds": told["bounds"]} if told["bounds"] else {})


def map_of_town(
    viewer: Viewer,
    commune: CommuneInfo | None,
    datasets: list[DatasetSummary],
    *,
    overlays: Sequence[Overlay] = (),
    shown: Collection[str] = (),
    old: Collection[str] = (),
    paint: Mapping[str, Any] | None = None,
) -> DrawnMap:
    """Return the map of the town.

    `shown` are the slugs of the layers on from the start, `old` of those whose version is not the current one. `paint`
    colours the buildings (see `painting`): real roofs then give way to blocks, which have a colour each.
    """
    mapped = [one for one in datasets if one.geometry_type]
    base = base_layers(mapped)
    box = (commune.bbox if commune else None) or _frame(mapped)
    districts = base.get("districts")
    config = _config(
        viewer,
        base,
        [layer(one, shown=one.ref.slug in shown, old=one.ref.slug in old) for one in mapped],
        box,
        pitch=50 if "buildings" in base else 0,
        territory=commune.code if commune else "",
        names=district_names(viewer, districts) if districts else (),
        overlays=[overlay_config(one) for one in overlays],
        old=old,
        volumes=[
            _volumes(one, base.get("buildings"), one.ref.slug in old) for one in mapped if one.has_volumes and not paint
        ],
        edited=commune.code if commune and not old else "",
        paint=paint,
    )
    shown_now = [one for one in mapped if one.ref.slug in shown and one not in base.values()]
    return DrawnMap(config, still_of(viewer, base, shown_now, box))


def synthesis_map(
    viewer: Viewer,
    mapped: list[DatasetSummary],
    districts: DatasetSummary | None,
    *,
    overlays: Sequence[dict[str, Any]],
    named: str,
) -> str:
    """Return the configuration of a map of districts, or of cells: their figures over the streets and the water.

    `named` tells it apart from the other maps of its page, for those who listen.
    """
    box = districts.bbox if districts else _frame(mapped)
    return _config(viewer, _plain(mapped), [], box, pitch=0, overlays=overlays, named=named)


def picker_map(viewer: Viewer, commune: CommuneInfo | None, datasets: list[DatasetSummary]) -> dict[str, Any]:
    """Return the configuration of a map on which one chooses a place: the base alone, buildings lying flat."""
    mapped = [one for one in datasets if one.geometry_type]
    box = (commune.bbox if commune else None) or _frame(mapped)
    return json.loads(_config(viewer, base_layers(mapped), [], box, pitch=0))


def district_names(viewer: Viewer, summary: DatasetSummary) -> tuple[tuple[str, float, float], ...]:
    """Return the name of each district and a point well inside it (CRS84), rounded to about a metre."""
    ref, version = summary.ref, summary.version
    named = name_column(lake.dataset(viewer, ref, version=version).columns)
    if named is None:
        return ()
    page = lake.features(viewer, ref, version=version, limit=MOST_NAMES)
    read = [json.loads(feature) for feature in page.features]
    points = [(one, shape(one["geometry"]).representative_point()) for one in read if one.get("geometry")]
    found = ((str(one["properties"].get(named.key) or ""), round(at.x, 5), round(at.y, 5)) for one, at in points)
    return tuple(name for name in found if name[0])


def dataset_map(
    viewer: Viewer, detail: DatasetDetail, around: Iterable[DatasetSummary], *, old: bool = False
) -> DrawnMap:
    """Return the map of one dataset, over the streets and parks of its town."""
    shown, others = detail.summary, [one for one in around if one.geometry_type and one.ref != detail.summary.ref]
    config = _config(viewer, _plain(others), [layer(shown, shown=True, old=old)], shown.bbox, pitch=0,
                     edited="" if old else shown.ref.territory)  # fmt: skip
    return DrawnMap(config, still_of(viewer, base_layers(others), [shown], shown.bbox))


def layers_map(
    viewer: Viewer,
    shown: Sequence[LayerShow],
    around: Iterable[DatasetSummary],
    *,
    volumes: bool = False,
    paint: Mapping[str, Any] | None = None,
    overlays: Sequence[Overlay] = (),
) -> DrawnMap:
    """Return the map of a service: its datasets, over the streets and parks of the town; `volumes`: and its buildings.

    `overlays` are the live layers laid over them.

    `paint` colours them (see `painting`). Its things are told by the service: their sheets say for which.
    """
    refs = {one.summary.ref for one in shown}
    others = [one for one in around if one.geometry_type and one.ref not in refs]
    summaries = [one.summary for one in shown]
    box = _frame(summaries)
    base = base_layers(others)
    layers = [
        layer(one.summary, shown=True) | {"colour": one.colour, "suffix": f"?usage={one.usage}"} | one.extra
        for one in shown
    ]
    kept = base if volumes else {role: one for role, one in base.items() if role in PLAIN_BASE}
    pitch = 50 if volumes and "buildings" in base else 0
    edited = summaries[0].ref.territory if summaries else ""
    live = [overlay_config(one) | {"shown": True} for one in overlays]
    config = _config(viewer, kept, layers, box, pitch=pitch, edited=edited, paint=paint, overlays=live)
    # A picture draws a layer in one colour: where a legend tells classes apart, the map comes at once.
    classed = any(
        (one.extra["look"] or {}).get("classes") or one.extra["where"] or one.extra["only"] is not None for one in shown
    )
    colours = {one.summary.ref.slug: one.colour for one in shown}
    return DrawnMap(config, None if classed else still_of(viewer, base, summaries, box, colours=colours))


def painted_map(viewer: Viewer, datasets: Iterable[DatasetSummary], paint: Mapping[str, Any], box: BBox | None) -> str:
    """Return the configuration of a map of the buildings alone, coloured, over the streets and parks of their town."""
    base = base_layers(one for one in datasets if one.geometry_type)
    kept = {role: one for role, one in base.items() if role in {*PLAIN_BASE, "buildings"}}
    return _config(viewer, kept, [], box, pitch=50, paint=paint)


def _plain(datasets: Iterable[DatasetSummary]) -> dict[str, DatasetSummary]:
    return {role: one for role, one in base_layers(datasets).items() if role in PLAIN_BASE}


def overlay_map(
    viewer: Viewer,
    commune: CommuneInfo | None,
    datasets: Iterable[DatasetSummary],
    overlay: Overlay | dict[str, Any],
    *,
    pitch: int = 0,
    frame: BBox | None = None,
) -> DrawnMap:
    """Return the map of one live layer, or of things told as one, over the base map of the town, lying flat.

    It looks at `frame`, else at the town.
    """
    mapped = [one for one in datasets if one.geometry_type]
    box, base = frame or (commune.bbox if commune else None) or _frame(mapped), base_layers(mapped)
    config = _config(viewer, base, [], box, pitch=pitch,
                     overlays=(overlay_config(overlay) if isinstance(overlay, Overlay) else overlay,))  # fmt: skip
    return DrawnMap(config, still_of(viewer, base, (), box))


def _config(
    viewer: Viewer,
    base: dict[str, DatasetSummary],
    layers: list[dict[str, Any]],
    box: BBox | None,
    *,
    pitch: int,
    territory: str = "",
    names: Sequence[tuple[str, float, float]] = (),
    overlays: Sequence[dict[str, Any]] = (),
    old: Collection[str] = (),
    named: str = "",
    volumes: Sequence[dict[str, Any]] = (),
    edited: str = "",
    paint: Mapping[str, Any] | None = None,
) -> str:
    known = {role: _known_tiles(viewer, summary) for role, summary in base.items()}
    if paint and (blocks := known.get("buildings")):
        known["buildings"] = blocks | {"url": paint["tiles"]}
    config = {
        "font": font_url(),
        "bbox": list(box) if box else [-5.2, 41.3, 9.6, 51.1],
        "pitch": pitch,
        "base": [
            {"role": role, "known": known[role], **layer(one, old=one.ref.slug in old)}
            for role, one in base.items()
            if known[role]
        ],
        "layers": layers,
        "overlays": list(overlays),
        "terrain": terrain_config(territory) if territory else None,
        "volumes": list(volumes),
        "paint": {"title": paint["title"], "tints": paint["tints"]} if paint else None,
        "names": names,
        "edits": reverse("tiles:edits", args=[edited]) if edited else "",
        "here": reverse("portal:here") if territory else "",
        "words": _words() | ({"map": named} if named else {}),
        "language": get_language(),
    }
    return json.dumps(config, ensure_ascii=False, separators=(",", ":"))


def _frame(datasets: list[DatasetSummary]) -> BBox | None:
    boxes = [one.bbox for one in datasets if one.bbox]
    if not boxes:
        return None
    wests, souths, easts, norths = zip(*boxes, strict=True)
    return BBox(min(wests), min(souths), max(easts), max(norths))


def _words() -> dict[str, str]:
    return {
        "loading": _("Chargement de la carte…"),
        "ready": _("Carte affichée."),
        "failed": _("La carte n’a pas pu s’afficher sur cet appareil. La liste contient les mêmes informations."),
        "reading": _("Lecture de la fiche…"),
        "unreadable": _("La fiche n’a pas pu être lue. Réessayez, ou ouvrez la page du jeu de données."),
        "nothing": _("Rien de connu à cet endroit dans les couches affichées."),
        "located": _("Carte centrée sur votre position. Elle n’est ni envoyée ni gardée."),
        "notLocated": _("Votre position n’est pas disponible : l’appareil ou le navigateur l’a refusée."),
        "baking": _("Cette couche est encore en préparation."),
        "wheel": _("Ctrl et molette pour zoomer sur la carte"),
        "wheelMac": _("⌘ et molette pour zoomer sur la carte"),
        "fingers": _("Deux doigts pour déplacer la carte"),
        "map": _("Carte de la commune. Flèches pour se déplacer, plus et moins pour zoomer."),
        "several": _("Plusieurs choses sont là. Laquelle ?"),
        "pin": _("Repère. Flèches pour le déplacer, avec majuscule pour le déplacer finement."),
        "pinned": _("Repère posé à {lat} de latitude, {lon} de longitude."),
        "noObject": _("Aucun de ces objets"),
        "corner": _("Coin {n} de la zone. Flèches pour le déplacer."),
        "zoned": _("Zone de {n} coins, {area}."),
        "measuring": _(
            "Mesure : cliquez les points du trajet, ou déplacez la carte aux flèches et appuyez sur Entrée pour son "
            "milieu. Retour arrière retire le dernier."
        ),
        "scale": _("Échelle :"),
        "scaleMiddle": _("au milieu de l’image"),
        "north": _("Nord"),
        "here": _("Tout ce que l’on sait à cet endroit"),
        "baseSource": _("Fond de carte :"),
        "printed": _("Carte imprimée le"),
        "measured": _("Mesure terminée."),
        "length": _("{length} à vol d’oiseau."),
        "area": _("{length} de parcours ; la surface enclose est de {area}."),
    }
