"""Changes of direction in words: each scenario beside today, who gains, who loses; for agents and for residents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.formats import number_format
from django.utils.translation import gettext as _

from beffroi.faces.shell.works import DRAWN_BY, PROFILES, percent
from beffroi.sense.mobility.works.effects import Effect
from beffroi.sense.mobility.works.plan import Phase
from beffroi.sense.mobility.works.queries import WorksInfo

LEAST_SHARE = 0.005
"""One trip or two of the sample tell nothing of a street."""


@dataclass(frozen=True, slots=True)
class District:
    """What the trips of the residents of a district become."""

    name: str
    trips: int
    better: int
    worse: int
    mean: str


@dataclass(frozen=True, slots=True)
class Column:
    """One scenario for one profile, beside today."""

    title: str
    sentence: str
    time: str
    distance: str
    kilometres: str
    longer: str
    shorter: str
    lost: str
    loaded: tuple[tuple[str, str], ...]
    relieved: tuple[tuple[str, str], ...]
    cut: tuple[str, ...]
    districts: tuple[District, ...]


@dataclass(frozen=True, slots=True)
class Compared:
    """What every scenario does to one profile; `time` and `distance` are those of a trip of today, on average."""

    profile: str
    time: str
    distance: str
    columns: tuple[Column, ...]


def compared(info: WorksInfo) -> list[Compared]:
    """Return the effects of every scenario of a change of direction, profile by profile; none until computed."""
    by_profile: dict[str, list[tuple[str, Effect]]] = {}
    for scenario, told in zip(info.scenarios, info.effects, strict=False):
        for phase, effects in zip(scenario.phases, told, strict=True):
            for one in effects:
                by_profile.setdefault(one.profile, []).append((_title(scenario.title, scenario.phases, phase), one))
    return [
        Compared(
            str(PROFILES.get(profile, profile)), _minutes(some[0][1].before_s), _metres(some[0][1].before_m),
            tuple(_column(title, one) for title, one in some),
        )
        for profile, some in by_profile.items()
    ]  # fmt: skip


def _title(scenario: str, phases: Sequence[Phase], phase: Phase) -> str:
    if len(phases) == 1:
        return scenario
    return _("{scenario}, {phase}").format(scenario=scenario, phase=phase.title or phases.index(phase) + 1)


def _column(title: str, one: Effect) -> Column:
    # Lost trips have no time of theirs any more: the means are over those that keep a way.
    kept = 1.0 - one.lost
    added_s = one.over_all_s / kept if kept else 0.0
    return Column(
        title=title,
        sentence=_sentence(one, added_s),
        time=_minutes(one.before_s + added_s),
        distance=_metres(one.before_m + one.over_all_m),
        kilometres=_signed(100 * one.over_all_m / one.before_m if one.before_m else 0.0, "%"),
        longer=percent(max(0.0, one.worse - one.lost)),
        shorter=percent(one.better),
        lost=percent(one.lost),
        loaded=_told(one.streets),
        relieved=_told(one.relieved),
        cut=(*one.cut_places, *one.cut_streets),
        districts=tuple(
            District(name or _("Hors quartier"), trips, better, worse, _signed(mean, "s", digits=0))
            for name, trips, better, worse, mean in (one.districts if one.touched else ())
        ),
    )


def _told(streets: Sequence[tuple[str, float]]) -> tuple[tuple[str, str], ...]:
    return tuple((name, f"{number_format(100 * share, 1)}\u00a0%") for name, share in streets if share >= LEAST_SHARE)


def _sentence(one: Effect, added_s: float) -> str:
    if not one.touched:
        return _("Aucun trajet de l’échantillon ne change.")
    told = _("{share} des trajets changent : {longer} s’allongent, {shorter} raccourcissent.").format(
        share=percent(one.touched), longer=percent(max(0.0, one.worse - one.lost)), shorter=percent(one.better)
    )
    told += " " + _("Tous trajets confondus : {time} et {distance} par trajet.").format(
        time=_signed(added_s, "s", digits=0), distance=_signed(one.over_all_m, "m", digits=0)
    )
    if one.lost:
        told += " " + _("{share} n’ont plus de chemin.").format(share=percent(one.lost))
    return told


def limits(info: WorksInfo) -> str:
    """Say what the figures rest on, and what they do not count."""
    return _(
        "Calculé sur {trips} trajets, les mêmes pour chaque scénario : des habitants, tirés d’après {by}, vers "
        "{places} lieux, et le transit d’une entrée de la commune à l’autre. Chacun prend le meilleur chemin ; les "
        "embouteillages, le bruit et ceux qui renoncent à leur voiture ne sont pas comptés. Les interdictions de "
        "tourner restent celles d’aujourd’hui."
    ).format(
        trips=info.sample.get("trips", 0), by=DRAWN_BY.get(str(info.sample.get("drawn_by", "")), ""),
        places=info.sample.get("facilities", 0),
    )  # fmt: skip


def _minutes(seconds: float) -> str:
    return _("{n} min").format(n=number_format(seconds / 60, decimal_pos=1))


def _metres(metres: float) -> str:
    return _("{n} m").format(n=number_format(metres, decimal_pos=0))


def _signed(value: float, unit: str, *, digits: int = 1) -> str:
    """Return what is added with its sign; what rounds to nothing has none."""
    rounded = round(value, digits)
    sign = "+" if rounded > 0 else "−" if rounded < 0 else ""
    return f"{sign}{number_format(abs(rounded), decimal_pos=digits)}\u00a0{unit}"
