"""What the values of a column are: numbers as French files write them, dates, yes and no, codes that stay text.

A sample proposes the forms a column may have; SQL then counts, over every row, how many values each form reads. Both
use the same regular expressions (RE2 and Python agree on them).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from beffroi.base.kernel.sentences import Sentence, gettext_noop
from beffroi.lake.detect.dates import DATE_FORMS, DateForm
from beffroi.lake.reading import ColumnType

LEAST_SHARE = 0.98
"""Share of values a form must read before the rest may be taken for noise."""

WHOLE, DECIMAL, DAY = "integer", "point", "iso"
"""The names of the forms that octets tell by themselves: see `connectors.figures`."""

_S = "[ \u00a0\u202f\u2009]"
_UNIT_WORDS = (
    r"%|‰|€|euros?|k€|m€|m|m2|m²|m3|m³|km|km2|km²|cm|mm|ha|kg|g|t|tonnes?|l|kwh|mwh|kw|mw|w|°c|°|h|min|mn|s|ans?|jours?"
    r"|habitants?|hab\.?|places?|km/h|€ ?ht|€ ?ttc|€/m²|€/m2|µg/m3|µg/m³|db|db\(a\)|v/m"
)
NULL_MARKS = frozenset(
    {
        "na",
        "n/a",
        "#n/a",
        "null",
        "none",
        "nan",
        "-",
        "--",
        "s",
        "ns",
        "nd",
        "n.d.",
        "n.d",
        "nc",
        "n.c.",
        "n.c",
        "c",
        "\\n",
    }
)
"""Marks of absence (statistical secrecy included), read as null in columns of numbers, dates and booleans."""

NOISE = NULL_MARKS | frozenset(
    {
        "#ref!", "#div/0!", "#value!", "#valeur!", "#nom?", "#name?", "#num!", "err:502", "err:508", "inconnu",
        "inconnue",
        "?", "??", "x", "xx", "xxx", "néant", "neant", "aucun", "aucune", "non renseigné", "non renseigne", "...", "…",
        "à compléter", "erreur", "error", "invalid date", "00/00/0000", "0000-00-00", "//", "/", ".",
    }
)  # fmt: skip
"""What is left in a column of numbers or dates when somebody had nothing to write."""

TEXT_NULLS = frozenset({"NULL", "#N/A", "\\N"})
"""The only marks read as null in a column of text: no street and no person is called so."""


@dataclass(frozen=True, slots=True)
class NumberForm:
    """One way of writing numbers: the pattern of a value, and the SQL that leaves digits and a point."""

    name: str
    pattern: str
    clean: str
    whole: bool
    why: str


_PLAIN = "{v}"
_COMMA = "replace({v}, ',', '.')"
_SPACES = "regexp_replace({v}, '[ \u00a0\u202f\u2009'']', '', 'g')"
_SPACES_COMMA = "replace(" + _SPACES + ", ',', '.')"
_DOTS_COMMA = "replace(replace({v}, '.', ''), ',', '.')"
_NO_COMMAS = "replace({v}, ',', '')"

NUMBER_FORMS: tuple[NumberForm, ...] = (
    NumberForm("integer", r"[+-]?[0-9]{1,18}", _PLAIN, True, gettext_noop("nombres entiers")),
    NumberForm(
        "point", r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?", _PLAIN, False, gettext_noop("point décimal")
    ),
    NumberForm(
        "comma", r"[+-]?([0-9]+,?[0-9]*|,[0-9]+)([eE][+-]?[0-9]{1,3})?", _COMMA, False, gettext_noop("virgule décimale")
    ),
    NumberForm(
        "spaces",
        rf"[+-]?([0-9]{{1,3}}({_S}[0-9]{{3}})+|[0-9]+)",
        _SPACES,
        True,
        gettext_noop("milliers séparés par des espaces"),
    ),
    NumberForm(
        "spaces-comma",
        rf"[+-]?([0-9]{{1,3}}({_S}[0-9]{{3}})+|[0-9]+)?(,[0-9]*)?",
        _SPACES_COMMA,
        False,
        gettext_noop("milliers séparés par des espaces, virgule décimale"),
    ),
    NumberForm(
        "spaces-point",
        rf"[+-]?([0-9]{{1,3}}({_S}[0-9]{{3}})+|[0-9]+)(\.[0-9]*)?",
        _SPACES,
        False,
        gettext_noop("milliers séparés par des espaces, point décimal"),
    ),
    NumberForm(
        "dots-comma",
        r"[+-]?([0-9]{1,3}(\.[0-9]{3})+|[0-9]+),[0-9]+|[+-]?[0-9]{1,3}(\.[0-9]{3}){2,}|[+-]?[0-9]{1,3}",
        _DOTS_COMMA,
        False,
        gettext_noop("milliers séparés par des points, virgule décimale"),
    ),
    NumberForm(
        "commas-point",
        r"[+-]?([0-9]{1,3}(,[0-9]{3})+|[0-9]+)\.[0-9]+|[+-]?[0-9]{1,3}(,[0-9]{3}){2,}|[+-]?[0-9]{1,3}",
        _NO_COMMAS,
        False,
        gettext_noop("milliers séparés par des virgules, point décimal"),
    ),
)

BOOLEAN_PAIRS: tuple[tuple[str, str], ...] = (
    ("oui", "non"),
    ("vrai", "faux"),
    ("true", "false"),
    ("yes", "no"),
    ("o", "n"),
    ("1", "0"),
)
_NAMED_BOOLEAN = re.compile(r"bool|oui_?non|(^|_)o_n(_|$)|0_1|^is_|^est_|vrai|(^|_)flag")
_NAMED_CODE = re.compile(
    r"siret|siren|insee|codgeo|depcom|codcom|code?_?com(mune)?(_|$)|cdpost|code_?post|codpos|postcode|zip_?code|(^|_)cp(_|$)"
    r"|code_?(iris|zus|qpv|qp|dep|dept|departement|reg|region|voie|unite_urbaine|quartier|rivoli|naf|ape)"
    r"|(^|_)(tel|telephone|numtel|phone|fax|mobile|gsm|iris|rna|uai|rne|finess|iban|rivoli|departement|dept)(_|$)"
)


@dataclass(frozen=True, slots=True)
class Form:
    """A candidate reading of a column: its type, the SQL condition a value meets and the SQL that reads it.

    ``{v}`` stands for the trimmed value in both. `unit` is what stood behind every number. `reads` says in Python what
    `test` says in SQL; None when only SQL knows.
    """

    type: ColumnType
    name: str
    test: str
    value: str
    why: Sentence
    pattern: str
    unit: str | None = None
    reads: Callable[[str], bool] | None = None

    def sample_share(self, values: Sequence[str]) -> float:
        """Return the share of `values` the pattern matches."""
        compiled = re.compile(self.pattern)
        return sum(1 for value in values if compiled.fullmatch(value)) / max(1, len(values))


@lru_cache(maxsize=256)
def number_form(form: NumberForm, unit: str | None = None) -> Form:
    """Return the candidate for one way of writing numbers, `unit` (a regular expression's match) behind them."""
    base = "{v}" if unit is None else _before_unit(unit)
    pattern = f"({form.pattern})" if unit is None else f"({form.pattern}){_S}*{re.escape(unit)}"
    target = "BIGINT" if form.whole else "DOUBLE"
    value = f"TRY_CAST({in_sql(form.clean, base)} AS {target})"
    why = Sentence(form.why) if unit is None else Sentence("nombres suivis de l’unité « {unit} »", {"unit": unit})
    return Form(
        type=ColumnType.INTEGER if form.whole else ColumnType.NUMBER,
        name=form.name,
        test=f"regexp_full_match({{v}}, {quoted(pattern)}) AND {value} IS NOT NULL",
        value=value,
        why=why,
        pattern=pattern,
        unit=unit,
        reads=_number_reader(pattern, form.whole, len(unit or "")),
    )


_FIGURE = re.compile("[0-9]")
_NOT_FIGURE = re.compile("[^0-9]")
_BEYOND = 2**63


def _number_reader(pattern: str, whole: bool, unit_length: int) -> Callable[[str], bool]:
    """Return what tells in Python that a value is of `pattern` and that its cast succeeds.

    Patterns let through only what the cast reads, but for marks without a figure and whole numbers beyond 64 bits.
    """
    fullmatch = re.compile(pattern).fullmatch

    def reads(value: str) -> bool:
        if fullmatch(value) is None:
            return False
        bare = value[: len(value) - unit_length]
        if not whole:
            return _FIGURE.search(bare) is not None
        return len(bare) <= 18 or int(_NOT_FIGURE.sub("", bare)) < _BEYOND + (bare[0] == "-")

    return reads


def _before_unit(unit: str) -> str:
    return "trim(left({v}, length({v}) - " + str(len(unit)) + "), ' \u00a0\u202f\u2009')"


def quoted(text: str) -> str:
    """Return `text` as an SQL string."""
    return "'" + text.replace("'", "''") + "'"


def in_sql(template: str, expression: str) -> str:
    """Put `expression` where `template` says ``{v}``."""
    return template.replace("{v}", expression)


_ENOUGH = 150


def few_of(values: Sequence[str]) -> Sequence[str]:
    """Return at most 150 of `values`, evenly spread: enough to find candidates, which the database then counts."""
    return values[:: len(values) // _ENOUGH + 1]


def candidates(sample: Sequence[str], *, title: str, hint: ColumnType | None, decimal: str | None) -> list[Form]:
    """Return the forms that may read the column whose trimmed, non-blank values include `sample`, best first.

    An empty list means text. `hint` is the type a dBase header gave; `decimal` imposes the decimal mark.
    """
    kept = [value for value in sample if value.lower() not in NOISE]
    if not kept or hint is ColumnType.TEXT or (hint is None and _stays_text(kept, title)):
        return []
    few = few_of(kept)
    forms = _booleans(kept, title, hint)
    # Without figures, nothing is a date or a number.
    if sum(1 for value in few if not _FIGURE.search(value)) <= (1 - LEAST_SHARE) * len(few) + 1:
        forms += [*_dates(few, title, hint), *_numbers(few, decimal)]
    if hint in (ColumnType.NUMBER, ColumnType.INTEGER):
        forms = [form for form in forms if form.type in (ColumnType.NUMBER, ColumnType.INTEGER)]
    return forms


def _stays_text(kept: Sequence[str], title: str) -> bool:
    """Tell codes from numbers: a leading zero, or a name that says code, postcode, telephone, SIRET…"""
    return text_reason(kept, title) is not None


def text_reason(kept: Sequence[str], title: str) -> Sentence | None:
    """Say why a column whose values look like numbers is kept as text; None when nothing says so."""
    if not any(value[:1].isdigit() for value in kept):
        return None
    long = next((value for value in kept if len(value) >= 16 and re.fullmatch(r"[0-9]{16,}", value)), None)
    if long is not None:
        return Sentence("« {value} » a trop de chiffres pour un nombre : gardé en texte", {"value": long})
    zero = next((value for value in kept if value[0] == "0" and re.fullmatch(r"0[0-9]+", value)), None)
    if zero is not None and not _mostly(kept, r"[0-9]{1,2}"):
        return Sentence(
            "des valeurs commencent par zéro (« {value} ») : ce sont des codes, gardés en texte", {"value": zero}
        )
    if zero is not None and sum(1 for value in kept if re.fullmatch(r"0[0-9]+", value)) * 20 > len(kept):
        return Sentence(
            "des valeurs commencent par zéro (« {value} ») : ce sont des codes, gardés en texte", {"value": zero}
        )
    if _NAMED_CODE.search(plain(title)) and _mostly(kept, r"[0-9 .+]{2,}[A-B0-9. ]*"):
        return Sentence("le titre annonce un code ou un numéro : gardé en texte")
    return None


def _mostly(kept: Sequence[str], pattern: str) -> bool:
    return sum(1 for value in kept if re.fullmatch(pattern, value)) >= LEAST_SHARE * len(kept)


def plain(title: str) -> str:
    """Return `title` in lower case ASCII, its words joined by underscores.

    >>> plain("N° de téléphone (fixe)")
    'n_de_telephone_fixe'
    """
    ascii_only = unicodedata.normalize("NFKD", title.lower()).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "_", ascii_only).strip("_")


def _booleans(kept: Sequence[str], title: str, hint: ColumnType | None) -> list[Form]:
    # Three values are no yes and no: most columns show them at once.
    seen = {value.lower() for value in kept[:20]}
    seen = seen if len(seen) > 2 else {value.lower() for value in kept}
    forms = []
    for yes, no in BOOLEAN_PAIRS:
        if not seen <= {yes, no}:
            continue
        if yes == "1" and hint is not ColumnType.BOOLEAN and not _NAMED_BOOLEAN.search(plain(title)):
            continue
        if yes == "o" and len(seen) < 2 and hint is not ColumnType.BOOLEAN:
            continue
        pair = f"({quoted(yes)}, {quoted(no)})"
        why = Sentence("seules valeurs : {yes} et {no}", {"yes": yes, "no": no})
        forms.append(
            Form(
                ColumnType.BOOLEAN,
                yes,
                "lower({v}) IN " + pair,
                "lower({v}) = " + quoted(yes),
                why,
                f"(?i){yes}|{no}",
                reads=_one_of(yes, no),
            )
        )
    return forms


def _one_of(*words: str) -> Callable[[str], bool]:
    return lambda value: value.lower() in words


_UNIT = re.compile(rf"(?i)^[+-]?[0-9][0-9 \u00a0\u202f.,]*?{_S}*({_UNIT_WORDS})$")


def _numbers(kept: Sequence[str], decimal: str | None) -> list[Form]:
    units = {match[1] for value in kept if (match := _UNIT.match(value))}
    unit = next(iter(units)) if len(units) == 1 else None
    forms = [form for form in NUMBER_FORMS if not _contradicts(form.name, decimal)]
    found = [number_form(form) for form in forms if _reads_most(form.pattern, kept)]
    if unit is not None:
        pattern = rf"{_S}*{re.escape(unit)}"
        found += [number_form(form, unit) for form in forms if _reads_most(f"({form.pattern}){pattern}", kept)]
    return found


def _contradicts(name: str, decimal: str | None) -> bool:
    if decimal == ",":
        return name in ("point", "spaces-point", "commas-point")
    return decimal == "." and name in ("comma", "spaces-comma", "dots-comma")


def _reads_most(pattern: str, kept: Sequence[str]) -> bool:
    compiled = re.compile(pattern)
    wrong = 0
    allowed = (1 - LEAST_SHARE) * len(kept) + 1
    for value in kept:
        if not compiled.fullmatch(value):
            wrong += 1
            if wrong > allowed:
                return False
    return wrong < len(kept)


def _dates(kept: Sequence[str], title: str, hint: ColumnType | None) -> list[Form]:
    named = hint is ColumnType.DATE or is_named_date(title)
    return [
        Form(form.type, form.name, form.test, form.value, Sentence(form.why), form.pattern)
        for form in DATE_FORMS
        if (named or not form.needs_name) and _reads_most(form.pattern, kept) and _plausible(form, kept)
    ]


def is_named_date(title: str) -> bool:
    """Tell whether a title announces a date.

    >>> is_named_date("Date_debut"), is_named_date("Candidate")
    (True, False)
    """
    return (
        re.search(r"(^|[^a-z])(date|dte|dt|dat[a-z]{0,3}|jour|maj|horodate)([^a-z]|$)|_date$|date_", plain(title))
        is not None
    )


def _plausible(form: DateForm, kept: Sequence[str]) -> bool:
    return form.plausible is None or sum(1 for value in kept if form.plausible(value)) >= LEAST_SHARE * len(kept)
