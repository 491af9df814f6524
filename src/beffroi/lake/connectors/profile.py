"""The type of each column, proposed by a sample and settled by counting every row.

The rows of a small table are counted here, in Python: preparing a query over its columns would cost more than the rows
are worth. Those of the others, and what Python cannot judge (dates), are counted by one or two queries.
"""

# ruff: noqa: S608 — names in SQL are made here and quoted; no value is pasted unquoted

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING

from beffroi.base.kernel.sentences import Sentence
from beffroi.lake import duck
from beffroi.lake.detect.values import (
    DAY,
    DECIMAL,
    LEAST_SHARE,
    NOISE,
    NULL_MARKS,
    TEXT_NULLS,
    WHOLE,
    Form,
    candidates,
    few_of,
    in_sql,
    quoted,
    text_reason,
)
from beffroi.lake.reading import ColumnType, Evidence

if TYPE_CHECKING:
    from beffroi.lake.connectors.figures import Tally

_BLANKS = " \t\r\n\u00a0\u202f\u2009\u200b\ufeff"
_FEWEST_MATCHES_PER_MARK = 0.2


@dataclass(slots=True)
class ColumnProfile:
    """What a column turned out to be: its type, the SQL expression that reads it from the raw table, and why."""

    index: int
    type: ColumnType
    expression: str
    filled: bool
    unit: str | None = None
    evidences: list[Evidence] = field(default_factory=list)


@dataclass(slots=True)
class _Case:
    """A column under examination. `every` holds all its trimmed, filled values when the table is small."""

    index: int
    value: str
    forms: list[Form]
    sample: list[str]
    title: str
    hint: ColumnType | None
    filled: int = 0
    every: list[str] | None = None


@dataclass(slots=True)
class Places:
    """Two columns of degrees, by their places in the raw table, measured while the types of all are counted.

    `x` and `y` are the SQL that reads them, empty until they are measured. `given` rows have both numbers, (0, 0) left
    out: that is how software writes "nowhere". `placed` are those on the globe, `box` (west, south, east, north) is
    theirs, and `outside` of them are out of `area`.
    """

    columns: tuple[int, int]
    area: tuple[float, float, float, float] | None = None
    rows: int = 0
    given: int = 0
    placed: int = 0
    outside: int = 0
    box: tuple[float, float, float, float] | None = None
    x: str = ""
    y: str = ""

    def named(self, cases: Sequence[_Case]) -> bool:
        """Tell whether the columns look like numbers; `x` and `y` are then known."""
        found = [case for column in self.columns for case in cases if case.index == column and case.forms]
        if [case.forms[0].type for case in found] != [ColumnType.NUMBER] * 2:
            return False
        self.x, self.y = (in_sql(case.forms[0].value, case.value) for case in found)
        return True

    def asked(self) -> list[str]:
        """Return the SQL of what is to be measured."""
        given = somewhere(self.x, self.y)
        placed = f"{given} AND abs({self.x}) <= 180 AND abs({self.y}) <= 90"
        sides = (f"{side} FILTER ({placed})" for xy in (self.x, self.y) for side in (f"min({xy})", f"max({xy})"))
        outside = "false"
        if self.area is not None:
            west, south, east, north = self.area
            inside = f"{self.x} BETWEEN {west!r} AND {east!r} AND {self.y} BETWEEN {south!r} AND {north!r}"
            outside = f"{placed} AND NOT ({inside})"
        return ["count(*)", *(f"count(*) FILTER ({which})" for which in (given, placed, outside)), *sides]

    def measured(self, row: Sequence[float]) -> None:
        """Keep what was asked for."""
        self.rows, self.given, self.placed, self.outside = map(int, row[:4])
        west, east, south, north = row[4:]
        self.box = (west, south, east, north) if self.placed else None

    def told(self, tally: Tally) -> bool:
        """Keep what was counted of these columns as the text was looked at; return whether it was."""
        if tally.points is None or tally.watched.places != self.columns:
            return False
        west, south, east, north = tally.sides
        self.measured((tally.rows, tally.given, tally.placed, tally.outside, west, east, south, north))
        return True


def somewhere(x: str, y: str) -> str:
    """Return the SQL that tells whether two numbers (their SQL) are a place: (0, 0) is nowhere."""
    return f"isfinite({x}) AND isfinite({y}) AND ({x} <> 0 OR {y} <> 0)"


def trimmed(index: int, *, plainly: bool = False) -> str:
    """Return the SQL of the trimmed value of raw column `index`, null when blank.

    Trimming spaces alone (`plainly`) costs a fifth of trimming every blank there is.
    """
    blanks = "" if plainly else f", {quoted(_BLANKS)}"
    return f"nullif(trim(c{index}{blanks}), '')"


def first_texts(every: Sequence[Sequence[str | None]], index: int, count: int) -> list[str]:
    """Return the first `count` values of a column of text whose rows are known, as its expression reads them."""
    cells = (cell.strip(_BLANKS) for row in every if (cell := row[index]))
    return list(islice((cell for cell in cells if cell and cell not in TEXT_NULLS), count))


