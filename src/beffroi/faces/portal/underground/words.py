"""What is under an address, in sentences; a street cut across, as a drawing and as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop

from beffroi.base.territory.viewer import Viewer
from beffroi.faces.portal.itinerary import PlaceField
from beffroi.faces.shell.addresses import Address
from beffroi.faces.shell.templatetags.shell import number
from beffroi.lake.layer_settings import Underground
from beffroi.lake.queries import DatasetSummary
from beffroi.sense.places import queries as places
from beffroi.sense.twin.underground import CUT_M, KINDS, MOVES_M, Crossing, Ground, Section, ground, under_street

PLACE = "chez"
CLAY = {
    "": gettext_noop("Retrait-gonflement des argiles : aucune exposition sur la carte nationale."),
    "Faible": gettext_noop("Retrait-gonflement des argiles : exposition faible."),
    "Moyen": gettext_noop("Retrait-gonflement des argiles : exposition moyenne."),
    "Fort": gettext_noop("Retrait-gonflement des argiles : exposition forte."),
}
MOVES = {
    "Glissement": gettext_noop("glissement"),
    "Eboulement": gettext_noop("éboulement"),
    "Coulée": gettext_noop("coulée"),
    "Effondrement": gettext_noop("effondrement"),
    "Erosion de berges": gettext_noop("érosion de berges"),
}
WIDTH, HEIGHT, TOP, LEFT = 340, 230, 34, 26


@dataclass(frozen=True, slots=True)
class Told:
    """What an address is told; `place` is its label, empty while none is asked."""

    form: forms.Form
    place: str
    networks: tuple[str, ...]
    sentences: tuple[str, ...]


def place_form(query: Mapping[str, str], territory: str) -> tuple[forms.Form, Address | None]:
    """Return the form that asks an address, and the one given."""
    made: type[forms.Form] = type("PlaceForm", (forms.Form,), {PLACE: PlaceField(
        label=gettext_lazy("Quelle adresse ?"), required=False, citycode=territory
    )})  # fmt: skip
    form = made(query if query.get(PLACE) else None)
    place = form.cleaned_data.get(PLACE) if form.is_bound and form.is_valid() else None
    return form, place if isinstance(place, Address) else None


def street_of(place: Address, territory: str) -> str:
    """Return the street of an address, empty when none is known near it."""
    found = places.reverse(place.lon, place.lat, citycode=territory, limit=1)
    return found[0].hit.entry.title if found else ""


def told_here(
    viewer: Viewer, known: Sequence[DatasetSummary], wanted: Underground, query: Mapping[str, str], *, territory: str
) -> Told:
    """Return what the reader is told at the address asked."""
    form, place = place_form(query, territory)
    if place is None:
        return Told(form, "", (), ())
    street = street_of(place, territory)
    under = under_street(territory, wanted.networks, street)
    here = ground(viewer, known, lon=place.lon, lat=place.lat, clay=wanted.clay, moves=wanted.moves,
                  fibre=wanted.fibre)  # fmt: skip
    networks = tuple(
        _("{kind} ({operator})").format(kind=_(KINDS.get(one.kind, one.kind)), operator=one.operator)
        if one.operator else _(KINDS.get(one.kind, one.kind))
        for one in under or ()
    )  # fmt: skip
    return Told(form, place.label, networks, tuple(_sentences(here, street, networks, is_known=under is not None)))


def _sentences(here: Ground, street: str, networks: Sequence[str], *, is_known: bool) -> list[str]:
    lines = []
    if not is_known:
        lines.append(_("Les réseaux de cette commune ne sont pas encore dans nos données."))
    elif not networks:
        lines.append(_("Aucun réseau n’est connu sous {street} : cela ne dit pas qu’il n’y en a pas.").format(
            street=street or _("cette rue")))  # fmt: skip
    if here.fibre is not None:
        lines.append(_("La fibre atteint {n} % des locaux du secteur.").format(n=number(here.fibre)))
    if here.clay is not None:
        lines.append(_(CLAY[here.clay]))
        if here.clay in ("Moyen", "Fort"):
            lines.append(
                _(
                    "Une étude du sol est due à la vente d’un terrain à bâtir et avant la construction d’une maison "
                    "(code de la construction et de l’habitation, art. L132-5 et L132-6, à vérifier)."
                )
            )
    if here.moves is not None:
        lines.append(_moves_said(here))
    if here.altitude_m is not None:
        lines.append(_("Le sol est à {n} m d’altitude.").format(n=number(round(here.altitude_m, 1))))
    return lines


def _moves_said(here: Ground) -> str:
    if not here.moves:
        return _("Aucun mouvement de terrain n’est recensé à moins de {m} m.").format(m=number(MOVES_M))
    told = ", ".join(
        _("{kind} en {year} à {m} m").format(
            kind=_(MOVES.get(one.kind, one.kind)),
            year=one.day[:4] or _("date inconnue"),
            m=number(round(one.metres, -1)),
        )
        for one in here.moves[:5]
    )
    return _("Mouvements de terrain recensés à moins de {m} m : {told}.").format(m=number(MOVES_M), told=told)


@dataclass(frozen=True, slots=True)
class Mark:
    """A network of the cut in the drawing: its number, where it is in pixels, the radius of what is not sure."""

    rank: int
    kind: str
    x: str
    y: str
    radius: str


@dataclass(frozen=True, slots=True)
class Line:
    """A network of the cut in the table."""

    rank: int
    kind: str
    operator: str
    depth: str
    offset: str
    grade: str
    is_sensitive: bool
    sheet: str


@dataclass(frozen=True, slots=True)
class Cut:
    """A street cut across: the drawing (levels are metres below the ground), the table, its sides."""

    marks: tuple[Mark, ...]
    levels: tuple[tuple[int, str], ...]
    lines: tuple[Line, ...]
    sides: tuple[str, str]
    scale: str


def cut_of(found: Section) -> Cut:
    """Draw a section: across, 28 m; down, to the deepest network known."""
    deepest = max([3.0, *(one.pipe.depth_m + 0.6 for one in found.crossings if one.pipe.depth_m is not None)])
    across, down = (WIDTH - LEFT - 8) / (2 * CUT_M), (HEIGHT - TOP - 12) / deepest
    marks = tuple(
        Mark(
            rank,
            one.pipe.kind,
            f"{LEFT + (one.offset_m + CUT_M) * across:.1f}",
            f"{TOP + one.pipe.depth_m * down:.1f}",
            f"{(one.pipe.tolerance_m or 3.0) * across:.1f}",
        )
        for rank, one in enumerate(found.crossings, start=1)
        if one.pipe.depth_m is not None
    )
    levels = tuple((metre, f"{TOP + metre * down:.1f}") for metre in range(int(deepest) + 1))
    lines = tuple(_line(rank, one) for rank, one in enumerate(found.crossings, start=1))
    compass = [_("nord"), _("nord-est"), _("est"), _("sud-est"), _("sud"), _("sud-ouest"), _("ouest"), _("nord-ouest")]
    right = compass[round(found.bearing_deg / 45) % 8]
    left = compass[(round(found.bearing_deg / 45) + 4) % 8]
    return Cut(marks, levels, lines, (left, right), f"{across:.1f}")


def _line(rank: int, one: Crossing) -> Line:
    pipe = one.pipe
    grades = {
        "A": _("A, à {n} m près").format(n=number(pipe.tolerance_m)),
        "B": _("B, à 1,5 m près"),
        "C": _("C, à plus de 1,5 m ou inconnue"),
    }
    return Line(
        rank=rank, kind=_(KINDS.get(pipe.kind, pipe.kind)), operator=pipe.operator,
        depth=_("inconnue") if pipe.depth_m is None else _("{n} m").format(n=number(pipe.depth_m)),
        offset=_("{n} m").format(n=number(round(one.offset_m, 1))), grade=grades.get(pipe.grade, pipe.grade),
        is_sensitive=pipe.sensitive, sheet=pipe.id,
    )  # fmt: skip
