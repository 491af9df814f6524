"""Live layers that a face lays over the map: what people reported, what blocks a street, what a sensor reads now.

A face registers its layers when it starts (`AppConfig.ready`); the map shows each one to the readers it is for, with
its legend, and links to the same things as a list. The address of the GeoJSON is an ordinary view of that face: its
own `open_to` guards it, whatever is said here.

    register(Overlay(
        slug="signalements", title=gettext_noop("Signalements"), address="portal:reports-geojson",
        list_address="portal:reports", property="etat",
        marks=(Mark("ouvert", gettext_noop("Ouvert"), "#b3261e"), Mark("clos", gettext_noop("Résolu"), "#17613a")),
    ))

See `docs/rooms/portal.md` for what the GeoJSON must hold.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext

from beffroi.base.territory.viewer import Role
from beffroi.faces.shell.access import Request


def _always(request: Request) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Mark:
    """One line of a legend: things whose property has this `value` are drawn in `colour` (#rrggbb) and called `label`.

    The mark of an empty value draws all those that no other mark names.
    """

    value: str
    label: str
    colour: str


@dataclass(frozen=True, slots=True)
class Overlay:
    """A live layer. Titles and labels are French templates marked by `gettext_noop`; addresses are names of views.

    `roles` are those who see it in the town of the page, everyone when empty. `is_open` may close it for a page, a use
    case in preparation for example. `by_box`: the GeoJSON is asked for again, with `bbox=west,south,east,north`, when
    the map moves; else it is read whole. `refresh_s`: how often it is read again, 0 for never. `shown`: on from the
    start. `deep`: lines that say their `depth_m` are also drawn below the ground, as if it were glass.
    """

    slug: str
    title: str
    address: str
    list_address: str
    marks: tuple[Mark, ...]
    property: str = ""
    theme: str = ""
    roles: frozenset[Role] = frozenset()
    is_open: Callable[[Request], bool] = _always
    by_box: bool = False
    refresh_s: int = 0
    shown: bool = False
    deep: bool = False


_known: dict[str, Overlay] = {}


def register(overlay: Overlay) -> None:
    """Add a live layer to the map.

    Raises:
        ValueError: another layer has this slug, or there is no mark to draw with.
    """
    if _known.get(overlay.slug, overlay) != overlay:
        raise ValueError(f"the overlay {overlay.slug!r} is registered twice; give one another slug")
    if not overlay.marks:
        raise ValueError(f"the overlay {overlay.slug!r} has no mark; give one, with an empty value, to draw all alike")
    _known[overlay.slug] = overlay


def registered() -> tuple[Overlay, ...]:
    """Return every live layer, in the order they were registered."""
    return tuple(_known.values())


def open_overlays(request: Request) -> tuple[Overlay, ...]:
    """Return the live layers that the reader of this page may see."""
    code = request.commune.code if request.commune else ""
    return tuple(
        one
        for one in _known.values()
        if (not one.roles or any(request.viewer.has(role, code) for role in one.roles)) and one.is_open(request)
    )


def overlay_config(overlay: Overlay) -> dict[str, Any]:
    """Return what the map needs of a live layer, in the language of the page."""
    return {
        "id": overlay.slug,
        "title": gettext(overlay.title),
        "url": reverse(overlay.address),
        "list": reverse(overlay.list_address),
        "property": overlay.property,
        "marks": [[mark.value, gettext(mark.label), mark.colour] for mark in overlay.marks],
        "byBox": overlay.by_box,
        "refreshS": overlay.refresh_s,
        "deep": overlay.deep,
        "shown": overlay.shown,
    }