def profiled(
    con: duck.Connection,
    relation: str,
    sample: Sequence[Sequence[str | None]],
    titles: Sequence[str],
    hints: dict[int, ColumnType],
    *,
    decimal: str | None,
    every: Sequence[Sequence[str | None]] | None = None,
    bare: bool = False,
    places: Places | None = None,
    tally: Tally | None = None,
) -> list[ColumnProfile]:
    """Settle the type of each column of `relation` (c0, c1…), titled `titles`; `every` holds its rows when few.

    `bare`: no value has a blank around it, none is empty. `places` is measured in the same pass. What
    is in `tally` is not counted again.
    """
    cases = []
    for index, title in enumerate(titles):
        cells = [row[index] for row in sample if index < len(row)]
        whole = None if every is None else [row[index] for row in every]
        cases.append(_case(index, title, cells, hints.get(index), decimal, whole, bare=bare))
    matched = _first_count(con, relation, cases, places, tally)
    unseen = [case for case in cases if case.filled and not case.sample]
    if unseen:
        for case in unseen:
            _look_further(con, relation, case, decimal)
        again = _first_count(con, relation, unseen)
        matched.update(again)
    return [_settled(con, relation, case, matched[case.index]) for case in cases]


def _case(
    index: int,
    title: str,
    cells: list[str | None],
    hint: ColumnType | None,
    decimal: str | None,
    whole: list[str | None] | None = None,
    *,
    bare: bool = False,
) -> _Case:
    values = [text for cell in cells if cell and (text := cell.strip(_BLANKS))]
    forms = candidates(values, title=title, hint=hint, decimal=decimal) if values else []
    # One that reads them all stays in front, and settles most columns: the others are compared when it does not.
    if len(forms) > 1 and forms[0].sample_share(few_of(values)) < 1:
        forms = _best_first(forms, values)
    case = _Case(index, "", forms, values, title, hint)
    if whole is not None:
        case.every = [text for cell in whole if cell and (text := cell.strip(_BLANKS))]
        case.value = _bare(index, whole)
    elif bare:
        case.value = f"c{index}"
    else:
        usual = all(text is None or text.strip(" ") == text.strip(_BLANKS) for text in cells)
        case.value = trimmed(index, plainly=usual)
    return case


def _bare(index: int, whole: list[str | None]) -> str:
    """Return the SQL of the trimmed value of a column known in full: often the column itself."""
    if any(cell and cell != cell.strip(_BLANKS) for cell in whole):
        return trimmed(index)
    return f"nullif(c{index}, '')" if "" in whole else f"c{index}"


def _best_first(forms: list[Form], values: list[str]) -> list[Form]:
    """Put in front the forms that read most of the sample, as Python sees it; equals keep their order."""
    few = few_of(values)
    scores = {form.name + str(form.unit): form.sample_share(few) for form in forms}
    return sorted(forms, key=lambda form: -scores[form.name + str(form.unit)])


def _look_further(con: duck.Connection, relation: str, case: _Case, decimal: str | None) -> None:
    found = con.execute(f"SELECT {case.value} FROM {relation} WHERE {case.value} IS NOT NULL LIMIT 500").fetchall()
    fresh = _case(case.index, case.title, [value for (value,) in found], case.hint, decimal)
    case.forms, case.sample = fresh.forms, fresh.sample


def _first_count(
    con: duck.Connection,
    relation: str,
    cases: list[_Case],
    places: Places | None = None,
    tally: Tally | None = None,
) -> dict[int, int]:
    """Count, for each column, its values and those its first candidate reads: most columns are settled by it."""
    matched: dict[int, int] = {}
    for case in cases:
        reads = case.forms[0].reads if case.forms else _nothing
        if case.every is not None and reads is not None:
            case.filled, matched[case.index] = len(case.every), sum(map(reads, case.every))
        elif tally is not None and (not case.forms or _is_read(case, tally)):
            case.filled = int(tally.filled[case.index])
            matched[case.index] = case.filled if case.forms else 0
    left = [case for case in cases if case.index not in matched]
    asked = []
    for case in left:
        asked.append(f"count({case.value})")
        test = in_sql(case.forms[0].test, case.value) if case.forms else "false"
        asked.append(f"count(*) FILTER ({test})")
    more: list[str] = []
    if places is not None and places.named(cases) and (tally is None or not places.told(tally)):
        more = places.asked()
    asked += more
    row = con.execute(f"SELECT {', '.join(asked)} FROM {relation}").fetchone() or () if asked else ()
    if places and more:
        places.measured(row[-len(more) :])
    for position, case in enumerate(left):
        case.filled, matched[case.index] = row[2 * position], row[2 * position + 1]
    return matched


def _is_read(case: _Case, tally: Tally) -> bool:
    form = case.forms[0]
    return form.unit is None and form.name == tally.watched.forms[case.index] if case.index in tally.read else False


