"""Homes that leak heat, in words and tables: labels on one side, estimates on the other, never added up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.urls import reverse
from django.utils.formats import date_format
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from beffroi.faces.portal.lighting.words import Grid, percent
from beffroi.faces.portal.painting import UNKNOWN, UNKNOWN_DARK
from beffroi.faces.shell.templatetags.shell import number
from beffroi.lake.layer_colours import OFFICIAL
from beffroi.sense.twin.leaks.estimating import COVERAGE, LETTERS, Estimate, Home, Share
from beffroi.sense.twin.leaks.queries import RENTING, Leaks

REAL, ESTIMATED, UNTOLD = "etablie", "estimee", "inconnue"
HEADS = (
    "batiment", "rnb_id", "quartier", "annee_construction", "etiquette_dpe", "etiquette_estimee",
    "etiquette_estimee_au_mieux", "etiquette_estimee_au_pire", "part_f_g_estimee", "estimation_logements_semblables",
    "estimation_comparee_a",
)  # fmt: skip
"""The columns of the file: what is estimated says so in its name."""


@dataclass(frozen=True, slots=True)
class Line:
    """A home as it is listed: what is known of it or estimated; `kind` is one of the three words of the address."""

    home: Home
    estimate: Estimate | None
    rnb: str

    @property
    def kind(self) -> str:
        """Return whether its label is established, estimated, or not known."""
        return REAL if self.home.letter else ESTIMATED if self.estimate else UNTOLD

    @property
    def letter(self) -> str:
        """Return its label, or the middle of the estimate."""
        return self.home.letter or (self.estimate.letter if self.estimate else "")

    @property
    def said(self) -> str:
        """Say its label, or the interval."""
        if self.home.letter:
            return self.home.letter
        if self.estimate is None:
            return _("inconnue")
        return _("estimée {letter}, entre {best} et {worst}").format(
            letter=self.estimate.letter, best=self.estimate.best, worst=self.estimate.worst
        )

    @property
    def why(self) -> str:
        """Say what the estimate is drawn from, or why there is none."""
        if self.home.letter:
            return _("diagnostic publié")
        if self.estimate is None:
            return _("année inconnue") if self.home.year is None else _("trop peu de logements semblables")
        return _("{n} semblables, {where}").format(n=number(self.estimate.alike), where=_rung(self.estimate.rung))

    @property
    def row(self) -> tuple[Any, ...]:
        """Return its line of the file."""
        home, told = self.home, self.estimate
        guess = (
            (told.letter, told.best, told.worst, round(told.leaking, 2), told.alike, _rung(told.rung))
            if told else (None,) * 6
        )  # fmt: skip
        return home.id, self.rnb or None, home.district or None, home.year, home.letter, *guess


def _rung(rung: int) -> str:
    return (_("même quartier"), _("toute la commune"), _("toute la commune, toutes formes"))[rung]


def lines_of(found: Leaks, asked: Mapping[str, str]) -> list[Line]:
    """Return the homes that answer what is asked, the worst first."""
    lines = (
        Line(home, found.town.estimates.get(home.id), found.rnb.get(home.id, ""))
        for home in found.town.homes
        if asked.get("quartier", "") in ("", home.district)
    )
    kept = [
        line for line in lines
        if asked.get("nature", "") in ("", line.kind) and asked.get("classe", "") in ("", line.letter)
    ]  # fmt: skip
    return sorted(kept, key=_order)


def _order(line: Line) -> tuple[int, int, float, str]:
    kinds = (REAL, ESTIMATED, UNTOLD)
    return (
        -LETTERS.find(line.letter) if line.letter else 1,
        kinds.index(line.kind),
        -(line.estimate.leaking if line.estimate else 0.0),
        line.home.id,
    )


def share_said(share: Share) -> str:
    """Write the bounds of the share of F and G."""
    if share.low is None or share.high is None:
        return "–"
    low, high = round(100 * share.low), round(100 * share.high)
    return _("{n} %").format(n=low) if low == high else _("{low} à {high} %").format(low=low, high=high)


def districts_grid(found: Leaks) -> Grid:
    """Tell each district and the whole town: labels, estimates and unknown apart, then the share of F and G."""
    heads = (
        _("Quartier"), _("Étiquettes établies"), _("dont F et G"), _("Estimées"), _("Inconnues"),
        _("Part de F et G, intervalle estimé"),
    )  # fmt: skip
    zones = [(name, found.town.share(name)) for name in found.names]
    whole = found.town.share()
    rows = [
        (name, _list_url(quartier=name) if name else "", (
            number(one.known), number(one.known_leaking), number(one.estimated), number(one.unknown), share_said(one),
        ))
        for name, one in [*zones, ("", whole)]
    ]  # fmt: skip
    return Grid(
        _("Bâtiments d’habitation par quartier"),
        heads,
        tuple((name or _("Toute la commune"), url, cells) for name, url, cells in rows),
    )


def _list_url(**kept: str) -> str:
    return f"{reverse('portal:leaks')}?{urlencode(kept)}#liste"


def check_sentences(found: Leaks) -> list[str]:
    """Say what the rule is worth on this town's own labels."""
    check, (right, tried) = found.town.check, found.town.checked_shares
    if check.coverage is None:
        return [_("Trop peu d’étiquettes publiées : rien n’est estimé.")]
    told = [
        _(
            "Vérifié sur les {n} étiquettes connues de la commune, chacune cachée puis estimée par les autres : "
            "{share} tombent dans l’intervalle annoncé (au moins {stated} visés), {exact} sont la classe médiane même."
        ).format(
            n=number(check.estimated), share=percent(check.coverage), stated=percent(COVERAGE),
            exact=percent(check.exact / check.estimated),
        ),
        _("Un intervalle compte {n} classes en moyenne : il dit où chercher, il ne remplace pas un diagnostic.").format(
            n=number(round(check.width, 1))
        ),
    ]  # fmt: skip
    if check.known > check.estimated:
        n = check.known - check.estimated
        told.append(
            ngettext(
                "{n} étiquette connue n’a pu être vérifiée : trop peu de logements semblables.",
                "{n} étiquettes connues n’ont pu être vérifiées : trop peu de logements semblables.",
                n,
            ).format(n=number(n))
        )
    if tried:
        told.append(
            _(
                "Part de F et G par quartier : un cinquième des étiquettes cachées, cinq fois ; la vraie part est dans "
                "l’intervalle {right} fois sur {tried}."
            ).format(right=right, tried=tried)
        )
    return told


