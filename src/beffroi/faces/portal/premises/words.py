"""Lots in words and tables: vacancy with what is not known beside it, why a building is mixed or not, who says what."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from beffroi.faces.portal.lighting.words import Grid, percent
from beffroi.faces.shell.templatetags.shell import number
from beffroi.sense.twin.premises.counting import Mix, Occupation
from beffroi.sense.twin.premises.lots import SOURCES, USES, Lot, Saying
from beffroi.sense.twin.premises.queries import Premise


@dataclass(frozen=True, slots=True)
class LotLine:
    """A lot as it is listed: what is said of its occupation, and what other sources say to the contrary."""

    number: str
    use: str
    surface: str
    floor: str
    state: str
    kind: str
    said: str
    contrary: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BuildingLine:
    """A building as it is listed."""

    name: str
    url: str
    uses: str
    mixed: bool
    rate: str
    district: str


def use_name(use: str) -> str:
    """Return the French name of a use; what has none is an outbuilding or not told."""
    return _(USES[use]) if use in USES else _("Dépendance ou usage non dit")


def rate_of(one: Occupation) -> str:
    """Write the share vacant of those whose state is known."""
    if one.vacant is None and one.known:
        return _("non dit")
    return percent(one.rate)


def occupation_grid(caption: str, first: str, rows: Sequence[tuple[str, str, Occupation]]) -> Grid:
    """Tell lots by place or by use: name, address of the list, what is counted."""
    heads = (first, _("Locaux"), _("Surface"), _("État connu"), _("Vacants"), _("Taux de vacance"), _("Inconnus"))
    told = [
        (name, url, (
            number(one.lots), _("{n} m²").format(n=number(round(one.surface_m2))), number(one.known),
            _("non dit") if one.vacant is None and one.known else number(one.vacant or 0), rate_of(one),
            number(one.unknown),
        ))
        for name, url, one in rows
    ]  # fmt: skip
    return Grid(caption, heads, tuple(told))


def shares(one: Mix) -> str:
    """Write the shares of a building: « logement 55 %, commerce 30 %, bureau 15 % »."""
    return ", ".join(
        _("{use} {share}").format(use=use_name(use).lower(), share=percent(share)) for use, share in one.shares.items()
    )


def mixed_sentence(one: Mix) -> str:
    """Say whether a building is mixed, and why: the rule stands in the sentence."""
    if not one.shares:
        return _("Aucune surface n’est connue : la mixité ne peut pas se calculer.")
    told, limit, count = shares(one), percent(one.most_share), len(one.shares)
    largest = use_name(one.largest).lower()
    if one.mixed:
        text = _("Mixte : {count} usages ({told}), et aucun au-dessus de {limit} de la surface.")
    elif count < one.least_uses:
        text = ngettext(
            "Pas mixte : {count} usage ({told}), il en faut {least}.",
            "Pas mixte : {count} usages ({told}), il en faut {least}.",
            count,
        )
    else:
        text = _("Pas mixte : {count} usages ({told}), mais {largest} dépasse {limit} de la surface.")
    said = text.format(count=count, told=told, limit=limit, least=one.least_uses, largest=largest)
    if one.unmeasured:
        said += " " + ngettext(
            "{n} local sans surface connue n’y compte pas.",
            "{n} locaux sans surface connue n’y comptent pas.",
            one.unmeasured,
        ).format(n=one.unmeasured)
    return said


def saying(one: Saying) -> str:
    """Write what a source says, and of which day: « vacant, LOVAC, au 1er janvier 2026 »."""
    state = _("vacant") if one.vacant else _("occupé")
    return _("{state} : {source}, {day}").format(state=state, source=_(SOURCES[one.source]), day=day(one.day))


def day(value: date) -> str:
    """Write a day."""
    return date_format(value, "j F Y")


def lot_line(one: Lot) -> LotLine:
    """Tell a lot."""
    states = {True: (_("Vacant"), "warn"), False: (_("Occupé"), "good"), None: (_("Inconnu"), "wait")}
    state, kind = states[one.vacant]
    said = saying(one.sayings[0]) if one.sayings else _("aucune source ne le dit")
    return LotLine(
        number=one.id,
        use=use_name(one.use),
        surface=_("inconnue") if one.surface_m2 is None else _("{n} m²").format(n=number(round(one.surface_m2))),
        floor="–" if one.floor is None else _("rez-de-chaussée") if one.floor == 0 else number(one.floor),
        state=state,
        kind=kind,
        said=said,
        contrary=tuple(saying(other) for other in one.contradicted),
    )


def building_lines(found: Iterable[Premise]) -> list[BuildingLine]:
    """Tell buildings."""
    return [
        BuildingLine(
            name=one.address or _("Bâtiment {number}").format(number=one.id),
            url=reverse("portal:premises-building", args=[one.id]),
            uses=shares(one.mix) or ", ".join(f"{use_name(use).lower()} ({n})" for use, n in one.uses.items()),
            mixed=one.mix.mixed,
            rate=rate_of(one.state),
            district=one.district,
        )
        for one in found
    ]
