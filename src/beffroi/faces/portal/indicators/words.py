"""Declared indicators in words: the sentence first, lines and their changes, what a town lacks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from beffroi.base.kernel.sentences import gettext_noop
from beffroi.faces.shell.charts import Line as Drawn
from beffroi.faces.shell.charts import Point, line_of
from beffroi.faces.shell.templatetags.shell import number
from beffroi.sense.indicators.queries import MASKED, Answer, Line, Measure, Sheet

BETTER = {
    "up": gettext_noop("Plus c’est haut, mieux c’est."),
    "down": gettext_noop("Plus c’est bas, mieux c’est."),
    "neither": gettext_noop("Ni haut ni bas n’est mieux : c’est un fait."),
}
STEADY = 0.005
"""Under this share of the earlier value, nothing is said to move."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line as its table shows it; `rank` is its place in the answer, `chosen` when its trend is drawn."""

    rank: int
    name: str
    value: str
    change: str
    besides: tuple[str, ...]
    note: str
    has_trend: bool
    chosen: bool


@dataclass(frozen=True, slots=True)
class Whole:
    """A measure over the commune, in the list of measures."""

    slug: str
    title: str
    value: str
    year: str
    change: str
    chosen: bool


def figure(measure: Measure, value: float | None, unit: str = "") -> str:
    """Write a value with its digits and its unit, a dash when it is not known."""
    if value is None:
        return "–"
    said = str(number(round(value, measure.digits) if measure.digits else round(value)))
    if unit:
        # What is counted, of a line that counts its own: « 12 (victime) ».
        return f"{said} ({_(unit).lower()})"
    return f"{said}\u00a0{_(measure.unit)}" if measure.unit else said


def change(measure: Measure, line: Line, before: str) -> str:
    """Say how a value moved since the year before, and whether it is better so; empty when that is not known."""
    if line.change is None or line.value is None or line.before is None:
        return ""
    if abs(line.change) <= STEADY * abs(line.before):
        return _("stable depuis {year}").format(year=before)
    grows = line.change > 0
    # Points of a percentage are told as such: « + 2 % » would be read as a share of what it was.
    unit = _("point") if measure.unit == "%" else _(measure.unit) if measure.unit else ""
    moved = abs(round(line.change, measure.digits) if measure.digits else round(line.change))
    sign = "+" if grows else "−"
    moved_by = f"{number(moved)} {unit}".strip()
    told = _("{sign} {moved} depuis {year}").format(sign=sign, moved=moved_by, year=before)
    if measure.better == "neither":
        return told
    good = grows == (measure.better == "up")
    return f"{told} ({_('mieux')})" if good else f"{told} ({_('moins bien')})"


def rows(answer: Answer, chosen: Line | None) -> list[Row]:
    """Return the lines of a measure for its table; those that are masked are counted under it."""
    measure = answer.measure
    return [
        Row(
            rank, _(line.name) if line.name else line.id, figure(measure, line.value, line.unit),
            change(measure, line, answer.before),
            tuple(figure(measure, one) for one in line.besides) or ("–",) * len(measure.besides),
            _(line.why) if line.why else _("imprécis : peu d’habitants") if line.frail else "",
            len(line.series) > 1, line is chosen,
        )
        for rank, line in enumerate(answer.lines)
        if line.why != MASKED
    ]  # fmt: skip


def wholes(sheet: Sheet, chosen: Answer) -> list[Whole]:
    """Return each measure over the commune."""
    return [
        Whole(
            one.measure.slug, _(one.measure.title), figure(one.measure, one.whole.value, one.whole.unit), one.year,
            change(one.measure, one.whole, one.before), one is chosen,
        )
        for one in sheet.answers
    ]  # fmt: skip


def sentence(answer: Answer) -> str:
    """Say a measure in one sentence: the commune, the highest and the lowest line, or how many are above the others."""
    measure = answer.measure
    known = [one for one in answer.lines if one.value is not None]
    if not known:
        return _("{title} : aucune valeur n’est connue ou diffusée en {year}.").format(
            title=_(measure.title), year=answer.year or "–"
        )
    if answer.whole.value is not None:
        parts = [
            _("{title} : {value} en {year} dans la commune").format(
                title=_(measure.title), value=figure(measure, answer.whole.value, answer.whole.unit), year=answer.year
            )
        ]
        if moved := change(measure, answer.whole, answer.before):
            parts.append(moved)
        return " ; ".join([*parts, *_ends(measure, known)]) + "."
    silent = len(answer.lines) - len(known)
    parts = [_("{title}, {year}").format(title=_(measure.title), year=answer.year)]
    if measure.besides and (told := _above(answer, known)):
        parts.append(told)
    else:
        parts += _ends(measure, known)
    if silent:
        parts.append(
            ngettext("{n} ligne n’est pas diffusée", "{n} lignes ne sont pas diffusées", silent).format(
                n=number(silent)
            )
        )
    return f"{parts[0]} : " + " ; ".join(parts[1:]) + "."


def _ends(measure: Measure, known: Sequence[Line]) -> list[str]:
    if len(known) < 2:
        return []
    high = max(known, key=lambda one: one.value or 0)
    low = min(known, key=lambda one: one.value or 0)
    text = _("le plus haut, {name} ({value})"), _("le plus bas, {name} ({value})")
    return [
        one.format(name=_(line.name), value=figure(measure, line.value, line.unit))
        for one, line in zip(text, (high, low), strict=True)
    ]


def _above(answer: Answer, known: Sequence[Line]) -> str:
    pairs = [(one.value, one.besides[0]) for one in known if one.besides and one.besides[0] is not None]
    if not pairs:
        return ""
    above = sum((value or 0) > (other or 0) for value, other in pairs)
    return _("{above} sur {all} au-dessus de « {title} »").format(
        above=number(above), all=number(len(pairs)), title=_(answer.measure.besides[0].title)
    )


def chosen_line(answer: Answer, asked: str) -> Line | None:
    """Return the line whose trend is drawn: the one asked by its rank, else the commune, else the highest that has one.

    None when nothing has two values.
    """
    if asked.isdecimal() and int(asked) < len(answer.lines) and len(answer.lines[int(asked)].series) > 1:
        return answer.lines[int(asked)]
    if len(answer.whole.series) > 1:
        return answer.whole
    able = [one for one in answer.lines if len(one.series) > 1]
    return max(able, key=lambda one: one.value or 0) if able else None


def trend(line: Line | None, measure: Measure) -> Drawn | None:
    """Return the series of a line as it is drawn, None without two values, or with one under zero."""
    if line is None or min((value for _year, value in line.series), default=0) < 0:
        return None
    return line_of([Point(year, round(value, measure.digits)) for year, value in line.series])