def looked_for(
    sample: Sequence[Sequence[str | None]], titles: Sequence[str], hints: dict[int, ColumnType], decimal: str | None
) -> dict[int, str]:
    """Return the form that the sample proposes for each column, of those that octets tell; see `profiled`."""
    found = {}
    for index, name in enumerate(titles):
        cells = [row[index] for row in sample if index < len(row)]
        forms = _case(index, name, cells, hints.get(index), decimal).forms[:1]
        if forms and forms[0].unit is None and forms[0].name in (WHOLE, DECIMAL, DAY):
            found[index] = forms[0].name
    return found


def _nothing(_value: str) -> bool:
    return False


def _settled(con: duck.Connection, relation: str, case: _Case, matched: int) -> ColumnProfile:
    if not case.filled or not case.forms:
        return _text(case)
    if matched == case.filled:
        form = case.forms[0]
        return _typed(case, form, in_sql(form.value, case.value))
    return _second_count(con, relation, case)


def _second_count(con: duck.Connection, relation: str, case: _Case) -> ColumnProfile:
    """Choose the form that reads the most; what it leaves must be marks of absence or, under 2 %, plain noise."""
    value = case.value = case.value if case.value == f"c{case.index}" else trimmed(case.index)
    case.forms = _best_first(case.forms, case.sample)
    marked, counts = _counted_here(case) or _counted_there(con, relation, case)
    form, matched, noisy = max(counts, key=lambda item: item[1])
    values = case.filled - marked
    if not matched or matched + noisy < values or matched < LEAST_SHARE * values:
        return _text(case)
    if matched < _FEWEST_MATCHES_PER_MARK * marked:
        return _text(case)
    test, read = in_sql(form.test, value), in_sql(form.value, value)
    profile = _typed(case, form, f"CASE WHEN {test} THEN {read} END")
    if matched < case.filled:
        why = Sentence(
            "{count} valeur(s) illisible(s) ou marquée(s) absente(s) sont laissées vides, les lignes sont gardées",
            {"count": case.filled - matched},
        )
        profile.evidences.append(Evidence("values", form.type.value, why))
    return profile


_WRITTEN = re.compile(r"[0-9A-Za-z]|[^\x00-\x7f]")
_Counts = tuple[int, list[tuple[Form, int, int]]]


def _counted_here(case: _Case) -> _Counts | None:
    """Count marks of absence and, for each form, what it reads and the noise it leaves; None when SQL must."""
    readers = [(form, form.reads) for form in case.forms if form.reads is not None]
    if case.every is None or len(readers) < len(case.forms):
        return None
    lowered = [value.lower() for value in case.every]
    marks = [text in NULL_MARKS for text in lowered]
    noise = [text in NOISE or not _WRITTEN.search(text) for text in lowered]
    counts = []
    for form, reads in readers:
        read = list(map(reads, case.every))
        noisy = sum(1 for here in zip(read, noise, marks, strict=True) if here == (False, True, False))
        counts.append((form, sum(read), noisy))
    return sum(marks), counts


def _counted_there(con: duck.Connection, relation: str, case: _Case) -> _Counts:
    value = case.value
    marks = f"lower({value}) IN ({', '.join(map(quoted, sorted(NULL_MARKS)))})"
    noise = (
        f"(lower({value}) IN ({', '.join(map(quoted, sorted(NOISE)))}) "
        f"OR NOT regexp_matches({value}, '[[:alnum:]]|[^\\x00-\\x7f]'))"
    )
    asked = [f"count(*) FILTER ({marks})"]
    for form in case.forms:
        test = in_sql(form.test, value)
        asked += [f"count(*) FILTER ({test})", f"count(*) FILTER (NOT ({test}) AND {noise} AND NOT {marks})"]
    marked, *pairs = con.execute(f"SELECT {', '.join(asked)} FROM {relation}").fetchone() or (0,)
    return marked, list(zip(case.forms, pairs[::2], pairs[1::2], strict=True))


def _text(case: _Case) -> ColumnProfile:
    nulls = ", ".join(map(quoted, sorted(TEXT_NULLS)))
    expression = f"CASE WHEN {case.value} IN ({nulls}) THEN NULL ELSE {case.value} END"
    if case.every is not None and TEXT_NULLS.isdisjoint(case.every):
        expression = case.value
    profile = ColumnProfile(case.index, ColumnType.TEXT, expression, case.filled > 0)
    reason = text_reason(case.sample, case.title) if case.hint is None and case.sample else None
    if reason is not None:
        profile.evidences.append(Evidence("values", "text", reason))
    return profile


def _typed(case: _Case, form: Form, expression: str) -> ColumnProfile:
    profile = ColumnProfile(case.index, form.type, expression, True, form.unit)
    subject = {ColumnType.NUMBER: "decimal", ColumnType.INTEGER: "decimal"}.get(form.type, "dates")
    if form.type is ColumnType.BOOLEAN:
        subject = "values"
    if form.name != "integer" or form.unit:
        profile.evidences.append(Evidence(subject, form.name, form.why))
    return profile
