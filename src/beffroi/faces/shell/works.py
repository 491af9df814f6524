"""Works in words and drawn, the same for agents and residents."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from beffroi.faces.shell.drawing import Drawing, Line, Point, box_of, drawn
from beffroi.sense.mobility import queries as mobility
from beffroi.sense.mobility.works.directions import DIRECTIONS
from beffroi.sense.mobility.works.effects import Effect
from beffroi.sense.mobility.works.plan import WHO, Phase, Stretch
from beffroi.sense.mobility.works.queries import WorksInfo

PROFILES = {
    "a-pied": gettext_lazy("À pied"),
    "velo": gettext_lazy("À vélo"),
    "voiture": gettext_lazy("En voiture"),
    "benne": gettext_lazy("En poids lourd"),
}
DRAWN_BY = {
    "homes": gettext_lazy("les logements des bâtiments"),
    "addresses": gettext_lazy("les adresses"),
    "streets": gettext_lazy("la longueur des rues habitées"),
}


@dataclass(frozen=True, slots=True)
class ToldEffect:
    """An effect in words, by what it is called."""

    profile: str
    touched: str
    extra: str
    worst: str
    lost: str
    cut: tuple[str, ...]
    streets: tuple[tuple[str, str], ...]


def days_told(phase: Phase) -> str:
    """Return when a phase holds, as one says it."""
    first, last = date_format(phase.first, "j F Y"), date_format(phase.last, "j F Y")
    days = _("le {day}").format(day=first) if phase.first == phase.last else _("du {first} au {last}").format(
        first=first, last=last
    )  # fmt: skip
    if not phase.closes_s:
        return days
    return _("{days}, de {opens} à {closes}").format(
        days=days, opens=_hour(phase.opens_s), closes=_hour(phase.closes_s)
    )


def _hour(seconds: int) -> str:
    return _("{h} h {m:02d}").format(h=seconds // 3600, m=seconds % 3600 // 60)


def who_told(phase: Phase) -> str:
    """Return for whom a phase closes, and whether traffic alternates."""
    if phase.direction:
        return _direction_told(phase)
    told = [_("fermé : {who}").format(who=", ".join(_(WHO[one][0]) for one in phase.who))] if phase.who else []
    if phase.alternate:
        told.append(_("circulation alternée"))
    return " ; ".join(told)


def _direction_told(phase: Phase) -> str:
    who = ", ".join(_(WHO[one][0]) for one in phase.who)
    told = _("{direction} : {who}").format(direction=_(DIRECTIONS[phase.direction]), who=who)
    return f"{told} ; {_('vélos dans les deux sens')}" if phase.contraflow else told


def percent(share: float) -> str:
    """Return a share as a percentage; what is little is not told as nothing."""
    if 0 < share < 0.01:
        return _("moins de 1 %")
    return _("{n} %").format(n=round(100 * share))


def minutes(seconds: float) -> str:
    """Return added time in minutes, one decimal."""
    return _("{n} min").format(n=f"{seconds / 60:.1f}".replace(".", _(",")))


def effect_told(one: Effect) -> ToldEffect:
    """Return an effect in words."""
    return ToldEffect(
        profile=str(PROFILES.get(one.profile, one.profile)),
        touched=percent(one.touched),
        extra=_("{median} ({mean} en moyenne), {metres} m").format(
            median=minutes(one.extra_median_s), mean=minutes(one.extra_mean_s), metres=round(one.extra_median_m)
        ),
        worst=_("{time}, {metres} m").format(time=minutes(one.extra_p95_s), metres=round(one.extra_p95_m)),
        lost=percent(one.lost) if one.lost else "",
        cut=(*one.cut_places, *one.cut_streets),
        streets=tuple((name, percent(share)) for name, share in one.streets),
    )


def effect_sentence(one: Effect) -> str:
    """Say an effect in one sentence, for residents."""
    profile = PROFILES.get(one.profile, one.profile)
    if not one.touched:
        return _("{profile} : aucun trajet n’est gêné.").format(profile=profile)
    told = _("{profile} : {share} des trajets sont gênés, de {extra} de plus le plus souvent.").format(
        profile=profile, share=percent(one.touched), extra=minutes(one.extra_median_s)
    )
    if one.streets:
        told += " " + _("On passe surtout par : {streets}.").format(
            streets=", ".join(name for name, _share in one.streets[:4])
        )
    return told


def plan_of_works(
    territory: str, phases: Sequence[Phase], effects: Iterable[Effect], *, numbered: bool = False
) -> Drawing:
    """Draw what is closed or slow, and the streets that take the load."""
    lines = [Line(line, "loaded", _("Rue de déviation")) for one in effects for line in one.lines]
    points: list[Point] = []
    for phase in phases:
        for rank, one in enumerate(phase.stretches, start=1):
            kind = "way n1" if phase.direction else "closed" if phase.who else "slowed"
            lines.append(Line(one.line, kind, one.name))
            if numbered:
                points.append(Point(one.lon, one.lat, str(rank), "site", one.name))
    return _drawn(territory, lines, points)


def plan_of_choice(territory: str, shown: Sequence[Stretch], chosen: Sequence[Stretch]) -> Drawing:
    """Draw stretches to choose from, numbered as in their list, those chosen in the colour of closed streets."""
    taken = {(one.lon, one.lat) for one in chosen}
    lines = [Line(one.line, "closed" if (one.lon, one.lat) in taken else "loaded", one.name) for one in shown]
    points = [Point(one.lon, one.lat, str(rank), "site", one.name) for rank, one in enumerate(shown, start=1)]
    return _drawn(territory, lines, points)


def _drawn(territory: str, lines: Sequence[Line], points: Sequence[Point]) -> Drawing:
    places = [place for line in lines for place in line.points] + [(one.lon, one.lat) for one in points]
    box = box_of(places or [(0.0, 0.0)])
    ground = [line for _number, line in mobility.street_lines(territory, box)]
    return drawn(box, ground=ground, lines=lines, points=points)


def all_effects(info: WorksInfo) -> list[Effect]:
    """Return every effect of the phases that hold."""
    return [one for phase in info.told_effects for one in phase]