def renting_grid(found: Leaks, today: date) -> Grid:
    """Tell the calendar of the law, and how many known labels each day reaches."""
    known = [home.letter for home in found.town.homes if home.letter]
    rows = []
    for day, letter in RENTING:
        reached = sum(one >= letter for one in known)
        when = _("depuis le {day}") if day <= today else _("à partir du {day}")
        alone = letter == LETTERS[-1]
        which = _("classe {letter}") if alone else _("classes {letter} à G")
        url = _list_url(nature=REAL, classe=letter) if alone else ""
        cells = which.format(letter=letter), number(reached)
        rows.append((when.format(day=date_format(day, "j F Y")), url, cells))
    heads = (_("Date"), _("Ne peut plus être loué à nouveau"), _("Bâtiments à l’étiquette établie concernés"))
    return Grid(_("Calendrier de la location"), heads, tuple(rows))


def rank_of(found: Leaks, building: str, letters: Mapping[str, str]) -> int | None:
    """Return the class of a building on the map: labels first, then estimates, None where nothing is known."""
    if building in letters:
        return LETTERS.index(letters[building])
    told = found.town.estimates.get(building)
    return len(LETTERS) + LETTERS.index(told.letter) if told else None


@dataclass(frozen=True, slots=True)
class Tint:
    """A line of the legend, in its colour; estimates are hatched."""

    label: str
    colour: str
    count: int
    hatched: bool
    url: str


def tints_of(found: Leaks) -> tuple[Tint, ...]:
    """Return the legend: the seven labels, the seven estimates, and what is unknown."""
    real = [home.letter for home in found.town.homes]
    guessed = [one.letter for one in found.town.estimates.values()]
    colours = [OFFICIAL[f"dpe-{letter.lower()}"] for letter in LETTERS]
    known = [
        Tint(letter, colour, real.count(letter), False, _list_url(nature=REAL, classe=letter))
        for letter, colour in zip(LETTERS, colours, strict=True)
    ]
    words = _("{letter} estimée")
    estimated = [
        Tint(words.format(letter=one), colour, guessed.count(one), True, _list_url(nature=ESTIMATED, classe=one))
        for one, colour in zip(LETTERS, colours, strict=True)
    ]
    left = len(real) - sum(one is not None for one in real) - len(guessed)
    return (*known, *estimated, Tint(_("inconnue"), UNKNOWN, left, False, _list_url(nature=UNTOLD)))


def paint_config(tints: Sequence[Tint], tiles: str) -> dict[str, Any]:
    """Return what the map needs to draw the buildings in these classes, from coloured tiles at `tiles`."""
    dark = {UNKNOWN: UNKNOWN_DARK}
    drawn = [[one.label, one.colour, dark.get(one.colour, ""), one.hatched] for one in tints]
    return {"tiles": tiles, "title": _("Étiquette énergie"), "tints": drawn}
