"""The life of a building on a page: its time line, its curves of ageing, the forms agents fill in."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from beffroi.faces.portal.buildings import Story
from beffroi.sense.twin.condition import COMPONENTS, GRADES, WORK_KINDS, WORKS_NEEDED, Ageing
from beffroi.sense.twin.life import Life, ReadingInfo

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 320, 130, 24, 10, 10, 22
_DAY = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
WHOLE = gettext_lazy("Tout le bâtiment")


class WorkForm(forms.Form):
    """What was done, or is to be."""

    kind = forms.ChoiceField(label=gettext_lazy("Genre"))
    title = forms.CharField(label=gettext_lazy("Ce qui a été fait"), max_length=200)
    component = forms.ChoiceField(label=gettext_lazy("Partie du bâtiment"), required=False)
    day = forms.DateField(
        label=gettext_lazy("Jour"),
        help_text=gettext_lazy("De la fin des travaux ; à venir s’ils sont prévus."),
        widget=_DAY,
    )
    by_whom = forms.CharField(
        label=gettext_lazy("Par qui"), help_text=gettext_lazy("Service ou entreprise."), required=False, max_length=200
    )
    cost_eur = forms.DecimalField(
        label=gettext_lazy("Coût en euros, taxes comprises"),
        required=False,
        min_value=0,
        max_value=999_999_999,
        decimal_places=2,
        localize=True,
    )
    note = forms.CharField(
        label=gettext_lazy("Remarque"), required=False, max_length=4000, widget=forms.Textarea(attrs={"rows": 2})
    )

    def __init__(self, data: Any = None, *, initial: dict[str, Any] | None = None) -> None:
        super().__init__(data, initial=initial, auto_id="travaux_%s")
        _choose(self, "kind", WORK_KINDS)
        _choose(self, "component", COMPONENTS, empty=str(WHOLE))


class ReadingForm(forms.Form):
    """The state a part of the building was found in."""

    component = forms.ChoiceField(label=gettext_lazy("Partie du bâtiment"))
    grade = forms.TypedChoiceField(label=gettext_lazy("État, de 5 (neuf) à 1 (hors d’usage)"), coerce=int)
    day = forms.DateField(label=gettext_lazy("Jour de la visite"), widget=_DAY)
    note = forms.CharField(
        label=gettext_lazy("Remarque"), required=False, max_length=4000, widget=forms.Textarea(attrs={"rows": 2})
    )

    def __init__(self, data: Any = None, *, initial: dict[str, Any] | None = None) -> None:
        super().__init__(data, initial=initial, auto_id="etat_%s")
        _choose(self, "component", COMPONENTS)
        _choose(self, "grade", {str(grade): f"{grade} – {_(said)}" for grade, said in GRADES.items()})


def _choose(form: forms.Form, field: str, among: Mapping[str, str], *, empty: str = "") -> None:
    choices = [(code, _(label)) for code, label in among.items()]
    form.fields[field].choices = [("", empty), *choices] if empty else choices  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class Happening:
    """One line of the time line: `what` and `number` name the note an agent may withdraw, empty for what data say."""

    day: str
    order: date
    title: str
    text: str
    source: str
    page: str = ""
    what: str = ""
    number: int = 0
    is_to_come: bool = False


@dataclass(frozen=True, slots=True)
class Curve:
    """The grades of one component against time, drawn by the server; in words and in the table of readings too.

    `dots` are places in the drawing; `line` and `estimate` are paths: what was read, and the straight line carried on.
    """

    component: str
    said: str
    latest: ReadingInfo
    dots: tuple[tuple[float, float], ...]
    line: str
    estimate: str
    grades: tuple[tuple[int, float], ...]
    years: tuple[tuple[int, float], ...]
    readings: tuple[ReadingInfo, ...]
    width: int = WIDTH
    height: int = HEIGHT


def component_title(code: str) -> str:
    """Return the name of a component, or that of the whole."""
    return _(COMPONENTS[code]) if code in COMPONENTS else str(WHOLE)


def timeline(story: Story, life: Life, *, today: date) -> list[Happening]:
    """Return what happened to a building, newest first: what data say, what agents noted."""
    found = [Happening(_told(one.day), one.day, one.text, "", one.title, one.page) for one in story.moments]
    if story.year:
        text = _("Apparition du bâtiment")
        found.append(Happening(str(story.year), date(story.year, 1, 1), text, "", _("d’après la donnée du bâtiment")))
    for work in life.works:
        parts = [component_title(work.component), work.by_whom, _euros(work.cost_eur), work.note]
        found.append(
            Happening(
                _told(work.day),
                work.day,
                f"{_(WORK_KINDS.get(work.kind, work.kind))} : {work.title}",
                " · ".join(part for part in parts if part),
                _("noté par un agent"),
                what="work",
                number=work.number,
                is_to_come=work.day > today,
            )
        )
    for one in life.readings:
        title = _("État relevé : {component}, {grade} sur 5").format(
            component=component_title(one.component), grade=one.grade
        )
        parts = [_(GRADES[one.grade]), one.note]
        found.append(
            Happening(
                _told(one.day),
                one.day,
                title,
                " · ".join(part for part in parts if part),
                _("noté par un agent"),
                what="reading",
                number=one.number,
            )
        )
    return sorted(found, key=lambda one: one.order, reverse=True)


def _told(day: date) -> str:
    return date_format(day, "j F Y")


def _euros(cost: Decimal | None) -> str:
    return "" if cost is None else f"{number_format(cost, 2, use_l10n=True, force_grouping=True)} €"


def curves(life: Life) -> list[Curve]:
    """Return the curve of each component that was read."""
    ageings = {one.component: one for one in life.ageings}
    return [
        _curve(component, latest, [one for one in life.readings if one.component == component], ageings.get(component))
        for component, latest in life.latest.items()
    ]


def ageing_said(ageing: Ageing | None, readings: int) -> str:
    """Say what the readings of a component let one foresee, and that it is an estimate."""
    if ageing is None:
        return _("Trop peu de relevés pour estimer son vieillissement : il en faut trois, à des jours différents.")
    values = {
        "n": ageing.readings,
        "since": ageing.since.year,
        "until": ageing.until.year,
        "pace": number_format(round(abs(ageing.per_year), 2), 2, use_l10n=True),
        "spread": number_format(round(ageing.spread, 1), 1, use_l10n=True),
        "grade": WORKS_NEEDED,
        "year": ageing.year,
    }
    if ageing.year is None:
        text = _("Estimation sur {n} relevés ({since}–{until}) : pas de travaux en vue d’ici trente ans.")
    else:
        text = _(
            "Estimation sur {n} relevés ({since}–{until}) : {pace} point perdu par an, note {grade} (travaux à prévoir)"
            " vers {year}. Droite des moindres carrés, écart type {spread} point."
        )
    return text.format(**values)


def _curve(component: str, latest: ReadingInfo, readings: list[ReadingInfo], ageing: Ageing | None) -> Curve:
    days = sorted(one.day for one in readings)
    first, last = days[0], days[-1]
    end = max(last, date(ageing.year, 7, 1)) if ageing and ageing.year else last
    span = max((end - first).days, 365)

    def x(day: date) -> float:
        return round(LEFT + (WIDTH - LEFT - RIGHT) * (day - first).days / span, 1)

    def y(grade: float) -> float:
        return round(TOP + (HEIGHT - TOP - BOTTOM) * (5 - grade) / 4, 1)

    dots = tuple((x(one.day), y(one.grade)) for one in reversed(readings))
    return Curve(
        component=component_title(component),
        said=ageing_said(ageing, len(readings)),
        latest=latest,
        dots=dots,
        line="M" + "L".join(f"{a} {b}" for a, b in dots),
        estimate=_carried(ageing, x, y),
        grades=tuple((grade, y(grade)) for grade in (5, 4, 3, 2, 1)),
        years=((first.year, x(first)), ((first + timedelta(days=span)).year, x(first + timedelta(days=span)))),
        readings=tuple(readings),
    )


def _carried(ageing: Ageing | None, x: Any, y: Any) -> str:
    """Return the path of the estimate from its last reading to the grade at which works are needed."""
    if ageing is None or ageing.year is None:
        return ""
    end = date(ageing.year, 7, 1)
    if end <= ageing.until:
        return ""
    level = WORKS_NEEDED - ageing.per_year * (end - ageing.until).days / 365.2425
    return f"M{x(ageing.until)} {y(min(5.0, level))}L{x(end)} {y(WORKS_NEEDED)}"


def as_csv(found: Iterable[Happening]) -> bytes:
    """Return the time line as a CSV file that spreadsheets open; UTF-8 with its mark."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";")
    writer.writerow([_("date"), _("fait"), _("détail"), _("source")])
    for one in found:
        writer.writerow([_safe(part) for part in (one.day, one.title, one.text, one.source)])
    return out.getvalue().encode("utf-8-sig")


def _safe(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula."""
    return f"'{text}" if text[:1] in "=+-@\t" else text
