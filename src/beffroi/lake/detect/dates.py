"""The ways French files write dates and times, each as a pattern and the SQL that reads it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from beffroi.base.kernel.sentences import gettext_noop
from beffroi.lake.reading import ColumnType


@dataclass(frozen=True, slots=True)
class DateForm:
    """One way of writing a moment. In `test` and `value`, ``{v}`` stands for the trimmed value."""

    name: str
    type: ColumnType
    pattern: str
    test: str
    value: str
    why: str
    needs_name: bool = False
    plausible: Callable[[str], bool] | None = None


_HOUR = r"[ T]+[0-9]{1,2}[:hH][0-9]{2}(:[0-9]{2}([.,][0-9]+)?)?"
_ZONE = r" ?(Z|UTC|[+-][0-9]{2}:?[0-9]{2})"
_MONTHS = ("jan", "f[ée]v", "mar", "avr", "mai", "juin", "juil", "ao[uû]", "sep", "oct", "nov", "d[ée]c")
_MONTH_WORDS = (
    "janv(?:ier|\\.)?|jan\\.?|f[ée]v(?:rier|r?\\.)?|mars|avr(?:il|\\.)?|mai|juin|juil(?:let|\\.)?|ao[uû]t|sept?(?:embre|\\.)?"
    "|oct(?:obre|\\.)?|nov(?:embre|\\.)?|d[ée]c(?:embre|\\.)?"
)


def _form(
    name: str,
    type_: ColumnType,
    pattern: str,
    value: str,
    why: str,
    *,
    needs_name: bool = False,
    plausible: Callable[[str], bool] | None = None,
) -> DateForm:
    test = f"regexp_full_match({{v}}, '{pattern}') AND {value} IS NOT NULL"
    return DateForm(name, type_, pattern, test, value, why, needs_name, plausible)


def _strptime(pattern: str) -> str:
    return f"TRY_STRPTIME({{v}}, '{pattern}')::DATE"


def _day_month(separator: str, order: str) -> tuple[str, str]:
    """Return pattern and SQL of a date in figures; `order` is ``dmy`` or ``mdy``."""
    mark = re.escape(separator)
    pattern = rf"[0-9]{{1,2}}{mark}[0-9]{{1,2}}{mark}[0-9]{{4}}"
    first, second = ("%d", "%m") if order == "dmy" else ("%m", "%d")
    return pattern, _strptime(f"{first}{separator}{second}{separator}%Y")


def _with_hour(order: str) -> str:
    """Return the SQL that reads a date in figures followed by an hour, seconds or not."""
    day = {"dmy": r"\3-\2-\1", "mdy": r"\3-\1-\2", "ymd": r"\1-\2-\3"}[order]
    parts = r"^([0-9]+)[/.-]([0-9]+)[/.-]([0-9]+)[ T]+([0-9]+)[:hH]([0-9]+)(.*)$"
    moment = "regexp_replace({v}, '" + parts + "', '" + day + r" \4:\5\6')"
    return rf"TRY_CAST(regexp_replace(replace({moment}, ',', '.'), ' ([0-9]:)', ' 0\1') AS TIMESTAMP)"


def _month_first(value: str) -> bool:
    parts = re.split(r"[/.-]", value)
    return len(parts) > 2 and parts[0].isdecimal() and parts[1].isdecimal() and int(parts[0]) <= 12


def _real_compact(value: str) -> bool:
    return 1500 <= int(value[:4]) <= 2200 and 1 <= int(value[4:6]) <= 12 if value.isdecimal() else False


def _in_words() -> str:
    sql = "regexp_replace(lower({v}), '1er ', '1 ')"
    for number, month in enumerate(_MONTHS, 1):
        sql = f"regexp_replace({sql}, '[ -]{month}[a-zéû]*\\.?[ -]', '/{number}/')"
    bare = f"regexp_replace({sql}, '^(lundi|mardi|mercredi|jeudi|vendredi|samedi|dimanche) ', '')"
    return f"TRY_STRPTIME({bare}, '%d/%m/%Y')::DATE"


def _forms() -> tuple[DateForm, ...]:
    date, moment, time = ColumnType.DATE, ColumnType.DATETIME, ColumnType.TIME
    iso = r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}"
    slashed = r"[0-9]{4}/[0-9]{1,2}/[0-9]{1,2}"
    short = r"[0-9]{1,2}/[0-9]{1,2}/[0-9]{2}"
    forms = [
        # What the database reads as it is costs it a quarter of what it is shown a pattern of.
        _form("iso", date, iso, "TRY_CAST({v} AS DATE)", gettext_noop("dates année-mois-jour")),
        _form("slashed", date, slashed, _strptime("%Y/%m/%d"), gettext_noop("dates année/mois/jour")),
        _form(
            "compact", date, r"[0-9]{8}", _strptime("%Y%m%d"),
            gettext_noop("dates en huit chiffres, le titre l’annonce"),
            needs_name=True, plausible=_real_compact,
        ),
    ]  # fmt: skip
    for mark in "/-.":
        pattern, value = _day_month(mark, "dmy")
        why = gettext_noop("dates jour, mois, année, dans l’ordre français")
        forms.append(_form(f"dmy{mark}", date, pattern, value, why))
        if mark != ".":
            pattern, value = _day_month(mark, "mdy")
            why = gettext_noop("dates mois, jour, année : le deuxième nombre dépasse 12")
            forms.append(_form(f"mdy{mark}", date, pattern, value, why, plausible=_month_first))
        forms.append(_form(f"dmy{mark}h", moment, pattern_dmy(mark) + _HOUR, _with_hour("dmy"),
                           gettext_noop("dates et heures jour, mois, année, dans l’ordre français")))  # fmt: skip
    forms += [
        _form("dmy2", date, short, _two_figures(), gettext_noop("dates jour/mois/année à deux chiffres")),
        _form("isoh", moment, iso + _HOUR, _with_hour("ymd"), gettext_noop("dates et heures ISO 8601")),
        _form("slashedh", moment, slashed + _HOUR, _with_hour("ymd"), gettext_noop("dates et heures année/mois/jour")),
        _form(
            "isoz", moment, iso + _HOUR + _ZONE,
            "(TRY_CAST(replace(replace({v}, 'UTC', 'Z'), ',', '.') AS TIMESTAMPTZ) AT TIME ZONE 'UTC')",
            gettext_noop("dates et heures ISO 8601 avec leur fuseau, ramenées en temps universel"),
        ),
        _form("words", date, r"(?i)([a-z]+di )?[0-9]{1,2}(er)?[ -](" + _MONTH_WORDS.replace("?:", "")
              + r")[ -][0-9]{4}",
              _in_words(), gettext_noop("dates en toutes lettres")),
        _form("time", time, r"([01]?[0-9]|2[0-3])[:hH][0-5][0-9](:[0-5][0-9])?",
              "TRY_CAST(regexp_replace(regexp_replace({v}, '[hH]', ':'), '^([0-9]:)', '0\\1')"
              " || CASE WHEN length({v}) <= 5 THEN ':00' ELSE '' END AS TIME)",
              gettext_noop("heures")),
    ]  # fmt: skip
    return tuple(forms)


def pattern_dmy(mark: str) -> str:
    """Return the pattern of a day, a month and a year of four figures separated by `mark`."""
    return rf"[0-9]{{1,2}}{re.escape(mark)}[0-9]{{1,2}}{re.escape(mark)}[0-9]{{4}}"


def _two_figures() -> str:
    # As spreadsheets do: 30 to 99 are 1930 to 1999, 00 to 29 are 2000 to 2029.
    century = "CASE WHEN right({v}, 2) > '29' THEN '19' ELSE '20' END"
    return "TRY_STRPTIME(left({v}, length({v}) - 2) || " + century + " || right({v}, 2), '%d/%m/%Y')::DATE"


DATE_FORMS: tuple[DateForm, ...] = _forms()
