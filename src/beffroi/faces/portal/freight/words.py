"""What the page of freight says: the verdict first, then one table, then each chain leg by leg."""

from __future__ import annotations

from math import ceil
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from beffroi.base.kernel.sentences import gettext_noop
from beffroi.faces.shell.templatetags.shell import number
from beffroi.lake.freight_settings import Freight
from beffroi.sense.mobility.freight.comparing import Bounds, Carried, Known, Leg, Way, difference, modes
from beffroi.sense.mobility.freight.queries import Compared

WAYS = {
    Way.ROAD: gettext_noop("Par la route"),
    Way.RIVER: gettext_noop("Par le fleuve"),
    Way.RAIL: gettext_noop("Par le rail"),
}
_KNOWN = {
    Known.NETWORK: gettext_noop("le long du réseau"),
    Known.STREETS: gettext_noop("par les rues, au gabarit d’un poids lourd"),
    Known.STRAIGHT: gettext_noop("à vol d’oiseau, × {detour}"),
}
_BY = {Way.ROAD: gettext_noop("camion"), Way.RIVER: gettext_noop("bateau"), Way.RAIL: gettext_noop("train")}
_NONE = {
    Way.RIVER: gettext_noop(
        "Par le fleuve : aucune chaîne, faute d’un quai qui prenne cette marchandise à moins de {km} km de chaque bout."
    ),
    Way.RAIL: gettext_noop(
        "Par le rail : aucune chaîne, faute d’une gare qui prenne cette marchandise à moins de {km} km de chaque bout."
    ),
}  # fmt: skip


def told(found: Compared, wanted: Freight, tonnes: float) -> dict[str, Any]:
    """Return what the page says of a flow compared."""
    all_ways = [found.road, *found.others]
    return {
        "verdicts": [_verdict(one, found.road) for one in found.others],
        "missing": [_(_NONE[way]).format(km=number(round(wanted.farthest_km))) for way in found.missing],
        "grid": _grid(all_ways, found.road),
        "chains": [(_(WAYS[one.way]), [_leg(leg, wanted) for leg in one.legs]) for one in all_ways],
        "factors": [_factor(way, wanted) for way in (Way.ROAD, *(one.way for one in found.others), *found.missing)],
        "assumed": wanted.assumed,
        "tonnes": number(round(tonnes)),
    }


def _verdict(one: Carried, road: Carried) -> str:
    """Return one sentence: what the other way saves for sure, or may save, and the lorries it takes off the road."""
    co2, cost = difference(one.co2_t, road.co2_t), difference(one.cost_eur, road.cost_eur)
    return _("{way} : {co2} ; {cost} ; {lorries} ; {time}.").format(
        way=_(WAYS[one.way]), co2=_change(co2.low, co2.high, _("t de CO₂ par an")),
        cost=_change(cost.low, cost.high, _("€ par an")), lorries=_avoided(one, road),
        time=_("{hours} h de porte à porte, contre {road} h").format(hours=number(ceil(one.hours)),
                                                                     road=number(ceil(road.hours))),
    )  # fmt: skip


def _change(low: float, high: float, unit: str) -> str:
    ends = sorted((round(abs(low)), round(abs(high))))
    if low * high <= 0 or not ends[0]:
        return _("de {low} à {high} {unit} : l’écart n’est pas sûr").format(
            low=_signed(low), high=_signed(high), unit=unit)  # fmt: skip
    word = _("{amount} {unit} de moins") if high < 0 else _("{amount} {unit} de plus")
    amount = _figure(ends[0]) if ends[0] == ends[1] else _("{low} à {high}").format(
        low=_figure(ends[0]), high=_figure(ends[1]))  # fmt: skip
    return word.format(amount=amount, unit=unit)


def _figure(value: float) -> str:
    """Return a figure with the two or three digits it deserves: no estimate is finer."""
    digits = max(0, len(str(abs(round(value)))) - 3)
    return number(int(round(value, -digits)))


def _signed(value: float) -> str:
    return f"{'−' if round(value) < 0 else '+'} {_figure(abs(value))}"


def _avoided(one: Carried, road: Carried) -> str:
    saved = road.lorry_km - one.lorry_km
    if saved <= 0:
        return _("aucun kilomètre de camion évité")
    lorries = road.lorries
    return ngettext(
        "{n} long trajet de camion évité dans l’année ({km} km en charge de moins)",
        "{n} longs trajets de camions évités dans l’année ({km} km en charge de moins)", lorries,
    ).format(n=number(lorries), km=_figure(saved))  # fmt: skip


def _grid(ways: list[Carried], road: Carried) -> dict[str, Any]:
    heads = [_("Par an, sauf la longueur et le temps"), *(_(WAYS[one.way]) for one in ways)]
    rows = [
        (_("Longueur d’un trajet"), "", [_("{km} km").format(km=_figure(one.km)) for one in ways]),
        (_("Temps, de porte à porte"), "", [_("{h} h").format(h=number(ceil(one.hours))) for one in ways]),
        (_("Coût"), "", [_between(one.cost_eur, "€") for one in ways]),
        (_("CO₂"), "", [_between(one.co2_t, "t") for one in ways]),
        (_("Trajets de camion, derniers kilomètres compris"), "", [number(one.lorries) for one in ways]),
        (_("Kilomètres de camion en charge"), "", [_figure(one.lorry_km) for one in ways]),
        (_("Bateaux ou trains"), "", ["–" if one.way == Way.ROAD else number(one.loads) for one in ways]),
        (_("Kilomètres de camion évités"), "",
         ["–" if one is road else _figure(max(0.0, road.lorry_km - one.lorry_km)) for one in ways]),
    ]  # fmt: skip
    return {"caption": _("La route, et ce qui pourrait la remplacer"), "heads": heads, "cell_heads": heads[1:],
            "rows": rows}  # fmt: skip


def _between(bounds: Bounds, unit: str) -> str:
    low, high = (_figure(end) for end in bounds)
    return f"{low} {unit}" if low == high else _("{low} à {high} {unit}").format(low=low, high=high, unit=unit)


def _leg(leg: Leg, wanted: Freight) -> str:
    known = _(_KNOWN[leg.known]).format(detour=number(wanted.detour))
    km = number(round(leg.km, 1)) if leg.km < 10 else _figure(leg.km)
    return _("{by}, de {start} à {goal} : {km} km ({known})").format(by=_(_BY[leg.way]), start=leg.start,
                                                                    goal=leg.goal, km=km, known=known)  # fmt: skip


def _factor(way: Way, wanted: Freight) -> str:
    of = modes(wanted)[way]
    co2, cost = (_ends(pair) for pair in (of.co2_g_tkm, of.cost_eur_tkm))
    return _("{way} : {co2} g de CO₂ et {cost} € par tonne et par kilomètre ; {payload} t par {by}. {source}.").format(
        way=_(WAYS[way]), co2=co2, cost=cost, payload=number(of.payload_t), by=_(_BY[way]), source=of.source
    )


def _ends(pair: Bounds) -> str:
    low, high = (number(end) for end in pair)
    return low if low == high else _("{low} à {high}").format(low=low, high=high)
