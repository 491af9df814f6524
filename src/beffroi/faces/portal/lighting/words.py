"""The lighting of a town in words and tables: what it is today, what a scenario changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from beffroi.faces.shell.finding import map_url
from beffroi.faces.shell.templatetags.shell import number
from beffroi.sense.twin.lighting.actions import FURNITURE, SOURCES, Action, Where
from beffroi.sense.twin.lighting.coverage import Gap
from beffroi.sense.twin.lighting.effects import Effects, Lit
from beffroi.sense.twin.lighting.queries import Checks, ScenarioInfo
from beffroi.sense.twin.lighting.standards import CLASSES, MOST_KELVIN, MOST_LM_PER_M2, PARTS, PROFILES

MOST_GAPS = 60


@dataclass(frozen=True, slots=True)
class Grid:
    """A table: its caption, its heads, its rows; the first cell of each is its head, with an address if any."""

    caption: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, str, tuple[str, ...]], ...]

    @property
    def cell_heads(self) -> tuple[str, ...]:
        """Return the heads of the cells that follow the first."""
        return self.heads[1:]


@dataclass(frozen=True, slots=True)
class GapLine:
    """A place left dark, as it is listed."""

    name: str
    said: str
    url: str
    lon: float
    lat: float


def percent(share: float | None) -> str:
    """Write a share of one; a dash for what is not there."""
    return "–" if share is None else _("{n} %").format(n=number(round(share * 100)))


def euros(kwh: float, price: Decimal) -> str:
    """Write what kilowatt-hours cost, to the euro."""
    return _("{n} €").format(n=number(round(kwh * float(price))))


def signed(value: float, unit: str) -> str:
    """Write a difference with its sign."""
    rounded = round(value)
    sign = "+" if rounded > 0 else "−" if rounded < 0 else ""
    return f"{sign}{number(abs(rounded))} {unit}"


def hour(minutes: int) -> str:
    """Write a minute of the day: 23 h, 5 h 30."""
    return f"{minutes // 60} h" + (f" {minutes % 60:02}" if minutes % 60 else "")


def parts_grid(states: Sequence[Effects]) -> Grid:
    """Tell what is lit of each part of the public space, today then with a scenario if there is one."""
    heads = (
        _("Partie de l’espace public"), _("Surface"), _("Classe visée"), _("Moyenne"), _("Éclairé en soirée"),
        _("Au cœur de la nuit"),
    )  # fmt: skip
    rows = []
    for rank, cover in enumerate(states[0].covers):
        wanted, mine = CLASSES[cover.wanted], [one.covers[rank] for one in states]
        cells = (
            _("{n} ha").format(n=number(round(cover.area_m2 / 10_000, 1))),
            _("{name} ({lux} lux au moins)").format(name=wanted.name, lux=number(wanted.least_lx)),
            _change([_("{n} lux").format(n=number(round(one.mean_lx, 1))) for one in mine]),
            _change([percent(one.evening) for one in mine]),
            _change([percent(one.night) for one in mine]),
        )
        rows.append((_(PARTS[cover.part]), "", cells))
    return Grid(_caption(_("L’espace public entier, pas la seule chaussée"), states), heads, tuple(rows))


def profiles_grid(states: Sequence[Effects], price: Decimal | None) -> Grid:
    """Tell lamps, energy, money at a price and light by the profile of streets, today then with a scenario."""
    heads = (
        _("Profil de rue, d’une parcelle à l’autre"), _("Points lumineux"), _("kWh par an"),
        *([_("€ par an")] if price is not None else []), _("Chaussée éclairée"), _("Le reste éclairé"),
    )  # fmt: skip
    rows = []
    for rank, share in enumerate(states[0].profiles):
        if share.lamps or share.area_m2:
            mine = [one.profiles[rank] for one in states]
            cells = (
                number(share.lamps),
                _change([number(round(one.kwh)) for one in mine]),
                *([_change([euros(one.kwh, price) for one in mine])] if price is not None else []),
                _change([percent(one.road) for one in mine]),
                _change([percent(one.rest) for one in mine]),
            )
            rows.append((_(PROFILES[share.name]), "", cells))
    return Grid(_caption(_("Par profil de rue, en soirée"), states), heads, tuple(rows))


def districts_grid(states: Sequence[Effects], price: Decimal | None) -> Grid:
    """Tell energy, and money at a price, by district, today then with a scenario if there is one."""
    heads = [_("Quartier"), _("Points lumineux"), _("kWh par an"), *([_("€ par an")] if price is not None else [])]
    rows = []
    for name in dict.fromkeys(share.name for one in states for share in one.districts):
        mine = [next((share for share in one.districts if share.name == name), None) for one in states]
        burnt = [share.kwh if share else 0.0 for share in mine]
        cells = [
            _change([number(share.lamps if share else 0) for share in mine]),
            _change([number(round(one)) for one in burnt]),
        ]
        if price is not None:
            cells.append(_change([euros(one, price) for one in burnt]))
        told = _("Hors quartiers") if not name else _("Points ajoutés") if name == "added" else name
        rows.append((told, "", tuple(cells)))
    return Grid(_caption(_("Par quartier"), states), tuple(heads), tuple(rows))


def _change(values: list[str]) -> str:
    """Write what is, then what would be when it differs."""
    return " → ".join(dict.fromkeys(values))


def _caption(told: str, states: Sequence[Effects]) -> str:
    return _("{told} : aujourd’hui → avec le scénario").format(told=told) if len(states) > 1 else told


def summary_grid(
    today: Effects, found: Sequence[tuple[ScenarioInfo, Effects, str]], price: Decimal | None = None
) -> Grid:
    """Compare today, in euros where one price is given, with every scenario, each at the price it states."""
    heads = (
        _("Scénario"), _("kWh par an"), _("€ par an"), _("Écart avec aujourd’hui"), _("Éclairé en soirée"),
        _("Au cœur de la nuit"), _("Rues et chemins sombres"), _("Dépense"), _("Rendue en"),
    )  # fmt: skip
    cost = euros(today.kwh, price) if price is not None else "–"
    rows = [(_("Aujourd’hui"), "", (number(round(today.kwh)), cost, "–", percent(today.lit("evening")),
             percent(today.lit("night")), _km(today.dark_m), "–", "–"))]  # fmt: skip
    for info, one, url in found:
        saved = (today.kwh - one.kwh) * float(info.price_eur)
        rows.append((info.title, url, (
            number(round(one.kwh)), euros(one.kwh, info.price_eur), signed(-saved, _("€ par an")),
            percent(one.lit("evening")), percent(one.lit("night")), _km(one.dark_m),
            _("{n} €").format(n=number(round(one.spent_eur))) if one.spent_eur else "–", payback(one.spent_eur, saved),
        )))  # fmt: skip
    return Grid(_("Aujourd’hui et chaque scénario"), heads, tuple(rows))


def payback(spent: float, saved: float) -> str:
    """Say in how many years savings give back what was spent; a dash when nothing is, or never."""
    if not spent:
        return "–"
    if saved <= 0:
        return _("jamais par l’énergie")
    years = spent / saved
    return _("{n} ans").format(n=number(round(years, 1)))


def _km(metres: float) -> str:
    return _("{n} km").format(n=number(round(metres / 1000, 1)))


def gap_lines(town: Lit, found: Sequence[Gap]) -> list[GapLine]:
    """Say the places left dark."""
    lines = []
    for one in found:
        lon, lat = town.plane.degrees(one.x, one.y)
        name = one.place or _(PARTS[one.part])
        if one.length_m:
            told = _("trottoir ou accotement sombre sur {m} m, chaussée éclairée") if one.side_only else _(
                "sombre sur {m} m"
            )  # fmt: skip
            said = told.format(m=number(round(one.length_m)))
        else:
            said = _("{part} : {m} m² sombres").format(part=_(PARTS[one.part]), m=number(round(one.area_m2)))
        lines.append(GapLine(name, said, map_url(lon, lat), lon, lat))
    return lines


def check_sentences(found: Checks, lamps: int) -> list[str]:
    """Say the inventory against the decree of 27 December 2018, each line with its article."""
    cold = ngettext(
        "{n} point lumineux dépasse {k} K, dont {m} posé depuis le 1er janvier 2020 : l’art. 3, II, 3° l’interdit pour "
        "l’éclairage des voies posé depuis ce jour.",
        "{n} points lumineux dépassent {k} K, dont {m} posés depuis le 1er janvier 2020 : l’art. 3, II, 3° l’interdit "
        "pour l’éclairage des voies posé depuis ce jour.",
        found.too_cold,
    )  # fmt: skip
    lines = [cold.format(n=number(found.too_cold), k=number(MOST_KELVIN), m=number(found.too_cold_since))]
    if found.dense:
        names = ", ".join(f"{name} ({number(round(density))})" for name, density in found.dense[:5])
        lines.append(
            _("{n} rues reçoivent {most} lumens ou plus par mètre carré d’espace public, le plafond en agglomération "
              "de ce qui est posé depuis 2020 (art. 3, II, 4°) ; d’abord : {names}.").format(
                n=number(len(found.dense)), most=MOST_LM_PER_M2, names=names)
        )  # fmt: skip
    lines.append(
        _("{n} points lumineux sur {all} n’ont pas, dans l’inventaire, leur flux et leur température de couleur, que "
          "l’art. 5 demande de tenir prêts.").format(n=number(found.incomplete), all=number(lamps))
    )  # fmt: skip
    lines.append(
        _("Aucun article n’impose d’éteindre les voies la nuit : c’est le choix du maire (CGCT, art. L2212-2, 1°).")
    )
    if found.unread_regimes:
        lines.append(
            _("{n} régimes d’extinction n’ont pu être lus : ces lampes comptent toute la nuit.").format(
                n=number(found.unread_regimes))
        )  # fmt: skip
    if found.assumed_flux:
        lines.append(
            _("Le flux de {n} lampes est supposé (120 lumens par watt en LED, 90 sinon).").format(
                n=number(found.assumed_flux))
        )  # fmt: skip
    return lines


def act_said(action: Action) -> str:
    """Say an act of a scenario.

    >>> act_said(Action("off", Where(source="led"), 1380, 300))
    'Éteindre de 23 h à 5 h : LED'
    """
    who = _chosen_said(action.where)
    start, end = hour(action.start), hour(action.end)
    if action.kind == "off":
        return _("Éteindre de {start} à {end} : {who}").format(start=start, end=end, who=who)
    if action.kind == "dim":
        return _("Abaisser à {share} % de {start} à {end} : {who}").format(
            share=round(action.share * 100), start=start, end=end, who=who
        )
    if action.kind == "on":
        return _("Laisser allumé toute la nuit : {who}").format(who=who)
    lamp = _("{w} W, {lm} lm, {k} K").format(
        w=number(action.power_w), lm=number(action.flux_lm), k=number(action.kelvin)
    )
    if action.kind == "swap":
        return _("Passer à une LED de {lamp} : {who}").format(lamp=lamp, who=who)
    solar = _(", solaire") if action.solar else ""
    return _("Ajouter : {what} à {h} m de haut, {lamp}{solar}").format(
        what=_(FURNITURE[action.what]).casefold(), h=number(action.height_m), lamp=lamp, solar=solar
    )


def _chosen_said(where: Where) -> str:
    told = [
        _(SOURCES[where.source]) if where.source else "", where.district, where.street,
        _(PROFILES[where.profile]) if where.profile else "",
    ]  # fmt: skip
    return ", ".join(one for one in told if one) or _("toutes les lampes")
